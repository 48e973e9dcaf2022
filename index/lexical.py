"""The best passages by BM25, with the work bounded where words are common.

FTS5 scores every passage that holds any of the words: 0.9 µs each, 140 ms for a question whose words stand in 160,000.
Where they stand in many, the rare words are scored first; what common words hold is scored only where one of them meets
another word. A passage with one common word and nothing else is worse than those, and is looked at only while too few
are found. Scores are always those of all the words: each statement scores whole passages, and the best of them counts.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from heapq import nlargest

import apsw

from index.connection import fetch
from index.fulltext import FILTERED, FILTERED_BY_PATH, RANK, FullText, TermCounts
from index.terms import match_any

MOST_SCORED = 10_000
"""Words that stand in no more passages than this together are simply scored."""
_USUAL = 1.3
"""BM25 of a word in the best passages, in units of its idf: 1 for once in a passage of middle length, at most 2.2."""
_DEPTH = 30
"""Nothing is left out that might come before this place of the list."""

Narrowing = Mapping[str, str | None]
"""The values of the filter statement."""


def narrowing(values: Narrowing | None) -> str | None:
    """The statement for the ids that filters with these values let through; None for all."""
    if values is None:
        return None
    return FILTERED if values["path"] is None else FILTERED_BY_PATH


@dataclass(frozen=True, slots=True)
class Ranking:
    """One search: what it is for, and the best score found for each passage so far."""

    db: apsw.Connection
    counts: TermCounts
    collection: int
    k: int
    narrowed: Narrowing | None
    most_scored: int = MOST_SCORED
    found: dict[int, float] = field(default_factory=dict)

    def best(self, terms: Sequence[str]) -> list[tuple[int, float]]:
        """The k passages best by BM25 over any of the terms, as (passage id, score), best first."""
        telling = self.counts.telling(self.db, terms)
        rare, common = self._split(telling)
        if common:
            self._in_parts(rare, common)
        else:
            self._score(match_any(telling))
        return nlargest(self.k, self.found.items(), key=lambda hit: (hit[1], -hit[0]))

    def _split(self, terms: Sequence[str]) -> tuple[list[str], list[str]]:
        """The rarest terms that may be scored together, at least one; and the others, rarest first."""
        known = sorted((count, term) for term in terms if (count := self.counts.of_term(self.db, term)))
        total, size = 0, 0
        for count, _ in known:
            if size and total + count > self.most_scored:
                break
            total, size = total + count, size + 1
        ranked = [term for _, term in known]
        return ranked[:size], ranked[size:]

    def _in_parts(self, rare: list[str], common: list[str]) -> None:
        self._score(f"({match_any(rare)}) AND ({match_any(common)})")
        parts = [(rare, match_any(rare))]
        for place, term in enumerate(common[:-1]):
            meeting = f"{match_any([term])} AND ({match_any(common[place + 1 :])})"
            parts.append((common[place:], meeting))
        left = []
        for terms, match in parts:
            if self._may_matter(terms):
                self._score(match)
            else:
                left.append(match)
        # each passage is scored whole by the first match that finds it, so these have to come in this order
        for match in (*left, *(match_any([term]) for term in common)):
            if len(self.found) >= self.k:
                break
            self._score(match)

    def _score(self, match: str) -> None:
        """Take in the best passages of a match; each counts with the most that any match gives it."""
        if not match:
            return
        sql = FullText.of(self.collection).best(narrowing(self.narrowed))
        values = {"match": match, "rank": RANK, "k": self.k, "collection": self.collection}
        for id_, score in fetch(self.db, sql, {**values, **(self.narrowed or {})}):
            self.found[int(id_)] = max(float(score), self.found.get(int(id_), -math.inf))

    def _may_matter(self, terms: Sequence[str]) -> bool:
        """Whether a passage with nothing but these terms may come before the depth that is asked for."""
        depth = min(self.k, _DEPTH)
        if len(self.found) < depth:
            return True
        floor = nlargest(depth, self.found.values())[-1]
        return _USUAL * sum(self._idf(term) for term in terms) > floor

    def _idf(self, term: str) -> float:
        count = self.counts.of_term(self.db, term)
        rest = max(self.counts.passages - count, 0)
        return max(math.log((rest + 0.5) / (count + 0.5)), 0.0)
