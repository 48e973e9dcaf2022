"""Opening the store that the settings name: in the data folder alone, or with its vectors in Milvus."""

from pathlib import Path

from index.address import MilvusAddress
from index.store import LocalStore
from index.types import BuiltBy


def open_store(
    folder: Path, built_by: BuiltBy, milvus: MilvusAddress | None, *, writable: bool
) -> LocalStore:
    """The store of a data folder; its vectors are searched in Milvus where there is an address.

    Raises:
        InputError: the client of Milvus is not installed.
        LockedError, MismatchError, CorruptError, StorageError: as `LocalStore.open`.
    """
    if milvus is None:
        return LocalStore.open(folder, built_by, writable=writable)
    from index.milvus_store import MilvusStore  # its client is an extra, and slow to import

    return MilvusStore.open_at(milvus, folder, built_by, writable=writable)
