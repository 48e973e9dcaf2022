"""Judging one answer: is it right, does it cite a gold line, where do its hits rank."""

import re
from collections.abc import Callable, Iterable
from dataclasses import replace

from index.types import Hit
from qa.evaluate.metrics import answer_tallies
from qa.evaluate.types import EvalQuestion, Gold, JudgedCitation, JudgedHit, Outcome
from qa.types import Answer, Citation

ARTICLES = frozenset(("a", "an", "the"))


def judge(question: EvalQuestion, answer: Answer, ms: float, exact: Callable[[Citation], bool]) -> Outcome:
    """Hold an answer against what the question file says of it."""
    hits = tuple(JudgedHit(hit, holds(hit, question.cite_any)) for hit in answer.hits)
    citations = tuple(
        JudgedCitation(cited, holds(cited, question.cite_any), exact(cited)) for cited in answer.citations
    )
    outcome = replace(
        blank(question),
        right=is_right(question, answer),
        status=answer.status,
        ms=ms,
        answer=answer.answer_plain,
        standalone=answer.query.standalone,
        rank=first_rank(item.gold for item in hits),
        citations=citations,
        hits=hits,
        confidence=answer.confidence,
        answerer=f"{answer.answerer.kind} {answer.answerer.model}".strip(),
        degraded=answer.degraded,
    )
    return replace(outcome, tallies=answer_tallies(outcome))


def failed(question: EvalQuestion, code: str, ms: float) -> Outcome:
    """The outcome of a question that gave an error: neither answered nor refused."""
    outcome = replace(blank(question), ms=ms, error=code)
    return replace(outcome, tallies=answer_tallies(outcome))


def blank(question: EvalQuestion) -> Outcome:
    """The outcome of a question that nothing has come back for."""
    return Outcome(
        id=question.id,
        kind=question.kind,
        question=question.text,
        answerable=question.answerable,
        right=False,
        status="failed",
        ms=0.0,
        expected=(*(pattern.pattern for pattern in question.answer_all), *question.answer_any),
        gold=question.cite_any,
    )


def is_right(question: EvalQuestion, answer: Answer) -> bool:
    """Whether the answer says what it must and nothing it must not; where there is none, whether it was refused."""
    refused = answer.status == "abstained"
    if refused or not question.answerable:
        return refused and not question.answerable
    text = answer.answer_plain
    return (
        all(pattern.search(text) for pattern in question.answer_all)
        and not any(pattern.search(text) for pattern in question.answer_none)
        and (not question.answer_any or any(contains(text, wanted) for wanted in question.answer_any))
    )


def holds(place: Hit | Citation, gold: Iterable[Gold]) -> bool:
    """Whether a hit's or citation's line range holds one of the gold lines of its own file."""
    return any(
        place.path == wanted.path
        and (wanted.line is None or place.line_start <= wanted.line <= place.line_end)
        for wanted in gold
    )


def first_rank(relevant: Iterable[bool]) -> int | None:
    """The rank, from 1, of the first that is relevant."""
    return next((rank for rank, is_relevant in enumerate(relevant, start=1) if is_relevant), None)


def contains(text: str, wanted: str) -> bool:
    """Whether the words wanted stand in the text one after another; case, punctuation and articles aside."""
    words, needle = _words(text), _words(wanted)
    if not needle:
        return wanted.casefold() in text.casefold()
    size = len(needle)
    return any(words[start : start + size] == needle for start in range(len(words) - size + 1))


def _words(text: str) -> list[str]:
    return [word for word in re.findall(r"\w+", text.casefold()) if word not in ARTICLES]
