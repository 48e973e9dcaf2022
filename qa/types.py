"""The vocabulary of answering: frozen values."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal

from index.types import Filters, Hit

Verdict = Literal["supported", "partial", "unsupported", "contradicted"]
Status = Literal["answered", "partial", "abstained"]
VerifyMode = Literal["drop", "flag"]
AbstentionReason = Literal["no_evidence", "low_confidence", "unsupported_draft"]


@dataclass(frozen=True, slots=True)
class Turn:
    """One earlier message of a conversation."""

    role: Literal["user", "assistant"]
    content: str


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked, of which collection, and how."""

    text: str
    collection: str = "default"
    history: tuple[Turn, ...] = ()
    top_k: int = 8
    filters: Filters = Filters()
    verify: VerifyMode = "drop"


@dataclass(frozen=True, slots=True)
class Citation:
    """Where a sentence's support stands, and its verbatim text.

    `start_char_index` and `end_char_index` count code points of the stored text, from 0, end-exclusive;
    `sha256` is of `cited_text` in UTF-8, `paragraph_sha256` of the whole paragraph it stands in.
    """

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
    paragraph_sha256: str = field(default="", compare=False)


@dataclass(frozen=True, slots=True)
class Sentence:
    """One sentence of the answer: its place in `Answer.answer`, what the check said, and what supports it."""

    index: int
    start: int
    end: int
    verdict: Verdict
    score: float
    citations: tuple[str, ...]
    text: str = ""
    layer: str = ""


@dataclass(frozen=True, slots=True)
class Abstention:
    """Why there is no answer, and the paragraphs that came nearest."""

    reason: AbstentionReason
    nearest: tuple[Citation, ...] = ()


@dataclass(frozen=True, slots=True)
class Conflict:
    """Sources that give different values for the same thing."""

    claim: str
    values: tuple[str, ...]
    citations: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class AskedQuery:
    """The question as asked, and as it was searched for once history was taken in."""

    original: str
    standalone: str


@dataclass(frozen=True, slots=True)
class AnswererInfo:
    """Who wrote the draft."""

    kind: Literal["extractive", "llm"]
    model: str


@dataclass(frozen=True, slots=True)
class DraftSentence:
    """One sentence of an LLM's draft: its place there, what the check said, and whether the answer shows it."""

    start: int
    end: int
    verdict: Verdict
    score: float
    layer: str
    shown: bool


@dataclass(frozen=True, slots=True)
class Trace:
    """How an LLM's draft came about, before anything was dropped; empty where no LLM was asked."""

    prompt_sha256: str = ""
    draft: str = ""
    sentences: tuple[DraftSentence, ...] = ()


@dataclass(frozen=True, slots=True)
class Answer:
    """A checked answer: the contract of `POST /v1/query` and of `nutgraf ask --json`.

    `confidence` is the probability, before drafting, that the best sentence found answers.
    """

    id: str
    status: Status
    answer: str
    answer_plain: str
    sentences: tuple[Sentence, ...]
    citations: tuple[Citation, ...]
    abstention: Abstention | None
    conflicts: tuple[Conflict, ...]
    query: AskedQuery
    hits: tuple[Hit, ...]
    answerer: AnswererInfo
    degraded: tuple[str, ...] = ()
    confidence: float = 0.0
    usage: Mapping[str, int] = field(default_factory=dict)
    timings_ms: Mapping[str, float] = field(default_factory=dict)
    trace: Trace = field(default=Trace(), compare=False)


@dataclass(frozen=True, slots=True)
class Quote:
    """A verbatim span of a hit's paragraph; offsets are into the stored text of its document."""

    hit: Hit
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Verified:
    """Verdicts for somebody's text against the corpus: the contract of `POST /v1/verify`."""

    sentences: tuple[Sentence, ...]
    citations: tuple[Citation, ...]


@dataclass(frozen=True, slots=True)
class Embedded:
    """Vectors of texts in their order, unit length; `tokens` is what the model read of them."""

    model: str
    vectors: tuple[tuple[float, ...], ...]
    tokens: int


@dataclass(frozen=True, slots=True)
class Event:
    """One step of an answer in the making: `name` is the SSE event's, `data` its JSON object."""

    name: Literal["search", "delta", "citation", "sentence", "final", "done", "error", "heartbeat"]
    data: Mapping[str, object]


OnEvent = Callable[[Event], None]
