"""Rows of the catalog as typed values: small functions over one connection, inside the caller's transaction.

Every row that can end in a citation carries a seal: a keyed hash of all its fields. SQLite has no page checksums,
so a flipped bit, or a page from another catalog, shows only here. Damaged rows are left out, never served.
"""

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import blake2b, sha256

import apsw
import numpy as np

from index import columns
from index.columns import DOCUMENT, PARAGRAPH, PASSAGE
from index.connection import Row, fetch, last_id
from index.errors import CorruptError, InputError
from index.fulltext import FullText
from index.passages import embed_text
from index.terms import clean
from index.types import BuiltBy, DocumentInfo, Origin, Paragraph, Passage, StoredParagraph, Upsert, Vectors

UNUSABLE = b""
"""Stands for the hash of a vector that the embedder could not give, so that it is not asked for again and again."""

_SOURCE_AT = len(DOCUMENT.names)
_PASSAGE_AT = _SOURCE_AT + len(PARAGRAPH.names)
"""Where, in a row of a passage with its source, the paragraph and the passage begin."""


@dataclass(frozen=True, slots=True)
class StoredDocument:
    """A document row: `intact` says whether it is as it was written."""

    key: int
    info: DocumentInfo
    tail: str
    text_sha256: bytes
    intact: bool


@dataclass(frozen=True, slots=True)
class PassageRow:
    """A passage row with its key of the embedding cache."""

    id: int
    passage: Passage
    embed_sha256: bytes
    intact: bool


# ------------------------------------------------------------------------------------------------ hashes


def embed_key(text: str) -> bytes:
    """The key of a text in the embedding cache."""
    return sha256(clean(text).encode()).digest()


def text_hash(text: str) -> bytes:
    """SHA-256 of a stored text."""
    return sha256(text.encode()).digest()


def seal(secret: bytes, *fields: object) -> bytes:
    """A keyed hash of a row's fields, which are strings, integers, bytes or None."""
    return blake2b(repr(fields).encode("utf-8", "backslashreplace"), key=secret, digest_size=16).digest()


def document_id(collection: str, path: str) -> str:
    """The id of a document: the same for the same place, in every index."""
    return blake2b(f"{collection}\0{path}".encode(), digest_size=16).hexdigest()


def check_path(path: str) -> str:
    """The path as stored.

    Raises:
        InputError: it is empty, absolute, leads upwards, or is not in its plain form.
    """
    parts = path.split("/")
    if not path or len(path) > 4096 or "\0" in path or any(part in {"", ".", ".."} for part in parts):
        raise InputError(f"not the path of a document: {path[:200]!r}")
    return clean(path)


# ------------------------------------------------------------------------------------------- collections


def collections(db: apsw.Connection) -> list[tuple[int, str, BuiltBy]]:
    """Every collection as (key, name, what built it). Raises CorruptError."""
    rows = fetch(db, "SELECT key, name, built_by FROM collection ORDER BY name, key")
    try:
        return [(int(key), str(name), BuiltBy(**json.loads(built_by))) for key, name, built_by in rows]
    except (ValueError, TypeError) as error:
        raise CorruptError("the list of collections is damaged: restore a backup, or index again") from error


def insert_collection(db: apsw.Connection, name: str, built_by: BuiltBy) -> int:
    """Make a collection with a full-text index of its own; gives its key."""
    db.execute("INSERT INTO collection (name, built_by) VALUES (?, ?)", (name, _built_by_json(built_by)))
    key = db.last_insert_rowid()
    db.execute(FullText.of(key).create(key))
    return key


def set_built_by(db: apsw.Connection, collection: int, built_by: BuiltBy) -> None:
    """Record what builds a collection from now on."""
    db.execute("UPDATE collection SET built_by = ? WHERE key = ?", (_built_by_json(built_by), collection))


def delete_collection(db: apsw.Connection, collection: int) -> None:
    """Take a collection away with everything in it."""
    db.execute(FullText.of(collection).drop())
    db.execute(columns.DELETE_ALL_PASSAGES, (collection,))
    db.execute(columns.DELETE_ALL_PARAGRAPHS, (collection,))
    db.execute("DELETE FROM document WHERE collection = ?", (collection,))
    db.execute("DELETE FROM change WHERE collection = ?", (collection,))
    db.execute("DELETE FROM collection WHERE key = ?", (collection,))


def _built_by_json(built_by: BuiltBy) -> str:
    values = {name: getattr(built_by, name) for name in ("model", "model_sha256", "dim", "splitter")}
    return json.dumps(values, sort_keys=True)


# --------------------------------------------------------------------------------------------- documents


def find_document(
    db: apsw.Connection, secret: bytes, collection: int, *, path: str | None = None, id_: str | None = None
) -> StoredDocument | None:
    """The document with this path or id."""
    sql, value = (columns.DOCUMENT_BY_PATH, path) if id_ is None else (columns.DOCUMENT_BY_ID, id_)
    rows = fetch(db, sql, (collection, clean(value or "")))
    return to_document(rows[0], secret) if rows else None


def list_documents(db: apsw.Connection, secret: bytes, collection: int) -> list[StoredDocument]:
    """All documents of a collection, by path."""
    return [to_document(row, secret) for row in fetch(db, columns.ALL_DOCUMENTS, (collection,))]


def insert_document(db: apsw.Connection, secret: bytes, collection: tuple[int, str], change: Upsert) -> int:
    """Store a document with its paragraphs and passages, and index their words; gives its key."""
    key, name = collection
    document = change.document
    path, text = check_path(document.path), clean(document.text)
    last = document.paragraphs[-1].end if document.paragraphs else 0
    db.execute(
        "INSERT INTO document (collection, id, path, title, date, media_type, sha256, size, paragraphs, passages,"
        " indexed_at, origin, notes, tail, text_sha256, seal) VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)",
        (
            key, document_id(name, path), path, clean(document.title), document.date, document.media_type,
            document.sha256, change.size, len(document.paragraphs), len(change.passages), _now(), change.origin,
            json.dumps([clean(note) for note in document.notes]), text[last:], text_hash(text), b"",
        ),
    )  # fmt: skip
    row = db.last_insert_rowid()
    seal_document(db, secret, row)
    _insert_paragraphs(db, secret, row, text, document.paragraphs)
    _insert_passages(db, secret, row, change)
    db.execute(FullText.of(key).insert(), (row,))
    return row


def delete_document(db: apsw.Connection, secret: bytes, collection: int, key: int) -> list[int]:
    """Take a document away from every table; gives the ids of its passages."""
    passages = passages_of(db, secret, key)
    fulltext, intact = FullText.of(collection), all(passage.intact for passage in passages)
    if intact:
        db.execute(fulltext.delete(), (key,))
    db.execute("DELETE FROM passage WHERE document = ?", (key,))
    db.execute("DELETE FROM paragraph WHERE document = ?", (key,))
    db.execute("DELETE FROM document WHERE key = ?", (key,))
    if not intact:  # an index entry can be taken out only with the very words that were put in
        db.execute(fulltext.command("rebuild"))
    return [passage.id for passage in passages]


def move_document(db: apsw.Connection, secret: bytes, collection: str, key: int, path: str) -> None:
    """Give a document another path, and with it another id."""
    path = check_path(path)
    db.execute(
        "UPDATE document SET path = ?, id = ? WHERE key = ?", (path, document_id(collection, path), key)
    )
    seal_document(db, secret, key)


def seal_document(db: apsw.Connection, secret: bytes, key: int) -> None:
    """Seal a document row as it stands now."""
    row = DOCUMENT.decoded(fetch(db, columns.DOCUMENT_BY_KEY, (key,))[0])
    db.execute("UPDATE document SET seal = ? WHERE key = ?", (seal(secret, *row[:-1]), key))


def to_document(row: Row, secret: bytes) -> StoredDocument:
    """A row of the document columns as a value."""
    row = DOCUMENT.decoded(row)
    key, _, id_, path, title, date, media_type, sha, size, paragraphs, passages, indexed_at, origin = row[:13]
    notes, tail, text_sha256, stored = row[13:]
    intact = stored == seal(secret, *row[:-1])
    info = DocumentInfo(
        id=str(id_), path=str(path), title=str(title), date=date, media_type=media_type, sha256=sha, size=size,
        paragraphs=paragraphs, passages=passages, indexed_at=indexed_at, origin=_origin(origin),
        notes=_strings(notes),
    )  # fmt: skip
    return StoredDocument(key, info, str(tail), text_sha256, intact)


def document_text(db: apsw.Connection, document: StoredDocument) -> str | None:
    """The whole stored text, or None when it is not what was stored."""
    parts = (part for row in fetch(db, columns.TEXT_OF, (document.key,)) for part in row)
    text = "".join(bytes(part or b"").decode("utf-8", "replace") for part in parts) + document.tail
    return text if text_hash(text) == document.text_sha256 else None


# ------------------------------------------------------------------------------- paragraphs and passages


def paragraphs_of(
    db: apsw.Connection, secret: bytes, document: StoredDocument
) -> Iterator[tuple[StoredParagraph, bool]]:
    """The paragraphs of a document in order, each with whether it is as it was written."""
    for row in fetch(db, columns.PARAGRAPHS_OF, (document.key,)):
        yield to_paragraph(row, secret, document)


def to_paragraph(row: Row, secret: bytes, document: StoredDocument) -> tuple[StoredParagraph, bool]:
    """A row of the paragraph columns as a value, and whether it is as it was written."""
    row = PARAGRAPH.decoded(row)
    number, line_start, line_end, start, end, kind, page, headings, sha, stored, text = row
    intact = stored == seal(secret, document.key, *row[:9]) and sha == text_hash(str(text))
    paragraph = Paragraph(number, line_start, line_end, start, end, kind, page, _strings(headings))
    return StoredParagraph(document.info, paragraph, str(text), text_hash(str(text)).hex()), intact


def passages_of(db: apsw.Connection, secret: bytes, document: int) -> list[PassageRow]:
    """The passages of a document, by paragraph and part."""
    return [to_passage(row, secret) for row in fetch(db, columns.PASSAGES_OF, (document,))]


def passages_with_source(
    db: apsw.Connection, secret: bytes, collection: int, ids: Sequence[int]
) -> Iterator[tuple[PassageRow, StoredParagraph, bool]]:
    """Passages of a collection by id, in the order given, with their paragraphs, and whether all of it is intact."""
    # one statement for all: SQLite plans this join anew for each value bound (measured: 3.8 against 0.4 ms for 50)
    rows = {
        int(row[_PASSAGE_AT]): row
        for row in fetch(
            db, columns.PASSAGES_WITH_SOURCE, (json.dumps([int(id_) for id_ in ids]), collection)
        )
    }
    for row in (rows[id_] for id_ in ids if id_ in rows):
        document = to_document(row[:_SOURCE_AT], secret)
        source, whole = to_paragraph(row[_SOURCE_AT:_PASSAGE_AT], secret, document)
        passage = to_passage(row[_PASSAGE_AT:], secret)
        yield passage, source, document.intact and whole and passage.intact


def to_passage(row: Row, secret: bytes) -> PassageRow:
    """A row of the passage columns as a value."""
    row = PASSAGE.decoded(row)
    id_, _, paragraph, part, start, end, text, context, embed_sha256, stored = row
    intact = stored == seal(secret, *row[:-1])
    return PassageRow(id_, Passage(paragraph, part, start, end, text, context), embed_sha256, intact)


def _insert_paragraphs(
    db: apsw.Connection, secret: bytes, document: int, text: str, paragraphs: Sequence[Paragraph]
) -> None:
    db.executemany(
        "INSERT INTO paragraph VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?)",
        _paragraph_rows(secret, document, text, paragraphs),
    )


def _paragraph_rows(
    secret: bytes, document: int, text: str, paragraphs: Sequence[Paragraph]
) -> Iterator[Row]:
    before = 0
    for number, paragraph in enumerate(paragraphs, 1):
        if paragraph.number != number or not before <= paragraph.start <= paragraph.end <= len(text):
            raise ValueError(f"paragraph {paragraph.number} is out of order, overlaps or leaves the text")
        words = text[paragraph.start : paragraph.end]
        headings = json.dumps([clean(heading) for heading in paragraph.headings])
        fields = (
            number, paragraph.line_start, paragraph.line_end, paragraph.start, paragraph.end, paragraph.kind,
            paragraph.page, headings, text_hash(words),
        )  # fmt: skip
        yield (document, *fields, seal(secret, document, *fields), text[before : paragraph.start], words)
        before = paragraph.end


def _insert_passages(db: apsw.Connection, secret: bytes, document: int, change: Upsert) -> None:
    first = last_id(db, "passage") + 1
    db.executemany(
        'INSERT INTO passage (id, document, paragraph, part, start, "end", text, context, embed_sha256, seal,'
        " vector_sha256, vector) VALUES (?,?,?,?,?,?,?,?,?,?,?,?)",
        _passage_rows(secret, document, first, change),
    )


def _passage_rows(secret: bytes, document: int, first: int, change: Upsert) -> Iterator[Row]:
    vectors: Iterable[Vectors | None] = (
        change.vectors if change.vectors.size else [None] * len(change.passages)
    )
    for id_, (passage, vector) in enumerate(zip(change.passages, vectors, strict=True), first):
        fields = (
            id_, document, passage.paragraph, passage.part, passage.start, passage.end, clean(passage.text),
            clean(passage.context), embed_key(embed_text(passage)),
        )  # fmt: skip
        yield (*fields, seal(secret, *fields), *vector_fields(vector))


# ----------------------------------------------------------------------------------------------- vectors


def vector_fields(vector: Vectors | None) -> tuple[bytes | None, bytes | None]:
    """Hash and bytes of a vector as stored; one that no search can use is recorded as such."""
    if vector is None:
        return None, None
    if not np.isfinite(vector).all() or not vector.any():
        return UNUSABLE, None
    data = np.ascontiguousarray(vector, "<f4").tobytes()
    return sha256(data).digest(), data


def to_vector(data: bytes | None, digest: bytes | None, dim: int) -> Vectors | None:
    """A stored vector, float32[dim], or None when it is missing or damaged."""
    if not isinstance(data, bytes) or len(data) != 4 * dim or sha256(data).digest() != digest:
        return None
    return np.frombuffer(data, "<f4").astype(np.float32, copy=False)


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")


def _origin(value: str) -> Origin:
    return "upload" if value == "upload" else "folder"


def _strings(value: str) -> tuple[str, ...]:
    """A stored JSON list; a damaged one is empty, and its row's seal tells."""
    if value == "[]":
        return ()
    try:
        return tuple(str(item) for item in json.loads(value))
    except (ValueError, TypeError):
        return ()
