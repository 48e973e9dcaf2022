"""Words looked up in Milvus, where the server ranks them, and scored as the catalog scores them.

Milvus finds the passages; which of them are there, and how well they fit, the catalog says. Its own scores are not
comparable: its idf is never below zero, and one table holds the words of every collection.
"""

import json
from collections.abc import Callable, Sequence
from functools import partial
from heapq import nlargest

import apsw

from index.bm25 import Asked, words_in
from index.catalog import Catalog
from index.changelog import last_sequence
from index.connection import fetch, last_id
from index.fulltext import TermCounts
from index.lexical import Narrowing
from index.milvus import MOST_FOUND, Milvus
from index.milvus_scope import KNOWN, Scope, values_of
from index.types import BuiltBy
from index.watermark import require_current

CountsOf = Callable[[apsw.Connection, int], TermCounts]
"""Gives the term counts of a collection as it is now."""

_TRIES = 3
_MORE = 2
"""So many times more are asked for than are wanted: then 99.6 % of the first 100 are found, and all of the first 30."""

_KNOWN = f"SELECT p.id, CAST(p.text AS BLOB), CAST(p.context AS BLOB) {KNOWN}"
_UNEMBEDDED = "SELECT EXISTS (SELECT 1 FROM passage WHERE vector_sha256 IS NULL)"
_WITHOUT_VECTOR = "SELECT id FROM passage WHERE id > ? AND vector IS NULL ORDER BY id LIMIT 1"


class MilvusWords:
    """Looks words up in the tables of one Milvus database."""

    def __init__(self, catalog: Catalog, milvus: Milvus) -> None:
        self._catalog = catalog
        self._milvus = milvus
        self._seen = 0

    def best(
        self,
        collection: int,
        built_by: BuiltBy,
        counts_of: CountsOf,
        terms: Sequence[str],
        *,
        k: int,
        narrowed: Narrowing | None,
    ) -> list[tuple[int, float]] | None:
        """The k passages best by BM25, as (passage id, score), best first; None where the catalog has to say.

        Raises:
            StoreUnavailableError: Milvus does not answer, or does not hold every change yet.
        """
        found: list[tuple[int, float]] | None = None
        if not built_by.dim:  # no vectors, so no table
            return None
        for _ in range(_TRIES):
            with self._catalog.reading() as db:
                mark = require_current(db, before := last_sequence(db))
            table = mark.table(built_by.dim)
            if not self._milvus.ranks_words(table):
                return None
            with self._catalog.reading() as db:
                scope = Scope.of(db, collection, narrowed)
                if scope.few is not None or not self._is_whole(db):
                    return None
                asked = Asked.of(db, counts_of(db, collection), collection, terms)
            values = values_of(collection, narrowed)
            ask = partial(
                self._milvus.search_words, table, asked.text, condition=scope.condition, since=mark.time
            )
            found, after = self._found(ask, asked, k, values)
            if after == before:  # else a document may have been replaced between finding and looking up
                break
        return found

    def _found(
        self, ask: Callable[..., list[int]], asked: Asked, k: int, values: dict[str, int | str | None]
    ) -> tuple[list[tuple[int, float]], int]:
        """The k best that the catalog knows, and the change that it is at; asks for more when too few are known."""
        limit = _MORE * k
        while True:
            ids = ask(k=limit) if asked.phrases else []
            with self._catalog.reading() as db:
                after = last_sequence(db)
                rows = fetch(db, _KNOWN, {**values, "ids": json.dumps(ids)})
                scored = [
                    (int(row[0]), asked.score(words_in(db, row[1]), words_in(db, row[2]))) for row in rows
                ]
            known = [hit for hit in scored if hit[1] > 0]
            if len(known) >= k or len(ids) < limit or limit >= MOST_FOUND:
                return nlargest(k, known, key=lambda hit: (hit[1], -hit[0])), after
            limit = min(limit * 4, MOST_FOUND)

    def _is_whole(self, db: apsw.Connection) -> bool:
        """Whether every passage has a vector: one that has none is not in Milvus, so its words are not either.

        Ids only grow, so what was looked at is not looked at again; a vector that was taken away has no hash.
        """
        if fetch(db, _UNEMBEDDED)[0][0]:
            return False
        rows = fetch(db, _WITHOUT_VECTOR, (self._seen,))
        self._seen = int(rows[0][0]) - 1 if rows else max(self._seen, last_id(db, "passage"))
        return not rows
