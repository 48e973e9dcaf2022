"""The wire: pydantic models that hold requests and responses to the contract.

The objects themselves are made by `qa.payload`, the one place that turns frozen values into JSON.
"""

from datetime import date
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints, model_validator

from index.types import DocumentInfo, Filters, SearchResult, StoredParagraph
from qa.payload import answer_payload, document_payload, paragraph_payload, search_payload, verified_payload
from qa.types import AbstentionReason, Answer, Question, Status, Turn, Verdict, Verified, VerifyMode

MAX_TEXT_BYTES = 8 * 1024
MAX_VERIFY_BYTES = 64 * 1024
MAX_TURNS = 50
MAX_TOP_K = 50


def fits(limit: int) -> AfterValidator:
    """Holds a text to a number of bytes in UTF-8."""

    def check(value: str) -> str:
        try:
            size = len(value.encode())
        except UnicodeEncodeError:
            raise ValueError("must be valid Unicode text") from None
        if size > limit:
            raise ValueError(f"must not be longer than {limit} bytes")
        return value

    return AfterValidator(check)


def _day(value: str) -> str:
    try:
        return date.fromisoformat(value).isoformat()
    except ValueError:
        raise ValueError("must be a day such as 2024-04-16") from None


NotBlank = StringConstraints(min_length=1, pattern=r"\S")
Day = Annotated[
    str,
    StringConstraints(pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$"),
    AfterValidator(_day),
    Field(json_schema_extra={"format": "date"}),
]
CollectionName = Annotated[str, StringConstraints(min_length=1, max_length=128), fits(512)]
Asked = Annotated[str, NotBlank, Field(max_length=MAX_TEXT_BYTES), fits(MAX_TEXT_BYTES)]


class _In(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)


class _Out(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class TurnIn(_In):
    """One earlier message of the conversation."""

    role: Literal["user", "assistant"]
    content: Annotated[str, Field(max_length=MAX_TEXT_BYTES), fits(MAX_TEXT_BYTES)]


class FiltersIn(_In):
    """What a search is narrowed to before ranking: a glob over paths, and days, both ends included."""

    path: Annotated[str, StringConstraints(min_length=1, max_length=1024), fits(4096)] | None = None
    date_from: Day | None = None
    date_to: Day | None = None

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.date_from and self.date_to and self.date_from > self.date_to:
            raise ValueError("date_from must not be after date_to")
        return self

    def to_filters(self) -> Filters:
        """The same as the index takes it."""
        return Filters(path=self.path, date_from=self.date_from, date_to=self.date_to)


class QueryRequest(_In):
    """A question for `POST /v1/query`."""

    question: Asked
    collection: CollectionName = "default"
    history: Annotated[list[TurnIn], Field(max_length=MAX_TURNS)] = []
    top_k: Annotated[int, Field(ge=1, le=MAX_TOP_K)] = 8
    filters: FiltersIn = FiltersIn()
    verify: VerifyMode = "drop"
    stream: bool = False

    def to_question(self) -> Question:
        """The same as answering takes it."""
        return Question(
            text=self.question,
            collection=self.collection,
            history=tuple(Turn(turn.role, turn.content) for turn in self.history),
            top_k=self.top_k,
            filters=self.filters.to_filters(),
            verify=self.verify,
        )


class SearchRequest(_In):
    """A query for `POST /v1/search`."""

    query: Asked
    collection: CollectionName = "default"
    top_k: Annotated[int, Field(ge=1, le=MAX_TOP_K)] = 8
    filters: FiltersIn = FiltersIn()


class VerifyRequest(_In):
    """A text for `POST /v1/verify`."""

    text: Annotated[str, NotBlank, Field(max_length=MAX_VERIFY_BYTES), fits(MAX_VERIFY_BYTES)]
    collection: CollectionName = "default"


class CollectionQuery(BaseModel):
    """Which collection a document route reads."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    collection: CollectionName = "default"


class PageQuery(CollectionQuery):
    """Which collection, and which page of it."""

    limit: Annotated[int, Field(ge=1, le=200)] = 50
    offset: Annotated[int, Field(ge=0, le=1_000_000_000)] = 0


class HitOut(_Out):
    """A paragraph found for a query."""

    document_id: str
    path: str
    title: str
    date: str | None
    paragraph: int
    line_start: int
    line_end: int
    page: int | None
    start_char_index: int
    end_char_index: int
    score: float
    scores: dict[str, float]
    text: str


class CitationOut(_Out):
    """Where a sentence's support stands, and its verbatim text; offsets as in `qa.types.Citation`."""

    id: str
    marker: int
    document_id: str
    path: str
    title: str
    date: str | None
    paragraph: int
    line_start: int
    line_end: int
    page: int | None
    start_char_index: int
    end_char_index: int
    cited_text: str
    sha256: str
    url: str


class SentenceOut(_Out):
    """One sentence: its place, what the check said, and what supports it."""

    index: int
    start: int
    end: int
    verdict: Verdict
    score: float
    citations: list[str]


class VerifiedSentenceOut(SentenceOut):
    """One sentence of somebody's text, with the layer of the check that decided."""

    text: str
    layer: str


class AbstentionOut(_Out):
    """Why there is no answer, and the paragraphs that came nearest."""

    reason: AbstentionReason
    nearest: list[CitationOut]


class ConflictOut(_Out):
    """Sources that give different values for the same thing."""

    claim: str
    values: list[str]
    citations: list[str]


class AskedQueryOut(_Out):
    """The question as asked, and as it was searched for."""

    original: str
    standalone: str


class AnswererOut(_Out):
    """Who wrote the draft."""

    kind: Literal["extractive", "llm"]
    model: str


class AnswerOut(_Out):
    """A checked answer: what `POST /v1/query` gives and `nutgraf ask --json` prints."""

    id: str
    status: Status
    answer: str
    answer_plain: str
    sentences: list[SentenceOut]
    citations: list[CitationOut]
    abstention: AbstentionOut | None
    conflicts: list[ConflictOut]
    query: AskedQueryOut
    hits: list[HitOut]
    answerer: AnswererOut
    degraded: list[str]
    usage: dict[str, int]
    timings_ms: dict[str, float]


class SearchOut(_Out):
    """The hits of a query, best first."""

    hits: list[HitOut]
    degraded: list[str]
    timings_ms: dict[str, float]


class VerifiedOut(_Out):
    """Verdicts for somebody's text against the corpus."""

    sentences: list[VerifiedSentenceOut]
    citations: list[CitationOut]


class CollectionOut(_Out):
    """One collection."""

    name: str


class CollectionsOut(_Out):
    """The collections there are."""

    collections: list[CollectionOut]


class DocumentOut(_Out):
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
    origin: Literal["folder", "upload"]
    notes: list[str]


class DocumentsOut(_Out):
    """One page of a collection's documents, by path, and how many there are in all."""

    documents: list[DocumentOut]
    total: int
    limit: int
    offset: int


class ParagraphOut(_Out):
    """A stored paragraph: its address, its verbatim text and the SHA-256 of that text."""

    document_id: str
    path: str
    title: str
    date: str | None
    paragraph: int
    line_start: int
    line_end: int
    page: int | None
    headings: list[str]
    kind: Literal["text", "heading", "list_item", "row", "boilerplate"]
    start_char_index: int
    end_char_index: int
    text: str
    sha256: str
    url: str


class ParagraphsOut(_Out):
    """All paragraphs of one document, in order."""

    document: DocumentOut
    paragraphs: list[ParagraphOut]


class LiveOut(_Out):
    """The process answers."""

    status: Literal["ok"]


class ReadyOut(_Out):
    """Questions can be answered."""

    ready: Literal[True]


class ProblemOut(_Out):
    """An error, as application/problem+json (RFC 9457)."""

    type: str
    title: str
    status: int
    detail: str
    code: str
    request_id: str
    retryable: bool
    reasons: list[str] | None = None


class OpenAIErrorOut(_Out):
    """An error as clients of the OpenAI protocol read it."""

    message: str
    type: Literal["invalid_request_error", "server_error"]
    code: str
    param: str | None


class OpenAIProblemOut(ProblemOut):
    """An error on a route of the OpenAI protocol: both shapes in one object."""

    error: OpenAIErrorOut


def answer_out(answer: Answer) -> AnswerOut:
    """An answer as it goes over the wire."""
    return AnswerOut.model_validate(answer_payload(answer))


def search_out(result: SearchResult) -> SearchOut:
    """Hits as they go over the wire."""
    return SearchOut.model_validate(search_payload(result))


def verified_out(verified: Verified) -> VerifiedOut:
    """Verdicts as they go over the wire."""
    return VerifiedOut.model_validate(verified_payload(verified))


def document_out(document: DocumentInfo) -> DocumentOut:
    """A document as it goes over the wire."""
    return DocumentOut.model_validate(document_payload(document))


def paragraph_out(stored: StoredParagraph, base_url: str) -> ParagraphOut:
    """A paragraph as it goes over the wire, with the link that opens it."""
    url = f"{base_url}/documents/{stored.document.id}#p{stored.paragraph.number}"
    return ParagraphOut.model_validate(paragraph_payload(stored) | {"url": url})
