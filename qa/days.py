"""Dates of a claim and of evidence: what each names, and whether one satisfies the other."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from index.dates import named_dates

_MONTHS = "january february march april may june july august september october november december".split()
_WEEKDAYS = "monday tuesday wednesday thursday friday saturday sunday".split()

_YEAR = re.compile(
    r"(?<![\w$£€.,-])(?:(?:1[5-9]|20)\d\d)(?![\w%])(?!,\d|\.\d|\s(?:%|percent|dollars|people|troops|men|ships|miles|km))(?P<decade>s?)"
)
_DECADE = re.compile(r"(?<![\w.])(?P<year>(?:1[5-9]|20)\d0|(?<=['’])[2-9]0|(?<=the )[2-9]0)['’]?s\b")
_SURE_MONTHS = "|".join(m.title() for m in _MONTHS if m not in ("may", "march"))
# "May" and "March" are also words: only after one of these are they months.
_WHEN = (
    "|".join(rf"(?<={word} )" for word in "in since by until last next early late of".split()) + "|(?<=mid-)"
)
_MONTH = re.compile(rf"\b(?P<month>{_SURE_MONTHS}|(?:{_WHEN})(?:May|March))\b")
_WEEKDAY = re.compile(rf"\b(?P<day>{'|'.join(d.title() for d in _WEEKDAYS)})\b")
_SLASHED = re.compile(r"(?<![\w/])(\d{1,2})[/.](\d{1,2})[/.]((?:19|20)\d\d)(?![\w/])")
_NAMES = (
    "|".join(name.title() for name in (*_MONTHS, *_WEEKDAYS))
    + "|Jan|Feb|Mar|Apr|Jun|Jul|Aug|Sept?|Oct|Nov|Dec"
)
_LOWER_MONTH = re.compile(r"\b(?:march|may)\b")
_HINT = re.compile(rf"\d{{4}}|\d0['’]?s\b|\b(?:{_NAMES})\b")
_RELATIVE = re.compile(
    r"\b(?P<which>last|this|next|earlier this|later this|the previous|the same)\s+(?P<unit>year|month)\b",
    re.IGNORECASE,
)
_BOUNDARY = re.compile(r"\b(?:since|after|following|until|till|before|prior to|ahead of)\b", re.IGNORECASE)
_BREAK = re.compile(r"[,;:.!?](?=\s)|\s[–—]\s")
_REACH = 14
"""Words between "since" and the date that it governs."""
_TODAY = re.compile(r"\b(?P<which>today|yesterday|tomorrow)\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Day:
    """A date named at [start, end): any of year, month (1 to 12), day and weekday (0 is Monday); a decade's first year.

    `lent` dates are worked out from the document's own date ("on Thursday", "last year") and can only satisfy.
    """

    start: int
    end: int
    year: int | None = None
    month: int | None = None
    day: int | None = None
    weekday: int | None = None
    decade: int | None = None
    lent: bool = False


def days_in(text: str) -> tuple[Day, ...]:
    """Every date of a text, in order: full ones, parts (2022, November, Tuesday) and decades."""
    found = [
        Day(d.start, d.end, d.year, d.month, d.day)
        for d in named_dates(text)
        if _written_as_date(text[d.start : d.end])
    ]
    found.extend(_slashed(text))
    for reader in (_decades, _years, _months, _weekdays):
        found.extend(
            day for day in reader(text) if not any(day.start < f.end and f.start < day.end for f in found)
        )
    return tuple(sorted(found, key=lambda d: d.start))


def lent_days(text: str, document_date: str | None) -> tuple[Day, ...]:
    """Dates that a text gives only in words ("last year", "Thursday", "today"), by the document's ISO date."""
    if document_date is None:
        return ()
    try:
        written = date.fromisoformat(document_date)
    except ValueError:
        return ()
    return (*_relative(text, written), *_recent_weekdays(text, written))


def satisfied(claim: Day, evidence: Sequence[Day]) -> bool:
    """Whether the evidence names every part of the claim's date, in one date or in agreeing ones."""
    return any(_fits(claim, given) for given in evidence)


def rivals(claim: Day, evidence: Day) -> bool:
    """Whether two dates give a different value for a part that both have."""
    if evidence.lent:
        return False
    parts = (
        (claim.year, evidence.year),
        (claim.month, evidence.month),
        (claim.day, evidence.day),
        (claim.weekday, evidence.weekday),
    )
    return any(a is not None and b is not None and a != b for a, b in parts)


def shares(claim: Day, evidence: Day) -> bool:
    """Whether two dates have the same month or the same day of the week."""
    same_month = claim.month is not None and claim.month == evidence.month
    return same_month or (claim.weekday is not None and claim.weekday == evidence.weekday)


def completed(evidence: Sequence[Day], document_date: str | None) -> tuple[Day, ...]:
    """Dates without a year, with the year of the document lent to them (the year before for a later month)."""
    if document_date is None or not re.fullmatch(r"\d{4}-\d\d-\d\d", document_date):
        return ()
    year, month = int(document_date[:4]), int(document_date[5:7])
    return tuple(
        Day(d.start, d.end, year if d.month <= month else year - 1, d.month, d.day, lent=True)
        for d in evidence
        if d.year is None and d.month is not None
    )


def bound(text: str, day: Day) -> str | None:
    """The words between "since", "after", "until" or the like and a date that they govern; None where nothing does.

    "Since talks broke off in 2022" says when talks broke off, not when what the sentence tells of took place.
    """
    for marker in _BOUNDARY.finditer(text, 0, day.start):
        between = text[marker.end() : day.start]
        if not _BREAK.search(between) and len(between.split()) <= _REACH:
            return between
    return None


def _fits(claim: Day, given: Day) -> bool:
    if claim.decade is not None:
        return claim.decade == given.decade
    parts = (
        (claim.year, given.year),
        (claim.month, given.month),
        (claim.day, given.day),
        (claim.weekday, given.weekday),
    )
    return all(a is None or a == b for a, b in parts)


def _written_as_date(words: str) -> bool:
    """A month's name in lower case ("march 3 miles", "unit 3 may not") is a word."""
    return not words[0].islower() and _LOWER_MONTH.search(words) is None


def _slashed(text: str) -> Iterator[Day]:
    for match in _SLASHED.finditer(text):
        first, second, year = (int(part) for part in match.groups())
        # 06/08/2020 is read both ways; either reading may be the one meant
        for month, day in {(first, second), (second, first)}:
            if 1 <= month <= 12 and 1 <= day <= 31:
                yield Day(match.start(), match.end(), year, month, day)


def _decades(text: str) -> Iterator[Day]:
    for match in _DECADE.finditer(text):
        year = int(match["year"])
        yield Day(match.start(), match.end(), decade=year if year > 100 else 1900 + year)


def _years(text: str) -> Iterator[Day]:
    for match in _YEAR.finditer(text):
        if not match["decade"]:
            yield Day(match.start(), match.end(), int(match.group()))


def _months(text: str) -> Iterator[Day]:
    for match in _MONTH.finditer(text):
        yield Day(match.start(), match.end(), month=_MONTHS.index(match["month"].lower()) + 1)


def _weekdays(text: str) -> Iterator[Day]:
    for match in _WEEKDAY.finditer(text):
        yield Day(match.start(), match.end(), weekday=_WEEKDAYS.index(match["day"].lower()))


def _relative(text: str, written: date) -> Iterator[Day]:
    for match in _RELATIVE.finditer(text):
        step = {"last": -1, "the previous": -1, "next": 1}.get(match["which"].lower(), 0)
        if match["unit"].lower() == "year":
            yield Day(match.start(), match.end(), written.year + step, lent=True)
        else:
            months = written.year * 12 + written.month - 1 + step
            yield Day(match.start(), match.end(), months // 12, months % 12 + 1, lent=True)


def _recent_weekdays(text: str, written: date) -> Iterator[Day]:
    """A weekday in the news is the last one up to the day of writing."""
    for match in _WEEKDAY.finditer(text):
        weekday = _WEEKDAYS.index(match["day"].lower())
        day = written - timedelta(days=(written.weekday() - weekday) % 7)
        yield Day(match.start(), match.end(), day.year, day.month, day.day, weekday, lent=True)
    for match in _TODAY.finditer(text):
        step = {"today": 0, "yesterday": -1, "tomorrow": 1}[match["which"].lower()]
        day = written + timedelta(days=step)
        yield Day(match.start(), match.end(), day.year, day.month, day.day, day.weekday(), lent=True)
