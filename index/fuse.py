"""One ranking out of two: dense (cosine) and lexical (BM25).

A convex combination of normalised scores (Bruch et al., "An Analysis of Fusion Functions for Hybrid Retrieval", 2023)
with a lexical scale that knows how much of the query was found: see docs/decisions/0003-fusion.md for the figures
against reciprocal rank fusion.
"""

import math
from collections.abc import Mapping, Sequence

_DENSE_WEIGHT = 0.4

Ranked = Sequence[tuple[int, float]]


def fuse(
    dense: Ranked, lexical: Ranked, *, lexical_bound: float, dense_weight: float = _DENSE_WEIGHT
) -> dict[int, float]:
    """Score of each id that stands in either list.

    Dense scores are scaled by the range of their own list. Lexical ones are divided by the geometric mean of the
    list's best and of `lexical_bound`, the score of a passage that held every term of the query: where the best
    passage holds little of the query, the lexical list speaks more softly.
    """
    near = _ranged(dense)
    scale = math.sqrt(max(lexical_bound, 0.0) * max((score for _, score in lexical), default=0.0))
    exact = {key: score / scale for key, score in lexical} if scale > 0 else {}
    weight = dense_weight if exact else 1.0
    if not near:
        return exact
    return {
        key: weight * near.get(key, 0.0) + (1 - weight) * exact.get(key, 0.0)
        for key in near.keys() | exact.keys()
    }


def _ranged(scores: Ranked) -> dict[int, float]:
    if not scores:
        return {}
    values = [score for _, score in scores]
    low, high = min(values), max(values)
    spread = high - low
    return {key: (score - low) / spread if spread > 0 else 1.0 for key, score in scores}


def bm25_bound(frequencies: Mapping[str, int], total: int) -> float:
    """BM25 of a passage that holds every term very often (Robertson's idf, k1 = 1.2 as in SQLite's FTS5)."""
    k1 = 1.2
    # counted one after the other, while others commit: a word may be found in more passages than there were
    idfs = (
        math.log((max(total - n, 0) + 0.5) / (n + 0.5)) for n in frequencies.values() if n > 0 or total == 0
    )
    return sum(max(idf, 1e-6) for idf in idfs) * (k1 + 1)
