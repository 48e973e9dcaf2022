"""Reading a data folder: searching it, and fetching what was found. Writing stands in `index.store`."""

import logging
from collections.abc import Sequence

import apsw

from index import originals, records
from index.catalog import Catalog
from index.changelog import last_sequence
from index.connection import LONGEST_GLOB, fetch
from index.errors import CorruptError, InputError, MismatchError, NotFoundError
from index.fulltext import TermCounts
from index.lexical import Ranking
from index.proof import Proof, proof
from index.side import DenseSide
from index.terms import clean
from index.types import BuiltBy, DocumentInfo, Filters, Holdings, StoredParagraph, StoredPassage, Vectors

_log = logging.getLogger(__name__)


class StoreReader:
    """What every user of a store may do. Sees committed changes only; may be called from any thread."""

    def __init__(self, catalog: Catalog, dense: DenseSide, built_by: BuiltBy) -> None:
        self._catalog = catalog
        self._dense = dense
        self._built_by = built_by
        self._term_counts: dict[int, TermCounts] = {}

    @property
    def built_by(self) -> BuiltBy:
        """What this store was opened with."""
        return self._built_by

    @property
    def writable(self) -> bool:
        """Whether this process may write."""
        return self._catalog.writable

    def collections(self) -> list[str]:
        """The names of all collections."""
        with self._catalog.reading() as db:
            return sorted(self._visible(db))

    # -------------------------------------------------------------------------------------------- searching

    def sequence(self) -> int:
        """The number of the last committed change; grows with every one."""
        with self._catalog.reading() as db:
            return last_sequence(db)

    def refresh(self) -> None:
        """Take in what other processes committed. Cheap when nothing was."""
        self._catalog.require_same_file()
        self._dense.refresh()

    def dense(self, collection: str, vector: Vectors, k: int, filters: Filters, /) -> list[tuple[int, float]]:
        """The k passages nearest by cosine, as (passage id, cosine), best first.

        Raises:
            NotFoundError: no such collection.
            MismatchError: the vector has another dimension.
        """
        with self._catalog.reading() as db:
            key, built_by = self._find(db, collection)
        narrowed = narrowing_of(filters)
        if built_by.dim == 0:
            return []
        require_dim(vector.shape[-1], built_by)
        return self._dense.search(key, built_by, vector.reshape(-1), k, narrowed)

    def lexical(
        self, collection: str, terms: Sequence[str], k: int, filters: Filters, /
    ) -> list[tuple[int, float]]:
        """The k passages best by BM25 over any of the terms, as (passage id, score), best first."""
        narrowed = narrowing_of(filters)
        if k <= 0:
            return []
        with self._catalog.reading() as db:
            key, _ = self._find(db, collection)
            return Ranking(db, self._counts(db, key), key, k, narrowed).best(terms)

    def term_frequencies(self, collection: str, terms: Sequence[str], /) -> dict[str, int]:
        """For each term, the number of passages (text or context) that hold it, in any inflection."""
        with self._catalog.reading() as db:
            key, _ = self._find(db, collection)
            counts = self._counts(db, key)
            return {term: counts.of_term(db, term) for term in terms}

    # ---------------------------------------------------------------------------------------------- reading

    def passages(self, collection: str, ids: Sequence[int], /) -> list[StoredPassage]:
        """Stored passages by id, in the order given; ids that are gone or damaged are left out."""
        found: list[StoredPassage] = []
        with self._catalog.reading() as db:
            key, _ = self._find(db, collection)
            for row, source, intact in records.passages_with_source(db, self._catalog.secret, key, ids):
                if intact:
                    found.append(StoredPassage(row.id, row.passage, source))
                else:
                    _warn_damaged(source.document.id, row.passage.paragraph)
        return found

    def passage_count(self, collection: str) -> int:
        """How many passages a collection holds."""
        with self._catalog.reading() as db:
            key, _ = self._find(db, collection)
            return self._counts(db, key).passages

    def holdings(self) -> Holdings:
        """How much there is, all collections together: counted by the catalog, without reading the documents."""
        sql = "SELECT collection, count(*), sum(passages), max(unixepoch(indexed_at)) FROM document GROUP BY collection"
        with self._catalog.reading() as db:
            names = self._visible(db)
            shown = {key for key, *_ in names.values()}
            rows = [row for row in fetch(db, sql) if row[0] in shown]
            last = last_sequence(db)
        return Holdings(
            collections=len(names),
            documents=sum(int(row[1]) for row in rows),
            passages=sum(int(row[2]) for row in rows),
            last_indexed=max((int(row[3]) for row in rows if row[3] is not None), default=None),
            sequence=last,
        )

    def paragraphs(self, collection: str, document_id: str, /) -> list[StoredParagraph]:
        """All paragraphs of one document in order; damaged ones are left out.

        Raises:
            NotFoundError: no such document.
            CorruptError: its record is damaged.
        """
        with self._catalog.reading() as db:
            document = self._document(db, collection, document_id)
            found = list(records.paragraphs_of(db, self._catalog.secret, document))
        for paragraph, intact in found:
            if not intact:
                _warn_damaged(document_id, paragraph.paragraph.number)
        return [paragraph for paragraph, intact in found if intact]

    def documents(self, collection: str, /) -> list[DocumentInfo]:
        """All documents of a collection, by path; damaged records are left out. Raises NotFoundError."""
        with self._catalog.reading() as db:
            key, _ = self._find(db, collection)
            stored = records.list_documents(db, self._catalog.secret, key)
        return [document.info for document in stored if document.intact]

    def document(self, collection: str, document_id: str) -> DocumentInfo:
        """One document by id. Raises NotFoundError, or CorruptError when its record is damaged."""
        with self._catalog.reading() as db:
            return self._document(db, collection, document_id).info

    def find(self, collection: str, path: str) -> DocumentInfo | None:
        """The document at a path, or None."""
        with self._catalog.reading() as db:
            key, _ = self._find(db, collection)
            stored = records.find_document(db, self._catalog.secret, key, path=path)
        return stored.info if stored is not None and stored.intact else None

    def text(self, collection: str, document_id: str) -> str:
        """The whole stored text of a document.

        Raises:
            NotFoundError: no such document.
            CorruptError: it is not what was stored.
        """
        with self._catalog.reading() as db:
            stored = self._document(db, collection, document_id)
            text = records.document_text(db, stored)
        if text is None:
            raise CorruptError(f"the stored text of {stored.info.path} is damaged: index it again")
        return text

    def has_original(self, collection: str, document_id: str) -> bool:
        """Whether the file of a document is kept here. Raises as `document`."""
        with self._catalog.reading() as db:
            return originals.kept(db, self._document(db, collection, document_id).key)

    def original(self, collection: str, document_id: str) -> bytes | None:
        """The file that a document was made of, where it is kept here: that of an upload.

        Raises:
            NotFoundError: no such document.
            CorruptError: it is not what was stored.
        """
        with self._catalog.reading() as db:
            stored = self._document(db, collection, document_id)
            found = originals.original(db, self._catalog.secret, stored.key)
        if found is None:
            return None
        data, intact = found
        if not intact:
            raise CorruptError(f"the stored file of {stored.info.path} is damaged: upload it again")
        return data

    def cached_vectors(self, hashes: Sequence[str]) -> dict[str, Vectors]:
        """The vectors of texts embedded before, by the SHA-256 (hex) of the text that was embedded."""
        with self._catalog.reading() as db:
            mine = {key for key, _, built_by in records.collections(db) if built_by == self._built_by}
            found = (
                (digest, self._cached(db, bytes.fromhex(digest), mine)) for digest in dict.fromkeys(hashes)
            )
            return {digest: vector for digest, vector in found if vector is not None}

    def unembedded(self, collection: str, limit: int) -> list[StoredPassage]:
        """Up to `limit` passages that no embedder has seen yet."""
        with self._catalog.reading() as db:
            key, _ = self._find(db, collection)
            rows = fetch(
                db,
                "SELECT p.id FROM passage p JOIN document d ON d.key = p.document"
                " WHERE p.vector_sha256 IS NULL AND d.collection = ? ORDER BY p.id LIMIT ?",
                (key, limit),
            )
        return self.passages(collection, [int(row[0]) for row in rows])

    def proofs(self) -> list[Proof]:
        """Compare what searches the vectors with the catalog, for each collection that has any. Raises StorageError."""
        with self._catalog.reading() as db:
            visible = sorted(self._visible(db).items())
            return [
                proof(db, name, key, built_by, self._dense)
                for name, (key, built_by) in visible
                if built_by.dim
            ]

    def _visible(self, db: apsw.Connection) -> dict[str, tuple[int, BuiltBy]]:
        """Each collection this store may use: its key, and what its vectors are of."""
        found: dict[str, tuple[int, BuiltBy]] = {}
        for key, name, built_by in records.collections(db):
            if compatible(built_by, self._built_by) and (name not in found or built_by == self._built_by):
                found[name] = key, built_by if built_by.model else self._built_by
        return found

    def _find(self, db: apsw.Connection, name: str) -> tuple[int, BuiltBy]:
        found = self._visible(db).get(name)
        if found is None:
            raise NotFoundError(f"no collection {name[:80]!r}")
        return found

    def _document(self, db: apsw.Connection, collection: str, id_: str) -> records.StoredDocument:
        key, _ = self._find(db, collection)
        stored = records.find_document(db, self._catalog.secret, key, id_=id_)
        if stored is None:
            raise NotFoundError(f"no document {id_[:80]!r} in collection {collection!r}")
        if not stored.intact:
            raise CorruptError("the record of this document is damaged: index it again")
        return stored

    def _counts(self, db: apsw.Connection, collection: int) -> TermCounts:
        """The term counts of a collection as it is now, shared until something is committed."""
        last = last_sequence(db)
        counts = self._term_counts.get(collection)
        if counts is None or counts.sequence != last:
            counts = TermCounts.of(db, collection, last)
            self._term_counts[collection] = counts
        return counts

    def _cached(self, db: apsw.Connection, digest: bytes, collections: set[int]) -> Vectors | None:
        rows = fetch(
            db,
            "SELECT d.collection, p.vector, p.vector_sha256 FROM passage p JOIN document d ON d.key = p.document"
            " WHERE p.embed_sha256 = ? AND p.vector IS NOT NULL",
            (digest,),
        )
        vectors = (
            records.to_vector(row[1], row[2], self._built_by.dim) for row in rows if row[0] in collections
        )
        return next((vector for vector in vectors if vector is not None), None)


def compatible(stored: BuiltBy, wanted: BuiltBy) -> bool:
    """Whether an index may be opened: equal, or one of the two has no model at all."""
    same_model = not stored.model or not wanted.model or stored == wanted
    return stored.splitter == wanted.splitter and same_model


def require_dim(dim: int, built_by: BuiltBy) -> None:
    """Refuse a vector of another dimension. Raises MismatchError."""
    if dim != built_by.dim:
        raise MismatchError(f"a vector of {dim} dimensions in an index of {built_by.dim}")


def narrowing_of(filters: Filters) -> dict[str, str | None] | None:
    """The values of the filter statement, or None when nothing is filtered."""
    if filters == Filters():
        return None
    if filters.path is not None and len(filters.path) > LONGEST_GLOB // 4:
        raise InputError("the path filter is too long")
    path = None if filters.path is None else clean(filters.path).replace("[!", "[^")
    return {"path": path, "date_from": filters.date_from, "date_to": filters.date_to}


def _warn_damaged(document_id: str, paragraph: int) -> None:
    _log.warning(
        "paragraph_damaged",
        extra={"code": "paragraph_damaged", "document": document_id, "paragraph": paragraph},
    )
