"""Whether a claim puts one thing where its evidence puts another: names out of place, and who did what to whom."""

import re
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Literal

from qa.facts import Read, Slot
from qa.lexicon import DEFINED, SYNONYMS

_MUTUAL = (
    r"(?:spoke|speaks?|spoken|talk(?:s|ed|ing)?|met|meet(?:s|ing|ings)?|conversations?|calls?|dialogues?|discuss(?:ed|es|ions?)?|"
    r"negotiat\w+|agree(?:d|s|ment)?|cooperat\w+|compet\w+|marri\w+|partner\w*|trad(?:e|ed|ing)|relations?\w*|conflicts?|war|tensions?|"
    r"differences?|similar|correlat\w+|associat\w+|interact\w*)\s+(?:\w+\s+){0,3}?(?:with|between|and|among)\b"
)
# The verb is mutual itself, or a light one that only carries a mutual noun ("held a meeting with").
_SYMMETRIC = re.compile(
    rf"{_MUTUAL}|(?:had|have|has|held|hold|holds|began|begin|resumed|resume)\s+(?:\w+\s+){{0,4}}?{_MUTUAL}",
    re.IGNORECASE,
)
_PASSIVE = re.compile(
    r"\b(?:is|are|was|were|be|been|being|got|gets)\s+(?:\w+ly\s+)?(?P<verb>[a-z]+(?:ed|en|wn|ld|de|ught|und|nt|ut|t))\b",
    re.IGNORECASE,
)
_BY = re.compile(r"[^.;]{0,48}?\bby\b", re.IGNORECASE)
_DONE_BY = re.compile(r"\w+(?:ed|en|wn|ught|und|ilt)\s+(?:\w+ly\s+)?by\b", re.IGNORECASE)
"""A passive that is cut short: "a link established by the Pentagon"."""
_CLAUSE = re.compile(
    r"[;:!?]|(?<=[a-z]{5})\.\s|,\s+(?:and|but|while|who|which|when|because|after|before|although|though)\b",
    re.IGNORECASE,
)
_VALUES = frozenset({"name", "number", "day"})
_ASIDE = re.compile(r",\s(?:who|which|whose|whom|where)\b[^,;]{3,200},(?=\s(?!and\b))")
_RELATIVE = re.compile(r",?\s*(?:which|who|that)\b", re.IGNORECASE)
_JOINING = frozenset("that and but or when who which because while as if it he they".split())
_REACH = 8
"""Slots to each side of a verb that may hold who did it and to whom."""
_SURE = 2.0
_LIKELY = 1.5
"""Agreement of neighbours (at most 3) that makes two places one; the lower where the thing fits nowhere else."""
_OWNING = 4
"""Slots before a name in which the one whose call, visit or claim it is may stand."""
_CLEARLY = 1.0
"""How much better another thing must fit a place than the one that the claim puts there."""


def displaced(claim: Read, evidence: Read, lent: frozenset[int] = frozenset()) -> str:
    """The kind of thing ("name", "number", "day") that the claim puts in a place where the evidence has another, or "".

    A place is told by the words around it. A thing that stands in the evidence in a place as good is not displaced, nor
    is what starts at one of the `lent` characters: the evidence need not have it.
    """
    for place, slot in enumerate(claim.slots):
        if (
            slot.start not in lent
            and slot.kind in _VALUES
            and (slot.key not in evidence.keys or slot.key in evidence.places)
        ):
            own, other = _best_places(claim.slots, place, evidence.slots)
            if other >= (_LIKELY if own == 0.0 else _SURE) and other - own >= _CLEARLY:
                return slot.kind
    return ""


def replaced(claim: Read, evidence: Read, missing: frozenset[str]) -> int:
    """How many of the claim's missing words stand where the evidence has another word, with the same neighbours."""
    return sum(
        any(
            other.kind == "word"
            and other.key not in claim.keys
            and _fit(claim.slots, n, evidence.slots, m) >= _SURE
            for m, other in enumerate(evidence.slots)
        )
        for n, slot in enumerate(claim.slots)
        if slot.kind == "word" and slot.key in missing
    )


def swapped(claim: Read, evidence: Read) -> bool:
    """Whether two things stand on opposite sides of the same verb in claim and evidence ("A called B", "B called A").

    A passive with "by" is turned round first. Where the verb is mutual ("A spoke with B") nothing can be swapped.
    """
    if _permuted(claim, evidence):
        return True
    return any(
        _crosses(claim, verb, evidence, other)
        for verb in _verbs(claim)
        for other in ({verb} if verb in evidence.keys else SYNONYMS.get(verb, frozenset()) & evidence.keys)
    )


def _verbs(sentence: Read) -> frozenset[str]:
    """Keys of the words that are most likely verbs: past forms, and after a name what ends in s."""
    after_name = {b.start for a, b in pairwise(sentence.slots) if a.kind == "name"}
    return frozenset(
        t.key
        for t in sentence.tokens
        if t.kind == "word" and (t.past or (t.start in after_name and t.text.endswith("s")))
    )


def _permuted(claim: Read, evidence: Read) -> bool:
    """Whether the claim has the words of the evidence in the same order but its names in another."""
    ours, theirs = _in_order(claim), _in_order(evidence)
    if len(ours) != len(theirs) or ours == theirs:
        return False
    moved = [n for n, (one, other) in enumerate(zip(ours, theirs, strict=True)) if one != other]
    if any(ours[n][0] != "name" or theirs[n][0] != "name" for n in moved) or sorted(ours) != sorted(theirs):
        return False
    between = claim.text[claim.slots[moved[0]].start : claim.slots[moved[-1]].start]
    return _SYMMETRIC.search(between) is None


def _in_order(sentence: Read) -> list[tuple[str, str]]:
    """The slots with names joined by "and" or "or" put in alphabetical order, since theirs means nothing."""
    slots: list[tuple[str, str]] = [(slot.kind, slot.key) for slot in sentence.slots]
    for n in range(len(slots) - 2):
        if slots[n][0] == slots[n + 2][0] == "name" and slots[n + 1][1] in ("and", "or"):
            slots[n], slots[n + 2] = sorted((slots[n], slots[n + 2]))
    return slots


def _best_places(slots: Sequence[Slot], place: int, others: Sequence[Slot]) -> tuple[float, float]:
    """How well the place fits the best place of the same thing, and of another thing of its kind, in the evidence."""
    own = other = 0.0
    key, kind = slots[place].key, slots[place].kind
    run = _run(slots, place)
    for n, candidate in enumerate(others):
        if candidate.kind != kind:
            continue
        fit = _fit(slots, place, others, n)
        there = _run(others, n)
        if candidate.key == key or (
            kind == "name" and any(slot.key == key for slot in others[there[0] : there[1]])
        ):
            own = max(own, fit)
        elif _differs(kind, key, candidate.key) and not (
            kind == "name"
            and (
                _holds(slots, run, candidate.key)
                or _of_another(slots, run[0], others, there[0])
                # the Employee may be whom the claim names
                or (candidate.key in DEFINED and key not in DEFINED)
            )
        ):
            other = max(other, fit)
    return own, other


def _differs(kind: str, one: str, other: str) -> bool:
    """Whether two keys of a kind cannot stand for the same: dates must differ in a part that both have."""
    if kind != "day":
        return one != other
    parts = zip(one[1:].split("-"), other[1:].split("-"), strict=True)
    return any(a != b and "None" not in (a, b) for a, b in parts)


def _run(slots: Sequence[Slot], n: int) -> tuple[int, int]:
    """The run of names around a place, end-exclusive: "Chinese Gen. Wei Fenge" is one name."""
    start, end = n, n + 1
    while start > 0 and slots[start - 1].kind == "name":
        start -= 1
    while end < len(slots) and slots[end].kind == "name":
        end += 1
    return start, end


def _holds(slots: Sequence[Slot], run: tuple[int, int], key: str) -> bool:
    return any(slot.key == key for slot in slots[run[0] : run[1]])


def _of_another(slots: Sequence[Slot], place: int, others: Sequence[Slot], n: int) -> bool:
    """Whether the evidence speaks there of somebody else's: "Biden's call with Xi" says nothing of Austin's call."""
    ours, theirs = _owner(slots, place), _owner(others, n)
    if theirs is None:
        return False
    owner = _run(others, theirs)
    if (
        ours is None
    ):  # "the call with Dong" is nobody's: another's call it is when that other is not named at all
        return not any(_holds(others, owner, slot.key) for slot in slots)
    return not _holds(others, owner, slots[ours].key)


def _owner(slots: Sequence[Slot], place: int) -> int | None:
    """Where the name close before a place stands to which it belongs ("Austin's call with")."""
    close = range(place - 1, max(place - 1 - _OWNING, -1), -1)
    return next((n for n in close if slots[n].owns), None)


def _fit(slots: Sequence[Slot], place: int, others: Sequence[Slot], n: int) -> float:
    """Agreement of the neighbours: 1 for each nearest that is equal, .5 for each next.

    An edge equals an edge by half; a word that joins any clause to any other ("that", "when") counts for little.
    """
    nearest = _agree(slots, place - 1, others, n - 1) + _agree(slots, place + 1, others, n + 1)
    if nearest == 0.0:
        return 0.0  # what stands further off makes no place by itself
    return nearest + (_agree(slots, place - 2, others, n - 2) + _agree(slots, place + 2, others, n + 2)) / 2


def _agree(slots: Sequence[Slot], place: int, others: Sequence[Slot], n: int) -> float:
    inside, there = 0 <= place < len(slots), 0 <= n < len(others)
    if not inside or not there:
        return 0.0 if inside or there else 0.5
    key = slots[place].key
    if key != others[n].key:
        return 0.0
    return 0.25 if key in _JOINING else 1.0


def _crosses(claim: Read, verb: str, evidence: Read, other: str) -> bool:
    ours, theirs = list(_sides(claim, verb)), list(_sides(evidence, other))
    return bool(ours) and bool(theirs) and all(all(_crossed(one, two) for two in theirs) for one in ours)


Sides = tuple[frozenset[str], frozenset[str]]


def _sides(sentence: Read, verb: str) -> Iterator[Sides]:
    """Names before and after each use of a verb in its clause; swapped for a passive with its agent."""
    asides = [m.span() for m in _ASIDE.finditer(sentence.text)]
    for slot in sentence.slots:
        if slot.key != verb or slot.kind != "word":
            continue
        skipped = [span for span in asides if not span[0] <= slot.start < span[1]]
        slots = [s for s in sentence.slots if not any(start <= s.start < end for start, end in skipped)]
        if _SYMMETRIC.match(sentence.text, slot.start):
            continue
        low, high = _clause(sentence.text, slot.start, skipped)
        low = _antecedent(sentence.text, slots, low)
        n = slots.index(slot)
        names = [
            s
            for s in slots[max(0, n - _REACH) : n + 1 + _REACH]
            if s.kind == "name" and low <= s.start < high
        ]
        before = frozenset(s.key for s in names if s.start < slot.start)
        after = frozenset(s.key for s in names if s.start > slot.start)
        how = _voice(sentence.text, slot.start, low, high)
        yield (
            (before, after) if how == "active" else (after, before) if how == "by" else (frozenset(), before)
        )


def _voice(text: str, verb: int, low: int, high: int) -> Literal["active", "by", "passive"]:
    """Whether a verb is active, passive with its agent, or a passive that names nobody who does it."""
    if _DONE_BY.match(text, verb, high):
        return "by"
    if not any(m.start("verb") == verb for m in _PASSIVE.finditer(text, low, high)):
        return "active"
    return "by" if _BY.match(text, verb, high) else "passive"


def _clause(text: str, at: int, skipped: Sequence[tuple[int, int]]) -> tuple[int, int]:
    """The clause around a place: up to the next break that is not inside a skipped aside."""
    breaks = [
        m.start()
        for m in _CLAUSE.finditer(text)
        if not any(start <= m.start() < end for start, end in skipped)
    ]
    low = max((place for place in breaks if place < at), default=0)
    return low, min((place for place in breaks if place > at), default=len(text))


def _antecedent(text: str, slots: Sequence[Slot], low: int) -> int:
    """Where the clause's subject begins: before a relative pronoun stands what it refers to."""
    if _RELATIVE.match(text, low) is None:
        return low
    before = [slot.start for slot in slots if slot.start < low][-4:]
    return before[0] if before else low


def _crossed(one: Sides, other: Sides) -> bool:
    """Whether what stands on one side of the verb stands on the other in the evidence, its place taken by another."""
    (before, after), (there_before, there_after) = one, other
    moved_back = (
        (before - after) & (there_after - there_before) and there_before and not before & there_before
    )
    moved_front = (after - before) & (there_before - there_after) and there_after and not after & there_after
    return bool(moved_back or moved_front)
