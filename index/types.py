"""The vocabulary of the index: frozen values and the protocols of its parts.

Offsets count Unicode code points of the stored text, from 0, end-exclusive. Line numbers count from 1 and are
inclusive. A passage, paragraph or citation is identified by where it is, never by what it says.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, Protocol

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Vectors = npt.NDArray[np.float32]
    """float32 array; shape [n, dim] or [dim], unit rows."""
else:  # a client or `--help` needs the vocabulary, not the 0.1 s that numpy takes to import
    Vectors = Any

ParagraphKind = Literal["text", "heading", "list_item", "row", "boilerplate"]
"""Boilerplate and headings stay addressable but are not embedded on their own."""

Origin = Literal["folder", "upload"]
"""Where a document came from: a synced folder (removed when the file goes) or an upload (removed on request)."""


@dataclass(frozen=True, slots=True)
class Paragraph:
    """The smallest citable unit of a document."""

    number: int
    line_start: int
    line_end: int
    start: int
    end: int
    kind: ParagraphKind = "text"
    page: int | None = None
    headings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Document:
    """One source file as loaded: its stored text and its numbered paragraphs.

    `path` is POSIX and relative to the collection's root. `sha256` is of the source bytes and decides only whether
    a file is fresh. `date` is an ISO day, or None where the text gives none.
    """

    path: str
    text: str
    paragraphs: tuple[Paragraph, ...]
    sha256: str
    title: str = ""
    date: str | None = None
    media_type: str = "text/plain"
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Passage:
    """What is embedded and indexed: one paragraph, or a part of a long one.

    `text` is the paragraph's words with hard wraps joined; `context` (title, heading, what came before) is embedded
    and indexed beside it but never quoted.
    """

    paragraph: int
    part: int
    start: int
    end: int
    text: str
    context: str = ""


@dataclass(frozen=True, slots=True)
class DocumentInfo:
    """A stored document without its text."""

    id: str
    path: str
    title: str
    date: str | None
    media_type: str
    sha256: str
    size: int
    paragraphs: int
    passages: int
    indexed_at: str
    origin: Origin = "folder"
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class StoredParagraph:
    """A paragraph as stored, with its verbatim text and the SHA-256 of that text."""

    document: DocumentInfo
    paragraph: Paragraph
    text: str
    sha256: str


@dataclass(frozen=True, slots=True)
class StoredPassage:
    """A passage as stored, with the paragraph it belongs to."""

    id: int
    passage: Passage
    source: StoredParagraph


@dataclass(frozen=True, slots=True)
class Filters:
    """What a search is narrowed to before ranking. `path` is a glob; dates are ISO days, inclusive."""

    path: str | None = None
    date_from: str | None = None
    date_to: str | None = None


@dataclass(frozen=True, slots=True)
class Hit:
    """A paragraph found for a query. `scores` holds what `score` was made from (dense, lexical, rerank).

    `score` is the probability, 0 to 1, that the paragraph answers. `lent` holds names of the query that the
    paragraph goes on about without repeating them, as its surroundings give them. `read` holds the reader's log odds
    that each sentence of the text states what is asked; it is empty where no reader looked.
    """

    document_id: str
    path: str
    title: str
    date: str | None
    paragraph: int
    line_start: int
    line_end: int
    start: int
    end: int
    page: int | None
    text: str
    sha256: str
    context: str
    score: float
    lent: str = ""
    scores: Mapping[str, float] = field(default_factory=dict)
    kind: ParagraphKind = "text"
    read: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True)
class Holdings:
    """How much an index holds in all; `last_indexed` in seconds since 1970, `sequence` grows with every change."""

    collections: int
    documents: int
    passages: int
    last_indexed: int | None
    sequence: int


@dataclass(frozen=True, slots=True)
class SearchResult:
    """Hits of one query, best first; `degraded` names the parts that could not take part (dense, rerank).

    `stated` is the reader's log odds that one of them answers; None where no reader looked.
    """

    hits: tuple[Hit, ...]
    degraded: tuple[str, ...] = ()
    timings_ms: Mapping[str, float] = field(default_factory=dict)
    stated: float | None = None


@dataclass(frozen=True, slots=True)
class ToRead:
    """A passage as a reader takes it: what it is about, the last words before it, its sentences."""

    about: str
    before: str
    sentences: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Reading:
    """Log odds that a passage states what is asked, and that each of its sentences does."""

    passage: float
    sentences: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Skipped:
    """A file that was not indexed, and why (a stable code, then words for people)."""

    path: str
    reason: str
    detail: str = ""


@dataclass(frozen=True, slots=True)
class SyncReport:
    """What an indexing run did. Paths are relative to the folder that was indexed."""

    added: int = 0
    changed: int = 0
    moved: int = 0
    removed: int = 0
    unchanged: int = 0
    skipped: tuple[Skipped, ...] = ()
    passages: int = 0
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class CheckReport:
    """What `check` found: counts of what is stored, and one line for each problem."""

    ok: bool
    documents: int
    paragraphs: int
    passages: int
    problems: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class BuiltBy:
    """What built an index. An index opens only under an equal one."""

    model: str
    model_sha256: str
    dim: int
    splitter: int


@dataclass(frozen=True, slots=True)
class Upsert:
    """Put this document in place of whatever has its path. `vectors` is float32[len(passages), dim], unit rows.

    `original` is its file, for a document that has none elsewhere.
    """

    document: Document
    passages: tuple[Passage, ...]
    vectors: Vectors
    size: int
    origin: Origin = "folder"
    original: bytes | None = None


@dataclass(frozen=True, slots=True)
class Move:
    """Give a stored document another path; nothing is embedded again."""

    path: str
    new_path: str


@dataclass(frozen=True, slots=True)
class Remove:
    """Take the document with this path away from every surface."""

    path: str


Change = Upsert | Move | Remove


class Loader(Protocol):
    """Turns the bytes of one kind of file into a document.

    Raises:
        RejectedError: the bytes are not what the loader reads; carries a stable reason.
    """

    def __call__(self, data: bytes, path: str, /) -> Document: ...


class Embedder(Protocol):
    """Embeds queries and documents into one space; rows are unit length."""

    @property
    def name(self) -> str: ...
    @property
    def sha256(self) -> str: ...
    @property
    def dim(self) -> int: ...
    def embed_queries(self, texts: Sequence[str], /) -> Vectors: ...
    def embed_documents(self, texts: Sequence[str], /) -> Vectors: ...
    def count_tokens(self, texts: Sequence[str], /) -> int: ...


class Reranker(Protocol):
    """Scores texts against one query; larger is better, on the model's own scale (logits)."""

    @property
    def name(self) -> str: ...
    def scores(self, query: str, texts: Sequence[str], /) -> Vectors: ...


class Reader(Protocol):
    """Says of passages whether they state what is asked or claimed, not only whether they are on the matter."""

    def read(self, question: str, passages: Sequence[ToRead], /) -> list[Reading]: ...

    def supports(self, claim: str, passages: Sequence[ToRead], /) -> list[float]:
        """Log odds that each passage supports the claim."""
        ...


class PassageStore(Protocol):
    """The durable home of documents, paragraphs, passages and vectors.

    Reads see committed changes only, and whole documents only. Scores are "larger is better".
    """

    def apply(self, collection: str, changes: Iterable[Change], /) -> int:
        """Commit each change in a transaction of its own; return the sequence number of the last one."""
        ...

    def dense(self, collection: str, vector: Vectors, k: int, filters: Filters, /) -> list[tuple[int, float]]:
        """The k passages nearest by cosine, as (passage id, cosine), best first."""
        ...

    def lexical(
        self, collection: str, terms: Sequence[str], k: int, filters: Filters, /
    ) -> list[tuple[int, float]]:
        """The k passages best by BM25 over any of the terms, as (passage id, score), best first."""
        ...

    def term_frequencies(self, collection: str, terms: Sequence[str], /) -> dict[str, int]:
        """For each term, the number of passages (text or context) that hold it."""
        ...

    def passages(self, collection: str, ids: Sequence[int], /) -> list[StoredPassage]:
        """Stored passages by id, in the order given; ids that are gone or damaged are left out."""
        ...

    def paragraphs(self, collection: str, document_id: str, /) -> list[StoredParagraph]:
        """All paragraphs of one document in order. Raises NotFoundError."""
        ...

    def passage_count(self, collection: str, /) -> int:
        """The number of passages of a collection."""
        ...

    def text(self, collection: str, document_id: str, /) -> str:
        """The whole stored text of a document. Raises NotFoundError."""
        ...

    def documents(self, collection: str, /) -> list[DocumentInfo]:
        """All documents of a collection, by path."""
        ...


Progress = Callable[[int, int, str], None]
"""Called with (files done, files in all, path of the file at hand)."""
