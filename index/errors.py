"""Every error of the index.

NutgrafError
├── InputError            what was asked for is wrong
│   ├── NotFoundError     no such collection, document or paragraph
│   ├── MissingFolderError   the folder to index is not there or holds no document
│   └── RejectedError     a file cannot be a document (carries a stable reason)
├── LockedError           another process writes to this data folder
├── MismatchError         the index was built by another model or splitter
├── StorageError          reading or writing failed
│   ├── DiskFullError     no space left; reads go on
│   ├── ReadOnlyError     this process opened the data folder for reading only
│   ├── StoreUnavailableError   the server that searches the vectors does not do it now
│   └── CorruptError      stored data is damaged
└── ModelError            no usable model where one is needed
"""

from typing import ClassVar


class NutgrafError(Exception):
    """Base of every error this project raises. `code` is stable; the message is for people."""

    code: ClassVar[str] = "internal"
    retryable: ClassVar[bool] = False


class InputError(NutgrafError):
    """What was asked for is wrong."""

    code = "invalid"


class NotFoundError(InputError):
    """No such collection, document or paragraph."""

    code = "not_found"


class MissingFolderError(InputError):
    """The folder to index is not there, or holds no document."""

    code = "missing_folder"


class RejectedError(InputError):
    """A file cannot be a document."""

    code = "rejected"

    def __init__(self, reason: str, detail: str = "") -> None:
        super().__init__(f"{reason}: {detail}" if detail else reason)
        self.reason = reason
        self.detail = detail


class LockedError(NutgrafError):
    """Another process writes to this data folder."""

    code = "locked"
    retryable = True


class MismatchError(NutgrafError):
    """The index was built by another model or splitter."""

    code = "model_mismatch"


class StorageError(NutgrafError):
    """Reading or writing the data folder failed."""

    code = "storage_error"
    retryable = True


class DiskFullError(StorageError):
    """No space left in the data folder; reads go on."""

    code = "disk_full"


class ReadOnlyError(StorageError):
    """This process opened the data folder for reading only."""

    code = "read_only"
    retryable = False


class StoreUnavailableError(StorageError):
    """The server that searches the vectors does not answer, or does not hold all of them yet."""

    code = "store_unavailable"


class CorruptError(StorageError):
    """Stored data is damaged."""

    code = "catalog_corrupt"
    retryable = False


class ModelError(NutgrafError):
    """No usable model where one is needed."""

    code = "embedder_unavailable"
