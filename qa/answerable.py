"""Whether a question can be answered: the probability that what was found states what is asked."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Weights:
    """Coefficients of two log odds, and the intercept."""

    stated: float
    """Of the reader's: some passage states what is asked."""
    sentence: float
    """Of the best sentence's: it answers, going by relevance, names and kind of value."""
    intercept: float


# Fitted by benchmarks/fit_answerable.py on groups of texts that the reader was not fitted to.
WEIGHTS = Weights(0.7, 0.2, 0.5)

Bar = Literal["quote", "ask"]
"""For what a question must be likely enough to be answerable: to quote a sentence, or to ask an LLM."""
_BARS: Mapping[Bar, float] = {"quote": 0.10, "ask": 0.05}
"""docs/decisions/0017-stated.md. An LLM may still decline, and what it says is checked: it is asked sooner."""
_UNREAD = 0.01
"""Where no reader has looked: low, since relevance alone refuses few of those that it should."""
NO_EVIDENCE = 0.004
"""A best sentence of less is no evidence at all."""


def probability(sentence: float, stated: float | None) -> float:
    """In (0, 1): that the documents answer; `sentence` is the best one's, `stated` the reader's log odds."""
    if stated is None:
        return sentence
    return logistic(WEIGHTS.stated * stated + WEIGHTS.sentence * log_odds(sentence) + WEIGHTS.intercept)


def bar(purpose: Bar, *, read: bool) -> float:
    """Least probability for a purpose."""
    return _BARS[purpose] if read else _UNREAD


def log_odds(p: float) -> float:
    """Log odds of a probability, kept finite."""
    p = min(max(p, 1e-6), 1 - 1e-6)
    return math.log(p / (1 - p))


def logistic(x: float) -> float:
    """Probability of log odds."""
    return 1 / (1 + math.exp(-max(min(x, 60.0), -60.0)))
