"""The full-text index: the statements for the one FTS5 table each collection has.

One table shared by two collections would move the scores of one by what the other holds (measured: -0.47 to -4.08).
The index reads its words from a view on the passages, so no text is stored twice.
"""

from dataclasses import dataclass

TEXT_WEIGHT = 1.0
CONTEXT_WEIGHT = 0.35
"""How much a word counts in a passage's own text, and in its context (title, headings)."""

RANK = f"bm25({TEXT_WEIGHT}, {CONTEXT_WEIGHT})"
TOKENIZER = "porter unicode61 remove_diacritics 2"

FILTERED = (
    "SELECT p.id FROM document d JOIN passage p ON p.document = d.key WHERE d.collection = :collection"
    " AND (:path IS NULL OR d.path GLOB :path)"
    " AND (:date_from IS NULL OR d.date >= :date_from) AND (:date_to IS NULL OR d.date <= :date_to)"
)
"""The ids of the passages that filters let through."""


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

    def best(self, *, filtered: bool) -> str:
        """The best rows of a match as (id, score); the `+` keeps the filter from driving the match row by row."""
        narrowed = f"AND +rowid IN ({FILTERED})" if filtered else ""
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
