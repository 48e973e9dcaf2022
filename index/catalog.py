"""The SQLite file that holds the truth: its schema, its connections, and what its failures mean.

One writer connection commits and checkpoints; readers come from a small pool and never write. `apsw` because it
brings a SQLite beyond the WAL-reset bug (3.7.0 to 3.51.2), which Python's own build often is not.
"""

import logging
import secrets
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from hashlib import sha256
from pathlib import Path

import apsw

from index.connection import (
    connect,
    damaged,
    failures,
    fetch,
    on_read_only_medium,
    pragma,
    require_sqlite,
    transaction,
)
from index.durable import NO_SPACE, TEMPORARY, empty_file, file_identity, storage_error, sync_folder
from index.errors import CorruptError, DiskFullError, MismatchError, ReadOnlyError, StorageError
from index.schema import APPLICATION_ID, ORIGINAL, SCHEMA, SCHEMA_VERSION

CATALOG_NAME = "catalog.db"
_MAGIC = b"SQLite format 3\0"

_IDLE_READERS = 8
_CHECKPOINT_PAGES = 4_000  # 16 MB: a bulk load syncs the main file every few hundred commits
_LONG_WAL_PAGES = 16_000  # 64 MB: now wait for the readers, so that the log can start over

Migration = Callable[[apsw.Connection], object]
MIGRATIONS: Mapping[int, Migration] = {1: lambda db: db.execute(ORIGINAL)}
"""From each older schema version, the step that leads to the next one."""

_log = logging.getLogger(__name__)


class Catalog:
    """The open catalog of one data folder."""

    def __init__(
        self,
        path: Path,
        writer: apsw.Connection | None,
        identity: tuple[str, bytes],
        *,
        immutable: bool = False,
    ) -> None:
        self.uuid, self.secret = identity
        self._path = path
        self._writer = writer
        self._immutable = immutable
        self._identity = file_identity(path)
        self._write_lock = threading.RLock()
        self._pool_lock = threading.Lock()
        self._idle: list[apsw.Connection] = []
        self._closed = False
        self._broken = ""
        self._wal_pages = 0
        if writer is not None:
            writer.set_wal_hook(self._after_commit)

    @property
    def writable(self) -> bool:
        """Whether this process opened the catalog for writing."""
        return self._writer is not None

    @contextmanager
    def reading(self, *, fresh: bool = False) -> Iterator[apsw.Connection]:
        """One consistent, read-only view of what is committed; `fresh` for a connection that cached nothing.

        Raises:
            CorruptError: the file is damaged where it was read.
            StorageError: the system could not read it, or it was removed or replaced.
        """
        self.require_same_file()
        db = connect(self._path, writable=False, immutable=self._immutable) if fresh else self._borrow()
        whole = False
        try:
            with failures(db, self._path):
                db.execute("BEGIN")
                yield db
                db.execute("COMMIT")
            whole = True
        finally:
            if whole:
                self._give_back(db)
            else:  # what it was doing, or what it cached, may be part of the trouble
                db.close()

    @contextmanager
    def writing(self) -> Iterator[apsw.Connection]:
        """A transaction: all of it is on disk when the block ends, or none of it after an error.

        Raises:
            DiskFullError: no space left; reads go on, and so do writes once there is space.
            ReadOnlyError: opened for reading only.
            StorageError: the system failed to write: then it stays read-only until it is opened anew, because
                what a failed sync left on disk is not known.
        """
        with self._write_lock:
            db = self.require_writable()
            try:
                with failures(db, self._path), transaction(db):
                    yield db
            except DiskFullError:
                raise
            except StorageError as error:
                if isinstance(error.__cause__, apsw.IOError):
                    self._broken = str(error)
                raise
            self._checkpoint_when_due(db)

    @contextmanager
    def alone(self) -> Iterator[apsw.Connection]:
        """The writer's connection outside a transaction; no other thread commits meanwhile. Raises StorageError."""
        with self._write_lock:
            db = self.require_writable()
            with failures(db, self._path):
                yield db

    def require_same_file(self) -> None:
        """Refuse to go on when the file was removed or replaced under this process. Raises StorageError."""
        if file_identity(self._path) != self._identity:
            raise StorageError(f"{self._path.name} was removed or replaced while it was open")

    def require_writable(self) -> apsw.Connection:
        """The writer's connection. Raises StorageError where nothing may be written."""
        if self._writer is None:
            raise ReadOnlyError(f"{self._path.name} is open for reading only")
        if self._broken:
            raise StorageError(f"read-only until it is opened anew, after a failed write: {self._broken}")
        self.require_same_file()
        return self._writer

    def mark_broken(self, why: str) -> None:
        """Stay read-only until opened anew: the disk failed while something was written."""
        self._broken = why

    def close(self) -> None:
        """Close every connection; the last one moves the log into the main file."""
        with self._pool_lock:
            self._closed = True
            idle, self._idle = self._idle, []
        for reader in idle:
            reader.close()
        with self._write_lock:
            if self._writer is not None:
                writer, self._writer = self._writer, None
                with suppress(apsw.Error):  # only the checkpoint can fail, and the log still holds everything
                    writer.close()

    def _borrow(self) -> apsw.Connection:
        with self._pool_lock:
            if self._closed:
                raise StorageError(f"{self._path.name} is closed")
            if self._idle:
                return self._idle.pop()
        return connect(self._path, writable=False, immutable=self._immutable)

    def _give_back(self, db: apsw.Connection) -> None:
        with self._pool_lock:
            if not self._closed and len(self._idle) < _IDLE_READERS:
                self._idle.append(db)
                return
        db.close()

    def _after_commit(self, _db: apsw.Connection, _name: str, pages: int) -> int:
        self._wal_pages = pages
        return apsw.SQLITE_OK

    def _checkpoint_when_due(self, db: apsw.Connection) -> None:
        """Move the log into the main file. The commit stands already, so a failure is no error of the write."""
        if self._wal_pages < _CHECKPOINT_PAGES:
            return
        wait = self._wal_pages >= _LONG_WAL_PAGES
        mode = apsw.SQLITE_CHECKPOINT_RESTART if wait else apsw.SQLITE_CHECKPOINT_PASSIVE
        try:
            db.wal_checkpoint(mode=mode)
        except apsw.IOError as error:
            if db.system_errno not in NO_SPACE:
                self._broken = str(error)
            _log.warning("checkpoint_failed", extra={"code": "checkpoint_failed", "cause": str(error)})
        except apsw.Error as error:
            _log.warning("checkpoint_failed", extra={"code": "checkpoint_failed", "cause": str(error)})


def create_catalog(path: Path) -> None:
    """Make an empty catalog, complete before it has its name: a catalog without content is always damage."""
    unfinished = empty_file(path.with_name(f".{path.name}{TEMPORARY}"))
    db = connect(unfinished, writable=True)
    try:
        with failures(db, path):
            db.execute(
                f"PRAGMA application_id = {APPLICATION_ID:d}; PRAGMA user_version = {SCHEMA_VERSION:d}"
            )
            with transaction(db):
                db.execute(SCHEMA)
                uuid, secret = secrets.token_hex(16), secrets.token_hex(32)
                values = {"uuid": uuid, "secret": secret, "proof": _proof(uuid, secret), "pruned": "0"}
                db.executemany("INSERT INTO meta VALUES (?, ?)", values.items())
    finally:
        db.close()
    unfinished.replace(path)
    sync_folder(path.parent)


def open_catalog(path: Path, *, writable: bool) -> Catalog:
    """Open the catalog that stands at a path, bringing an older one up to date when writable.

    Raises:
        CorruptError: the file is damaged or no catalog.
        MismatchError: a newer version of the program made it.
        StorageError: the system could not open it.
    """
    require_sqlite()
    _require_header(path)
    immutable = not writable and on_read_only_medium(path)
    db = connect(path, writable=writable, immutable=immutable)
    try:
        with failures(db, path):
            _verify(db, path, writable=writable)
            identity = _identity_of(db, path)
    except BaseException:
        db.close()
        raise
    if writable:
        return Catalog(path, db, identity)
    db.close()
    return Catalog(path, None, identity, immutable=immutable)


def migrate(db: apsw.Connection, path: Path, steps: Mapping[int, Migration], target: int) -> None:
    """Bring an older schema to the target version in one transaction; a copy stays until the result is verified."""
    version = pragma(db, "user_version")
    copy = path.with_name(f"pre-migrate-{version}.db")
    unfinished = empty_file(path.with_name(f".{copy.name}{TEMPORARY}"))
    db.execute("VACUUM INTO ?", (str(unfinished),))
    unfinished.replace(copy)
    sync_folder(path.parent)
    with transaction(db):
        for step in range(version, target):
            steps[step](db)
        db.execute(f"PRAGMA user_version = {target:d}")
    if fetch(db, "PRAGMA quick_check(1)") != [("ok",)]:
        raise CorruptError(
            damaged(path, f"the migration failed its check; {copy.name} holds the state before")
        )
    copy.unlink()


def _verify(db: apsw.Connection, path: Path, *, writable: bool) -> None:
    version = pragma(db, "user_version")
    if version > SCHEMA_VERSION:
        raise MismatchError(
            f"{path.name} was made by a newer version (schema {version}, known {SCHEMA_VERSION})"
        )
    if version < SCHEMA_VERSION:
        if not writable:
            raise MismatchError(
                f"{path.name} has the older schema {version}: index once to bring it up to date"
            )
        migrate(db, path, MIGRATIONS, SCHEMA_VERSION)


def _require_header(path: Path) -> None:
    """Refuse what SQLite would take for an empty database, and write a new one over."""
    try:
        with path.open("rb") as file:
            head = file.read(100)
    except OSError as error:
        raise storage_error(error, f"cannot open {path.name}") from error
    if len(head) < 100 or not head.startswith(_MAGIC):
        raise CorruptError(damaged(path, "its header is gone"))
    if int.from_bytes(head[68:72], "big") != APPLICATION_ID:
        raise CorruptError(damaged(path, "it is not a catalog of Nutgraf"))


def _identity_of(db: apsw.Connection, path: Path) -> tuple[str, bytes]:
    """The catalog's own name, and the key of its seals; with a damaged key every row would look damaged."""
    uuid, secret, proof = (_meta(db, key) or "" for key in ("uuid", "secret", "proof"))
    if not secret or _proof(uuid, secret) != proof:
        raise CorruptError(damaged(path, "its identity is gone"))
    return uuid, bytes.fromhex(secret)


def _proof(uuid: str, secret: str) -> str:
    return sha256(f"{uuid} {secret}".encode()).hexdigest()


def _meta(db: apsw.Connection, key: str) -> str | None:
    rows = fetch(db, "SELECT value FROM meta WHERE key = ?", (key,))
    return str(rows[0][0]) if rows else None
