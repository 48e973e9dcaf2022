"""How likely a passage is to answer a question: a logistic model over a few signals.

Coefficients are fitted by `benchmarks/fit_relevance.py`; the record is docs/decisions/0007-relevance.md.
"""

import math
from dataclasses import astuple, dataclass


@dataclass(frozen=True, slots=True)
class Signals:
    """What is known of one passage for one question; each is about 0 to 1 but for the logit."""

    rerank: float
    """The cross-encoder's logit, divided by 10."""
    fused: float
    """The fused score of dense and lexical search."""
    kind: float
    """1 where the passage holds a value of the kind asked for, 0 where it does not, 0.5 where none is asked for."""
    names: float
    """Share of the question's names found in the passage or beside it."""
    words: float
    """Share of the question's content words found in the passage, weighted by rarity."""
    version: float
    """How well the document's age fits, where it is one of several versions; 0.5 where it stands alone."""


@dataclass(frozen=True, slots=True)
class Weights:
    """Coefficients of `Signals`, in order, and the intercept."""

    rerank: float
    fused: float
    kind: float
    names: float
    words: float
    version: float
    intercept: float


WITH_RERANKER = Weights(rerank=5.0, fused=3.0, kind=2.0, names=3.0, words=0.0, version=3.0, intercept=-8.5)
# A claim or keywords are not what a cross-encoder trained on questions was taught to judge: it weighs less there
# (SciFact, 100 queries, nDCG@10: .711 with the weights for questions, .726 with these, .719 without it).
STATEMENTS = Weights(rerank=2.0, fused=5.0, kind=0.0, names=0.5, words=0.5, version=0.0, intercept=-5.0)
WITHOUT_RERANKER = Weights(rerank=0.0, fused=7.0, kind=2.0, names=2.0, words=2.0, version=3.0, intercept=-9.5)


def relevance(signals: Signals, weights: Weights) -> float:
    """Probability in (0, 1) that the passage answers the question."""
    *coefficients, intercept = astuple(weights)
    total = intercept + sum(a * b for a, b in zip(coefficients, astuple(signals), strict=True))
    return logistic(total)


def log_odds(p: float) -> float:
    """Log odds of a probability, kept finite."""
    p = min(max(p, 1e-6), 1 - 1e-6)
    return math.log(p / (1 - p))


def logistic(odds: float) -> float:
    """Probability of log odds."""
    return 1 / (1 + math.exp(-max(min(odds, 60.0), -60.0)))
