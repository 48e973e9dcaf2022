"""The full-text index: the statements for the one FTS5 table each collection has.

One table shared by two collections would move the scores of one by what the other holds (measured: -0.47 to -4.08).
The index reads its words from a view on the passages, so no text is stored twice.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

import apsw

from index.connection import fetch
from index.terms import match_any

TEXT_WEIGHT = 1.0
CONTEXT_WEIGHT = 0.35
"""How much a word counts in a passage's own text, and in its context (title, headings)."""

_MOST_COUNTED = 10_000

RANK = f"bm25({TEXT_WEIGHT}, {CONTEXT_WEIGHT})"
TOKENIZER = "porter unicode61 remove_diacritics 2"

FILTERED = (
    "SELECT p.id FROM document d JOIN passage p ON p.document = d.key WHERE d.collection = :collection"
    " AND (:date_from IS NULL OR d.date >= :date_from) AND (:date_to IS NULL OR d.date <= :date_to)"
)
"""The ids of the passages that filters by date let through."""

FILTERED_BY_PATH = f"{FILTERED} AND d.path GLOB :path"
"""The same with a filter by path: apart, so that an index finds the paths (of 50,000 documents, 0.3 against 35 ms)."""


@dataclass(frozen=True, slots=True)
class FullText:
    """The statements for the one full-text table of a collection. Names are made of a number, never of a name."""

    table: str
    view: str

    @classmethod
    def of(cls, collection: int) -> "FullText":
        """The names for a collection's key."""
        return cls(f"fts_{collection:d}", f"indexed_{collection:d}")

    def create(self, collection: int) -> str:
        """The view that is indexed, and the index; deleted text leaves no trace in it."""
        return (
            f"CREATE VIEW {self.view} AS SELECT p.id, p.text, p.context FROM passage p"  # noqa: S608
            f" JOIN document d ON d.key = p.document WHERE d.collection = {collection:d};"
            f"CREATE VIRTUAL TABLE {self.table} USING fts5(text, context, content='{self.view}',"
            f" content_rowid='id', tokenize='{TOKENIZER}');"
            f"INSERT INTO {self.table} ({self.table}, rank) VALUES ('secure-delete', 1);"
        )

    def drop(self) -> str:
        """Take index and view away."""
        return f"DROP TABLE {self.table}; DROP VIEW {self.view};"

    def insert(self) -> str:
        """Index the passages of one document."""
        return (
            f"INSERT INTO {self.table} (rowid, text, context)"  # noqa: S608
            " SELECT id, text, context FROM passage WHERE document = ?"
        )

    def delete(self) -> str:
        """Take the passages of one document out; they have to be in the catalog still."""
        return f"DELETE FROM {self.table} WHERE rowid IN (SELECT id FROM passage WHERE document = ?)"  # noqa: S608

    def best(self, narrowing: str | None) -> str:
        """The best rows of a match as (id, score); the `+` keeps the filter from driving the match row by row."""
        narrowed = f"AND +rowid IN ({narrowing})" if narrowing else ""
        return (
            f"SELECT rowid, -rank FROM {self.table} WHERE {self.table} MATCH :match"  # noqa: S608
            f" AND rank MATCH :rank {narrowed} ORDER BY rank LIMIT :k"
        )

    def count(self) -> str:
        """How many passages match."""
        return f"SELECT count(*) FROM {self.table} WHERE {self.table} MATCH ?"  # noqa: S608

    def command(self, name: str, rank: int | None = None) -> str:
        """A maintenance command of FTS5."""
        if rank is None:
            return f"INSERT INTO {self.table} ({self.table}) VALUES ('{name}')"  # noqa: S608
        return f"INSERT INTO {self.table} ({self.table}, rank) VALUES ('{name}', {rank:d})"  # noqa: S608

    def indexed(self) -> str:
        """The ids the index holds, ascending, read from the index itself and not from what it indexes."""
        return f"SELECT id FROM {self.table}_docsize ORDER BY id"  # noqa: S608

    def averages(self) -> str:
        """What the index keeps of all its rows together: how many, and the words of each column."""
        return f"SELECT block FROM {self.table}_data WHERE id = 1"  # noqa: S608

    def size(self) -> str:
        """How many passages are indexed."""
        return f"SELECT count(*) FROM {self.table}_docsize"  # noqa: S608


@dataclass(frozen=True, slots=True)
class TermCounts:
    """In how many passages of a collection each term stands, counted once for each state of the collection."""

    sequence: int
    passages: int
    _table: FullText
    _known: dict[str, int] = field(default_factory=dict)

    @classmethod
    def of(cls, db: apsw.Connection, collection: int, sequence: int) -> "TermCounts":
        """The counts of a collection at a sequence number."""
        table = FullText.of(collection)
        return cls(sequence, int(fetch(db, table.size())[0][0]), table)

    def of_term(self, db: apsw.Connection, term: str) -> int:
        """The number of passages that hold a term."""
        if term not in self._known:
            match = match_any([term])
            count = int(fetch(db, self._table.count(), (match,))[0][0]) if match else 0
            if len(self._known) >= _MOST_COUNTED:
                return count
            self._known[term] = count
        return self._known[term]

    def telling(self, db: apsw.Connection, terms: Sequence[str]) -> list[str]:
        """The terms without those in more than half of the passages, which FTS5 gives no weight; all, if none is left.

        Leaving them out changes no ranking (SciFact: nDCG@10 .6836 either way) and halves the time.
        """
        return [term for term in terms if 2 * self.of_term(db, term) <= self.passages] or list(terms)
