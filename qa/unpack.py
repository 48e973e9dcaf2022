"""From the JSON objects of the contract back to frozen values: the reverse of `qa.payload`."""

from collections.abc import Callable, Mapping
from typing import TypeVar, get_args

from index.types import (
    DocumentInfo,
    Hit,
    Origin,
    Paragraph,
    ParagraphKind,
    SearchResult,
    StoredParagraph,
)
from qa.types import (
    Abstention,
    AbstentionReason,
    Answer,
    AnswererInfo,
    AskedQuery,
    Citation,
    Conflict,
    Sentence,
    Status,
    Verdict,
    Verified,
)

T = TypeVar("T")


class ShapeError(ValueError):
    """A JSON value that is not of the contract; names the key."""


class Fields:
    """The keys of one JSON object, each read as the type it must have.

    Every reader raises ShapeError.
    """

    def __init__(self, value: object) -> None:
        if not isinstance(value, Mapping):
            raise ShapeError("an object was expected")
        self._values = value

    def text(self, name: str) -> str:
        """A string."""
        return self._is(name, str)

    def maybe_text(self, name: str) -> str | None:
        """A string or null."""
        return None if self._values.get(name) is None else self.text(name)

    def whole(self, name: str) -> int:
        """A whole number."""
        value = self._is(name, int)
        if isinstance(value, bool):
            raise ShapeError(name)
        return value

    def maybe_whole(self, name: str) -> int | None:
        """A whole number or null."""
        return None if self._values.get(name) is None else self.whole(name)

    def number(self, name: str) -> float:
        """A number."""
        value = self._values.get(name)
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise ShapeError(name)
        return float(value)

    def choice(self, name: str, allowed: tuple[T, ...]) -> T:
        """One of a few values."""
        value = self._values.get(name)
        if isinstance(value, str):
            for each in allowed:
                if each == value:
                    return each
        raise ShapeError(name)

    def one(self, name: str, make: Callable[[object], T]) -> T:
        """An object, made by `make`."""
        return make(self._values.get(name))

    def each(self, name: str, make: Callable[[object], T]) -> tuple[T, ...]:
        """A list, each item made by `make`."""
        return tuple(make(item) for item in self._is(name, list))

    def texts(self, name: str) -> tuple[str, ...]:
        """A list of strings."""
        return self.each(name, _string)

    def inner(self, name: str) -> "Fields":
        """An object."""
        return Fields(self._values.get(name))

    def has(self, name: str) -> bool:
        """Whether there is a value that is not null."""
        return self._values.get(name) is not None

    def numbers(self, name: str) -> dict[str, float]:
        """An object of numbers."""
        keys = self._is(name, dict)
        return {str(key): Fields(keys).number(key) for key in keys}

    def counts(self, name: str) -> dict[str, int]:
        """An object of whole numbers."""
        keys = self._is(name, dict)
        return {str(key): Fields(keys).whole(key) for key in keys}

    def _is(self, name: str, kind: type[T]) -> T:
        value = self._values.get(name)
        if not isinstance(value, kind):
            raise ShapeError(name)
        return value


def answer_from(value: object) -> Answer:
    """The answer object of the contract. Raises ShapeError."""
    data = Fields(value)
    text = data.text("answer")
    query, answerer = data.inner("query"), data.inner("answerer")
    return Answer(
        id=data.text("id"),
        status=data.choice("status", get_args(Status)),
        answer=text,
        answer_plain=data.text("answer_plain"),
        sentences=data.each("sentences", lambda item: sentence_from(item, text)),
        citations=data.each("citations", citation_from),
        abstention=data.one("abstention", _abstention) if data.has("abstention") else None,
        conflicts=data.each("conflicts", _conflict),
        query=AskedQuery(query.text("original"), query.text("standalone")),
        hits=data.each("hits", hit_from),
        answerer=AnswererInfo(answerer.choice("kind", ("extractive", "llm")), answerer.text("model")),
        degraded=data.texts("degraded"),
        usage=data.counts("usage"),
        timings_ms=data.numbers("timings_ms"),
    )


def sentence_from(value: object, answer: str = "") -> Sentence:
    """A sentence; its text is its own, or the part of `answer` it stands for."""
    data = Fields(value)
    start, end = data.whole("start"), data.whole("end")
    return Sentence(
        index=data.whole("index"),
        start=start,
        end=end,
        verdict=data.choice("verdict", get_args(Verdict)),
        score=data.number("score"),
        citations=data.texts("citations"),
        text=data.maybe_text("text") or answer[start:end],
        layer=data.maybe_text("layer") or "",
    )


def citation_from(value: object) -> Citation:
    """A citation. Raises ShapeError."""
    data = Fields(value)
    return Citation(
        id=data.text("id"),
        marker=data.whole("marker"),
        document_id=data.text("document_id"),
        path=data.text("path"),
        title=data.text("title"),
        date=data.maybe_text("date"),
        paragraph=data.whole("paragraph"),
        line_start=data.whole("line_start"),
        line_end=data.whole("line_end"),
        page=data.maybe_whole("page"),
        start_char_index=data.whole("start_char_index"),
        end_char_index=data.whole("end_char_index"),
        cited_text=data.text("cited_text"),
        sha256=data.text("sha256"),
        url=data.text("url"),
    )


def hit_from(value: object) -> Hit:
    """A hit; what the wire leaves out (`context`, `sha256`) is empty. Raises ShapeError."""
    data = Fields(value)
    return Hit(
        document_id=data.text("document_id"),
        path=data.text("path"),
        title=data.text("title"),
        date=data.maybe_text("date"),
        paragraph=data.whole("paragraph"),
        line_start=data.whole("line_start"),
        line_end=data.whole("line_end"),
        start=data.whole("start_char_index"),
        end=data.whole("end_char_index"),
        page=data.maybe_whole("page"),
        text=data.text("text"),
        sha256="",
        context="",
        score=data.number("score"),
        scores=data.numbers("scores"),
    )


def search_from(value: object) -> SearchResult:
    """The object of a search. Raises ShapeError."""
    data = Fields(value)
    return SearchResult(data.each("hits", hit_from), data.texts("degraded"), data.numbers("timings_ms"))


def verified_from(value: object) -> Verified:
    """The object of a verification. Raises ShapeError."""
    data = Fields(value)
    return Verified(data.each("sentences", sentence_from), data.each("citations", citation_from))


def document_from(value: object) -> DocumentInfo:
    """A document without its text. Raises ShapeError."""
    data = Fields(value)
    return DocumentInfo(
        id=data.text("id"),
        path=data.text("path"),
        title=data.text("title"),
        date=data.maybe_text("date"),
        media_type=data.text("media_type"),
        sha256=data.text("sha256"),
        size=data.whole("size"),
        paragraphs=data.whole("paragraphs"),
        passages=data.whole("passages"),
        indexed_at=data.text("indexed_at"),
        origin=data.choice("origin", get_args(Origin)),
        notes=data.texts("notes"),
    )


def collections_from(value: object) -> tuple[str, ...]:
    """The names of the collections. Raises ShapeError."""
    return Fields(value).each("collections", lambda item: Fields(item).text("name"))


def documents_from(value: object) -> tuple[DocumentInfo, ...]:
    """One page of documents. Raises ShapeError."""
    return Fields(value).each("documents", document_from)


def paragraphs_from(value: object) -> tuple[StoredParagraph, ...]:
    """All paragraphs of one document. Raises ShapeError."""
    data = Fields(value)
    document = data.one("document", document_from)
    return data.each("paragraphs", lambda item: paragraph_from(item, document))


def paragraph_from(value: object, document: DocumentInfo) -> StoredParagraph:
    """A stored paragraph of `document`. Raises ShapeError."""
    data = Fields(value)
    paragraph = Paragraph(
        number=data.whole("paragraph"),
        line_start=data.whole("line_start"),
        line_end=data.whole("line_end"),
        start=data.whole("start_char_index"),
        end=data.whole("end_char_index"),
        kind=data.choice("kind", get_args(ParagraphKind)),
        page=data.maybe_whole("page"),
        headings=data.texts("headings"),
    )
    return StoredParagraph(document, paragraph, data.text("text"), data.text("sha256"))


def _abstention(value: object) -> Abstention:
    data = Fields(value)
    return Abstention(data.choice("reason", get_args(AbstentionReason)), data.each("nearest", citation_from))


def _conflict(value: object) -> Conflict:
    data = Fields(value)
    return Conflict(data.text("claim"), data.texts("values"), data.texts("citations"))


def _string(value: object) -> str:
    if not isinstance(value, str):
        raise ShapeError("a string was expected")
    return value
