"""Connections to SQLite with every safety setting on, and what its failures mean."""

import errno
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, cast

import apsw

from index.durable import NO_SPACE
from index.errors import CorruptError, DiskFullError, StorageError

OLDEST_SQLITE = (3, 51, 3)
LONGEST_GLOB = 1_000
_BUSY_MS = 10_000

Row = tuple[Any, ...]

_PRAGMAS = """
PRAGMA synchronous = FULL;
PRAGMA foreign_keys = ON;
PRAGMA trusted_schema = OFF;
PRAGMA cell_size_check = ON;
PRAGMA secure_delete = ON;
PRAGMA temp_store = MEMORY;
PRAGMA cache_size = -16384;
"""


def connect(path: Path, *, writable: bool, immutable: bool = False) -> apsw.Connection:
    """A connection with every safety setting on. Raises StorageError when the file cannot be opened."""
    flags = apsw.SQLITE_OPEN_READWRITE if writable else apsw.SQLITE_OPEN_READONLY
    name = str(path)
    if immutable:
        name, flags = f"{path.absolute().as_uri()}?immutable=1", flags | apsw.SQLITE_OPEN_URI
    try:
        db = apsw.Connection(name, flags=flags)
    except apsw.Error as error:
        raise StorageError(f"cannot open {path.name}: {error}") from error
    try:
        with failures(db, path):
            db.set_busy_timeout(_BUSY_MS)
            db.config(apsw.SQLITE_DBCONFIG_DEFENSIVE, 1)
            db.limit(apsw.SQLITE_LIMIT_LIKE_PATTERN_LENGTH, LONGEST_GLOB)
            db.execute(_PRAGMAS)
            if writable:
                db.execute("PRAGMA journal_mode = WAL; PRAGMA journal_size_limit = 67108864")
                db.wal_autocheckpoint(0)
    except BaseException:
        db.close()
        raise
    return db


def fetch(db: apsw.Connection, sql: str, values: Sequence[Any] | Mapping[str, Any] = ()) -> list[Row]:
    """All rows of a query."""
    return cast("list[Row]", db.execute(sql, values).fetchall())


@contextmanager
def failures(db: apsw.Connection, path: Path) -> Iterator[None]:
    """Turn what SQLite raises into the errors of this project."""
    try:
        yield
    except (apsw.CorruptError, apsw.NotADBError, apsw.FormatError, UnicodeDecodeError) as error:
        raise CorruptError(damaged(path, str(error))) from error
    except apsw.FullError as error:
        raise _disk_full(path) from error
    except apsw.IOError as error:
        number = db.system_errno
        if number in NO_SPACE:
            raise _disk_full(path) from error
        raise StorageError(
            f"{path.name}: {error} ({errno.errorcode.get(number, 'no system error')})"
        ) from error
    except apsw.Error as error:
        raise StorageError(f"{path.name}: {error}") from error


def last_id(db: apsw.Connection, table: str) -> int:
    """The highest id a table ever gave."""
    rows = fetch(db, "SELECT seq FROM sqlite_sequence WHERE name = ?", (table,))
    return int(rows[0][0]) if rows else 0


def damaged(path: Path, why: str) -> str:
    """What is said about a damaged catalog: that it was left alone, and the ways out."""
    return (
        f"{path.name} is damaged ({why}). It was left as it is: restore a backup, "
        "or move the data folder away and index again"
    )


@contextmanager
def transaction(db: apsw.Connection) -> Iterator[None]:
    """All of the block is committed, or none of it."""
    db.execute("BEGIN IMMEDIATE")
    try:
        yield
        db.execute("COMMIT")
    except BaseException:
        if db.in_transaction:
            with suppress(apsw.Error):  # the first error is the one that matters
                db.execute("ROLLBACK")
        raise


def require_sqlite() -> None:
    """Refuse a SQLite with the WAL-reset bug. Raises StorageError."""
    found = tuple(int(part) for part in apsw.sqlite_lib_version().split("."))
    if found < OLDEST_SQLITE:
        raise StorageError(
            f"SQLite {apsw.sqlite_lib_version()} can lose writes; {'.'.join(map(str, OLDEST_SQLITE))} is needed"
        )


def on_read_only_medium(path: Path) -> bool:
    """Whether SQLite cannot make the files beside a database, and need not: nothing is left in the log."""
    wal = path.with_name(f"{path.name}-wal")
    empty = not wal.exists() or wal.stat().st_size == 0
    return empty and not os.access(path.parent, os.W_OK)


def pragma(db: apsw.Connection, name: str) -> int:
    """The number a pragma holds."""
    return int(cast("int", db.pragma(name)))


def _disk_full(path: Path) -> DiskFullError:
    return DiskFullError(f"cannot write {path.name}: no space left on the disk or in the quota")
