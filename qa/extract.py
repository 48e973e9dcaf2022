"""The extractive answerer: the sentences that answer, verbatim."""

import math
from collections.abc import Sequence
from dataclasses import astuple, dataclass

from index.analysis import STOP_WORDS, question_names, share_of_names, stem, stems, tokens
from index.expects import expected, holds, values
from index.sentences import sentence_spans
from index.types import Hit, Reranker
from qa.types import Quote

_HITS_READ = 6
"""Paragraphs whose sentences are looked at; the answer stands lower for fewer than 1 question in 50."""
SENTENCES_READ = 24
_LIKELY = 0.5
"""A further sentence is quoted when it is at least this likely to answer by itself ..."""
_CLOSE = 0.6
"""... and at least this share as likely as the best one."""
_MOST_SENTENCES = 3
_SAME_WORDS = 0.5
"""Share of the new words of the shorter of two sentences that make them say the same."""
_LIKELY_FOR_NAME = 0.2
"""Likely enough for a sentence about a name of the question that no better sentence is about."""


@dataclass(frozen=True, slots=True)
class SentenceSignals:
    """What is known of one sentence for one question."""

    paragraph: float
    """Log odds of its paragraph's relevance, divided by 10."""
    rerank: float
    """The cross-encoder's logit for the sentence, divided by 10."""
    kind: float
    """1 where it holds a value of the kind asked for, 0 where not, 0.5 where none is asked for."""
    words: float
    """Share of the question's content words in the sentence."""
    names: float
    """Share of the question's names in the sentence or around it."""


@dataclass(frozen=True, slots=True)
class SentenceWeights:
    """Coefficients of `SentenceSignals`, in order, and the intercept."""

    paragraph: float
    rerank: float
    kind: float
    words: float
    names: float
    intercept: float


# Fitted by benchmarks/fit_relevance.py; see docs/decisions/0004-relevance.md.
WITH_RERANKER = SentenceWeights(4.0, 4.0, 1.5, 1.0, 1.0, -3.0)
WITHOUT_RERANKER = SentenceWeights(6.0, 0.0, 2.0, 2.0, 1.0, -3.5)


@dataclass(frozen=True, slots=True)
class ScoredQuote:
    """A sentence of a hit with the probability that it answers."""

    quote: Quote
    text: str
    score: float


def sentences_of(hits: Sequence[Hit]) -> list[tuple[Hit, int, int]]:
    """Sentences of the first hits as (hit, start, end) in the stored text of the hit's document."""
    found: list[tuple[Hit, int, int]] = []
    for hit in hits[:_HITS_READ]:
        found.extend((hit, hit.start + a, hit.start + b) for a, b in sentence_spans(hit.text))
    return found


def text_of(hit: Hit, start: int, end: int) -> str:
    """The words between two offsets of the hit's document; they must lie in its paragraph."""
    return hit.text[start - hit.start : end - hit.start]


def signals_of(question: str, hit: Hit, sentence: str, logit: float) -> SentenceSignals:
    """What the model sees of a sentence."""
    wanted = {stem(word) for word in tokens(question) if word.lower() not in STOP_WORDS}
    own = stems(sentence)
    around = f"{hit.text} {hit.context} {hit.title} {hit.lent}"
    kind = expected(question)
    odds = min(max(hit.score, 1e-6), 1 - 1e-6)
    return SentenceSignals(
        paragraph=math.log(odds / (1 - odds)) / 10,
        rerank=logit / 10,
        kind=0.5 if kind is None else float(holds(kind, sentence, question)),
        words=len(wanted & own) / len(wanted) if wanted else 0.0,
        names=share_of_names(question_names(question), around),
    )


def probability(signals: SentenceSignals, weights: SentenceWeights) -> float:
    """Probability in (0, 1) that the sentence answers."""
    *coefficients, intercept = astuple(weights)
    total = intercept + sum(a * b for a, b in zip(coefficients, astuple(signals), strict=True))
    return 1 / (1 + math.exp(-max(min(total, 60.0), -60.0)))


def scored_sentences(question: str, hits: Sequence[Hit], reranker: Reranker | None) -> list[ScoredQuote]:
    """Sentences of the first hits, the likeliest answer first."""
    found = sentences_of(hits)[:SENTENCES_READ]
    texts = [text_of(hit, start, end) for hit, start, end in found]
    logits: Sequence[float] = [0.0] * len(found)
    if reranker is not None and found:
        logits = [
            float(s)
            for s in reranker.scores(
                question, [for_reranker(h, t) for (h, _, _), t in zip(found, texts, strict=True)]
            )
        ]
    weights = WITHOUT_RERANKER if reranker is None else WITH_RERANKER
    scored = [
        ScoredQuote(
            Quote(hit, start, end), text, probability(signals_of(question, hit, text, logit), weights)
        )
        for (hit, start, end), text, logit in zip(found, texts, logits, strict=True)
    ]
    return sorted(scored, key=lambda s: -s.score)


def for_reranker(hit: Hit, sentence: str) -> str:
    """What the reranker reads of a sentence: the names it goes on about and its headings come first."""
    before = ": ".join(part for part in (hit.lent, hit.context.replace("\n", ". ")) if part)
    return f"{before}: {sentence}" if before else sentence


@dataclass(frozen=True, slots=True)
class Selected:
    """One sentence of an extractive answer and the spans that say it, the quoted one first."""

    text: str
    score: float
    quotes: tuple[Quote, ...]


def select(question: str, scored: Sequence[ScoredQuote]) -> list[Selected]:
    """The sentences to quote, best first; those that say the same in other places are cited beside them."""
    if not scored:
        return []
    best = scored[0]
    bar = max(_LIKELY, _CLOSE * best.score)
    groups: list[list[ScoredQuote]] = [[best]]
    for candidate in scored[1:]:
        if candidate.score < bar:
            continue
        group = next((g for g in groups if _agree(question, g[0].text, candidate.text)), None)
        if group is None and len(groups) < _MOST_SENTENCES:
            groups.append([candidate])
        elif group is not None and all(_elsewhere(candidate, member) for member in group):
            group.append(candidate)
    return [_selected(group) for group in groups] + _for_missing_names(question, scored, groups)


def _selected(group: Sequence[ScoredQuote]) -> Selected:
    return Selected(group[0].text, group[0].score, tuple(member.quote for member in group))


def _elsewhere(one: ScoredQuote, other: ScoredQuote) -> bool:
    return (one.quote.hit.document_id, one.quote.hit.paragraph) != (
        other.quote.hit.document_id,
        other.quote.hit.paragraph,
    )


def _agree(question: str, one: str, other: str) -> bool:
    """Whether two sentences answer alike: the same values of the kind asked for, or mostly the same words."""
    kind = expected(question)
    known = stems(question)
    mine, theirs = stems(one) - known, stems(other) - known
    if kind is not None and (a := values(kind, one, question)) and (b := values(kind, other, question)):
        return bool(a & b)
    smaller = min(len(mine), len(theirs))
    return bool(smaller) and len(mine & theirs) / smaller >= _SAME_WORDS


def _for_missing_names(
    question: str, scored: Sequence[ScoredQuote], groups: Sequence[Sequence[ScoredQuote]]
) -> list[Selected]:
    """A question about two people or two meetings is answered for both: the best sentence for a name left over."""
    names = {stem(word) for word in question_names(question)}
    said = {w for group in groups for member in group for w in _about(member)}
    missing = names - said
    if not missing or len(groups) >= _MOST_SENTENCES:
        return []
    for candidate in scored:
        if candidate.score >= _LIKELY_FOR_NAME and _about(candidate) & missing:
            return [_selected([candidate])]
    return []


def _about(scored: ScoredQuote) -> set[str]:
    hit = scored.quote.hit
    return stems(f"{scored.text} {hit.context} {hit.title} {hit.lent}")
