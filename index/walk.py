"""Finding and reading the files of a folder without ever leaving it."""

import errno
import os
import stat
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from index.errors import MissingFolderError
from index.types import Skipped

MAX_BYTES = 50 * 1024 * 1024
"""A larger file is skipped before it is read."""

MAX_DEPTH = 64
"""Folders within folders; what lies deeper is skipped."""

_TRIES = 3
_KEPT_ON_ERROR = "what was indexed before is kept"


@dataclass(frozen=True, slots=True)
class Found:
    """A regular file: its POSIX path as stored and shown, and the names that lead to it from the root."""

    path: str
    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Walked:
    """What a folder holds. `unread` are folders that could not be listed: what is beneath them is not known."""

    files: tuple[Found, ...]
    skipped: tuple[Skipped, ...]
    unread: tuple[str, ...]


class FileSkipped(Exception):
    """A file that is not read. `gone` tells whether what was indexed under its path has to go too."""

    def __init__(self, reason: str, detail: str = "", *, gone: bool = True) -> None:
        super().__init__(reason)
        self.reason = reason
        self.detail = detail
        self.gone = gone


def walk(root: Path, *, exclude: Path | None = None) -> Walked:
    """All regular files beneath a folder, by path; hidden names and the `exclude` folder are passed over.

    Links are named as skipped and never followed.

    Raises:
        MissingFolderError: the root is not there, not a folder, or cannot be listed.
    """
    found = _Walk(root, _identity(exclude))
    try:
        with _folder(str(root), None) as top:
            found.visit(top, ())
    except OSError as error:
        raise MissingFolderError(f"{root}: {_why_no_folder(root, error)}") from error
    files = sorted(found.files, key=lambda file: file.path)
    return Walked(tuple(files), tuple(found.skipped), tuple(found.unread))


def read_file(root: Path, found: Found, *, limit: int = MAX_BYTES) -> bytes:
    """The bytes of a found file, opened name by name so that no link can lead elsewhere.

    Raises:
        FileSkipped: it is too large, no regular file any more, gone, unreadable, or keeps changing.
    """
    try:
        with _parent(root, found.names) as folder:
            for _ in range(_TRIES):
                data = _read_once(found.names[-1], folder, limit)
                if data is not None:
                    return data
    except FileNotFoundError as error:
        raise FileSkipped("vanished", "removed while it was being read") from error
    except OSError as error:
        if error.errno == errno.ELOOP:
            raise FileSkipped("symlink", "links are not followed") from error
        raise FileSkipped(_reason(error), f"{error.strerror}; {_KEPT_ON_ERROR}", gone=False) from error
    raise FileSkipped("changed_while_reading", f"it is being written; {_KEPT_ON_ERROR}", gone=False)


def display_path(names: tuple[str, ...]) -> str:
    r"""The names joined as a POSIX path; bytes that are not UTF-8 are shown as \xNN."""
    return "/".join(os.fsencode(name).decode("utf-8", "backslashreplace") for name in names)


class _Walk:
    """One walk in progress."""

    def __init__(self, root: Path, avoid: tuple[int, int] | None) -> None:
        self._root = root
        self._avoid = avoid
        self.files: list[Found] = []
        self.skipped: list[Skipped] = []
        self.unread: list[str] = []

    def visit(self, folder: int, names: tuple[str, ...]) -> None:
        for entry in _entries(folder):
            here = (*names, entry.name)
            path = display_path(here)
            kind = _kind(entry)
            if kind is None:
                continue
            if stat.S_ISDIR(kind):
                self._descend(folder, here, path)
            elif stat.S_ISREG(kind):
                self.files.append(Found(path, here))
            else:
                self.skipped.append(_not_a_file(self._root, here, path, kind))

    def _descend(self, parent: int, names: tuple[str, ...], path: str) -> None:
        if len(names) > MAX_DEPTH:
            self.skipped.append(Skipped(path, "too_deep", f"more than {MAX_DEPTH} folders deep"))
            return
        try:
            with _folder(names[-1], parent) as folder:
                if _same(os.fstat(folder)) != self._avoid:
                    self.visit(folder, names)
        except OSError as error:
            self.unread.append(path)
            self.skipped.append(Skipped(path, _reason(error), f"{error.strerror}; {_KEPT_ON_ERROR}"))


def _read_once(name: str, folder: int, limit: int) -> bytes | None:
    """The bytes of a file, or None when it changed meanwhile."""
    # without O_NONBLOCK, opening a FIFO that took the file's place would wait for ever
    descriptor = os.open(
        name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOCTTY, dir_fd=folder
    )
    with os.fdopen(descriptor, "rb") as file:
        before = os.fstat(descriptor)
        if not stat.S_ISREG(before.st_mode):
            raise FileSkipped("not_regular", "not a regular file")
        if before.st_size > limit:
            raise FileSkipped("too_large", f"{before.st_size} bytes; the limit is {limit}")
        data = file.read(limit + 1)
        after = os.fstat(descriptor)
    same = (before.st_size, before.st_mtime_ns) == (after.st_size, after.st_mtime_ns)
    return data if same and len(data) == after.st_size else None


def _entries(folder: int) -> Iterator[os.DirEntry[str]]:
    with closing(os.scandir(folder)) as entries:
        yield from sorted(
            (entry for entry in entries if not entry.name.startswith(".")), key=lambda entry: entry.name
        )


def _kind(entry: os.DirEntry[str]) -> int | None:
    """The entry's mode, or None when it has just been removed."""
    try:
        return entry.stat(follow_symlinks=False).st_mode
    except FileNotFoundError:
        return None


@contextmanager
def _folder(name: str, parent: int | None) -> Iterator[int]:
    nofollow = 0 if parent is None else os.O_NOFOLLOW  # the root itself may be a link: the user named it
    descriptor = os.open(name, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC | nofollow, dir_fd=parent)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


@contextmanager
def _parent(root: Path, names: tuple[str, ...]) -> Iterator[int]:
    """The folder that holds the last of the names."""
    with _folder(str(root), None) as top:
        descriptor = os.dup(top)
    try:
        for name in names[:-1]:
            with _folder(name, descriptor) as deeper:
                os.dup2(deeper, descriptor, inheritable=False)
        yield descriptor
    finally:
        os.close(descriptor)


def _not_a_file(root: Path, names: tuple[str, ...], path: str, kind: int) -> Skipped:
    if not stat.S_ISLNK(kind):
        return Skipped(path, "not_regular", "a device, socket or named pipe")
    target = Path(os.path.realpath(root.joinpath(*names)))  # unlike resolve(), bears a loop of links
    if target.is_relative_to(os.path.realpath(root)):
        return Skipped(path, "symlink", "links are not followed")
    return Skipped(path, "outside_root", "a link that leads out of the folder")


def _reason(error: OSError) -> str:
    return "permission" if isinstance(error, PermissionError) else "unreadable"


def _why_no_folder(root: Path, error: OSError) -> str:
    if isinstance(error, FileNotFoundError):
        return "no such folder"
    if isinstance(error, NotADirectoryError):
        return "not a folder" if root.exists() else "no such folder"
    return f"cannot be listed ({error.strerror})"


def _identity(folder: Path | None) -> tuple[int, int] | None:
    try:
        return None if folder is None else _same(folder.stat())
    except OSError:
        return None


def _same(status: os.stat_result) -> tuple[int, int]:
    return status.st_dev, status.st_ino
