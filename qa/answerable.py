"""Whether a question can be answered: the probability that what was found states what is asked."""

from collections.abc import Mapping
from typing import Literal

from index.relevance import logistic

_SLOPE, _INTERCEPT = 0.6, 1.0
"""Of a logistic over the reader's log odds: set by hand between what benchmarks/fit_answerable.py fits on texts kept
from the reader (.48, .46) and what the questions of benchmarks/heldout give (.76, 1.53).

Relevance has a part in these odds only where it is all but nil (`index.reading.answers`): a near miss names what it
asks about, and so is as relevant as a question that is answered.
"""

Bar = Literal["quote", "ask"]
"""For what a question must be likely enough to be answerable: to quote a sentence, or to ask an LLM."""
_BARS: Mapping[Bar, float] = {"quote": 0.4, "ask": 0.2}
"""docs/decisions/0017-stated.md. An LLM may still decline, and what it says is checked: it is asked sooner."""
_RELEVANT = 0.01
"""The least that the best sentence needs where no reader has looked: low, since relevance alone refuses few."""
NO_EVIDENCE = 0.008
"""A best sentence of less is no evidence at all."""


def probability(sentence: float, stated: float | None) -> float:
    """In (0, 1): that the documents answer, by the reader's log odds or, unread, by the best sentence's relevance."""
    return sentence if stated is None else logistic(_SLOPE * stated + _INTERCEPT)


def answerable(sentence: float, stated: float | None, purpose: Bar) -> bool:
    """Whether the documents are likely enough to answer, for this purpose."""
    least = _RELEVANT if stated is None else _BARS[purpose]
    return probability(sentence, stated) >= least
