"""Looking for damage: every hash anew, and the catalog against what is derived from it."""

from collections.abc import Iterator, Mapping

import apsw

from index import originals, records
from index.changelog import log_changes
from index.connection import fetch
from index.fulltext import FullText
from index.records import StoredDocument
from index.side import DenseSide
from index.types import BuiltBy, CheckReport

Collections = Mapping[str, tuple[int, BuiltBy]]
"""Of each collection by name: its key, and what its vectors are of."""

_MOST_PROBLEMS = 1_000
_COUNTS = (
    "SELECT (SELECT count(*) FROM document), (SELECT count(*) FROM paragraph), (SELECT count(*) FROM passage)"
)


def check_catalog(
    db: apsw.Connection, secret: bytes, collections: Collections, dense: DenseSide
) -> CheckReport:
    """What is wrong, one line a problem. Raises StorageError when the catalog cannot be read."""
    problems = [*_sqlite_problems(db)]
    for name, (key, built_by) in collections.items():
        problems += (
            f"{name}: {problem}" for problem in _collection_problems(db, secret, (key, name), built_by)
        )
        if built_by.dim:
            problems += (f"{name}: {problem}" for problem in dense.problems(db, key, built_by))
    documents, paragraphs, passages = fetch(db, _COUNTS)[0]
    return CheckReport(not problems, documents, paragraphs, passages, tuple(problems[:_MOST_PROBLEMS]))


def repair_catalog(db: apsw.Connection, secret: bytes, collections: Collections) -> None:
    """Make what is derived anew, and let the next sync read or embed again what is damaged.

    A damaged record of a file goes: its file brings it back. That of an upload stays, until it is sent again.
    """
    db.execute("REINDEX")
    for name, (key, built_by) in collections.items():
        removed: list[int] = []
        for document in records.list_documents(db, secret, key):
            if not document.intact and document.info.origin == "folder":
                removed += records.delete_document(db, secret, key, document.key)
                continue
            if any(_document_problems(db, secret, (key, name), document)):
                db.execute("UPDATE document SET sha256 = '' WHERE key = ?", (document.key,))
                if document.intact:
                    records.seal_document(db, secret, document.key)
            _forget_bad_vectors(db, document, built_by)
        db.execute(FullText.of(key).command("rebuild"))
        log_changes(db, key, "repair", (), removed)


def _sqlite_problems(db: apsw.Connection) -> Iterator[str]:
    for (line,) in fetch(db, "PRAGMA integrity_check(20)"):
        if line != "ok":
            yield f"sqlite: {line}"
    for table, row, parent, _ in fetch(db, "PRAGMA foreign_key_check"):
        yield f"sqlite: row {row} of {table} belongs to no {parent}"


def _collection_problems(
    db: apsw.Connection, secret: bytes, collection: tuple[int, str], built_by: BuiltBy
) -> Iterator[str]:
    ids: list[int] = []
    for document in records.list_documents(db, secret, collection[0]):
        yield from _document_problems(db, secret, collection, document)
        for id_, data, digest in _vectors(db, document):
            ids.append(id_)
            if data is not None and records.to_vector(data, digest, built_by.dim) is None:
                yield f"{document.info.path}: the vector of passage {id_} is damaged"
    indexed = [row[0] for row in fetch(db, FullText.of(collection[0]).indexed())]
    if indexed != sorted(ids):
        yield f"the full-text index holds {len(indexed)} passages, the catalog {len(ids)}, or not the same ones"


def _document_problems(
    db: apsw.Connection, secret: bytes, collection: tuple[int, str], document: StoredDocument
) -> Iterator[str]:
    info = document.info
    if not document.intact:
        yield f"{info.path}: its record is damaged"
    if info.id != records.document_id(collection[1], info.path):
        yield f"{info.path}: its id is not that of its path"
    paragraphs = list(records.paragraphs_of(db, secret, document))
    passages = records.passages_of(db, secret, document.key)
    damaged = [f"paragraph {source.paragraph.number}" for source, intact in paragraphs if not intact]
    damaged += [f"passage {passage.id}" for passage in passages if not passage.intact]
    yield from (f"{info.path}: {what} is damaged" for what in damaged)
    if (len(paragraphs), len(passages)) != (info.paragraphs, info.passages):
        yield f"{info.path}: paragraphs or passages are missing"
    if records.document_text(db, document) is None:
        yield f"{info.path}: its text is not what was stored"
    original = originals.original(db, secret, document.key)
    if original is not None and not original[1]:
        yield f"{info.path}: its original is damaged"


def _forget_bad_vectors(db: apsw.Connection, document: StoredDocument, built_by: BuiltBy) -> None:
    for id_, data, digest in _vectors(db, document):
        if data is not None and records.to_vector(data, digest, built_by.dim) is None:
            db.execute("UPDATE passage SET vector = NULL, vector_sha256 = NULL WHERE id = ?", (id_,))


def _vectors(
    db: apsw.Connection, document: StoredDocument
) -> Iterator[tuple[int, bytes | None, bytes | None]]:
    for row in fetch(db, "SELECT id, vector, vector_sha256 FROM passage WHERE document = ?", (document.key,)):
        yield row[0], row[1], row[2]
