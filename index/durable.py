"""The one way a file is written: whole and on disk, or not at all."""

import contextlib
import errno
import os
import secrets
from pathlib import Path

from index.errors import DiskFullError, StorageError

NO_SPACE = frozenset({errno.ENOSPC, errno.EDQUOT})
"""System error numbers that mean a full disk or quota."""

TEMPORARY = ".tmp"
"""Suffix of a file in the making; what a killed process leaves behind carries it."""


def durable_write(path: Path, *data: bytes | memoryview) -> None:
    """Put the data in place of `path`, atomically; it survives a crash once this returns.

    Raises:
        DiskFullError: no space left; what was there before is untouched.
        StorageError: the system refused to write, sync or rename.
    """
    temporary = path.parent / f".{path.name}.{secrets.token_hex(8)}{TEMPORARY}"
    try:
        try:
            _write_and_sync(temporary, data)
            temporary.replace(path)
        except BaseException:
            with contextlib.suppress(OSError):
                temporary.unlink()
            raise
        sync_folder(path.parent)
    except OSError as error:
        raise storage_error(error, f"cannot write {path.name}") from error


def sync_folder(folder: Path) -> None:
    """Make names created, renamed or removed in a folder durable. Raises OSError."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def private_folder(folder: Path) -> None:
    """Make a folder that only its owner can enter, with its parents, durably; one that exists is left as it is.

    Raises:
        DiskFullError: no space left.
        StorageError: the folder cannot be made.
    """
    try:
        if not folder.is_dir():
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            sync_folder(folder.parent)
    except OSError as error:
        raise storage_error(error, f"cannot make the folder {folder}") from error


def empty_file(path: Path) -> Path:
    """An empty file for its owner alone, in place of what stood there. Raises OSError."""
    path.unlink(missing_ok=True)
    os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600))
    return path


def file_identity(path: Path) -> tuple[int, int] | None:
    """What tells a file from another one under its name; None where there is none."""
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_dev, status.st_ino


def remove_temporaries(folder: Path) -> None:
    """Remove what a killed writer left half-made. Only the folder's one writer may call this."""
    for leftover in folder.glob(f".*{TEMPORARY}*"):  # SQLite adds -wal and the like
        with contextlib.suppress(OSError):
            leftover.unlink()


def storage_error(error: OSError, what: str) -> StorageError:
    """The error of this project for a system error: a full disk is told apart, the rest names its cause."""
    if error.errno in NO_SPACE:
        return DiskFullError(f"{what}: no space left on the disk or in the quota")
    return StorageError(f"{what}: {error.strerror or error}")


def _write_and_sync(path: Path, data: tuple[bytes | memoryview, ...]) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    try:
        for part in data:
            rest = memoryview(part).cast("B")
            while rest:
                rest = rest[os.write(descriptor, rest) :]
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
