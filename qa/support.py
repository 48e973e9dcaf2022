"""One claim against one window of evidence: which facts it shares, which it turns round, how much it covers."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import exp, log
from typing import Literal

from qa import days as dates
from qa import numbers as values
from qa.coverage import Coverage, covered
from qa.days import Day
from qa.evidence import Window, number_label
from qa.facts import Read, Slot, holds_verbatim
from qa.identity import misnamed
from qa.polarity import excluded, flipped
from qa.roles import displaced, swapped
from qa.tokens import METONYMS, content_of, key_of

State = Literal["agrees", "lacks", "conflicts"]

_RELATED = 0.5
"""Share of a claim's words that a window must hold before the order and sense of its words are compared."""
_SAME_TOPIC = 0.6
"""Share that it must hold before a differing value is a contradiction, not another matter."""

_PLACING = frozenset("in at near outside".split())
_OPENING = frozenset({"but", "and"})
_MOST_BORROWED = 2
"""Names that a window may leave to what surrounds it: who spoke to whom, not a list of subjects."""
_LEAST_OWN = 3
"""Content words that a window with none of a claim's names and values must hold itself."""
_RANKS = frozenset(key_of(word) for word in "deputy vice assistant".split())
"""Words that make another office of an office: as much of a name as the office's."""
_ACTING = re.compile(r"\bacting[\s-]+(?!as\b|for\b|on\b|in\b|with\b|by\b|like\b|\w+ly\b)", re.IGNORECASE)
"""Another one, where it stands before the office."""
_PARTY = frozenset("with by between".split())
_LAYERS = {"name": "names", "number": "numbers", "day": "dates"}


@dataclass(frozen=True, slots=True)
class Weights:
    """Coefficients of a logistic model of support.

    `lacks` and `conflicts` are of an objection that a model's word may outweigh; without them none may.
    """

    bias: float
    words: float
    all: float
    replaced: float
    learned: float = 0.0
    lacks: float | None = None
    conflicts: float | None = None

    def of_objection(self, state: State) -> float | None:
        """What an objection that is not firm adds to the log odds; None where it decides."""
        return 0.0 if state == "agrees" else self.lacks if state == "lacks" else self.conflicts


# Fitted by benchmarks/fit_support.py (logistic regression, C = 10, balanced) on 1,003 claims that no layer objects to:
# XQuAD-en questions turned into statements, with and without their paragraph, SciFact training claims, and both with
# words exchanged. The bias puts .5 where 20 % of the unsupported ones pass: half of these
# differ from a true one in a single word.
LEXICAL = Weights(bias=-4.05, words=1.56, all=4.36, replaced=-1.11)
WITH_LEARNED = Weights(bias=-2.85, words=1.30, all=2.81, replaced=-1.25, learned=0.47)
# Set by hand near what benchmarks/fit_reader_support.py fits, for fewer false claims to pass and objections to be
# outweighed: docs/decisions/0005-verification.md.
WITH_READER = Weights(bias=-1.1, words=1.6, all=0.4, replaced=-0.3, learned=0.63, lacks=-0.3, conflicts=-4.5)
OBJECTED = 0.3
"""Most support that is left to a claim once a layer objects."""


@dataclass(frozen=True, slots=True)
class Finding:
    """What a window says of a claim: the state of its facts, the layer that decided it, and what it covers.

    A foreign window is of a document that knows nothing of a name in the claim. A firm objection is one of values, of
    a name that stands nowhere or of negation: no model outweighs it. `worst` is the state of the worst objection, be it
    firm or not and of whatever layer.
    """

    window: Window
    state: State
    layer: str
    coverage: Coverage
    verbatim: bool = False
    foreign: bool = False
    firm: bool = False
    worst: State = "agrees"


def assess(claim: Read, window: Window) -> Finding:
    """Check one claim against one window, layer by layer; the first layer that objects decides."""
    if holds_verbatim(window.read.text, claim.text):
        against = flipped(claim, window.read)
        full = Coverage(1.0, 1.0, 1.0, 1.0)
        return Finding(
            window,
            "conflicts" if against else "agrees",
            "polarity" if against else "quote",
            full,
            verbatim=True,
            firm=against,
        )
    coverage = covered(claim, window)
    close = coverage.words >= _SAME_TOPIC
    ordered = coverage.words >= _RELATED and not window.others
    objections = [found for found in _layers(claim, window, close=ordered) if found[1] != "agrees"]
    if not objections:
        return Finding(window, "agrees", "coverage", coverage)
    layer, state, _ = objections[0]
    return Finding(
        window,
        state if close else "lacks",
        layer,
        coverage,
        foreign=is_foreign(claim, window),
        firm=any(firm for *_, firm in objections),
        worst="conflicts" if any(state == "conflicts" for _, state, _ in objections) else "lacks",
    )


def _layers(claim: Read, window: Window, *, close: bool) -> Iterator[tuple[str, State, bool]]:
    """The state of each layer, in the order in which they decide, and whether what it says is firm."""
    labels = _labels(claim, window)
    named, nowhere = _names(claim, window, labels), _names_nowhere(claim, window)
    if named == "lacks" and close and displaced(claim, window.read) == "name":
        yield "names", "conflicts", nowhere
    yield "names", named, nowhere
    if misnamed(claim, window.read):
        yield "names", "conflicts", False
    yield "numbers", _numbers(claim, window, labels), True
    yield "dates", _days(claim, window), not _days_nearly(claim, window)
    if close:
        yield "roles", "conflicts" if swapped(claim, window.read) else "agrees", False
        moved = displaced(claim, window.read, labels)
        yield _LAYERS.get(moved, "names"), "conflicts" if moved else "agrees", moved != "name"
        against = flipped(claim, window.read) or excluded(claim, window.read)
        yield "polarity", "conflicts" if against else "agrees", True


def _numbers(claim: Read, window: Window, labels: frozenset[int]) -> State:
    worst: State = "agrees"
    there = window.read
    for number in claim.numbers:
        if any(values.same_value(number, other) for other in (*there.numbers, *window.leads.numbers)):
            continue
        if number.start in labels:
            continue
        rival = any(values.rivals(number, other) for other in there.numbers) or _counts_otherwise(
            claim, number, there
        )
        if rival and (number.firm or number.dimension == ""):
            return "conflicts"
        if number.value == 2.0 and number.dimension == "" and (_pairs_up(claim) or _pairs_up(there)):
            continue
        if number.firm:
            worst = "lacks"
    return worst


def _counts_otherwise(claim: Read, number: values.Number, there: Read) -> bool:
    """Whether the evidence has another count of the same noun ("two officials" for "seven officials")."""
    if not values.is_count(number):
        return False
    noun, label = _after(claim.slots, number.start), _before(claim.slots, number.start)
    return any(
        other.dimension == number.dimension
        and (
            (noun is not None and _after(there.slots, other.start) == noun)
            or (label is not None and _before(there.slots, other.start) == label)
        )
        for other in there.numbers
    )


def _pairs_up(sentence: Read) -> bool:
    """Whether two are named together ("Brown and Liu", "both"): "the two" needs no number beside them."""
    slots = sentence.slots
    triples = zip(slots, slots[1:], slots[2:], strict=False)
    return "both" in sentence.keys or any(
        a.kind == c.kind == "name" and b.key == "and" for a, b, c in triples
    )


def _after(slots: Sequence[Slot], start: int) -> str | None:
    """The key of the first content word after a number."""
    return next((slot.key for slot in slots if slot.start > start and slot.kind in ("word", "name")), None)


def _before(slots: Sequence[Slot], start: int) -> str | None:
    """The key of a content word right before a number ("day 15")."""
    before = next((slot for slot in reversed(slots) if slot.start < start), None)
    return before.key if before is not None and before.kind in ("word", "name") else None


def _days(claim: Read, window: Window) -> State:
    if not claim.days:
        return "agrees"
    date = window.hit.date
    text, there = window.read.text, window.read.days
    own = (*there, *dates.lent_days(text, date), *dates.completed(there, date))
    told = tuple(day for day in own if _tells_when(claim, text, day))
    whole = window.hit.text
    beside = tuple(day for day in window.paragraph.days if _tells_when(claim, whole, day))
    worst: State = "agrees"
    for readings in _by_place(claim.days):
        free = dates.bound(claim.text, readings[0]) is None
        if any(dates.satisfied(day, told if free else own) for day in readings):
            continue
        if any(dates.rivals(day, other) for day in readings for other in there):
            return "conflicts"
        if not any(dates.satisfied(day, (*beside, *window.around.days)) for day in readings):
            worst = "lacks"
    return worst


def _days_nearly(claim: Read, window: Window) -> bool:
    """Whether each date of the claim is the document's own, or one of the window's or paragraph's with more parts.

    Minutes of a March say "in January" and not "in March" of what was resolved; "20 March" there may be of this year.
    """
    there = (*window.read.days, *window.paragraph.days)
    return all(
        any(
            dates.satisfied(day, window.around.days)
            or any(dates.shares(day, other) and not dates.rivals(day, other) for other in there)
            for day in readings
        )
        for readings in _by_place(claim.days)
    )


def _tells_when(claim: Read, text: str, day: Day) -> bool:
    """Whether a date of the evidence may be the claim's: one in "since talks broke off in 2022" is another event's."""
    governed = dates.bound(text, day)
    return governed is None or any(token.key in claim.keys for token in content_of(governed))


def _by_place(days: Sequence[Day]) -> list[list[Day]]:
    """Readings of the same words together: 06/08/2020 has two."""
    places = dict.fromkeys((day.start, day.end) for day in days)
    return [[day for day in days if (day.start, day.end) == place] for place in places]


def _names(claim: Read, window: Window, labels: frozenset[int]) -> State:
    """Names stand in the window or, but for where something was, in what its document says around it."""
    lent = window.paragraph.every | window.around.keys
    places = _placing(claim.slots)
    for name in claim.names:
        placed = name.start in places and name.end + 1 not in labels
        if name.key not in window.read.keys and name.key not in (window.around.title if placed else lent):
            return "lacks"
        if placed and _only_party(name.key, window.read):
            return "lacks"
    if not window.others and _leans(claim, window):
        return "lacks"
    if _ACTING.search(claim.text) and key_of("acting") not in window.read.keys:
        return "lacks"
    return "agrees" if (claim.keys & _RANKS) <= window.read.keys else "lacks"


def _names_nowhere(claim: Read, window: Window) -> bool:
    """Whether a name of the claim, all of its words, stands neither in the window nor in anything around it."""
    there = window.read.keys | window.paragraph.every | window.around.keys
    lacking = [name.key not in there and METONYMS.get(name.key) not in there for name in claim.names]
    runs: list[bool] = []
    for n, name in enumerate(claim.names):
        joined = n > 0 and claim.text[claim.names[n - 1].end : name.start].strip(" .") == ""
        if joined:
            runs[-1] = runs[-1] and lacking[n]
        else:
            runs.append(lacking[n])
    return any(runs)


def _labels(claim: Read, window: Window) -> frozenset[int]:
    """Where numbers stand by which the document calls a thing: at "Unit 3" is where all of it is."""
    return frozenset(
        n.start for n in claim.numbers if number_label(claim.text, n.start) in window.around.labels
    )


def _leans(claim: Read, window: Window) -> bool:
    """Whether a window leaves too much to its surroundings: a list of names, or all names and most of the rest."""
    named, borrowed = _borrowed(claim.slots, window.read.keys)
    if borrowed > _MOST_BORROWED:
        return True
    bare = named == borrowed > 0 and not claim.numbers and not claim.days
    return (
        bare and sum(word.key in window.read.keys and word.weight >= 1 for word in claim.words) < _LEAST_OWN
    )


def _borrowed(slots: Sequence[Slot], here: frozenset[str]) -> tuple[int, int]:
    """How many names a claim has, each of one or more words, and how many of them have no word in the window."""
    names: list[bool] = []
    for before, slot in pairwise((None, *slots)):
        if slot is None or slot.kind != "name":
            continue
        if before is not None and before.kind == "name":
            names[-1] = names[-1] or slot.key in here
        else:
            names.append(slot.key in here)
    return len(names), names.count(False)


def is_foreign(claim: Read, window: Window) -> bool:
    """Whether the window's document knows nothing of a name in the claim: it tells of something else."""
    return any(name.key not in window.around.keys for name in claim.names)


def _placing(slots: Sequence[Slot]) -> frozenset[int]:
    """Where the names stand that say where something was ("in Beijing")."""
    pairs = pairwise(slots)
    return frozenset(slot.start for before, slot in pairs if slot.kind == "name" and before.key in _PLACING)


def _only_party(key: str, there: Read) -> bool:
    """Whether the evidence has the name only as one who acts ("talks with Beijing", "Beijing insisted")."""
    slots = there.slots
    acts = {token.start for token in there.tokens if token.past}
    found = [n for n, slot in enumerate(slots) if slot.key == key]
    return bool(found) and all(
        (n > 0 and slots[n - 1].key in _PARTY)
        or (n + 1 < len(slots) and slots[n + 1].start in acts and (n == 0 or slots[n - 1].key in _OPENING))
        for n in found
    )


def support(finding: Finding, learned: float | None = None, weights: Weights = LEXICAL) -> float:
    """Support of a claim by a window, 0..1; .5 is the least of a supported one, a firm objection leaves at most .3.

    `learned` is a model's opinion, 0..1, for the weights that have a place for it.
    """
    if finding.verbatim and finding.state == "agrees":
        return 1.0
    objection = None if finding.firm else weights.of_objection(finding.worst)
    x = covered_odds(finding, weights) + (objection or 0.0)
    if learned is not None:
        x += weights.learned * log(learned / (1 - learned)) if 0 < learned < 1 else 0.0
    supported = 1 / (1 + exp(-x))
    return supported if objection is not None else min(supported, OBJECTED)


def covered_odds(finding: Finding, weights: Weights = LEXICAL) -> float:
    """Log odds of support by what the window covers, whatever objects."""
    coverage = finding.coverage
    return (
        weights.bias
        + weights.words * coverage.words
        + weights.all * coverage.all
        + weights.replaced * min(coverage.replaced, 2)
    )
