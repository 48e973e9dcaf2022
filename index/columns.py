"""The columns of the sealed tables, and how a row of them is read.

Text is read as bytes: one flipped bit can make it invalid UTF-8, which would otherwise fail the whole query instead
of the one row whose seal no longer fits.
"""

from dataclasses import dataclass

from index.connection import Row


@dataclass(frozen=True, slots=True)
class Columns:
    """Some columns of a table, those of text among them."""

    names: tuple[str, ...]
    text: frozenset[str]

    def sql(self, alias: str) -> str:
        """The columns as a list for SELECT."""
        quoted = ((name, f'{alias}."{name}"') for name in self.names)
        return ", ".join(f"CAST({sql} AS BLOB)" if name in self.text else sql for name, sql in quoted)

    def decoded(self, row: Row) -> Row:
        """A row with its text as strings; what is not UTF-8 any more is replaced, and the seal tells."""
        return tuple(
            value.decode("utf-8", "replace") if name in self.text and isinstance(value, bytes) else value
            for name, value in zip(self.names, row, strict=True)
        )


DOCUMENT = Columns(
    (
        "key", "collection", "id", "path", "title", "date", "media_type", "sha256", "size", "paragraphs",
        "passages", "indexed_at", "origin", "notes", "tail", "text_sha256", "seal",
    ),
    frozenset({"id", "path", "title", "date", "media_type", "sha256", "indexed_at", "origin", "notes", "tail"}),
)  # fmt: skip
PARAGRAPH = Columns(
    (
        "number", "line_start", "line_end", "start", "end", "kind", "page", "headings", "sha256", "seal", "text",
    ),
    frozenset({"kind", "headings", "text"}),
)  # fmt: skip
PASSAGE = Columns(
    ("id", "document", "paragraph", "part", "start", "end", "text", "context", "embed_sha256", "seal"),
    frozenset({"text", "context"}),
)

_DOCUMENT, _PARAGRAPH, _PASSAGE = DOCUMENT.sql("d"), PARAGRAPH.sql("g"), PASSAGE.sql("p")

# Each statement is a constant, made of the columns above and nothing else.
DOCUMENT_BY_KEY = f"SELECT {_DOCUMENT} FROM document d WHERE d.key = ?"  # noqa: S608
DOCUMENT_BY_PATH = f"SELECT {_DOCUMENT} FROM document d WHERE d.collection = ? AND d.path = ?"  # noqa: S608
DOCUMENT_BY_ID = f"SELECT {_DOCUMENT} FROM document d WHERE d.collection = ? AND d.id = ?"  # noqa: S608
ALL_DOCUMENTS = f"SELECT {_DOCUMENT} FROM document d WHERE d.collection = ? ORDER BY d.path"  # noqa: S608
PARAGRAPHS_OF = f"SELECT {_PARAGRAPH} FROM paragraph g WHERE g.document = ? ORDER BY g.number"  # noqa: S608
PASSAGES_OF = f"SELECT {_PASSAGE} FROM passage p WHERE p.document = ? ORDER BY p.paragraph, p.part"  # noqa: S608
PASSAGES_WITH_SOURCE = (
    f"SELECT {_DOCUMENT}, {_PARAGRAPH}, {_PASSAGE} FROM passage p"  # noqa: S608
    " JOIN document d ON d.key = p.document"
    " JOIN paragraph g ON g.document = p.document AND g.number = p.paragraph"
    " WHERE p.id IN (SELECT value FROM json_each(?)) AND d.collection = ?"
)
TEXT_OF = "SELECT CAST(gap AS BLOB), CAST(text AS BLOB) FROM paragraph WHERE document = ? ORDER BY number"
DELETE_ALL_PASSAGES = "DELETE FROM passage WHERE document IN (SELECT key FROM document WHERE collection = ?)"
DELETE_ALL_PARAGRAPHS = (
    "DELETE FROM paragraph WHERE document IN (SELECT key FROM document WHERE collection = ?)"
)
