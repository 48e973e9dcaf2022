"""What a filter comes to in Milvus, which knows documents by the catalog's keys and not by their paths."""

from dataclasses import dataclass

import apsw

from index.connection import fetch
from index.lexical import Narrowing
from index.milvus import by_day

EXACT_UP_TO = 5_000
"""Passages that a filter lets through are searched exactly, in the catalog, when they are no more than this."""
_MOST_DOCUMENTS = 10_000
"""Documents of a path filter that are named to Milvus one by one; beyond them its results are looked through."""

_DOCUMENTS = (
    "SELECT key, passages FROM document d WHERE d.collection = :collection"
    " AND (:date_from IS NULL OR d.date >= :date_from) AND (:date_to IS NULL OR d.date <= :date_to)"
)
_DOCUMENTS_BY_PATH = f"{_DOCUMENTS} AND d.path GLOB :path LIMIT :most"
_DOCUMENTS_BY_DAY = f"{_DOCUMENTS} LIMIT :most"

KNOWN = (
    "FROM passage p JOIN document d ON d.key = p.document"
    " WHERE p.id IN (SELECT value FROM json_each(:ids)) AND d.collection = :collection"
    " AND (:path IS NULL OR d.path GLOB :path) AND (:date_from IS NULL OR d.date >= :date_from)"
    " AND (:date_to IS NULL OR d.date <= :date_to)"
)
"""What of the ids that Milvus found is there and passes the filter: the catalog's own word, for `values_of`."""

_NOTHING: Narrowing = {"path": None, "date_from": None, "date_to": None}


@dataclass(frozen=True, slots=True)
class Scope:
    """The keys of all documents that a filter lets through, where that is little; else the condition for Milvus."""

    few: list[int] | None
    passages: int
    condition: str

    @classmethod
    def of(cls, db: apsw.Connection, collection: int, narrowed: Narrowing | None) -> "Scope":
        """What a filter lets through of a collection."""
        whole = f"collection == {collection}"
        if narrowed is None:
            return cls(None, 0, whole)
        sql = _DOCUMENTS_BY_DAY if narrowed["path"] is None else _DOCUMENTS_BY_PATH
        found = fetch(db, sql, {**narrowed, "collection": collection, "most": _MOST_DOCUMENTS + 1})
        keys, passages = [int(row[0]) for row in found], sum(int(row[1]) for row in found)
        if passages <= EXACT_UP_TO and len(keys) <= _MOST_DOCUMENTS:
            return cls(keys, passages, "")
        named = narrowed["path"] is not None and len(keys) <= _MOST_DOCUMENTS
        days = by_day(narrowed["date_from"], narrowed["date_to"])
        return cls(None, passages, f"{whole}{days}{f' and document in {keys}' if named else ''}")


def values_of(collection: int, narrowed: Narrowing | None) -> dict[str, int | str | None]:
    """The values for a statement that looks up what Milvus found, and applies the catalog's own filter to it."""
    return {**(narrowed or _NOTHING), "collection": collection}
