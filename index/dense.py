"""The dense indexes of a store: kept in step with the catalog's change log, and with their snapshots."""

import json
import logging
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict
from pathlib import Path
from typing import cast

import apsw
import numpy as np

from index.catalog import Catalog
from index.changelog import changes_after, count_added, last_change, last_sequence, nonce, pruned
from index.connection import Row, fetch
from index.durable import private_folder, remove_temporaries
from index.large import Shape
from index.lexical import Narrowing, narrowing
from index.records import to_vector
from index.segment import BLOCK, Ids, SnapshotError
from index.snapshot import DenseIndex, SnapshotKey, large, load, save
from index.types import BuiltBy, Vectors

SNAPSHOT_FOLDER = "snapshots"
_SUFFIX = ".dense"
_BAD_KEPT = 2
_TRIES = 50
LOG_KEPT = 100_000
"""Changes kept in the log behind a snapshot, so that a reader that was away can catch up without reading all."""

EXACT_UP_TO = 100_000
"""Vectors of a collection that are searched exactly; more of them are compressed, and a search reads a part."""
_GROWN = 2
"""A large index is laid out anew when it holds so many times the vectors that it was laid out for."""
_REPLAYED = 10_000
"""Changes that a snapshot of a large index may be behind: half a second at the next start, against a file of 400 MB."""

_VECTORS_BY_ID = (
    "SELECT id, vector, vector_sha256 FROM passage WHERE id IN (SELECT value FROM json_each(?)) ORDER BY id"
)
_ALL_VECTORS = (
    "SELECT p.id, p.vector, p.vector_sha256 FROM passage p"
    " WHERE p.document IN (SELECT key FROM document WHERE collection = ?)"
)
# from two indexes alone: the rows of a million passages are gigabytes
_IDS = (
    "SELECT id FROM passage WHERE document IN (SELECT key FROM document WHERE collection = :collection)"
    " EXCEPT SELECT id FROM passage WHERE vector_sha256 IS NULL"
    " AND document IN (SELECT key FROM document WHERE collection = :collection) ORDER BY id"
)

_log = logging.getLogger(__name__)


class DenseIndexes:
    """One dense index for each collection, loaded when first asked for."""

    def __init__(self, folder: Path, catalog: Catalog, *, exact_up_to: int = EXACT_UP_TO) -> None:
        self._folder = folder / SNAPSHOT_FOLDER
        self._catalog = catalog
        self._exact_up_to = exact_up_to
        self._lock = threading.Lock()
        self._loaded: dict[int, DenseIndex] = {}
        self._saved: dict[int, int] = {}
        self._saving = threading.Lock()
        self._settled = 0
        if catalog.writable:
            private_folder(self._folder)
            remove_temporaries(self._folder)
            with catalog.reading() as db:
                self._settled = last_sequence(db)

    def current(self, collection: int, built_by: BuiltBy) -> DenseIndex:
        """The index of a collection with every committed change in it."""
        with self._catalog.reading() as db:
            last = last_sequence(db)
            index = self._loaded.get(collection)
            if index is not None and index.applied >= last:
                return index
            with self._lock:
                index = self._loaded.get(collection)
                if index is None:
                    index = self._open(db, collection, built_by, last)
                if index.applied < last:
                    index = self._caught_up(db, collection, index, last)
                self._loaded[collection] = index
                return index

    def search(
        self, collection: int, built_by: BuiltBy, vector: Vectors, k: int, narrowed: Narrowing | None, /
    ) -> list[tuple[int, float]]:
        """The k passages nearest by cosine, as (passage id, cosine), best first, of those the filters let through."""
        allowed = self._allowed(collection, narrowed)
        index = self.current(collection, built_by)
        if index.shape is None:
            return index.search(vector, k, allowed)
        with self._catalog.reading() as db:
            return index.search(vector, k, allowed, lambda ids: vectors_of(db, ids, index.dim))

    @contextmanager
    def beside_catalog(
        self, collection: int, built_by: BuiltBy
    ) -> Iterator[tuple[apsw.Connection, DenseIndex]]:
        """The catalog and the index of a collection as of one moment, while others commit."""
        for tries_left in range(_TRIES, -1, -1):
            with self._catalog.reading() as db:
                last = last_sequence(db)
                index = self.current(collection, built_by)
                if index.applied == last or not tries_left:
                    yield db, index
                    return

    def refresh(self) -> None:
        """Bring the loaded indexes up to date."""
        for collection, index in list(self._loaded.items()):
            self.current(collection, BuiltBy("", "", index.dim, 0))

    def prepare(self) -> None:
        """Nothing has to be done before a change."""

    def stage(
        self,
        db: apsw.Connection,
        collection: int,
        built_by: BuiltBy,
        sequence: int,
        added: Sequence[int],
        /,
    ) -> None:
        """Nothing: a change is taken in from the change log when it is asked for."""

    def sweep(self, built_by: BuiltBy, sequence: int, removed: Sequence[int], /) -> None:
        """Nothing, as for `stage`."""

    def close(self) -> None:
        """Nothing is open."""

    def save(self, collection: int, built_by: BuiltBy, /) -> None:
        """Write the snapshot of a collection unless the one on disk is up to date. Raises StorageError.

        Here the index becomes a large one, or is laid out anew, since that takes seconds that no search should wait.
        """
        with self._saving:
            with self._catalog.reading() as db:
                last = last_change(db, collection)
                self._settled = last_sequence(db)
            index = self.current(collection, built_by)
            if not self._due(collection, index, last):
                return
            with self._catalog.reading() as db:
                index = self._caught_up(db, collection, index, last_sequence(db))
                if self._outgrown(index):
                    index = self._rebuilt(db, collection, index.dim, index.applied)
                mark = nonce(db, index.applied)
            index = save(self._path(collection), index, self._key(collection, built_by), mark)
            with self._lock:
                self._loaded[collection] = index
                self._saved[collection] = index.applied

    def overdue(self, sequence: int, /) -> bool:
        """Whether so much was committed since snapshots were last asked for that they should not wait any longer."""
        return sequence - self._settled >= LOG_KEPT // 2 and not self._saving.locked()

    def prune(self) -> int:
        """The number up to which no snapshot and hardly a reader needs the change log any more."""
        return min(self._saved.values(), default=0) - LOG_KEPT

    def drop(self, collection: int, _built_by: BuiltBy, /) -> None:
        """Forget a collection, and its snapshot."""
        with self._lock:
            self._loaded.pop(collection, None)
            self._saved.pop(collection, None)
        self._path(collection).unlink(missing_ok=True)

    def clear(self) -> None:
        """Forget every collection, and remove every snapshot, those that were set aside too."""
        with self._lock:
            self._loaded.clear()
            self._saved.clear()
        for snapshot in self._folder.glob(f"*{_SUFFIX}*"):
            snapshot.unlink(missing_ok=True)

    def rebuild(self, collection: int, built_by: BuiltBy, /) -> None:
        """Make the index anew from the stored vectors, and its snapshot."""
        with self._lock:
            self._loaded.pop(collection, None)
            self._saved.pop(collection, None)
        self._path(collection).unlink(missing_ok=True)
        self.save(collection, built_by)

    def problems(self, db: apsw.Connection, collection: int, built_by: BuiltBy, /) -> Iterator[str]:
        """Where the index, or its snapshot, is not what the catalog has."""
        with self.beside_catalog(collection, built_by) as (now, index):
            problems = list(_index_problems(now, "dense index", index, collection, built_by))
        yield from problems
        try:
            stored = self.stored(collection, built_by)
        except SnapshotError as error:
            yield f"dense snapshot: {error}"
        else:
            if stored is not None:
                yield from _vector_problems(db, "dense snapshot", stored, built_by)

    def stored(self, collection: int, built_by: BuiltBy) -> DenseIndex | None:
        """The index as its snapshot file holds it, or None when there is none.

        Raises:
            SnapshotError: the file is damaged or belongs to something else.
        """
        path = self._path(collection)
        return load(path, self._key(collection, built_by))[0] if path.exists() else None

    def _allowed(self, collection: int, narrowed: Narrowing | None) -> Ids | None:
        """The ids of the passages that the filters let through, ascending; None for all."""
        sql = narrowing(narrowed)
        if sql is None:
            return None
        with self._catalog.reading() as db:
            rows = fetch(db, sql, {"collection": collection, **(narrowed or {})})
        return np.sort(np.array([row[0] for row in rows], np.int64))

    def _open(self, db: apsw.Connection, collection: int, built_by: BuiltBy, last: int) -> DenseIndex:
        path = self._path(collection)
        if not path.exists():
            return self._rebuilt(db, collection, built_by.dim, last)
        try:
            index, mark = load(path, self._key(collection, built_by))
            _require_place(db, index.applied, mark)
        except SnapshotError as error:
            self._set_aside(path, str(error))
            return self._rebuilt(db, collection, built_by.dim, last)
        self._saved[collection] = index.applied
        return index

    def _due(self, collection: int, index: DenseIndex, last: int) -> bool:
        """Whether a snapshot is worth writing; that of a large index costs too much to be written for each edit."""
        saved = self._saved.get(collection, -1)
        behind = index.applied - saved
        if saved < 0 or behind >= LOG_KEPT // 2 or self._outgrown(index):
            return True
        return saved < last and (index.shape is None or behind >= _REPLAYED)

    def _outgrown(self, index: DenseIndex) -> bool:
        """Whether the vectors are too many for how the index is laid out, or by far too few."""
        if index.shape is None:
            return len(index) > self._exact_up_to
        return not self._exact_up_to // 2 < len(index) <= _GROWN * index.shape.trained

    def _caught_up(self, db: apsw.Connection, collection: int, index: DenseIndex, last: int) -> DenseIndex:
        if index.applied >= last:
            return index
        added_since = count_added(db, collection, index.applied)
        if index.applied < pruned(db) or added_since > self._exact_up_to:
            return self._rebuilt(db, collection, index.dim, last)
        added, removed = changes_after(db, collection, index.applied)
        ids, vectors = vectors_of(db, np.array(sorted(added), np.int64), index.dim)
        return index.apply(last, ids, vectors, np.array(sorted(removed), np.int64))

    def _rebuilt(self, db: apsw.Connection, collection: int, dim: int, last: int) -> DenseIndex:
        """The index from the stored vectors; no model is needed."""
        if dim == 0:
            return DenseIndex(0, last)
        every = passage_ids(db, collection)
        if len(every) > self._exact_up_to:
            return _large(db, every, dim, last)
        rows = cast("Iterator[Row]", db.execute(_ALL_VECTORS, (collection,)))
        ids, vectors = read_vectors(rows, len(every), dim)
        return DenseIndex(dim).apply(last, ids, vectors, np.empty(0, np.int64))

    def _set_aside(self, path: Path, why: str) -> None:
        """Keep a bad snapshot for whoever wants to know; only the writer may touch it."""
        _log.warning(
            "snapshot_rejected", extra={"code": "snapshot_rejected", "file": path.name, "cause": why}
        )
        if not self._catalog.writable:
            return
        with suppress(OSError):
            path.replace(path.with_name(f"{path.name}.bad-{time.time_ns()}"))
            for old in sorted(path.parent.glob(f"{path.name}.bad-*"))[:-_BAD_KEPT]:
                old.unlink()

    def _path(self, collection: int) -> Path:
        return self._folder / f"{collection}{_SUFFIX}"

    def _key(self, collection: int, built_by: BuiltBy) -> SnapshotKey:
        return SnapshotKey(
            self._catalog.uuid, collection, built_by.model, built_by.model_sha256, built_by.dim
        )


def has_snapshots(folder: Path) -> bool:
    """Whether a data folder holds snapshots: an index stood here once."""
    return any((folder / SNAPSHOT_FOLDER).glob(f"*{_SUFFIX}"))


def passage_ids(db: apsw.Connection, collection: int) -> Ids:
    """The ids of all passages of a collection that an embedder has seen, ascending."""
    rows = cast("Iterator[Row]", db.execute(_IDS, {"collection": collection}))
    return np.fromiter((row[0] for row in rows), np.int64)


def vectors_of(db: apsw.Connection, ids: Ids, dim: int) -> tuple[Ids, Vectors]:
    """The stored vectors of passages, by id, of those that are there and whole."""
    rows = db.execute(_VECTORS_BY_ID, (json.dumps(ids.tolist()),))
    return read_vectors(cast("Iterator[Row]", rows), len(ids), dim)


def read_vectors(rows: Iterator[Row], count: int, dim: int) -> tuple[Ids, Vectors]:
    """Ids and vectors of at most `count` rows, without the damaged ones."""
    ids, vectors, kept = np.zeros(count, np.int64), np.zeros((count, dim), np.float32), 0
    for id_, data, digest in rows:
        vector = to_vector(data, digest, dim)
        if vector is not None:
            ids[kept], vectors[kept] = id_, vector
            kept += 1
        elif data is not None:
            _log.warning("vector_damaged", extra={"code": "vector_damaged", "passage": id_})
    return ids[:kept], vectors[:kept]


def _require_place(db: apsw.Connection, applied: int, mark: str) -> None:
    if applied < pruned(db) or not mark or nonce(db, applied) != mark:
        raise SnapshotError("its place in the change log is gone")


def _large(db: apsw.Connection, every: Ids, dim: int, last: int) -> DenseIndex:
    """A large index of stored vectors: laid out by a sample of them, then read in blocks."""
    began, shape = time.monotonic(), Shape.of(len(every))
    chosen = np.random.default_rng(len(every)).choice(every, shape.sample_size(), replace=False)
    _, sample = vectors_of(db, np.sort(chosen), dim)
    if len(sample) < shape.lists:  # most of them are damaged
        ids, vectors = vectors_of(db, every, dim)
        return DenseIndex(dim).apply(last, ids, vectors, np.empty(0, np.int64))
    blocks = (vectors_of(db, every[start : start + BLOCK], dim) for start in range(0, len(every), BLOCK))
    index = large(last, shape, sample, blocks)
    seconds = round(time.monotonic() - began, 1)
    _log.info("dense_built", extra={"code": "dense_built", "seconds": seconds, **asdict(shape)})
    return index


def _index_problems(
    db: apsw.Connection, what: str, index: DenseIndex, key: int, built_by: BuiltBy
) -> Iterator[str]:
    rows = fetch(
        db,
        "SELECT p.id FROM document d JOIN passage p ON p.document = d.key"
        " WHERE d.collection = ? AND p.vector IS NOT NULL ORDER BY p.id",
        (key,),
    )
    expected = [row[0] for row in rows]
    if index.ids().tolist() != expected:
        yield f"{what}: holds {len(index)} vectors, the catalog {len(expected)}, or not of the same passages"
    yield from _vector_problems(db, what, index, built_by)


def _vector_problems(db: apsw.Connection, what: str, index: DenseIndex, built_by: BuiltBy) -> Iterator[str]:
    """Vectors that are not those of the catalog; passages that are gone from it are no concern."""
    for segment in index.segments:
        for id_ in segment.differing(lambda ids: vectors_of(db, ids, built_by.dim)):
            yield f"{what}: the vector of passage {id_} is not the stored one"
