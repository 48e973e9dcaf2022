"""The local store: one data folder with a SQLite catalog as the truth and dense indexes derived from it.

One process writes, under the folder's lock; any number read beside it. Every method may be called from any thread.
"""

import logging
import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Self

import apsw

from index import originals, records
from index.catalog import CATALOG_NAME, Catalog, create_catalog, open_catalog
from index.changelog import log_changes, prune_changes
from index.check import check_catalog, repair_catalog
from index.connection import fetch
from index.dense import EXACT_UP_TO, DenseIndexes, has_snapshots
from index.durable import private_folder, remove_temporaries
from index.errors import CorruptError, InputError, MismatchError, NotFoundError, StorageError
from index.fulltext import FullText
from index.lock import FolderLock
from index.purge import remove_leftovers, rewrite
from index.reader import StoreReader, compatible, require_dim
from index.side import DenseSide
from index.types import (
    BuiltBy,
    Change,
    CheckReport,
    Move,
    Remove,
    Upsert,
    Vectors,
)

SideOf = Callable[[Catalog], DenseSide]
"""Makes what searches the vectors of a catalog."""

_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")

_log = logging.getLogger(__name__)


class LocalStore(StoreReader):
    """Documents, passages and vectors of one data folder; satisfies `PassageStore`."""

    def __init__(
        self,
        catalog: Catalog,
        dense: DenseSide,
        built_by: BuiltBy,
        *,
        folder: Path,
        lock: FolderLock | None,
    ) -> None:
        super().__init__(catalog, dense, built_by)
        self.folder = folder
        self._lock = lock

    @classmethod
    def open(
        cls,
        folder: Path,
        built_by: BuiltBy,
        *,
        writable: bool = False,
        beside: bool = False,
        exact_up_to: int = EXACT_UP_TO,
    ) -> Self:
        """Open a data folder; a writer makes it when it is not there, and holds its lock for life.

        An index built without a model opens under any, and one built with a model opens without it (for lexical
        search); otherwise what built it has to be equal. `beside` lets a writer build a new one next to the old.
        Collections of more than `exact_up_to` vectors get a compressed dense index.

        Raises:
            NotFoundError: nothing to read here yet.
            LockedError: another process writes to the folder.
            MismatchError: another model or splitter built the index.
            CorruptError: the catalog is damaged, or gone from under its snapshots; it is never replaced.
            StorageError: the system refused.
        """
        return cls._opened(
            folder,
            built_by,
            lambda catalog: DenseIndexes(folder, catalog, exact_up_to=exact_up_to),
            writable=writable,
            beside=beside,
        )

    @classmethod
    def _opened(cls, folder: Path, built_by: BuiltBy, side: SideOf, *, writable: bool, beside: bool) -> Self:
        """A store over a folder's catalog, with what searches its vectors."""
        if writable:
            private_folder(folder)
        lock = FolderLock.acquire(folder) if writable else None
        try:
            catalog = _open_catalog(folder, writable=writable)
            try:
                store = cls(catalog, side(catalog), built_by, folder=folder, lock=lock)
                store._accept(beside=beside)
            except BaseException:
                catalog.close()
                raise
        except BaseException:
            if lock is not None:
                lock.release()
            raise
        return store

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Bring the snapshots up to date when writing, close the files, let the next writer in."""
        try:
            if self._catalog.writable:
                self._try_snapshot()
        finally:
            self._dense.close()
            self._catalog.close()
            if self._lock is not None:
                self._lock.release()

    # ------------------------------------------------------------------------------------------ collections

    def create_collection(self, name: str) -> None:
        """Make an empty collection; one that exists is left as it is.

        Raises:
            InputError: the name is not of lower-case letters, digits, `-` and `_`.
        """
        if not _NAME.fullmatch(name):
            raise InputError(
                f"not a collection name: {name[:80]!r}; lower-case letters, digits, '-' and '_' make one"
            )
        with self._catalog.reading() as db:
            if name in self._visible(db):
                return
        with self._catalog.alone():
            self._dense.prepare()
            with self._catalog.writing() as db:
                if name in self._visible(db):
                    return
                key = records.insert_collection(db, name, self._built_by)
                sequence = log_changes(db, key, "create", (), ())
                self._dense.stage(db, key, self._built_by, sequence, ())
            self._dense.sweep(self._built_by, sequence, ())

    def delete_collection(self, name: str) -> None:
        """Take a collection away with everything in it. Raises NotFoundError."""
        with self._catalog.alone():
            self._dense.prepare()
            with self._catalog.writing() as db:
                key, built_by = self._find(db, name)
                self._delete(db, key, built_by)
            self._dense.drop(key, built_by)

    def delete_superseded(self) -> None:
        """Take away collections that were built by another model or splitter and stand here built anew."""
        with self._catalog.alone():
            self._dense.prepare()
            with self._catalog.writing() as db:
                visible = self._visible(db)
                old = [
                    (key, built_by)
                    for key, name, built_by in records.collections(db)
                    if name in visible and key != visible[name][0]
                ]
                for key, built_by in old:
                    self._delete(db, key, built_by)
            for key, built_by in old:
                self._dense.drop(key, built_by)

    # ---------------------------------------------------------------------------------------------- writing

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Keep other threads from committing, so that what was read still holds when it is acted on."""
        with self._catalog.alone():
            yield

    def apply(self, collection: str, changes: Iterable[Change], /) -> int:
        """Commit each change in a transaction of its own; give the sequence number of the last one.

        Raises:
            NotFoundError: no such collection, or no document at the path to be moved.
            MismatchError: vectors of another dimension.
            DiskFullError: no space left; what was committed stays.
            StorageError: the write failed; see `Catalog.writing`.
        """
        sequence = None
        for change in changes:
            with self._catalog.alone():
                self._dense.prepare()
                with self._catalog.writing() as db:
                    key, built_by = self._find(db, collection)
                    op, added, removed = self._apply(db, (key, collection), built_by, change)
                    sequence = log_changes(db, key, op, added, removed)
                    self._dense.stage(db, key, built_by, sequence, added)
                self._dense.sweep(built_by, sequence, removed)
        if sequence is None:
            return self.sequence()
        if self._dense.overdue(sequence):
            self._try_snapshot()
        return sequence

    def set_vectors(self, collection: str, vectors: dict[int, Vectors]) -> None:
        """Give passages that have none their vectors, float32[dim] each; passages that are gone are passed over."""
        with self._catalog.alone():
            self._dense.prepare()
            with self._catalog.writing() as db:
                key, built_by = self._find(db, collection)
                for vector in vectors.values():
                    require_dim(vector.shape[0], built_by)
                rows = [(*records.vector_fields(vector), id_) for id_, vector in vectors.items()]
                db.executemany("UPDATE passage SET vector_sha256 = ?, vector = ? WHERE id = ?", rows)
                sequence = log_changes(db, key, "embed", vectors, ())
                self._dense.stage(db, key, built_by, sequence, list(vectors))
            self._dense.sweep(built_by, sequence, ())

    def snapshot(self) -> None:
        """Write the snapshots that are behind. Raises StorageError; the old ones stay until the new are whole."""
        self._catalog.require_writable()
        with self._catalog.reading() as db:
            visible = self._visible(db)
        for key, built_by in visible.values():
            if built_by.dim:
                self._save(key, built_by)
        done = self._dense.prune()
        if done > 0:
            with self._catalog.writing() as db:
                prune_changes(db, done)

    def purge(self) -> None:
        """Leave no byte of what was deleted in the data folder. Needs space for the catalog twice over.

        Raises:
            LockedError: another process reads an older state; nothing is lost, and it can be tried again.
            DiskFullError: no space for the rewriting; everything is as it was.
        """
        with self._catalog.reading() as db:
            visible, every = self._visible(db), [key for key, _, _ in records.collections(db)]
        with self._catalog.alone() as db:
            rewrite(db, every)
        self._dense.clear()
        remove_leftovers(self.folder)
        for key, built_by in visible.values():
            if built_by.dim:
                self._save(key, built_by)

    def check(self, *, repair: bool = False) -> CheckReport:
        """Compare everything stored with its hashes, and what is derived with what it derives from.

        `repair` makes the derived anew, and marks damaged documents so that the next sync reads their files again.

        Raises:
            StorageError: the files cannot be read, or `repair` without being the writer.
        """
        if repair:
            with self._catalog.writing() as db:
                visible = self._visible(db)
                repair_catalog(db, self._catalog.secret, visible)
            for key, built_by in visible.values():
                if built_by.dim:
                    self._dense.rebuild(key, built_by)
        # integrity_check reports a mismatch where FTS5 cached its structure before another connection's commit
        with self._catalog.reading(fresh=True) as db:
            report = check_catalog(db, self._catalog.secret, self._visible(db), self._dense)
        problems = (*report.problems, *self._fulltext_problems())
        return replace(report, ok=not problems, problems=problems)

    # -------------------------------------------------------------------------------------------- internals

    def _accept(self, *, beside: bool) -> None:
        """Refuse an index that something else built; take over one that was built without a model."""
        with self._catalog.reading() as db:
            stored = records.collections(db)
        matching = {name for _, name, built_by in stored if compatible(built_by, self._built_by)}
        for _, name, built_by in stored:
            if name not in matching and not beside:
                raise MismatchError(
                    f"collection {name!r} was built by {_described(built_by)}, not by {_described(self._built_by)}:"
                    " reindex into another data folder (NUTGRAF_DATA_DIR), or use the model it was built by"
                )
        upgraded = [
            key
            for key, _, built_by in stored
            if not built_by.model and compatible(built_by, self._built_by) and built_by != self._built_by
        ]
        if upgraded and self._catalog.writable:
            with self._catalog.writing() as db:
                for key in upgraded:
                    records.set_built_by(db, key, self._built_by)

    def _apply(
        self, db: apsw.Connection, collection: tuple[int, str], built_by: BuiltBy, change: Change
    ) -> tuple[str, list[int], list[int]]:
        """Do it; gives its name in the change log, and the passages whose vectors came and went."""
        key, name = collection
        secret = self._catalog.secret
        target = change.document.path if isinstance(change, Upsert) else change.path
        stored = records.find_document(db, secret, key, path=target)
        if isinstance(change, Move):
            if stored is None:
                raise NotFoundError(f"no document at {target[:200]!r}")
            there = records.find_document(db, secret, key, path=change.new_path)
            gone = there if there is not None and there.key != stored.key else None
            removed = [] if gone is None else records.delete_document(db, secret, key, gone.key)
            records.move_document(db, secret, name, stored.key, change.new_path)
            return "move", [], removed
        removed = [] if stored is None else records.delete_document(db, secret, key, stored.key)
        if isinstance(change, Remove):
            return "remove", [], removed
        _require_vectors(change, built_by)
        document = records.insert_document(db, secret, collection, change)
        if change.original is not None:
            originals.keep(db, secret, document, change.original)
        added = fetch(db, "SELECT id FROM passage WHERE document = ? AND vector IS NOT NULL", (document,))
        return "upsert", [int(row[0]) for row in added], removed

    def _delete(self, db: apsw.Connection, key: int, built_by: BuiltBy) -> None:
        """Take a collection out of the catalog."""
        records.delete_collection(db, key)
        sequence = log_changes(db, key, "drop", (), ())
        self._dense.stage(db, key, built_by, sequence, ())

    def _fulltext_problems(self) -> list[str]:
        """Compare every word of the full-text indexes with the passages; only a writer can ask for it."""
        if not self._catalog.writable:
            return []
        problems: list[str] = []
        with self._catalog.reading() as db:
            visible = self._visible(db)
        for name, (key, _) in visible.items():
            try:
                with self._catalog.writing() as db:
                    db.execute(FullText.of(key).command("integrity-check", 1))
            except CorruptError:
                problems.append(f"{name}: the full-text index is not that of the passages")
        return problems

    def _try_snapshot(self) -> None:
        """Write the snapshots if that can be done: the catalog holds everything, and the next start catches up."""
        try:
            self.snapshot()
        except StorageError as error:
            _log.warning("snapshot_failed", extra={"code": error.code, "cause": str(error)})

    def _save(self, key: int, built_by: BuiltBy) -> None:
        try:
            self._dense.save(key, built_by)
        except StorageError as error:
            if isinstance(error.__cause__, OSError) and type(error) is StorageError:
                self._catalog.mark_broken(str(error))
            raise


def _open_catalog(folder: Path, *, writable: bool) -> Catalog:
    path = folder / CATALOG_NAME
    if not path.exists():
        if has_snapshots(folder) or path.with_name(f"{CATALOG_NAME}-wal").exists():
            raise CorruptError(
                f"{CATALOG_NAME} is missing from {folder}, but what was derived from it is there: restore a backup,"
                " or remove the folder and index again"
            )
        if not writable:
            raise NotFoundError(f"no index in {folder}: run `nutgraf index PATH` first")
        remove_temporaries(folder)
        create_catalog(path)
    elif writable:
        remove_temporaries(folder)
    return open_catalog(path, writable=writable)


def _described(built_by: BuiltBy) -> str:
    model = (
        f"{built_by.model} ({built_by.dim} dimensions, {built_by.model_sha256[:12]})"
        if built_by.model
        else "no model"
    )
    return f"{model} with splitter {built_by.splitter}"


def _require_vectors(change: Upsert, built_by: BuiltBy) -> None:
    if change.vectors.size == 0:
        return
    if change.vectors.shape[0] != len(change.passages):
        raise ValueError(f"{change.vectors.shape[0]} vectors for {len(change.passages)} passages")
    require_dim(change.vectors.shape[1], built_by)
