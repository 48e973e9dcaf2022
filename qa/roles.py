"""Whether a claim puts one thing where its evidence puts another: names out of place, and who did what to whom."""

import re
from collections.abc import Iterator, Sequence

from qa.facts import Read, Slot

_SYMMETRIC = re.compile(
    r"\b(?:spoke|speaks?|spoken|talk(?:s|ed|ing)?|met|meet(?:s|ing)?|conversation|call|dialogue|discuss(?:ed|es|ions?)?|negotiat\w+|"
    r"agree(?:d|s|ment)?|cooperat\w+|compet\w+|marri\w+|partner\w*|shook hands|trad(?:e|ed|ing)|relations?\w*|conflict|war|tensions?|differences?|similar|"
    r"correlat\w+|associat\w+|interact\w*)\s+(?:\w+\s+){0,3}?(?:with|between|and|among)\b|\bbetween\b",
    re.IGNORECASE,
)
_PASSIVE = re.compile(
    r"\b(?:is|are|was|were|be|been|being|got|gets)\s+(?:\w+ly\s+)?(?P<verb>[a-z]+)\b(?=[^.;]{0,40}?\bby\b)",
    re.IGNORECASE,
)
_CLAUSE = re.compile(
    r"[;:.!?]|,\s+(?:and|but|while|who|which|when|because|after|before|although|though)\b", re.IGNORECASE
)
_VALUES = frozenset({"name", "number", "day"})
_REACH = 4
"""Slots to each side of a verb that may hold who did it and to whom."""


def displaced(claim: Read, evidence: Read) -> str:
    """The kind of thing ("name", "number", "day") that the claim puts in a place where the evidence has another, or "".

    A place is told by the words around it. A thing that also stands in the evidence in a place as good is not displaced.
    """
    for place, slot in enumerate(claim.slots):
        if slot.kind in _VALUES:
            own, other = _best_places(claim.slots, place, evidence.slots)
            if other >= 2.0 and other > own:
                return slot.kind
    return ""


def swapped(claim: Read, evidence: Read) -> bool:
    """Whether two things stand on opposite sides of the same verb in claim and evidence ("A called B", "B called A").

    A passive with "by" is turned round first. Where the verb is mutual ("A spoke with B") nothing can be swapped.
    """
    shared = [slot for slot in claim.slots if slot.kind == "word" and slot.key in evidence.keys]
    return any(_crosses(claim, evidence, slot.key) for slot in shared)


def _best_places(slots: Sequence[Slot], place: int, others: Sequence[Slot]) -> tuple[float, float]:
    """How well the place fits the best place of the same thing, and of another thing of its kind, in the evidence."""
    own = other = 0.0
    key, kind = slots[place].key, slots[place].kind
    inside = {slot.key for slot in slots}
    for n, candidate in enumerate(others):
        if candidate.kind not in (kind, "name") or (candidate.kind != kind and kind != "name"):
            continue
        fit = _fit(slots, place, others, n)
        if candidate.key == key:
            own = max(own, fit)
        elif not (kind == "name" and _same_run(slots, place, candidate.key)):
            other = max(other, fit if candidate.key not in inside else fit - 0.5)
    return own, other


def _same_run(slots: Sequence[Slot], place: int, key: str) -> bool:
    """Whether the key is a part of the same name in the claim ("Lloyd" beside "Austin")."""
    return any(
        slots[n].key == key for n in (place - 1, place + 1) if 0 <= n < len(slots) and slots[n].kind == "name"
    )


def _fit(slots: Sequence[Slot], place: int, others: Sequence[Slot], n: int) -> float:
    """Agreement of the neighbours: 1 for each nearest that is equal, .5 for each next; an edge equals an edge by half."""
    score = 0.0
    for step, worth in ((-1, 1.0), (1, 1.0), (-2, 0.5), (2, 0.5)):
        ours, theirs = _at(slots, place + step), _at(others, n + step)
        if ours == theirs:
            score += worth if ours is not None else worth / 2
    return score


def _at(slots: Sequence[Slot], n: int) -> str | None:
    return slots[n].key if 0 <= n < len(slots) else None


def _crosses(claim: Read, evidence: Read, verb: str) -> bool:
    ours, theirs = list(_sides(claim, verb)), list(_sides(evidence, verb))
    if not ours or not theirs:
        return False
    return all(
        any(_crossed(one, other) for other in theirs) and not any(_agrees(one, other) for other in theirs)
        for one in ours
    )


Sides = tuple[frozenset[str], frozenset[str]]


def _sides(sentence: Read, verb: str) -> Iterator[Sides]:
    """Names before and after each use of a verb in its clause; swapped for a passive with its agent."""
    breaks = [m.start() for m in _CLAUSE.finditer(sentence.text)]
    for n, slot in enumerate(sentence.slots):
        if slot.key != verb or slot.kind != "word":
            continue
        low = max((b for b in breaks if b < slot.start), default=-1)
        high = min((b for b in breaks if b > slot.start), default=len(sentence.text))
        if _SYMMETRIC.search(sentence.text, max(low, 0), high):
            continue
        before = frozenset(
            s.key for s in sentence.slots[max(0, n - _REACH * 2) : n] if s.kind == "name" and s.start > low
        )
        after = frozenset(
            s.key for s in sentence.slots[n + 1 : n + 1 + _REACH * 2] if s.kind == "name" and s.start < high
        )
        passive = any(
            m.start("verb") == slot.start for m in _PASSIVE.finditer(sentence.text, max(low, 0), high)
        )
        yield (after, before) if passive else (before, after)


def _crossed(one: Sides, other: Sides) -> bool:
    return bool((one[0] - one[1]) & (other[1] - other[0])) and bool((one[1] - one[0]) & (other[0] - other[1]))


def _agrees(one: Sides, other: Sides) -> bool:
    return bool((one[0] - one[1]) & (other[0] - other[1])) and bool((one[1] - one[0]) & (other[1] - other[0]))
