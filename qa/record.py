"""What is kept of an answer so that anybody can check it again, and how its sources stand by now. Pure functions.

Addresses, hashes, scores and times are kept; words only where they were asked for. A title is words of a document too.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields, replace
from hashlib import sha256
from typing import Any, Literal

from index.types import Filters, Hit, StoredParagraph
from qa.types import Answer, AnswererInfo, Citation, Conflict, Question, Status, Verdict, VerifyMode

State = Literal["current", "superseded", "gone"]

_DIGITS = 6

Sources = Mapping[str, Sequence[StoredParagraph] | None]
"""The paragraphs of documents by id as they are stored now; None for a document that is not there."""


@dataclass(frozen=True, slots=True)
class Words:
    """The SHA-256 of a text in UTF-8, and the text itself where it is kept."""

    sha256: str
    text: str | None = None


@dataclass(frozen=True, slots=True)
class RecordedHit:
    """Where a paragraph stood that was found, its scores, and its SHA-256."""

    document_id: str
    path: str
    paragraph: int
    line_start: int
    line_end: int
    page: int | None
    start_char_index: int
    end_char_index: int
    sha256: str
    score: float
    scores: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class RecordedCitation:
    """A citation's address and hashes, and how its paragraph stands now.

    `current`: the same paragraph is there; `superseded`: another text is at its address, and `moved_to` is the number
    under which the same paragraph stands by now, if it does; `gone`: the document or the paragraph is not there.
    """

    id: str
    marker: int
    document_id: str
    path: str
    paragraph: int
    line_start: int
    line_end: int
    page: int | None
    start_char_index: int
    end_char_index: int
    sha256: str
    paragraph_sha256: str
    cited_text: str | None
    state: State = "current"
    moved_to: int | None = None


@dataclass(frozen=True, slots=True)
class RecordedSentence:
    """A sentence's place, what the check said, and which layer of the check decided.

    In a draft, `shown` says whether the sentence came into the answer; in an answer, `citations` what supports it.
    """

    start: int
    end: int
    sha256: str
    verdict: Verdict
    score: float
    layer: str
    shown: bool = True
    citations: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class RecordedDraft:
    """What was written before it was checked; the sentences only where an LLM wrote them."""

    sha256: str
    text: str | None
    sentences: tuple[RecordedSentence, ...]


@dataclass(frozen=True, slots=True)
class RecordedConflict:
    """Values that sources disagreed on."""

    claim: Words
    values: tuple[Words, ...]
    citations: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class MadeWith:
    """The index that an answer was made with: its changes before and after, what built it, and the program."""

    sequence: int
    sequence_end: int
    model: str
    model_sha256: str
    dim: int
    splitter: int
    reranker: str
    release: str


@dataclass(frozen=True, slots=True)
class Record:
    """One answer, as it is kept: the contract of `GET /v1/answers/{id}`. `turns` counts the earlier messages."""

    id: str
    asked_at: str
    collection: str
    status: Status
    reason: str | None
    text_kept: bool
    question: Words
    standalone: Words
    turns: int
    top_k: int
    filters: Filters
    verify: VerifyMode
    hits: tuple[RecordedHit, ...]
    prompt_sha256: str | None
    answerer: AnswererInfo
    draft: RecordedDraft
    answer: Words
    sentences: tuple[RecordedSentence, ...]
    citations: tuple[RecordedCitation, ...]
    nearest: tuple[RecordedCitation, ...]
    conflicts: tuple[RecordedConflict, ...]
    confidence: float
    made_with: MadeWith
    degraded: tuple[str, ...] = ()
    usage: Mapping[str, int] = field(default_factory=dict)
    timings_ms: Mapping[str, float] = field(default_factory=dict)


def record_of(question: Question, answer: Answer, made_with: MadeWith, asked_at: str) -> Record:
    """The whole record of an answer, with its words; `without_words` takes those out."""
    trace, abstention = answer.trace, answer.abstention
    draft = trace.draft if trace.prompt_sha256 else answer.answer_plain
    return Record(
        id=answer.id,
        asked_at=asked_at,
        collection=question.collection,
        status=answer.status,
        reason=None if abstention is None else abstention.reason,
        text_kept=True,
        question=_words(question.text),
        standalone=_words(answer.query.standalone),
        turns=len(question.history),
        top_k=question.top_k,
        filters=question.filters,
        verify=question.verify,
        hits=tuple(map(_hit, answer.hits)),
        prompt_sha256=trace.prompt_sha256 or None,
        answerer=answer.answerer,
        draft=RecordedDraft(_hash(draft), draft, _drafted(answer)),
        answer=_words(answer.answer),
        sentences=_sentences(answer),
        citations=tuple(map(_citation, answer.citations)),
        nearest=() if abstention is None else tuple(map(_citation, abstention.nearest)),
        conflicts=tuple(map(_conflict, answer.conflicts)),
        confidence=round(answer.confidence, _DIGITS),
        made_with=made_with,
        degraded=answer.degraded,
        usage=dict(answer.usage),
        timings_ms={name: round(ms, 3) for name, ms in answer.timings_ms.items()},
    )


def without_words(record: Record) -> Record:
    """The same record with nothing of what was asked, written or cited but hashes."""
    return replace(
        record,
        text_kept=False,
        question=Words(record.question.sha256),
        standalone=Words(record.standalone.sha256),
        draft=replace(record.draft, text=None),
        answer=Words(record.answer.sha256),
        citations=tuple(replace(cited, cited_text=None) for cited in record.citations),
        nearest=tuple(replace(cited, cited_text=None) for cited in record.nearest),
        conflicts=tuple(
            RecordedConflict(
                Words(item.claim.sha256), tuple(Words(value.sha256) for value in item.values), item.citations
            )
            for item in record.conflicts
        ),
    )


# ------------------------------------------------------------------------------------------------ what is there now


def drawn_on(record: Record) -> set[str]:
    """The ids of the documents that an answer could have words of."""
    cited = (item.document_id for item in (*record.citations, *record.nearest))
    return {*(hit.document_id for hit in record.hits), *cited}


def with_states(record: Record, now: Sources) -> Record:
    """The record with the state of each citation; without words where a document it drew on is not there any more."""
    stated = replace(
        record,
        citations=tuple(_with_state(cited, now) for cited in record.citations),
        nearest=tuple(_with_state(cited, now) for cited in record.nearest),
    )
    return without_words(stated) if any(now[name] is None for name in drawn_on(record)) else stated


def purged(record: Record, now: Sources) -> Record:
    """The record without what a purge must not leave: words that are in no document now, paths of those gone.

    A follow-up's standalone question may hold words of any earlier answer, so its words always go.
    """
    gone = {name for name in drawn_on(record) if now[name] is None}
    places = ((hit.document_id, hit.paragraph, hit.sha256) for hit in record.hits)
    cited = (
        (item.document_id, item.paragraph, item.paragraph_sha256)
        for item in (*record.citations, *record.nearest)
    )
    kept = all(
        _state(now[name], number, digest)[0] == "current" for name, number, digest in (*places, *cited)
    )
    if kept and not record.turns:
        return record
    bare = without_words(record)
    if not gone:
        return bare
    return replace(
        bare,
        filters=replace(bare.filters, path=None),
        hits=tuple(replace(hit, path="") if hit.document_id in gone else hit for hit in bare.hits),
        citations=tuple(_without_path(item, gone) for item in bare.citations),
        nearest=tuple(_without_path(item, gone) for item in bare.nearest),
    )


def _without_path(cited: RecordedCitation, gone: set[str]) -> RecordedCitation:
    return replace(cited, path="") if cited.document_id in gone else cited


def _with_state(cited: RecordedCitation, now: Sources) -> RecordedCitation:
    state, moved_to = _state(now[cited.document_id], cited.paragraph, cited.paragraph_sha256)
    return replace(cited, state=state, moved_to=moved_to)


def _state(
    paragraphs: Sequence[StoredParagraph] | None, number: int, digest: str
) -> tuple[State, int | None]:
    by_number = {stored.paragraph.number: stored.sha256 for stored in paragraphs or ()}
    if by_number.get(number) == digest:
        return "current", None
    moved_to = next((other for other, found in by_number.items() if found == digest), None)
    return ("superseded" if number in by_number else "gone"), moved_to


# ------------------------------------------------------------------------------------------------ as JSON


def record_json(record: Record) -> str:
    """The record as one line of ASCII."""
    return json.dumps(asdict(record), separators=(",", ":"))


def record_from(text: str) -> Record:
    """The record that `record_json` wrote. Raises ValueError for anything else."""
    try:
        return _read(json.loads(text))
    except (TypeError, KeyError, AttributeError) as error:
        raise ValueError(f"not a record: {error}") from error


def _read(values: Mapping[str, Any]) -> Record:
    draft = values["draft"]
    made: dict[str, Any] = {
        "question": Words(**values["question"]),
        "standalone": Words(**values["standalone"]),
        "filters": Filters(**values["filters"]),
        "hits": tuple(RecordedHit(**item) for item in values["hits"]),
        "answerer": AnswererInfo(**values["answerer"]),
        "draft": RecordedDraft(draft["sha256"], draft["text"], _read_sentences(draft["sentences"])),
        "answer": Words(**values["answer"]),
        "sentences": _read_sentences(values["sentences"]),
        "citations": tuple(RecordedCitation(**item) for item in values["citations"]),
        "nearest": tuple(RecordedCitation(**item) for item in values["nearest"]),
        "conflicts": tuple(_read_conflict(item) for item in values["conflicts"]),
        "made_with": MadeWith(**values["made_with"]),
        "degraded": tuple(values["degraded"]),
    }
    plain = {item.name: values[item.name] for item in fields(Record) if item.name not in made}
    return Record(**plain, **made)


def _read_sentences(items: Sequence[Mapping[str, Any]]) -> tuple[RecordedSentence, ...]:
    return tuple(RecordedSentence(**{**item, "citations": tuple(item["citations"])}) for item in items)


def _read_conflict(item: Mapping[str, Any]) -> RecordedConflict:
    values = tuple(Words(**value) for value in item["values"])
    return RecordedConflict(Words(**item["claim"]), values, tuple(item["citations"]))


# ------------------------------------------------------------------------------------------------ from an answer


def _hash(text: str) -> str:
    return sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def _words(text: str) -> Words:
    return Words(_hash(text), text)


def _hit(hit: Hit) -> RecordedHit:
    scores = {name: round(value, _DIGITS) for name, value in hit.scores.items()}
    return RecordedHit(
        hit.document_id, hit.path, hit.paragraph, hit.line_start, hit.line_end, hit.page, hit.start, hit.end,
        hit.sha256, round(hit.score, _DIGITS), scores,
    )  # fmt: skip


def _citation(cited: Citation) -> RecordedCitation:
    return RecordedCitation(
        cited.id, cited.marker, cited.document_id, cited.path, cited.paragraph, cited.line_start,
        cited.line_end, cited.page, cited.start_char_index, cited.end_char_index, cited.sha256,
        cited.paragraph_sha256, cited.cited_text,
    )  # fmt: skip


def _conflict(conflict: Conflict) -> RecordedConflict:
    return RecordedConflict(
        _words(conflict.claim), tuple(map(_words, conflict.values)), tuple(conflict.citations)
    )


def _sentences(answer: Answer) -> tuple[RecordedSentence, ...]:
    return tuple(
        RecordedSentence(
            item.start,
            item.end,
            _hash(answer.answer[item.start : item.end]),
            item.verdict,
            round(item.score, _DIGITS),
            item.layer,
            citations=item.citations,
        )
        for item in answer.sentences
    )


def _drafted(answer: Answer) -> tuple[RecordedSentence, ...]:
    draft = answer.trace.draft
    return tuple(
        RecordedSentence(
            item.start,
            item.end,
            _hash(draft[item.start : item.end]),
            item.verdict,
            round(item.score, _DIGITS),
            item.layer,
            shown=item.shown,
        )
        for item in answer.trace.sentences
    )
