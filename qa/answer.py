"""From a question to a checked answer: retrieve, decide whether it can be answered, draft, verify, cite."""

import secrets
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace

from index.engine import Index
from index.types import SearchResult
from qa.compose import Checked, Composed, Composer, nearest
from qa.extract import ScoredQuote, Selected, scored_sentences, select
from qa.followup import standalone_question
from qa.llm import LLM, Complete, Outcome, Refused, Truncated
from qa.payload import citation_payload, hit_payload, sentence_payload
from qa.prompt import REFUSAL, build_prompt
from qa.types import (
    Abstention,
    AbstentionReason,
    Answer,
    AnswererInfo,
    AskedQuery,
    Event,
    OnEvent,
    Question,
    Sentence,
)
from qa.verify import Similarity, is_refusal, judge, split_sentences

ANSWERABLE = 0.35
"""Least probability that the best sentence answers, for an extractive answer (docs/decisions/0004-relevance.md)."""
WORTH_ASKING = 0.15
"""The same before an LLM is asked: it may still decline, and what it says is checked."""
SURE = 0.8
"""So likely a sentence is quoted even when the model found nothing."""
NO_EVIDENCE = 0.05
"""Below this the corpus holds nothing on the matter."""

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
    def confidence(self) -> float:
        """Probability that the best sentence answers."""
        return self.scored[0].score if self.scored else 0.0


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
    done = _generated(found, parts, run) if parts.llm is not None else _extracted(found, parts, run, ())
    run.timings["total"] = (time.perf_counter() - started) * 1000
    return replace(done, timings_ms=dict(run.timings))


# ---------------------------------------------------------------------------------------------- extractive


def _extracted(
    found: _Found, parts: Parts, run: _Run, degraded: tuple[str, ...], bar: float = ANSWERABLE
) -> Answer:
    """The sentences that answer, verbatim; abstains when none is likely enough."""
    if found.confidence < bar:
        reason: AbstentionReason = "no_evidence" if found.confidence < NO_EVIDENCE else "low_confidence"
        return _abstained(found, parts, reason, EXTRACTIVE, degraded)
    composer = Composer(parts.base_url)
    for chosen in select(found.standalone, found.scored):
        _say(composer, _checked(chosen), run)
    run.lap("compose")
    return _assembled(found, composer.composed(), EXTRACTIVE, degraded, dropped=0)


def _checked(chosen: Selected) -> Checked:
    """A verbatim sentence needs no check: its span is its own support."""
    return Checked(chosen.text, "supported", chosen.score, chosen.quotes, "quote")


def _say(composer: Composer, checked: Checked, run: _Run) -> Sentence:
    sentence, citations, text = composer.add(checked)
    run.tell(Event("delta", {"text": text}))
    for citation in citations:
        run.tell(Event("citation", {"citation": citation_payload(citation), "sentence": sentence.index}))
    run.tell(Event("sentence", sentence_payload(sentence)))
    return sentence


# ---------------------------------------------------------------------------------------------- generated


def _generated(found: _Found, parts: Parts, run: _Run) -> Answer:
    """A draft by the LLM, each sentence attributed and judged; the extractive answer where that fails."""
    assert parts.llm is not None
    if found.confidence < WORTH_ASKING:
        return _extracted(found, parts, run, ())
    prompt = build_prompt(found.standalone, found.result.hits, token_budget=parts.token_budget)
    outcome = parts.llm.complete(prompt.messages, cancelled=run.cancelled)
    run.lap("llm")
    if not isinstance(outcome, Complete | Truncated):
        return _without_llm(found, parts, run, outcome)
    info = AnswererInfo("llm", outcome.model or parts.llm.config.model)
    draft = outcome.text if isinstance(outcome, Complete) else _whole_sentences(outcome.text)
    if not draft.strip() or REFUSAL in draft.upper() or is_refusal(draft):
        if found.confidence >= SURE:
            return _extracted(found, parts, run, ())
        return _abstained(found, parts, "low_confidence", info, (), usage=outcome.usage)
    composer = Composer(parts.base_url)
    dropped = _compose_draft(draft, found, parts, run, composer)
    run.lap("verify")
    composed = composer.composed()
    degraded = ("llm_truncated",) if isinstance(outcome, Truncated) else ()
    if not composed.sentences:
        if found.confidence >= ANSWERABLE:
            return _extracted(found, parts, run, (*degraded, "llm_unsupported"))
        return _abstained(found, parts, "unsupported_draft", info, degraded, usage=outcome.usage)
    made = _assembled(found, composed, info, degraded, dropped=dropped)
    return replace(made, usage=dict(outcome.usage))


def _compose_draft(draft: str, found: _Found, parts: Parts, run: _Run, composer: Composer) -> int:
    """Judge each sentence of a draft and keep what may be shown; gives back how many were dropped."""
    dropped = 0
    hits = found.result.hits
    for start, end in split_sentences(draft):
        text = draft[start:end]
        judgement = judge(text, hits, parts.similarity, question=found.standalone)
        shown = judgement.verdict in ("supported", "partial")
        if not shown and found.question.verify == "drop":
            dropped += 1
            continue
        quotes = judgement.quotes if shown else ()
        _say(composer, Checked(text, judgement.verdict, judgement.score, quotes, judgement.layer), run)
    return dropped


def _without_llm(found: _Found, parts: Parts, run: _Run, outcome: Outcome) -> Answer:
    """The endpoint failed or would not answer: the extractive answer, marked as degraded."""
    return _extracted(found, parts, run, ("llm_refused",) if isinstance(outcome, Refused) else ("llm",))


def _whole_sentences(text: str) -> str:
    """A text that was cut off, without its last, unfinished sentence."""
    spans = split_sentences(text)
    if spans and not text.rstrip().endswith((".", "!", "?", "]", '"', "”")):
        spans = spans[:-1]
    return text[: spans[-1][1]] if spans else ""


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
    degraded: tuple[str, ...],
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
