"""The extractive answerer: the sentences that answer, verbatim."""

import re
from collections.abc import Sequence
from dataclasses import astuple, dataclass, replace

from index.analysis import STOP_WORDS, question_names, share_of_names, stem, stems, tokens
from index.expects import Kind, expected, holds, values
from index.relevance import log_odds, logistic
from index.sentences import sentence_spans
from index.types import Hit, Reranker
from qa.types import Quote
from qa.values import COMPARED, agree, values_of

_HITS_READ = 6
"""Paragraphs whose sentences are looked at; the answer stands lower for fewer than 1 question in 50."""
SENTENCES_READ = 24
_LIKELY = 0.5
"""A sentence elsewhere is cited beside the best, or told as another value, when it is this likely to answer ..."""
_CLOSE = 0.6
"""... and at least this share as likely as the best one."""
_NEARLY = 0.85
"""The share for another value than the best sentence's."""
_MOST_AGREEING = 2
_SHORT_PARAGRAPH = 3
"""A paragraph of so few sentences is quoted whole: its sentences lean on each other."""
_MOST_TOGETHER = 3
_WITH_BEST = 0.4
"""A sentence of the best paragraph is quoted with the best one from this share of its likelihood."""
_SAME_WORDS = 0.5
"""Share of the new words of the shorter of two sentences that make them say the same."""
_LOOSE: tuple[Kind | None, ...] = (None, "person", "place", "statement", "reason")
"""Kinds whose values cannot be compared by themselves."""
_LIKELY_FOR_NAME = 0.2
"""Likely enough for a sentence about a name of the question that no better sentence is about."""
_GIVEN_BACK = 1.5
"""Of the log odds that reading took from a paragraph; more than they count for, as it took from its sentences too."""
_PRONOUN = re.compile(r"[\"“‘']?(?:He|She|It|They|This|That|These|Those|His|Her|Its|Their|There|Both|Such)\b")


@dataclass(frozen=True, slots=True)
class SentenceSignals:
    """What is known of one sentence for one question."""

    paragraph: float
    """Log odds of its paragraph's relevance, divided by 10."""
    rerank: float
    """The cross-encoder's logit for the sentence, divided by 10; 0 where the reader has read it."""
    read: float
    """The reader's log odds that the sentence states what is asked, divided by 10; 0 where none has looked."""
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
    read: float
    kind: float
    words: float
    names: float
    intercept: float


# Fitted by benchmarks/fit_relevance.py; see docs/decisions/0007-relevance.md.
WITH_RERANKER = SentenceWeights(8.0, 2.0, 0.0, 1.5, 1.0, 2.5, -5.5)
WITHOUT_RERANKER = SentenceWeights(6.0, 0.0, 0.0, 2.0, 2.0, 1.0, -3.5)
# Set by hand from what benchmarks/fit_answerable.py fits; see docs/decisions/0017-stated.md.
WITH_READER = SentenceWeights(6.0, 0.0, 5.87, 2.0, 1.46, 1.2, -3.3)


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


def signals_of(
    question: str, hit: Hit, sentence: str, *, rerank: float = 0.0, read: float = 0.0
) -> SentenceSignals:
    """What the model sees of a sentence; `rerank` and `read` as logits."""
    wanted = {stem(word) for word in tokens(question) if word.lower() not in STOP_WORDS}
    own = stems(sentence)
    around = f"{hit.text} {hit.context} {hit.title} {hit.lent}"
    kind = expected(question)
    return SentenceSignals(
        paragraph=log_odds(hit.score) / 10,
        rerank=rerank / 10,
        read=read / 10,
        kind=0.5 if kind is None else float(holds(kind, sentence, question)),
        words=len(wanted & own) / len(wanted) if wanted else 0.0,
        names=share_of_names(question_names(question), around),
    )


def probability(signals: SentenceSignals, weights: SentenceWeights) -> float:
    """Probability in (0, 1) that the sentence answers."""
    *coefficients, intercept = astuple(weights)
    total = intercept + sum(a * b for a, b in zip(coefficients, astuple(signals), strict=True))
    return logistic(total)


def scored_sentences(question: str, hits: Sequence[Hit], reranker: Reranker | None) -> list[ScoredQuote]:
    """Sentences of the first hits, the likeliest answer first; of the hits that were read where some were."""
    read = [hit for hit in hits if hit.read]
    found = _as_read(question, read) if read else _as_ranked(question, hits, reranker)
    return sorted(found, key=lambda s: -s.score)


def _as_read(question: str, hits: Sequence[Hit]) -> list[ScoredQuote]:
    found: list[ScoredQuote] = []
    for hit in hits:
        for (start, end), odds in zip(sentence_spans(hit.text), hit.read, strict=True):
            text = hit.text[start:end]
            score = probability(signals_of(question, hit, text, read=odds), WITH_READER)
            found.append(ScoredQuote(Quote(hit, hit.start + start, hit.start + end), text, score))
    return found


def _as_ranked(question: str, hits: Sequence[Hit], reranker: Reranker | None) -> list[ScoredQuote]:
    found = sentences_of(hits)[:SENTENCES_READ]
    texts = [text_of(hit, start, end) for hit, start, end in found]
    logits: Sequence[float] = [0.0] * len(found)
    if reranker is not None and found:
        shown = [for_reranker(hit, text) for (hit, _, _), text in zip(found, texts, strict=True)]
        logits = [float(s) for s in reranker.scores(question, shown)]
    weights = WITHOUT_RERANKER if reranker is None else WITH_RERANKER
    return [
        ScoredQuote(
            Quote(hit, start, end),
            text,
            probability(signals_of(question, hit, text, rerank=logit), weights),
        )
        for (hit, start, end), text, logit in zip(found, texts, logits, strict=True)
    ]


def by_relevance(scored: Sequence[ScoredQuote]) -> list[ScoredQuote]:
    """The same sentences with their paragraphs' relevance in place of what reading made of it, best first.

    Two paragraphs on one matter are about as relevant; which of them a reader prefers says nothing of the other.
    """
    found = [replace(s, score=logistic(log_odds(s.score) + _GIVEN_BACK * _lost(s.quote.hit))) for s in scored]
    return sorted(found, key=lambda s: -s.score)


def _lost(hit: Hit) -> float:
    """Log odds that reading took from a hit."""
    return log_odds(hit.scores.get("relevance", hit.score)) - log_odds(hit.score)


def for_reranker(hit: Hit, sentence: str) -> str:
    """What the reranker reads of a sentence: the names it goes on about and its headings come first."""
    before = ": ".join(part for part in (hit.lent, hit.context.replace("\n", ". ")) if part)
    return f"{before}: {sentence}" if before else sentence


@dataclass(frozen=True, slots=True)
class Selected:
    """One sentence of an extractive answer and the spans that say it, the quoted one first.

    `label` is the program's word before it, where the answer tells of two things that look alike.
    """

    text: str
    score: float
    quotes: tuple[Quote, ...]
    label: str = ""


def select(question: str, scored: Sequence[ScoredQuote]) -> list[Selected]:
    """The sentences to quote: those of the best paragraph that go together, then what else the question asks for.

    What says the same in other places is cited beside the best sentence.
    """
    if not scored:
        return []
    best = scored[0]
    together = _together(best, scored)
    others = [s for s in scored if _place(s) != _place(best)]
    agreeing = [
        s
        for s in others
        if s.score >= max(_LIKELY, _CLOSE * best.score) and _agree(question, best.text, s.text)
    ]
    beside = _one_each(agreeing)[:_MOST_AGREEING]
    chosen = [
        Selected(s.text, s.score, (s.quote, *(other.quote for other in beside)) if s is best else (s.quote,))
        for s in together
    ]
    chosen += [Selected(s.text, s.score, (s.quote,)) for s in _other_values(question, best, others)]
    return chosen + _for_missing_names(question, scored, [*together, *beside])


def _together(best: ScoredQuote, scored: Sequence[ScoredQuote]) -> list[ScoredQuote]:
    """The best sentence with those of its paragraph that carry the answer too, in the order of the text."""
    same = sorted((s for s in scored if _place(s) == _place(best)), key=lambda s: s.quote.start)
    if len(same) <= _SHORT_PARAGRAPH:
        return same
    position = same.index(best)
    taken = {position}
    if position > 0 and _PRONOUN.match(best.text):
        taken.add(position - 1)
    by_score = sorted(range(len(same)), key=lambda n: -same[n].score)
    for n in by_score:
        if len(taken) < _MOST_TOGETHER and same[n].score >= _WITH_BEST * best.score:
            taken.add(n)
    return [same[n] for n in sorted(taken)]


def _other_values(question: str, best: ScoredQuote, others: Sequence[ScoredQuote]) -> list[ScoredQuote]:
    """Another value of the kind asked for, nearly as likely: the question fits two things, and both are told."""
    for other in others:
        if other.score < max(_NEARLY * best.score, _LIKELY):
            break
        if not _agree(question, best.text, other.text):
            return [other]
    return []


def _place(scored: ScoredQuote) -> tuple[str, int]:
    return scored.quote.hit.document_id, scored.quote.hit.paragraph


def _one_each(scored: Sequence[ScoredQuote]) -> list[ScoredQuote]:
    """The best sentence of each paragraph."""
    found: dict[tuple[str, int], ScoredQuote] = {}
    for one in scored:
        found.setdefault(_place(one), one)
    return list(found.values())


def _agree(question: str, one: str, other: str) -> bool:
    """Whether two sentences answer alike: the same values of the kind asked for, or mostly the same words."""
    kind = expected(question)
    if kind in COMPARED:
        first, second = (values_of(kind, question, text, None) for text in (one, other))
        if first and second:
            return agree(first, second)
    if kind is not None and kind not in _LOOSE:
        a, b = values(kind, one, question), values(kind, other, question)
        if a and b:
            return bool(a & b)
    known = stems(question)
    mine, theirs = stems(one) - known, stems(other) - known
    smaller = min(len(mine), len(theirs))
    return bool(smaller) and len(mine & theirs) / smaller >= _SAME_WORDS


def _for_missing_names(
    question: str, scored: Sequence[ScoredQuote], said: Sequence[ScoredQuote]
) -> list[Selected]:
    """A question about two people or two meetings is answered for both: the best sentence for a name left over."""
    missing = [
        name for name in question_names(question) if not any(share_of_names([name], _about(s)) for s in said)
    ]
    for candidate in scored:
        if (
            missing
            and candidate.score >= _LIKELY_FOR_NAME
            and share_of_names(missing, _about(candidate)) == 1
        ):
            return [Selected(candidate.text, candidate.score, (candidate.quote,))]
    return []


def _about(scored: ScoredQuote) -> str:
    hit = scored.quote.hit
    return f"{scored.text} {hit.context} {hit.title} {hit.lent}"
