"""One writer per data folder. The kernel holds the lock, so a killed writer leaves none behind."""

import fcntl
import json
import os
from datetime import UTC, datetime
from pathlib import Path

from index.durable import storage_error
from index.errors import LockedError

LOCK_NAME = "LOCK"


class FolderLock:
    """An exclusive `flock` on the folder's LOCK file, held until `release` or the end of the process.

    The file says who holds it, for the message only: a file left by a dead process locks nobody out.
    """

    def __init__(self, descriptor: int) -> None:
        self._descriptor: int | None = descriptor

    @classmethod
    def acquire(cls, folder: Path) -> "FolderLock":
        """Take the lock at once or not at all.

        Raises:
            LockedError: another writer holds it; names its pid and since when.
            StorageError: the lock file cannot be made.
        """
        flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
        try:
            descriptor = os.open(folder / LOCK_NAME, flags, 0o600)
        except OSError as error:
            raise storage_error(error, f"cannot lock {folder}") from error
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            _sign(descriptor)
        except BlockingIOError as error:
            holder = _holder(descriptor)
            os.close(descriptor)
            raise LockedError(f"{folder} is held by {holder}") from error
        except OSError as error:
            os.close(descriptor)
            raise storage_error(error, f"cannot lock {folder}") from error
        return cls(descriptor)

    def release(self) -> None:
        """Let the next writer in; the file itself stays."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None


def _sign(descriptor: int) -> None:
    since = datetime.now(UTC).isoformat(timespec="seconds")
    os.ftruncate(descriptor, 0)
    os.pwrite(descriptor, json.dumps({"pid": os.getpid(), "since": since}).encode(), 0)


def _holder(descriptor: int) -> str:
    try:
        signature = json.loads(os.pread(descriptor, 200, 0))
        return f"pid {signature['pid']} since {signature['since']}"
    except (ValueError, KeyError, TypeError):
        return "another process that has only just started"
