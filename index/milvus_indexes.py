"""The dense indexes of a store in Milvus, kept in step with the catalog, which stays the truth.

Milvus has no transactions, so the catalog's commit is the moment at which a change holds: what a change adds is
written to Milvus before it, what a change removes is deleted there after it, and what a search finds is looked up in
the catalog and scored with its vectors. So no vector of a passage that is not committed, or gone, ever surfaces.
"""

import json
import logging
import secrets
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import cast

import apsw
import numpy as np

from index.catalog import Catalog
from index.changelog import changes_after, last_sequence, pruned
from index.connection import Row as Values
from index.connection import fetch, last_id
from index.dense import LOG_KEPT, passage_ids, read_vectors, vectors_of
from index.errors import StoreUnavailableError
from index.lexical import Narrowing
from index.milvus import MOST_FOUND, GoneError, Milvus, Row
from index.milvus_compare import differences, words_by_id
from index.milvus_lexical import MilvusWords
from index.milvus_scope import KNOWN, Scope, values_of
from index.segment import BLOCK, Ids
from index.types import BuiltBy, Vectors
from index.watermark import (
    BehindError,
    Watermark,
    forget_mark,
    read_mark,
    require_current,
    tables_of,
    write_mark,
)

_EF, _EF_FILTERED = 256, 2_048
"""How far HNSW looks: without a filter, and with one, which hides a part of the graph from it."""
_TRIES = 3

_KNOWN = f"SELECT p.id, p.vector, p.vector_sha256 {KNOWN} ORDER BY p.id"
_VECTORS_IN = (
    "SELECT id, vector, vector_sha256 FROM passage"
    " WHERE document IN (SELECT value FROM json_each(?)) ORDER BY id"
)
_PLACES = (
    "SELECT p.id, p.document, p.paragraph, coalesce(d.date, '') FROM passage p JOIN document d ON d.key = p.document"
    " WHERE p.id IN (SELECT value FROM json_each(?))"
)

_log = logging.getLogger(__name__)


class MilvusIndexes:
    """The vectors of every collection of a catalog, in tables of one Milvus database; satisfies `DenseSide`."""

    def __init__(self, catalog: Catalog, milvus: Milvus) -> None:
        self._catalog = catalog
        self._milvus = milvus
        self.words = MilvusWords(catalog, milvus)
        self._settled = False
        self._swept = 0
        self._time = 0
        self._made: set[str] = set()

    # -------------------------------------------------------------------------------------------- searching

    def search(
        self, collection: int, built_by: BuiltBy, vector: Vectors, k: int, narrowed: Narrowing | None, /
    ) -> list[tuple[int, float]]:
        """The k passages nearest by cosine, as (passage id, cosine), best first, of those the filters let through.

        Raises:
            StoreUnavailableError: Milvus does not answer, or does not hold every change yet.
        """
        if k <= 0:
            return []
        query = np.ascontiguousarray(vector, np.float32)
        found: list[tuple[int, float]] = []
        for _ in range(_TRIES):
            with self._catalog.reading() as db:
                before = last_sequence(db)
                scope = Scope.of(db, collection, narrowed)
                if scope.few is not None:
                    rows = cast("Iterator[Values]", db.execute(_VECTORS_IN, (json.dumps(scope.few),)))
                    return _scored(*read_vectors(rows, scope.passages, built_by.dim), query)[:k]
                mark = require_current(db, before)
            found, after = self._nearest(
                mark, collection, query, k, condition=scope.condition, narrowed=narrowed
            )
            if after == before:  # else a document may have been replaced between finding and looking up
                break
        return found

    def _nearest(
        self,
        mark: Watermark,
        collection: int,
        query: Vectors,
        k: int,
        *,
        condition: str,
        narrowed: Narrowing | None,
    ) -> tuple[list[tuple[int, float]], int]:
        """The k nearest that the catalog knows, and the change that it is at; asks for more when too few are known."""
        limit = k + max(k // 4, 8)
        values = values_of(collection, narrowed)
        while True:
            ef = _EF if narrowed is None else _EF_FILTERED
            ids = self._milvus.search(
                mark.table(len(query)), query, k=limit, ef=ef, condition=condition, since=mark.time
            )
            with self._catalog.reading() as db:
                after = last_sequence(db)
                rows = db.execute(_KNOWN, {**values, "ids": json.dumps(ids)})
                known = read_vectors(cast("Iterator[Values]", rows), len(ids), len(query))
            if len(known[0]) >= k or len(ids) < limit or limit >= MOST_FOUND:
                return _scored(*known, query)[:k], after
            limit = min(limit * 4, MOST_FOUND)

    def refresh(self) -> None:
        """Nothing is held here that could be out of date."""

    # ---------------------------------------------------------------------------------------------- keeping

    def prepare(self) -> None:
        """Bring Milvus in step with the catalog, unless it is known to be. Raises StoreUnavailableError."""
        if self._settled:
            return
        with self._catalog.writing() as db:
            mark = read_mark(db)
            if (
                mark is None
            ):  # committed before anything is filled, so that filling goes on where it was cut off
                mark = Watermark(f"nutgraf_{secrets.token_hex(8)}", 0, 0)
                write_mark(db, mark)
        with self._catalog.writing() as db:
            last = last_sequence(db)
            for table, keys in tables_of(db, mark).items():
                self._ensure(table)
                self._milvus.delete_where(table, f"id > {last_id(db, 'passage')} or collection not in {keys}")
                for key in keys:
                    self._settle(db, table, key, mark, last)
            write_mark(db, replace(mark, applied=last, swept=last, time=max(mark.time, self._time)))
        self._settled, self._swept = True, last

    def _settle(self, db: apsw.Connection, table: str, collection: int, mark: Watermark, last: int) -> None:
        """Make a table hold a collection's vectors; looks at every id only where there is reason to."""
        if mark.applied == last and mark.swept >= pruned(db):
            _, removed = changes_after(db, collection, mark.swept)
            self._milvus.delete(table, sorted(removed))
            held = self._milvus.count(table, f"collection == {collection}")
            if held == len(passage_ids(db, collection)):
                return
        self._mend(db, table, collection, whole=False)

    def _mend(self, db: apsw.Connection, table: str, collection: int, *, whole: bool) -> None:
        """Put right what differs."""
        found = differences(db, self._milvus, table, collection, _dim(table), whole=whole)
        self._milvus.delete(table, [*found.extra.tolist(), *found.wrong.tolist()])
        self._insert(db, table, collection, np.union1d(found.missing, found.wrong))

    def _insert(self, db: apsw.Connection, table: str, collection: int, ids: Ids) -> None:
        """Write the catalog's vectors of passages to a table, with their words where it ranks them.

        Those that have no vector are left out.
        """
        ranked = self._milvus.ranks_words(table)
        for start in range(0, len(ids), BLOCK):
            block, vectors = vectors_of(db, ids[start : start + BLOCK], _dim(table))
            places = {row[0]: row[1:] for row in fetch(db, _PLACES, (json.dumps(block.tolist()),))}
            words = words_by_id(db, block) if ranked else {}
            rows = [
                _row(id_, collection, places[id_], vector, words.get(id_))
                for id_, vector in zip(block.tolist(), vectors, strict=True)
            ]
            self._time = max(self._time, self._milvus.insert(table, rows))

    def _ensure(self, table: str) -> None:
        if table not in self._made:
            self._milvus.ensure(table, _dim(table))
            self._made.add(table)

    def stage(
        self,
        db: apsw.Connection,
        collection: int,
        built_by: BuiltBy,
        sequence: int,
        added: Sequence[int],
        /,
    ) -> None:
        """Write what a transaction adds to Milvus, and in the transaction how far Milvus is.

        Raises:
            StoreUnavailableError: Milvus did not take it; the transaction has to be undone.
        """
        mark = read_mark(db)
        if mark is None or not self._settled:
            raise StoreUnavailableError("Milvus is not in step with the catalog")
        self._settled = False  # until it is committed: what Milvus got of an undone transaction has to go
        if built_by.dim:
            table = mark.table(built_by.dim)
            self._ensure(table)
            self._insert(db, table, collection, np.array(sorted(added), np.int64))
        time = max(self._time, mark.time)
        write_mark(db, replace(mark, applied=sequence, swept=self._swept, time=time))

    def sweep(self, built_by: BuiltBy, sequence: int, removed: Sequence[int], /) -> None:
        """Delete from Milvus what the committed transaction took away; what fails is done before the next change."""
        condition = f"id in {list(removed)}" if removed else ""
        self._sweep(built_by, condition, sequence)

    def drop(self, collection: int, built_by: BuiltBy, /) -> None:
        """Delete the vectors of a collection that is gone from the catalog; as `sweep`."""
        with self._catalog.reading() as db:
            last = last_sequence(db)
        self._sweep(built_by, f"collection == {collection}", last)

    def _sweep(self, built_by: BuiltBy, condition: str, sequence: int) -> None:
        try:
            if built_by.dim and condition:
                with self._catalog.reading() as db:
                    mark = require_current(db, sequence)
                self._milvus.delete_where(mark.table(built_by.dim), condition)
        except StoreUnavailableError as error:
            _log.warning("sweep_failed", extra={"code": error.code, "cause": str(error)})
        else:
            self._settled, self._swept = True, sequence

    def save(self, _collection: int, _built_by: BuiltBy, /) -> None:
        """Bring Milvus in step with the catalog. Raises StoreUnavailableError."""
        self.prepare()

    def overdue(self, _sequence: int, /) -> bool:
        """Never: Milvus has every change already."""
        return False

    def prune(self) -> int:
        """The number up to which no removal is left to be done."""
        return self._swept - LOG_KEPT

    def clear(self) -> None:
        """Drop every table; the next change, or `save`, fills new ones under a new name."""
        with self._catalog.reading() as db:
            mark = read_mark(db)
            tables = tables_of(db, mark) if mark is not None else {}
        for table in tables:
            self._milvus.drop(table)
        with self._catalog.writing() as db:
            forget_mark(db)
        self._settled = False
        self._made.clear()

    def rebuild(self, collection: int, built_by: BuiltBy, /) -> None:
        """Make Milvus hold the catalog's vectors and words of a collection, to the last bit.

        Raises:
            StoreUnavailableError: Milvus does not answer.
        """
        self._settled = False
        self._made.clear()
        self.prepare()
        with self._catalog.writing() as db:
            mark = require_current(db, last_sequence(db))
            self._mend(db, mark.table(built_by.dim), collection, whole=True)
            write_mark(db, replace(mark, time=max(mark.time, self._time)))

    def problems(self, db: apsw.Connection, collection: int, built_by: BuiltBy, /) -> Iterator[str]:
        """Where Milvus is not what the catalog has. Raises StoreUnavailableError."""
        try:
            mark = require_current(db, last_sequence(db))
            table = mark.table(built_by.dim)
            found = differences(db, self._milvus, table, collection, built_by.dim, whole=True)
        except GoneError:
            yield "milvus: its table is gone"
            return
        except BehindError as error:
            yield f"milvus: {error}"
            return
        with self._catalog.reading() as now:  # what a writer took away meanwhile is no problem
            missing = np.intersect1d(found.missing, passage_ids(now, collection))
        if len(found.extra) or len(missing):
            gone = len(found.extra)
            yield f"milvus: {len(missing)} vectors are missing, and {gone} are of passages that are gone"
        yield from (
            f"milvus: the vector of passage {id_} is not the stored one" for id_ in found.differing.tolist()
        )
        yield from (
            f"milvus: the words of passage {id_} are not those of the stored text"
            for id_ in found.reworded.tolist()
        )

    def close(self) -> None:
        """Let go of the connection."""
        self._milvus.close()


def _row(id_: int, collection: int, place: Values, vector: Vectors, words: str | None) -> Row:
    document, paragraph, date = place
    return Row(id_, collection, int(document), int(paragraph), str(date), vector, words)


def _dim(table: str) -> int:
    return int(table.rsplit("_", 1)[1])


def _scored(ids: Ids, vectors: Vectors, query: Vectors) -> list[tuple[int, float]]:
    """Passages with their cosine, best first."""
    found = zip(ids.tolist(), (vectors @ query).tolist(), strict=True)
    return sorted(found, key=lambda hit: (-hit[1], hit[0]))
