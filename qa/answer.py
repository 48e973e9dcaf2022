"""From a question to a checked answer: retrieve, decide whether it can be answered, draft, verify, cite."""

import secrets
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from index.engine import Index
from index.expects import expected
from index.types import Hit, SearchResult
from qa.answerable import NO_EVIDENCE, Bar, answerable, probability
from qa.compose import Checked, Composed, Composer, nearest, whole
from qa.disagreement import Compared, claim_of, compare, gives, sentence_of, told
from qa.drafting import DraftReader
from qa.extract import ScoredQuote, Selected, by_relevance, scored_sentences, select
from qa.followup import standalone_question
from qa.llm import LLM, Complete, Outcome, Refused, Truncated, Unavailable
from qa.payload import citation_payload, hit_payload, sentence_payload
from qa.prompt import build_prompt
from qa.structured import draft_schema
from qa.types import (
    Abstention,
    AbstentionReason,
    Answer,
    AnswererInfo,
    AskedQuery,
    Conflict,
    Event,
    OnEvent,
    Question,
    Sentence,
    Trace,
)
from qa.verify import Similarity

SURE = 0.8
"""So likely a sentence is quoted even when the model found nothing."""

_MOST_ITEMS = 12
"""Items of a list that are quoted behind the sentence that leads into it."""

EXTRACTIVE = AnswererInfo("extractive", "verbatim sentences")


@dataclass(frozen=True, slots=True)
class Parts:
    """What answers: the index, an LLM where one is configured, and the learned part of the check."""

    index: Index
    llm: LLM | None
    similarity: Similarity | None
    base_url: str
    token_budget: int


@dataclass(slots=True)
class _Run:
    """One question on its way: what is told to the listener, and the time each step took."""

    on_event: OnEvent | None
    cancelled: threading.Event
    clock: float
    timings: dict[str, float]
    trace: Trace = field(default_factory=Trace)

    def tell(self, event: Event) -> None:
        if self.on_event is not None:
            self.on_event(event)

    def lap(self, name: str) -> None:
        now = time.perf_counter()
        self.timings[name] = (now - self.clock) * 1000
        self.clock = now


@dataclass(frozen=True, slots=True)
class _Found:
    """What retrieval gave for the standalone question."""

    question: Question
    standalone: str
    result: SearchResult
    scored: tuple[ScoredQuote, ...]

    @property
    def best(self) -> float:
        """Probability that the best sentence answers, going by relevance."""
        return self.scored[0].score if self.scored else 0.0

    @property
    def confidence(self) -> float:
        """Probability that the documents answer."""
        return probability(self.best, self.result.stated)

    def worth(self, purpose: Bar) -> bool:
        """Whether the documents are likely enough to answer for this."""
        return answerable(self.best, self.result.stated, purpose)


def answer(
    question: Question,
    parts: Parts,
    on_event: OnEvent | None = None,
    cancelled: threading.Event | None = None,
) -> Answer:
    """Answer a question from the index, every sentence checked and cited, or say why not.

    Raises:
        NotFoundError: no such collection.
    """
    run = _Run(on_event, cancelled or threading.Event(), time.perf_counter(), {})
    started = run.clock
    standalone = standalone_question(question.text, question.history)
    result = parts.index.search(
        standalone, collection=question.collection, k=question.top_k, filters=question.filters
    )
    run.timings.update(result.timings_ms)
    run.lap("search")
    run.tell(Event("search", {"query": standalone, "hits": [hit_payload(hit) for hit in result.hits]}))
    scored = tuple(scored_sentences(standalone, result.hits, parts.index.reranker))
    run.lap("sentences")
    found = _Found(question, standalone, result, scored)
    llm = parts.llm
    done = _extracted(found, parts, run, ()) if llm is None else _generated(found, parts, llm, run)
    run.timings["total"] = (time.perf_counter() - started) * 1000
    return replace(done, timings_ms=dict(run.timings), trace=run.trace)


# ---------------------------------------------------------------------------------------------- extractive


def _extracted(found: _Found, parts: Parts, run: _Run, degraded: tuple[str, ...]) -> Answer:
    """The sentences that answer, verbatim; abstains when none is likely enough."""
    if not found.worth("quote"):
        reason: AbstentionReason = "no_evidence" if found.best < NO_EVIDENCE else "low_confidence"
        if "llm_unsupported" in degraded:
            reason = "unsupported_draft"
        return _abstained(found, parts, reason, EXTRACTIVE, degraded=degraded)
    composer = Composer(parts.base_url)
    compared = _compared(found, parts)
    for chosen in told(found.standalone, select(found.standalone, found.scored), compared):
        _say(composer, _checked(chosen), run)
        for item in _items(chosen, found, parts):
            _say(composer, Checked(item.text, "supported", chosen.score, (whole(item),), "quote"), run)
    conflicts = _conflicts(found, compared, composer, run)
    run.lap("compose")
    made = _assembled(found, composer.composed(), EXTRACTIVE, degraded, dropped=0)
    return replace(made, conflicts=conflicts)


def _items(chosen: Selected, found: _Found, parts: Parts) -> list[Hit]:
    """The list that a sentence leads into, unless it holds by itself what was asked for."""
    quote = chosen.quotes[0]
    leads = chosen.text.endswith(":") and quote.end == quote.hit.end
    if not leads or expected(found.standalone) not in (None, "statement", "reason"):
        return []
    return parts.index.items_after(quote.hit, collection=found.question.collection)[:_MOST_ITEMS]


def _checked(chosen: Selected) -> Checked:
    """A verbatim sentence needs no check: its span is its own support."""
    return Checked(chosen.text, "supported", chosen.score, chosen.quotes, "quote", chosen.label)


def _compared(found: _Found, parts: Parts) -> Compared | None:
    """What the likely sentences disagree on, read with what stands around them."""
    known: dict[tuple[str, int], str] = {}

    def around(hit: Hit) -> str:
        place = hit.document_id, hit.paragraph
        if place not in known:
            known[place] = parts.index.around(hit, collection=found.question.collection)
        return known[place]

    return compare(found.standalone, by_relevance(found.scored), around)


def _conflicts(
    found: _Found, compared: Compared | None, composer: Composer, run: _Run
) -> tuple[Conflict, ...]:
    """Say in the program's own words that sources differ, citing each."""
    if compared is None or compared.apart:
        return ()
    said = [side.said for side in compared.sides]
    quotes = tuple(one.quote for one in said)
    score = min(one.score for one in said)
    sentence = _say(composer, Checked(sentence_of(compared), "supported", score, quotes, "program"), run)
    values = tuple(side.value for side in compared.sides)
    return (Conflict(claim_of(found.standalone), values, sentence.citations),)


def _say(composer: Composer, checked: Checked, run: _Run) -> Sentence:
    sentence, citations, text = composer.add(checked)
    run.tell(Event("delta", {"text": text}))
    for citation in citations:
        run.tell(Event("citation", {"citation": citation_payload(citation), "sentence": sentence.index}))
    run.tell(Event("sentence", sentence_payload(sentence)))
    return sentence


# ---------------------------------------------------------------------------------------------- generated


def _generated(found: _Found, parts: Parts, llm: LLM, run: _Run) -> Answer:
    """A draft by the LLM, each sentence attributed and judged; the extractive answer where that fails."""
    if not found.worth("ask"):
        return _extracted(found, parts, run, ())
    composer = Composer(parts.base_url)
    reader, outcome = _drafted(found, parts, llm, run, composer)
    run.lap("llm")
    if reader.refused and isinstance(outcome, Complete):
        return _declined(found, parts, llm, run, outcome)
    degraded = _degraded(outcome, shown=reader.shown)
    if not reader.shown:
        unsupported = ("llm_unsupported",) if reader.dropped else ()
        instead = _extracted(found, parts, run, (*degraded, *unsupported))
        return replace(instead, usage=_usage(outcome))
    compared = _compared(found, parts)
    drafted = composer.composed().answer_plain
    given = compared is not None and gives(compared, found.standalone, drafted)
    conflicts = _conflicts(found, compared if given else None, composer, run)
    made = _assembled(found, composer.composed(), _info(llm, outcome), degraded, dropped=reader.dropped)
    return replace(made, usage=_usage(outcome), conflicts=conflicts)


def _drafted(
    found: _Found, parts: Parts, llm: LLM, run: _Run, composer: Composer
) -> tuple[DraftReader, Outcome]:
    """Ask the model; once more with half the passages when the prompt was too long for it."""
    hits = found.result.hits
    budget = parts.token_budget
    while True:
        reader = DraftReader(
            found.standalone,
            hits,
            parts.similarity,
            found.question.verify,
            lambda checked: _say(composer, checked, run),
        )
        structured = llm.config.structured
        prompt = build_prompt(
            found.standalone, hits, token_budget=budget, structured=structured, count=llm.count_tokens
        )
        outcome = llm.complete(
            prompt.messages,
            on_text=reader.feed,
            cancelled=run.cancelled,
            json_schema=draft_schema(list(prompt.labels)) if structured else None,
        )
        too_long = isinstance(outcome, Unavailable) and outcome.code == "context_overflow"
        if too_long and budget == parts.token_budget:
            budget //= 2
            continue
        reader.finish(whole=isinstance(outcome, Complete))
        run.trace = Trace(prompt.sha256, reader.text, tuple(reader.judged))
        return reader, outcome


def _declined(found: _Found, parts: Parts, llm: LLM, run: _Run, outcome: Outcome) -> Answer:
    """The model found no answer: a sentence that surely answers is quoted all the same."""
    if found.confidence >= SURE:
        return replace(_extracted(found, parts, run, ()), usage=_usage(outcome))
    return _abstained(found, parts, "low_confidence", _info(llm, outcome), usage=_usage(outcome))


def _degraded(outcome: Outcome, *, shown: int) -> tuple[str, ...]:
    """What the answer is without: `llm` where the endpoint gave nothing that could be used."""
    match outcome:
        case Complete():
            return ()
        case Truncated():
            return ("llm_truncated",) if shown else ("llm",)
        case Refused():
            return ("llm_refused",)
        case Unavailable(code="context_overflow"):
            return ("llm", "context_overflow")
        case Unavailable():
            return ("llm_truncated",) if shown else ("llm",)


def _info(llm: LLM, outcome: Outcome) -> AnswererInfo:
    return AnswererInfo("llm", getattr(outcome, "model", "") or llm.config.model)


def _usage(outcome: Outcome) -> Mapping[str, int]:
    return {} if isinstance(outcome, Unavailable) else dict(outcome.usage)


# ---------------------------------------------------------------------------------------------- the answer


def _assembled(
    found: _Found, composed: Composed, info: AnswererInfo, degraded: tuple[str, ...], *, dropped: int
) -> Answer:
    doubtful = dropped > 0 or any(s.verdict != "supported" for s in composed.sentences)
    return Answer(
        id=new_id(),
        status="partial" if doubtful else "answered",
        answer=composed.answer,
        answer_plain=composed.answer_plain,
        sentences=composed.sentences,
        citations=composed.citations,
        abstention=None,
        conflicts=(),
        query=AskedQuery(found.question.text, found.standalone),
        hits=found.result.hits,
        answerer=info,
        degraded=(*found.result.degraded, *degraded),
        confidence=found.confidence,
    )


def _abstained(
    found: _Found,
    parts: Parts,
    reason: AbstentionReason,
    info: AnswererInfo,
    *,
    degraded: tuple[str, ...] = (),
    usage: Mapping[str, int] | None = None,
) -> Answer:
    return Answer(
        id=new_id(),
        status="abstained",
        answer="",
        answer_plain="",
        sentences=(),
        citations=(),
        abstention=Abstention(reason, nearest(found.result.hits, parts.base_url)),
        conflicts=(),
        query=AskedQuery(found.question.text, found.standalone),
        hits=found.result.hits,
        answerer=info,
        degraded=(*found.result.degraded, *degraded),
        usage=dict(usage or {}),
        confidence=found.confidence,
    )


def new_id() -> str:
    """A random answer id."""
    return f"ans_{secrets.token_hex(12)}"
