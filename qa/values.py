"""The values that a sentence gives for a question, in a form in which two sources can be compared."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

from index.analysis import STOP_WORDS, question_names, stem, stems, tokens
from index.expects import Kind, without_intervals
from qa.days import Day, completed, days_in
from qa.numbers import Number, numbers_in
from qa.people import persons_in

COMPARED: frozenset[Kind] = frozenset(
    ("duration", "weekday", "month", "year", "date", "percent", "money", "number", "person")
)
"""Kinds whose values have a normal form."""

_DAYS: frozenset[Kind] = frozenset(("weekday", "month", "year", "date"))
_CURRENCIES = frozenset(("usd", "eur", "gbp", "jpy", "cny", "pound"))
_MONTH_SECONDS = 30.44 * 86400
_ROUND = 100
"""A number that ends in two noughts may be a rounded one."""
_ROUNDED = 0.05
_ABOUT = 0.15
"""What "about", "nearly" and "more than" may be off by, and how far they reach to their open side."""
_REACH = 0.5
_CLAUSE = re.compile(r"[,;:()—–]|\b(?:and|but|while|after|before|or)\b")
_BEFORE, _AFTER = 5, 3
"""Words on either side of a number among which the thing counted is looked for."""
_BOUND = re.compile(
    r"\b(?:about|around|roughly|approximately|some|more than|over|at least|nearly|almost|less than|fewer than|under"
    r"|up to)\s+$"
)
_ASKS_CLOCK = re.compile(r"(?i)\b(?:what|which|exact) time\b")
_ASKS = frozenset("many much long often old far number total happen happened take took place there".split())


@dataclass(frozen=True, slots=True)
class Value:
    """One value as written, and what it is: a number, a date or a person's name."""

    text: str
    number: Number | None = None
    day: Day | None = None
    name: frozenset[str] = frozenset()


def values_of(kind: Kind, question: str, sentence: str, written: str | None) -> tuple[Value, ...]:
    """What a sentence of a document of that ISO date gives for the question; empty where it cannot be told."""
    if kind == "person":
        return _persons(question, sentence)
    if kind in _DAYS and not _ASKS_CLOCK.search(question):
        return tuple(_days(kind, question, sentence, written))
    return tuple(
        Value(_as_written(sentence, number), number=number) for number in _numbers(kind, question, sentence)
    )


def differ(one: tuple[Value, ...], other: tuple[Value, ...]) -> bool:
    """Whether no value of one source can be the other's, however coarse or rounded either is."""
    return bool(one and other) and not any(alike(a, b) for a in one for b in other)


def agree(one: tuple[Value, ...], other: tuple[Value, ...]) -> bool:
    """Whether a value of one source is plainly the other's too."""
    return any(alike(a, b) and _comparable(a, b) for a in one for b in other)


def _comparable(one: Value, other: Value) -> bool:
    """Whether two values have anything in common by which they could differ."""
    if one.number is not None and other.number is not None:
        return one.number.dimension == other.number.dimension
    if one.day is not None and other.day is not None:
        a, b = one.day, other.day
        pairs = ((a.year, b.year), (a.month, b.month), (a.day, b.day), (a.weekday, b.weekday))
        return any(x is not None and x == y for x, y in pairs)
    return True


def alike(one: Value, other: Value) -> bool:
    """Whether two values may be the same one, given with more or less care."""
    if one.number is not None and other.number is not None:
        return _same_number(one.number, other.number)
    if one.day is not None and other.day is not None:
        return _same_day(one.day, other.day)
    return bool(one.name & other.name)


# ------------------------------------------------------------------------------------------------- numbers


def _numbers(kind: Kind, question: str, sentence: str) -> list[Number]:
    text = without_intervals(sentence, question) if kind == "duration" else sentence
    found = [n for n in numbers_in(text) if _measures(kind, n) and not _in_date(text, n)]
    if kind == "duration":
        return found
    asked = {s for s in stems(question) if s not in _ASKS} - {stem(name) for name in question_names(question)}
    near = [len(asked & stems(_beside(text, n))) for n in found]
    best = max(near, default=0)
    if best:
        return [n for n, words in zip(found, near, strict=True) if words == best]
    return found if len(found) == 1 and kind != "number" else []


def _measures(kind: Kind, number: Number) -> bool:
    """Whether a number can be of the kind asked for."""
    if kind == "duration":
        return number.dimension in ("time", "months")
    if kind == "percent":
        return number.dimension == "percent"
    if kind == "money":
        return number.dimension in _CURRENCIES
    if kind == "number":
        return number.firm and number.dimension not in ("clock", "ordinal", "percent", "time", "times")
    return number.dimension == "clock"


def _in_date(text: str, number: Number) -> bool:
    return any(day.start < number.end and number.start < day.end for day in days_in(text))


def _beside(text: str, number: Number) -> str:
    """The words around a number in its own clause."""
    before = _CLAUSE.split(text[: number.start])[-1].split()[-_BEFORE:]
    after = _CLAUSE.split(text[number.end :])[0].split()[:_AFTER]
    return " ".join([*before, *after])


def _as_written(text: str, number: Number) -> str:
    """The number with the word that bounds it: "about 45 minutes"."""
    bound = _BOUND.search(text[: number.start])
    start = bound.start() if bound else number.start
    return " ".join(text[start : number.end].split()).strip(" -")


def _same_number(one: Number, other: Number) -> bool:
    if one.dimension != other.dimension and {one.dimension, other.dimension} != {"time", "months"}:
        return True  # two currencies, or a unit left out: nothing can be said
    a, b = _size(one), _size(other)
    if abs(a - b) <= _slack(one, other, a, b):
        return True
    return _reaches(one, a, b) or _reaches(other, b, a)


def _size(number: Number) -> float:
    return number.value * (_MONTH_SECONDS if number.dimension == "months" else 1.0)


def _slack(one: Number, other: Number, a: float, b: float) -> float:
    """How far two values may lie apart and still be one."""
    largest = max(abs(a), abs(b))
    if one.dimension == "clock":
        return 30.0 if one.bound or other.bound else 0.0
    if one.bound or other.bound:
        return _ABOUT * largest
    if one.dimension != other.dimension:
        return _ROUNDED * largest  # months are not all of a length
    grain = max(_grain(one.value), _grain(other.value))
    return (
        min(grain / 2, _ROUNDED * largest) if grain >= _ROUND and one.dimension != "time" else 1e-6 * largest
    )


def _grain(value: float) -> float:
    """The largest power of ten that divides a value: 1,000 for 3,000."""
    grain = 1.0
    while value >= grain * 10 and value % (grain * 10) == 0:
        grain *= 10
    return grain


def _reaches(claim: Number, value: float, given: float) -> bool:
    """Whether "more than 40" or "up to 40" leaves room for the other value."""
    if claim.bound == "over":
        return value < given <= value * (1 + _REACH)
    return claim.bound == "under" and value * (1 - _REACH) <= given < value


# ---------------------------------------------------------------------------------------------------- days


def _days(kind: Kind, question: str, sentence: str, written: str | None) -> Iterator[Value]:
    asked = days_in(question)
    found = [day for day in days_in(sentence) if not any(_covers(known, day) for known in asked)]
    lent = {day.start: day for day in completed(found, written)}
    for day in found:
        full = lent.get(day.start)
        weekday = day.weekday if day.weekday is not None else _weekday(full or day)
        known = Day(day.start, day.end, day.year, day.month, day.day, weekday, day.decade)
        given = {"weekday": weekday, "month": day.month, "year": day.year or day.decade}.get(kind, 0)
        if given is not None:
            yield Value(" ".join(sentence[day.start : day.end].split()), day=known)


def _covers(known: Day, day: Day) -> bool:
    """Whether the question names this date itself."""
    return (known.year, known.month, known.day, known.weekday) == (day.year, day.month, day.day, day.weekday)


def _weekday(day: Day) -> int | None:
    if day.year is None or day.month is None or day.day is None:
        return None
    try:
        return date(day.year, day.month, day.day).weekday()
    except ValueError:
        return None


def _same_day(one: Day, other: Day) -> bool:
    if one.decade is not None or other.decade is not None:
        decades = {
            day.decade if day.decade is not None else (day.year or 0) // 10 * 10 for day in (one, other)
        }
        return len(decades) == 1 or 0 in decades
    parts = (
        (one.year, other.year),
        (one.month, other.month),
        (one.day, other.day),
        (one.weekday, other.weekday),
    )
    return all(a is None or b is None or a == b for a, b in parts)


# --------------------------------------------------------------------------------------------------- names


def _persons(question: str, sentence: str) -> tuple[Value, ...]:
    """The one person that a sentence puts beside the words asked about; more than one cannot be compared."""
    known = {stem(word) for word in tokens(question)}
    found = [person for person in persons_in(sentence) if not person.keys & known]
    wanted = {s for s in known if s not in STOP_WORDS} - {"who", "whom", "whose"}
    if len({person.keys for person in found}) != 1 or not wanted & stems(sentence):
        return ()
    return (Value(found[0].name, name=found[0].keys),)
