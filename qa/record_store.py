"""Where records of answers are kept: an SQLite file of its own in the data folder, bounded in number and age.

Any process that answers writes to it, a server as well as a command beside it: SQLite's own locks let them take turns.
It is no part of the index: a backup does not hold it, and losing it costs no answer.
"""

import contextlib
import fcntl
import os
import secrets
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import apsw

from index.connection import (
    connect,
    failures,
    fetch,
    on_read_only_medium,
    pragma,
    require_sqlite,
    transaction,
)
from index.durable import TEMPORARY, empty_file, file_identity, storage_error, sync_folder
from index.errors import CorruptError, LockedError, MismatchError, NotFoundError, StorageError
from qa.record import Record, record_from, record_json, without_words

ANSWERS_NAME = "answers.db"
APPLICATION_ID = 0x4E_47_52_41  # "NGRA"
SCHEMA_VERSION = 1
MAX_BYTES = 256 * 1024
"""The longest record; one that is longer is kept without its words, or not at all."""

_BUSY_MS = 1_000
"""How long an answer may wait for another process that writes a record."""

_CHECKPOINT_PAGES = 256
_DAY_S = 86_400.0

_SCHEMA = """
CREATE TABLE answer (
    number INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, at REAL NOT NULL, body TEXT NOT NULL
) STRICT;
CREATE INDEX answer_at ON answer (at);
"""
_BEYOND = "DELETE FROM answer WHERE number <= (SELECT max(number) FROM answer) - ?"


class RecordStore:
    """The records of one data folder. The file is made by the first answer; safe to use from several threads."""

    def __init__(self, folder: Path, *, days: int, most: int, clock: Callable[[], float] = time.time) -> None:
        self._path = folder / ANSWERS_NAME
        self._days = days
        self._most = most
        self._clock = clock
        self._lock = threading.Lock()
        self._db: apsw.Connection | None = None
        self._identity: tuple[int, int] | None = None

    def put(self, record: Record) -> None:
        """Keep a record, and let go of those that are too old or too many.

        Raises:
            StorageError: it could not be written; no harm is done to the others.
            MismatchError: a newer version of the program made the file.
        """
        body = _bounded(record)
        with self._writing() as db:
            values = (record.id, self._clock(), body)
            db.execute("INSERT INTO answer (id, at, body) VALUES (?, ?, ?)", values)
            self._prune(db)

    def get(self, id_: str) -> Record:
        """The record of an answer.

        Raises:
            NotFoundError: there is none, or none any more.
            StorageError: it could not be read.
        """
        with self._reading() as db:
            rows = fetch(db, "SELECT body FROM answer WHERE id = ? AND at >= ?", (id_, self._oldest()))
        if not rows:
            raise _missing()
        return _record(str(rows[0][0]))

    def delete(self, id_: str) -> None:
        """Let go of a record. Raises NotFoundError, StorageError."""
        if not self._path.exists():
            raise _missing()
        with self._writing() as db:
            db.execute("DELETE FROM answer WHERE id = ? AND at >= ?", (id_, self._oldest()))
            if not db.changes():
                raise _missing()

    def prune(self) -> None:
        """Let go of what is too old or too many, where there is anything. Raises StorageError."""
        if self._path.exists():
            with self._writing() as db:
                self._prune(db)

    def purge(self, clean: Callable[[Record], Record]) -> None:
        """Put what `clean` gives in place of each record, and leave no byte of what was there before.

        Raises:
            LockedError: another process reads or writes records; it can be tried again.
            StorageError: the file could not be rewritten; nothing is lost.
        """
        if not self._path.exists():
            return
        try:
            with self._writing() as db:
                self._prune(db)
                for number, body in fetch(db, "SELECT number, body FROM answer"):
                    cleaned = record_json(clean(_record(str(body))))
                    if cleaned != body:
                        db.execute("UPDATE answer SET body = ? WHERE number = ?", (cleaned, number))
            with self._connected() as db, failures(db, self._path):
                db.execute("PRAGMA temp_store = FILE")  # the copy may be larger than memory; it is unlinked
                db.execute("VACUUM")
                db.execute("PRAGMA temp_store = MEMORY")
                db.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_TRUNCATE)
        except StorageError as error:
            if isinstance(error.__cause__, apsw.BusyError):
                raise LockedError(
                    "another process uses the records of answers: end it, and purge again"
                ) from error
            raise

    def problems(self) -> tuple[str, ...]:
        """What is wrong with the file; nothing where there is none. Raises StorageError."""
        try:
            with self._reading() as db:
                found = [str(row[0]) for row in fetch(db, "PRAGMA quick_check(5)")]
        except NotFoundError:
            return ()
        except (CorruptError, MismatchError) as error:
            return (str(error),)
        return tuple(f"{ANSWERS_NAME}: {line}" for line in found if line != "ok")

    def close(self) -> None:
        """Let go of the file; the last process to do so leaves no log beside it."""
        with self._lock:
            self._drop()

    # ---------------------------------------------------------------------------------------------- internals

    def _oldest(self) -> float:
        return self._clock() - self._days * _DAY_S if self._days else float("inf")

    def _prune(self, db: apsw.Connection) -> None:
        db.execute("DELETE FROM answer WHERE at < ?", (self._oldest(),))
        db.execute(_BEYOND, (self._most,))

    @contextmanager
    def _reading(self) -> Iterator[apsw.Connection]:
        """A connection of its own. Raises NotFoundError where there is no file."""
        if not self._path.exists():
            raise _missing()
        require_sqlite()
        immutable = on_read_only_medium(self._path)
        with (
            closing(connect(self._path, writable=False, immutable=immutable)) as db,
            failures(db, self._path),
        ):
            _verify(db, self._path)
            yield db

    @contextmanager
    def _writing(self) -> Iterator[apsw.Connection]:
        with self._connected() as db, failures(db, self._path), transaction(db):
            yield db

    @contextmanager
    def _connected(self) -> Iterator[apsw.Connection]:
        """The writing connection, alone. One that failed is not used again: the next call opens the file anew."""
        with self._lock:
            if self._db is not None and self._identity != file_identity(self._path):
                self._drop()
            try:
                if self._db is None:
                    self._db, self._identity = _opened(self._path)
                yield self._db
            except NotFoundError:
                raise
            except OSError as error:
                self._drop()
                raise storage_error(error, f"cannot write {ANSWERS_NAME}") from error
            except BaseException:
                self._drop()
                raise

    def _drop(self) -> None:
        if self._db is not None:
            db, self._db = self._db, None
            with contextlib.suppress(apsw.Error):  # what was committed stands in the log
                db.close()


def _opened(path: Path) -> tuple[apsw.Connection, tuple[int, int] | None]:
    require_sqlite()
    if not path.exists():
        _create(path)
    identity = file_identity(path)
    db = connect(path, writable=True)
    try:
        with failures(db, path):
            _verify(db, path)
            # An answer does not wait for the disk: after a power cut the last records may be missing, no more.
            db.execute("PRAGMA synchronous = NORMAL")
            db.wal_autocheckpoint(_CHECKPOINT_PAGES)
            db.set_busy_timeout(_BUSY_MS)
    except BaseException:
        db.close()
        raise
    return db, identity


def _create(path: Path) -> None:
    """Make the file, whole before it has its name; where another process was first, its file stays."""
    unfinished = empty_file(path.with_name(f".{path.name}.{secrets.token_hex(8)}{TEMPORARY}"))
    try:
        with closing(connect(unfinished, writable=True)) as db, failures(db, path):
            db.execute(
                f"PRAGMA application_id = {APPLICATION_ID:d}; PRAGMA user_version = {SCHEMA_VERSION:d}"
            )
            with transaction(db):
                db.execute(_SCHEMA)
        with _alone_in(path.parent):
            if not path.exists():
                for beside in ("-wal", "-shm"):  # of a removed file: SQLite would take them for this one's
                    path.with_name(path.name + beside).unlink(missing_ok=True)
                unfinished.replace(path)
        sync_folder(path.parent)
    finally:
        unfinished.unlink(missing_ok=True)


@contextmanager
def _alone_in(folder: Path) -> Iterator[None]:
    """Keep other processes from giving the file its name meanwhile; the kernel lets go when the process ends."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _verify(db: apsw.Connection, path: Path) -> None:
    if pragma(db, "application_id") != APPLICATION_ID:
        raise CorruptError(f"{path.name} holds no records of answers; move it away, and a new one is made")
    version = pragma(db, "user_version")
    if version > SCHEMA_VERSION:
        raise MismatchError(
            f"{path.name} was made by a newer version (schema {version}, known {SCHEMA_VERSION})"
        )


def _bounded(record: Record) -> str:
    body = record_json(record)
    if len(body) > MAX_BYTES:
        body = record_json(without_words(record))
    if len(body) > MAX_BYTES:
        raise StorageError(f"the record is longer than {MAX_BYTES} bytes")
    return body


def _record(body: str) -> Record:
    try:
        return record_from(body)
    except ValueError as error:
        raise CorruptError(f"{ANSWERS_NAME} is damaged ({error})") from error


def _missing() -> NotFoundError:
    return NotFoundError("there is no record of such an answer, or it is not kept any more")
