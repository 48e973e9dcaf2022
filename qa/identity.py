"""Whether a claim gives somebody's office or description to somebody else ("Wei is deputy chairman of …")."""

import re
from collections.abc import Iterator, Sequence

from qa.facts import Read
from qa.tokens import Token

_COPULA = re.compile(r"\s(?:is|was|are|were|became|remains|remained|serves? as|served as)\s", re.IGNORECASE)
_LEAST = 2
"""Content words of a description by which it can be told apart."""
_MOST = 6
_ENOUGH = 0.6
"""Share of a description that must stand together in the evidence."""
_CLEARLY = 3
"""Words by which another name must stand nearer to the description than the one that the claim gives."""


def misnamed(claim: Read, evidence: Read) -> bool:
    """Whether the evidence has the claim's description right beside another name, and not near the claim's."""
    subject, description = _statement(claim)
    if not subject or len(description) < _LEAST:
        return False
    place = _place_of(description, evidence.tokens)
    if place is None:
        return False
    start, end = place
    nearest = sorted(
        (_distance(run, start, end), keys) for run, keys in _runs(evidence.tokens) if not keys <= description
    )
    if not nearest or nearest[0][1] & subject:
        return False
    own = min((distance for distance, keys in nearest if keys & subject), default=None)
    closest = nearest[0][0]
    return closest <= _CLEARLY and (own is None or own > closest + _CLEARLY)


def _statement(claim: Read) -> tuple[frozenset[str], frozenset[str]]:
    """Names that a claim is about and content words of what it says they are; empty for another kind of claim."""
    copula = _COPULA.search(claim.text)
    if copula is None:
        return frozenset(), frozenset()
    before = [t for t in claim.tokens if t.start < copula.start()]
    after = [t for t in claim.tokens if t.start >= copula.end() and t.kind != "function"]
    plain = all(t.kind != "word" or t.weight < 1 for t in before) and not (after and after[0].past)
    if not plain:
        return frozenset(), frozenset()
    comma = claim.text.find(",", copula.end())
    described = [t for t in after if comma < 0 or t.start < comma][:_MOST]
    return frozenset(t.key for t in before if t.kind == "name"), frozenset(t.key for t in described)


def _place_of(description: frozenset[str], tokens: Sequence[Token]) -> tuple[int, int] | None:
    """The shortest stretch of tokens that holds most of a description, little else among it; None where none does."""
    found = [n for n, token in enumerate(tokens) if token.key in description]
    stretches = [(start, end) for first, start in enumerate(found) for end in found[first:]]
    held = {
        (start, end): len({tokens[n].key for n in found if start <= n <= end}) for start, end in stretches
    }
    needed = max(_LEAST, round(_ENOUGH * len(description)))
    dense = [
        (start, end)
        for start, end in stretches
        if held[start, end] >= needed and end - start <= 3 * held[start, end]
    ]
    return max(dense, key=lambda place: (held[place], place[0] - place[1]), default=None)


def _runs(tokens: Sequence[Token]) -> Iterator[tuple[tuple[int, int], frozenset[str]]]:
    """Names of one or more words, as (first, last) token and keys."""
    start: int | None = None
    for n, token in enumerate([*tokens, None]):
        if token is not None and token.kind == "name":
            start = n if start is None else start
        elif start is not None:
            yield (start, n - 1), frozenset(t.key for t in tokens[start:n])
            start = None


def _distance(run: tuple[int, int], start: int, end: int) -> int:
    """Tokens between a name and a stretch; 0 where they touch or overlap."""
    return max(start - run[1] - 1, run[0] - end - 1, 0)
