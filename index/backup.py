"""Backups: one consistent copy of the catalog beside its manifest, made while others read and write.

Only the truth is copied. What is derived from it, the snapshots of the dense index, is made anew after a restore.
"""

import json
import os
import secrets
import shutil
from collections.abc import Callable
from contextlib import closing
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path

import apsw

from index import records
from index.catalog import CATALOG_NAME, open_catalog
from index.changelog import last_sequence
from index.connection import connect, failures, fetch, pragma
from index.durable import (
    TEMPORARY,
    durable_write,
    empty_file,
    private_folder,
    remove_temporaries,
    storage_error,
    sync_folder,
)
from index.errors import CorruptError, InputError, MismatchError, NotFoundError
from index.lock import LOCK_NAME, FolderLock
from index.schema import APPLICATION_ID, SCHEMA_VERSION
from index.watermark import forget_mark

MANIFEST_NAME = "manifest.json"
FORMAT = 1

_PAGES = 1_000
_CHUNK = 1 << 20
_NOT_DATA = frozenset({LOCK_NAME, "models"})
"""What may stand in a data folder that counts as empty."""

_COUNTS = (
    "SELECT (SELECT count(*) FROM document), (SELECT count(*) FROM paragraph), (SELECT count(*) FROM passage)"
)

Copied = Callable[[int, int], None]
"""Called with (parts done, parts in all)."""


@dataclass(frozen=True, slots=True)
class Contents:
    """What a catalog holds, as far as it can be counted."""

    schema: int
    sequence: int
    documents: int
    paragraphs: int
    passages: int
    collections: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a backup is. `size` is in bytes; `sha256` is that of the catalog's file."""

    sha256: str
    size: int
    contents: Contents
    made_at: str
    format: int = FORMAT


def backup(folder: Path, target: Path, *, progress: Copied | None = None) -> Manifest:
    """Copy the index of a data folder into a new folder, as it is at one moment; it survives a crash once this returns.

    Raises:
        NotFoundError: there is no index.
        InputError: the target exists already.
        CorruptError: the index is damaged, so that a copy would be too.
        DiskFullError, StorageError: the copy could not be written; nothing of it is left.
    """
    if not (folder / CATALOG_NAME).exists():
        raise NotFoundError(f"no index in {folder}")
    if target.exists() or target.is_symlink():
        raise InputError(f"{target} exists already: name a folder that is not there yet")
    unfinished = target.absolute().with_name(f".{target.name}.{secrets.token_hex(8)}{TEMPORARY}")
    private_folder(unfinished)
    try:
        manifest = _fill(unfinished, folder / CATALOG_NAME, progress)
        unfinished.rename(target)
        sync_folder(unfinished.parent)
    except OSError as error:
        raise storage_error(error, f"cannot write {target}") from error
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)
    return manifest


def restore(source: Path, folder: Path, *, progress: Copied | None = None) -> Manifest:
    """Put a backup's index into an empty data folder, once every byte of it was verified.

    Raises:
        NotFoundError: there is no backup.
        InputError: the data folder is not empty.
        LockedError: another process writes to the data folder.
        CorruptError: the backup is not what was written, or not whole; the data folder stays empty.
        MismatchError: a newer version of the program made it.
        DiskFullError, StorageError: it could not be read or written; the data folder stays empty.
    """
    manifest = read_manifest(source)
    private_folder(folder)
    lock = FolderLock.acquire(folder)
    try:
        remove_temporaries(folder)
        _require_empty(folder)
        unfinished = folder / f".{CATALOG_NAME}{TEMPORARY}"
        _copy_verified(source / CATALOG_NAME, unfinished, manifest, progress)
        _require_index(unfinished, manifest)
        _detach(unfinished)
        unfinished.replace(folder / CATALOG_NAME)
        sync_folder(folder)
    except OSError as error:
        raise storage_error(error, f"cannot restore into {folder}") from error
    finally:
        remove_temporaries(folder)
        lock.release()
    return manifest


def read_manifest(source: Path) -> Manifest:
    """The manifest of a backup.

    Raises:
        NotFoundError: the folder holds none.
        MismatchError: a newer version of the program wrote it.
        CorruptError: it is damaged.
    """
    try:
        values = json.loads((source / MANIFEST_NAME).read_bytes())
        if int(values["format"]) > FORMAT:
            raise MismatchError(f"{source} was made by a newer version (format {int(values['format'])})")
        held = values["contents"]
        contents = Contents(**held | {"collections": tuple(map(str, held["collections"]))})
        return Manifest(**values | {"contents": contents})
    except (FileNotFoundError, NotADirectoryError) as error:
        raise NotFoundError(f"{source} holds no backup: {MANIFEST_NAME} is missing") from error
    except OSError as error:
        raise storage_error(error, f"cannot read {MANIFEST_NAME}") from error
    except (ValueError, TypeError, KeyError) as error:
        raise _damaged(source, f"{MANIFEST_NAME} cannot be read") from error


def _fill(unfinished: Path, catalog_path: Path, progress: Copied | None) -> Manifest:
    copy = unfinished / CATALOG_NAME
    empty_file(copy)
    with closing(open_catalog(catalog_path, writable=False)) as catalog, catalog.reading() as db:
        holds = _contents(db)  # from this first read on, the transaction sees one state
        _copy_pages(db, copy, progress)
    digest, size = _hashed(copy)
    manifest = Manifest(digest, size, holds, datetime.now(UTC).isoformat(timespec="seconds"))
    _require_index(copy, manifest)
    durable_write(unfinished / MANIFEST_NAME, json.dumps(asdict(manifest), indent=1).encode() + b"\n")
    sync_folder(unfinished)
    return manifest


def _copy_pages(source: apsw.Connection, path: Path, progress: Copied | None) -> None:
    """SQLite's online backup, inside the source's transaction: writers go on, and the copy is of one state."""
    with closing(apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READWRITE)) as copy, failures(copy, path):
        with copy.backup("main", source, "main") as pages:
            while not pages.done:
                pages.step(_PAGES)
                if progress is not None:
                    progress(pages.page_count - pages.remaining, pages.page_count)
        copy.execute("PRAGMA journal_mode = DELETE")  # one file, with nothing beside it
        if fetch(copy, "PRAGMA quick_check(1)") != [("ok",)]:
            raise CorruptError("the index is damaged, so it was not backed up; `nutgraf check` says where")


def _hashed(path: Path) -> tuple[str, int]:
    """SHA-256 and size of a file that is on disk for good."""
    digest, size = sha256(), 0
    with path.open("rb") as file:
        os.fsync(file.fileno())
        while part := file.read(_CHUNK):
            digest.update(part)
            size += len(part)
    return digest.hexdigest(), size


def _copy_verified(source: Path, path: Path, manifest: Manifest, progress: Copied | None) -> None:
    digest, size = sha256(), 0
    empty_file(path)
    try:
        reader = source.open("rb")
    except FileNotFoundError as error:
        raise _damaged(source.parent, f"{source.name} is missing") from error
    with reader, path.open("wb") as writer:
        while part := reader.read(_CHUNK):
            digest.update(part)
            size += len(part)
            writer.write(part)
            if progress is not None:
                progress(size, manifest.size)
        writer.flush()
        os.fsync(writer.fileno())
    if (digest.hexdigest(), size) != (manifest.sha256, manifest.size):
        raise _damaged(source.parent, f"the SHA-256 of {source.name} is not that of its manifest")


def _require_index(path: Path, manifest: Manifest) -> None:
    """Refuse a catalog that is not what the manifest says it is."""
    schema = manifest.contents.schema
    if schema > SCHEMA_VERSION:
        raise MismatchError(
            f"the backup was made by a newer version (schema {schema}, known {SCHEMA_VERSION})"
        )
    with closing(connect(path, writable=False)) as db, failures(db, path):
        if pragma(db, "application_id") != APPLICATION_ID or _contents(db) != manifest.contents:
            raise _damaged(path.parent, "its manifest speaks of another index")


def _detach(path: Path) -> None:
    """Let a restored index fill tables of its own in Milvus: those that are there may go on with the first."""
    with closing(connect(path, writable=True)) as db, failures(db, path):
        forget_mark(db)
        db.execute("PRAGMA journal_mode = DELETE")  # one file again


def _contents(db: apsw.Connection) -> Contents:
    names = tuple(sorted({name for _, name, _ in records.collections(db)}))
    documents, paragraphs, passages = fetch(db, _COUNTS)[0]
    return Contents(pragma(db, "user_version"), last_sequence(db), documents, paragraphs, passages, names)


def _require_empty(folder: Path) -> None:
    found = sorted(entry.name for entry in folder.iterdir() if entry.name not in _NOT_DATA)
    if found:
        raise InputError(f"{folder} is not empty ({found[0]}): restore into a new data folder")


def _damaged(source: Path, why: str) -> CorruptError:
    return CorruptError(f"the backup {source} is damaged ({why}); nothing was restored")
