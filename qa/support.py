"""One claim against one window of evidence: which facts it shares, which it turns round, how much it covers."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import exp, log
from typing import Literal

from qa import days as dates
from qa import numbers as values
from qa.days import Day
from qa.evidence import Window
from qa.facts import Read, Slot, holds_verbatim
from qa.identity import misnamed
from qa.lexicon import SYNONYMS
from qa.polarity import excluded, flipped
from qa.roles import displaced, replaced, swapped
from qa.tokens import Token, content_of, key_of

State = Literal["agrees", "lacks", "conflicts"]

_RELATED = 0.5
"""Share of a claim's words that a window must hold before the order and sense of its words are compared."""
_SAME_TOPIC = 0.6
"""Share that it must hold before a differing value is a contradiction, not another matter."""

# Words that a number says by itself: "lasted 90 minutes" needs no "lasted" beside a "90-minute conversation".
_IMPLIED = {
    "time": frozenset("last take run go long durat length".split()),
    "months": frozenset("last take run go long durat length ago age old".split()),
    "usd": frozenset("cost price pay worth".split()),
}
_PLACING = frozenset("in at near outside".split())
_OPENING = frozenset({"but", "and"})
_MOST_BORROWED = 2
"""Names that a window may leave to what surrounds it: who spoke to whom, not a list of subjects."""
_LEAST_OWN = 3
"""Content words that a window with none of a claim's names and values must hold itself."""
_RANKS = frozenset(key_of(word) for word in "deputy vice acting assistant".split())
"""Words that make another office of an office: as much of a name as the office's."""
_PARTY = frozenset("with by between".split())
_ROUND_ABOUT = 0.5
"""Credit below which nothing in the window stands for a word, though its paragraph or document may hold it."""
_LAYERS = {"name": "names", "number": "numbers", "day": "dates"}


@dataclass(frozen=True, slots=True)
class Weights:
    """Coefficients of a logistic model of support."""

    bias: float
    words: float
    all: float
    replaced: float
    learned: float = 0.0


# Fitted by benchmarks/fit_support.py (logistic regression, C = 10, balanced) on 1,003 claims that no layer objects to:
# XQuAD-en questions turned into statements, with and without their paragraph, SciFact training claims, and both with
# words exchanged. The bias puts .5 where 20 % of the unsupported ones pass: half of these
# differ from a true one in a single word.
_LEXICAL = Weights(bias=-4.05, words=1.56, all=4.36, replaced=-1.11)
_WITH_LEARNED = Weights(bias=-2.85, words=1.30, all=2.81, replaced=-1.25, learned=0.47)
OBJECTED = 0.3
"""Most support that is left to a claim once a layer objects."""


@dataclass(frozen=True, slots=True)
class Coverage:
    """Shares (0..1) of a claim that a window covers, values apart.

    `all` counts words and names, `words` only content words, with credit for near-synonyms and surroundings; `inside`
    counts words and names that stand in the window as such; `size` is the weight of all words and names; `replaced`
    is how many words that nothing stands for have another word in their place.
    """

    all: float
    words: float
    inside: float
    size: float
    replaced: int = 0


@dataclass(frozen=True, slots=True)
class Finding:
    """What a window says of a claim: the state of its facts, the layer that decided it, and what it covers.

    A foreign window is of a document that knows nothing of a name in the claim.
    """

    window: Window
    state: State
    layer: str
    coverage: Coverage
    verbatim: bool = False
    foreign: bool = False


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
        )
    coverage = covered(claim, window)
    close = coverage.words >= _SAME_TOPIC
    ordered = coverage.words >= _RELATED and not window.others
    for layer, state in _layers(claim, window, close=ordered):
        if state != "agrees":
            foreign = is_foreign(claim, window)
            return Finding(window, state if close else "lacks", layer, coverage, foreign=foreign)
    return Finding(window, "agrees", "coverage", coverage)


def _layers(claim: Read, window: Window, *, close: bool) -> Iterator[tuple[str, State]]:
    """The state of each layer, in the order in which they decide."""
    named = _names(claim, window)
    if named == "lacks" and close and displaced(claim, window.read) == "name":
        yield "names", "conflicts"
    yield "names", named
    if misnamed(claim, window.read):
        yield "names", "conflicts"
    yield "numbers", _numbers(claim, window)
    yield "dates", _days(claim, window)
    if close:
        yield "roles", "conflicts" if swapped(claim, window.read) else "agrees"
        moved = displaced(claim, window.read)
        yield _LAYERS.get(moved, "names"), "conflicts" if moved else "agrees"
        against = flipped(claim, window.read) or excluded(claim, window.read)
        yield "polarity", "conflicts" if against else "agrees"


def _numbers(claim: Read, window: Window) -> State:
    worst: State = "agrees"
    there = window.read
    for number in claim.numbers:
        if any(values.same_value(number, other) for other in (*there.numbers, *window.leads.numbers)):
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


def _tells_when(claim: Read, text: str, day: Day) -> bool:
    """Whether a date of the evidence may be the claim's: one in "since talks broke off in 2022" is another event's."""
    governed = dates.bound(text, day)
    return governed is None or any(token.key in claim.keys for token in content_of(governed))


def _by_place(days: Sequence[Day]) -> list[list[Day]]:
    """Readings of the same words together: 06/08/2020 has two."""
    places = dict.fromkeys((day.start, day.end) for day in days)
    return [[day for day in days if (day.start, day.end) == place] for place in places]


def _names(claim: Read, window: Window) -> State:
    """Names stand in the window or, but for where something was, in what its document says around it."""
    lent = window.paragraph.every | window.around.keys
    places = _placing(claim.slots)
    for name in claim.names:
        placed = name.start in places
        if name.key not in window.read.keys and name.key not in (window.around.title if placed else lent):
            return "lacks"
        if placed and _only_party(name.key, window.read):
            return "lacks"
    if not window.others and _leans(claim, window):
        return "lacks"
    return "agrees" if (claim.keys & _RANKS) <= window.read.keys else "lacks"


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


def covered(claim: Read, window: Window) -> Coverage:
    """How much of a claim's words and names a window covers."""
    implied = frozenset[str]().union(*(_IMPLIED.get(n.dimension, frozenset()) for n in claim.numbers))
    got = total = words = all_words = inside = 0.0
    missing: set[str] = set()
    for token in claim.tokens:
        weight = 0.35 if token.key in implied else token.weight
        if weight == 0.0:
            continue
        credit = _credit(token, window)
        got, total = got + weight * credit, total + weight
        inside += weight * (token.key in window.read.keys)
        if token.kind == "word":
            words, all_words = words + weight * credit, all_words + weight
            if credit < _ROUND_ABOUT:
                missing.add(token.key)
    instead = replaced(claim, window.read, frozenset(missing)) if missing else 0
    return Coverage(_share(got, total), _share(words, all_words), _share(inside, total), total, instead)


def _share(part: float, whole: float) -> float:
    return part / whole if whole else 1.0


def _credit(token: Token, window: Window) -> float:
    """How far a word of the claim is found: itself, a near-synonym, a word of its family, or only round about."""
    keys = window.read.keys
    if token.key in keys:
        return 1.0
    if not SYNONYMS.get(token.key, frozenset()).isdisjoint(keys):
        return 0.9
    if len(token.key) >= 5 and any(_kin(token.key, key) for key in keys if key[:5] == token.key[:5]):
        return 0.85
    return _credit_around(token, window)


def _credit_around(token: Token, window: Window) -> float:
    """How far a word is found beside the window: a name is lent by its document, another word hardly."""
    is_name = token.kind == "name"
    if token.key in window.leads.keys:
        return 0.8
    if token.key in window.paragraph.every:
        return 0.9 if is_name else 0.3
    if token.key in window.around.keys:
        return 0.9 if is_name else 0.15
    return 0.0


def _kin(one: str, other: str) -> bool:
    """Whether two stems that begin alike share a root ("resumpt", "resum")."""
    shorter, longer = sorted((one, other), key=len)
    if len(shorter) < 5:
        return False
    shared = next((n for n, (a, b) in enumerate(zip(shorter, longer, strict=False)) if a != b), len(shorter))
    return shared >= 0.75 * len(shorter) and len(longer) - shared <= 5


def support(finding: Finding, learned: float | None = None) -> float:
    """Support of a claim by a window, 0..1; .5 is the least of a supported one, an objection leaves at most .3."""
    if finding.verbatim and finding.state == "agrees":
        return 1.0
    coverage = finding.coverage
    weights = _LEXICAL if learned is None else _WITH_LEARNED
    x = (
        weights.bias
        + weights.words * coverage.words
        + weights.all * coverage.all
        + weights.replaced * min(coverage.replaced, 2)
    )
    if learned is not None:
        x += weights.learned * log(learned / (1 - learned)) if 0 < learned < 1 else 0.0
    supported = 1 / (1 + exp(-x))
    return supported if finding.state == "agrees" else min(supported, OBJECTED)
