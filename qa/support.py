"""One claim against one window of evidence: which facts it shares, which it turns round, how much it covers."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from qa import days as dates
from qa import numbers as values
from qa.evidence import Evidence, Paragraph, Window
from qa.facts import Read, Slot, holds_verbatim
from qa.lexicon import SYNONYMS
from qa.polarity import excluded, flipped
from qa.roles import displaced, swapped
from qa.tokens import Token

State = Literal["agrees", "lacks", "conflicts"]

_SAME_TOPIC = 0.5
"""Share of a claim's words that a window must hold before a differing value is a contradiction and not another matter."""


@dataclass(frozen=True, slots=True)
class Finding:
    """What a window says of a claim: the state of its facts, the layer that decided it, and the shares covered (0..1).

    `covered` counts words, names and values; `words` only content words; `inside` words and names that stand in the
    window itself; `missing` is the weight of content words that nothing in the window stands for.
    """

    window: Window
    state: State
    layer: str
    covered: float
    words: float
    missing: float
    inside: float
    verbatim: bool = False


def assess(claim: Read, window: Window, paragraph: Paragraph, evidence: Evidence) -> Finding:
    """Check one claim against one window, layer by layer; the first layer that objects decides."""
    there = evidence.reading(window.text)
    if holds_verbatim(window.text, claim.text):
        state: State = "conflicts" if flipped(claim, there) else "agrees"
        return Finding(
            window, state, "quote" if state == "agrees" else "polarity", 1.0, 1.0, 0.0, 1.0, verbatim=True
        )
    covered, words, missing, inside = _coverage(claim, there, window, paragraph, evidence)
    for layer, state in _objections(claim, there, window, paragraph, evidence, words):
        if state != "agrees":
            return Finding(window, state, layer, covered, words, missing, inside)
    return Finding(window, "agrees", "coverage", covered, words, missing, inside)


def _objections(
    claim: Read, there: Read, window: Window, paragraph: Paragraph, evidence: Evidence, words: float
) -> Sequence[tuple[str, State]]:
    """The state of each layer, in the order in which they decide."""
    close = words >= _SAME_TOPIC
    found: list[tuple[str, State]] = [
        ("numbers", _numbers(claim, there)),
        ("dates", _days(claim, there, window, evidence)),
        ("names", _names(claim, there, window, paragraph, evidence)),
    ]
    if close:
        moved = displaced(claim, there)
        layers = {"name": "names", "number": "numbers", "day": "dates"}
        found.append((layers.get(moved, "roles"), "conflicts" if moved else "agrees"))
        found.append(("roles", "conflicts" if swapped(claim, there) else "agrees"))
        found.append(
            ("polarity", "conflicts" if flipped(claim, there) or excluded(claim, there) else "agrees")
        )
    return [(layer, "lacks" if state == "conflicts" and not close else state) for layer, state in found]


def _numbers(claim: Read, there: Read) -> State:
    worst: State = "agrees"
    for number in claim.numbers:
        if any(values.same_value(number, other) for other in there.numbers):
            continue
        noun = _after(claim.slots, number.start)
        rival = any(
            values.rivals(number, other)
            or (
                noun is not None
                and number.dimension == other.dimension == ""
                and _after(there.slots, other.start) == noun
            )
            for other in there.numbers
        )
        if rival and (number.firm or number.dimension == ""):
            return "conflicts"
        if number.firm:
            worst = "lacks"
    return worst


def _after(slots: Sequence[Slot], start: int) -> str | None:
    """The key of the first content word after a number."""
    return next((slot.key for slot in slots if slot.start > start and slot.kind in ("word", "name")), None)


def _days(claim: Read, there: Read, window: Window, evidence: Evidence) -> State:
    if not claim.days:
        return "agrees"
    date = window.hit.date
    own = (*there.days, *dates.lent_days(there.text, date), *dates.completed(there.days, date))
    around = evidence.documents[window.hit.document_id].days
    spans = {(day.start, day.end): [d for d in claim.days if d.start == day.start] for day in claim.days}
    worst: State = "agrees"
    for readings in spans.values():
        if any(dates.satisfied(day, own) for day in readings):
            continue
        if any(dates.rivals(day, other) for day in readings for other in there.days):
            return "conflicts"
        if not any(dates.satisfied(day, around) for day in readings):
            worst = "lacks"
    return worst


def _names(claim: Read, there: Read, window: Window, paragraph: Paragraph, evidence: Evidence) -> State:
    """Names stand in the window, in its paragraph, or in what the document says around it."""
    around = evidence.documents[window.hit.document_id].keys
    known = there.keys | paragraph.every | around
    return "agrees" if all(name.key in known for name in claim.names) else "lacks"


def _coverage(
    claim: Read, there: Read, window: Window, paragraph: Paragraph, evidence: Evidence
) -> tuple[float, float, float, float]:
    around = evidence.documents[window.hit.document_id].keys
    got = total = got_words = total_words = missing = inside = 0.0
    for token in claim.tokens:
        if token.kind == "function":
            continue
        credit = _credit(token, there, paragraph, around)
        got, total = got + token.weight * credit, total + token.weight
        inside += token.weight * (token.key in there.keys)
        if token.kind == "word":
            got_words, total_words = got_words + token.weight * credit, total_words + token.weight
            missing += token.weight * (credit < 0.5)
    inside = inside / total if total else 0.0
    facts = len([n for n in claim.numbers if n.firm]) + len(claim.days)
    got, total = got + facts, total + facts
    return (got / total if total else 0.0), (got_words / total_words if total_words else 1.0), missing, inside


def _credit(token: Token, there: Read, paragraph: Paragraph, around: frozenset[str]) -> float:
    """How far a word of the claim is found: itself, a near-synonym, a word of its family, or only round about."""
    if token.key in there.keys:
        return 1.0
    if SYNONYMS.get(token.key, frozenset()) & there.keys:
        return 0.9
    if any(_kin(token.key, key) for key in there.keys):
        return 0.85
    if token.key in paragraph.every:
        return 0.6
    if token.key in around:
        return 0.9 if token.kind == "name" else 0.3
    return 0.0


def _kin(one: str, other: str) -> bool:
    """Whether two stems share a root ("resumpt", "resum"): their first five letters and most of the shorter."""
    if len(one) < 5 or len(other) < 5 or one[:5] != other[:5]:
        return False
    shorter, longer = sorted((one, other), key=len)
    shared = next((n for n, (a, b) in enumerate(zip(shorter, longer, strict=False)) if a != b), len(shorter))
    return shared >= 0.75 * len(shorter) and len(longer) - shared <= 5
