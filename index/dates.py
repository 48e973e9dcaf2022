"""Days and years named in text, as ISO strings."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

_MONTHS = {
    name: number
    for number, names in enumerate(
        (
            ("january", "jan"), ("february", "feb"), ("march", "mar"), ("april", "apr"), ("may",), ("june", "jun"),
            ("july", "jul"), ("august", "aug"), ("september", "sept", "sep"), ("october", "oct"),
            ("november", "nov"), ("december", "dec"),
        ),
        start=1,
    )
    for name in names
}  # fmt: skip
_MONTH = r"(?P<{0}>" + "|".join(sorted(_MONTHS, key=len, reverse=True)) + r")\b\.?"
_DAY = r"(?P<{0}>\d{{1,2}})(?:st|nd|rd|th)?"
_YEAR = r"(?P<{0}>(?:1[5-9]|20)\d\d)"
_DATE = re.compile(
    r"(?<![\w-])(?:"
     r"(?P<iy>(?:1[5-9]|20)\d\d)-(?P<im>\d{2})-(?P<id>\d{2})(?!\d)"
     "|" + _MONTH.format("am") + r"\s+" + _DAY.format("ad") + r"(?:,?\s+" + _YEAR.format("ay") + r")?(?!\d)"
    + "|" + _DAY.format("bd") + r"\s+(?:of\s+)?" + _MONTH.format("bm") + r"(?:,?\s+" + _YEAR.format("by") + r")?(?!\d)"
    + "|" + _MONTH.format("cm") + r",?\s+" + _YEAR.format("cy") + r"(?!\d)"
    + ")",
    re.IGNORECASE,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class NamedDate:
    """A date as named at [start, end) of a text; parts that the text does not give are None."""

    start: int
    end: int
    year: int | None
    month: int
    day: int | None

    @property
    def iso(self) -> str | None:
        """The ISO day, where year, month and day are given and such a day exists."""
        if self.year is None or self.day is None:
            return None
        try:
            return date(self.year, self.month, self.day).isoformat()
        except ValueError:
            return None


def named_dates(text: str) -> Iterator[NamedDate]:
    """Every date in a text: 2020-08-06, Aug. 6, 2020, 6 August 2020, August 2020, 6 August."""
    for match in _DATE.finditer(text):
        for form in "iabc":
            month = match.groupdict().get(f"{form}m")
            if month is None:
                continue
            day = match.groupdict().get(f"{form}d")
            year = match[f"{form}y"]
            number = int(month) if month.isdigit() else _MONTHS[month.lower().rstrip(".")]
            if not 1 <= number <= 12 or (day is not None and not 1 <= int(day) <= 31):
                continue
            if month == "may" and day is None and year is None:
                continue
            yield NamedDate(
                match.start(), match.end(), int(year) if year else None, number, int(day) if day else None
            )


def only_date(text: str) -> str | None:
    """The ISO day when the text is nothing but one full date (a weekday or a time beside it is allowed)."""
    found = list(named_dates(text))
    if len(found) != 1 or found[0].iso is None:
        return None
    rest = text[: found[0].start] + " " + text[found[0].end :]
    rest = re.sub(
        r"(?i)\b(?:mon|tues?|wed(?:nes)?|thu(?:rs)?|fri|sat(?:ur)?|sun)(?:day)?\b|\d{1,2}[:.]\d\d\s*(?:[ap]\.?m\.?)?|\b(?:[a-z]{2,4}T|UTC|GMT)\b",
        "",
        rest,
    )
    return found[0].iso if not any(c.isalnum() for c in rest) else None
