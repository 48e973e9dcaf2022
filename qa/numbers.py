"""Numbers in text as values: digits, words, scales, units, money, shares and times of day.

"45 minutes", "forty-five minutes" and "45-minute" are one value; so are "$1.5 billion" and "1.5bn dollars".
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

Bound = Literal["", "about", "over", "under"]
"""How the text holds a number: "about 45", "more than 45", "nearly 45"."""

_SMALL = {
    word: float(value)
    for value, word in enumerate(
        """zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen
        seventeen eighteen nineteen""".split()
    )
} | {
    word: float(value)
    for value, word in zip(
        range(20, 100, 10), "twenty thirty forty fifty sixty seventy eighty ninety".split(), strict=True
    )
}
_SCALES = {
    "hundred": 1e2, "thousand": 1e3, "million": 1e6, "billion": 1e9, "trillion": 1e12, "dozen": 12.0,
    "k": 1e3, "m": 1e6, "mn": 1e6, "bn": 1e9, "tn": 1e12,
}  # fmt: skip
_ORDINALS = {
    word: float(value)
    for value, word in enumerate(
        "first second third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth".split(), start=1
    )
}

# Unit words by dimension and by size in it. A unit that is not here is the noun that follows the number.
_UNITS: dict[str, tuple[str, float]] = {
    word: (dimension, factor)
    for dimension, factor, words in (
        ("time", 1, "second seconds sec secs"),
        ("time", 60, "minute minutes min mins"),
        ("time", 3600, "hour hours hr hrs"),
        ("time", 86400, "day days"),
        ("time", 604800, "week weeks wk wks"),
        ("months", 1, "month months"),
        ("months", 12, "year years yr yrs year-old"),
        ("months", 120, "decade decades"),
        ("months", 1200, "century centuries"),
        ("percent", 1, "% percent pct percentage"),
        ("usd", 1, "dollar dollars usd"),
        ("eur", 1, "euro euros eur"),
        ("gbp", 1, "gbp sterling"),
        ("jpy", 1, "yen jpy"),
        ("cny", 1, "yuan renminbi cny rmb"),
        ("usd", 0.01, "cent cents"),
        ("pound", 1, "pound pounds lb lbs"),
        ("metre", 1, "metre metres meter meters"),
        ("metre", 1000, "kilometre kilometres kilometer kilometers km"),
        ("metre", 0.01, "centimetre centimetres centimeter centimeters cm"),
        ("metre", 0.001, "millimetre millimetres millimeter millimeters mm"),
        ("mile", 1, "mile miles"),
        ("foot", 1, "foot feet ft"),
        ("gram", 1, "gram grams gramme grammes g"),
        ("gram", 1000, "kilogram kilograms kilo kilos kg"),
        ("gram", 0.001, "milligram milligrams mg"),
        ("gram", 1e6, "tonne tonnes"),
        ("litre", 1, "litre litres liter liters l"),
        ("litre", 0.001, "millilitre millilitres milliliter milliliters ml"),
        ("degree", 1, "degree degrees °c °f"),
        ("times", 1, "times fold"),
    )
    for word in words.split()
}
_SIGNS = {"$": "usd", "us$": "usd", "£": "gbp", "€": "eur", "¥": "jpy"}

_DIGITS = r"(?:\d{1,3}(?:[,\u00a0\u202f]\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?|\.\d+)"
_ONE_WORD = "|".join(
    sorted([*_SMALL, "hundred", "thousand", "million", "billion", "trillion", "dozen"], key=len, reverse=True)
)
_SPELT = rf"(?:(?:{_ONE_WORD})\b(?:[\s-]+(?:and[\s-]+)?(?={_ONE_WORD}))?)+"
_UNIT_WORDS = "|".join(re.escape(word) for word in sorted(_UNITS, key=len, reverse=True))
_MORE = r"(?:(?:more|full|whole|consecutive|additional|straight|further)\s)?"
_UNIT = rf"(?:[\s-]{{0,2}}{_MORE}(?P<unit>per cent|{_UNIT_WORDS})(?![^\W\d_]))"
_HALF = r"(?P<half>[\s-]and[\s-]a[\s-]half)"

_CLOCK = re.compile(
    r"(?<![\w:.])(?P<hour>\d{1,2})(?:[:.](?P<minute>\d\d))?\s?(?P<half>[ap])\.?m\b\.?|(?<![\w:.])(?P<h24>[01]?\d|2[0-3]):(?P<m24>[0-5]\d)(?![\d:])",
    re.IGNORECASE,
)
_NUMBER = re.compile(
    r"(?<![\w.])(?<![A-Z]-)(?P<sign>US\$|[$£€¥])?\s?"
    rf"(?:(?P<digits>{_DIGITS})(?P<nth>st|nd|rd|th)?(?![\d_])|(?P<spelt>\b{_SPELT}))"
    rf"(?:[\s-]?(?P<scale>hundred|thousand|million|billion|trillion|dozen|bn|tn|mn|(?<=\d)[km])(?![^\W\d_]))?"
    rf"{_HALF}?{_UNIT}?(?P<late>[\s-]and[\s-]a[\s-]half\b)?(?![^\W\d_])",
    re.IGNORECASE,
)  # fmt: skip
_ORDINAL = re.compile(rf"\b(?P<word>{'|'.join(_ORDINALS)})\b(?!-)", re.IGNORECASE)
_PART = re.compile(
    r"\b(?:(?P<top>an?|one|two|three)[\s-])?(?P<part>half|third|thirds|quarter|quarters)\b(?:[\s-](?:of[\s-])?an?[\s-](?P<unit>hour|minute|day|year|century|decade|mile|dozen)\b|(?=\s+of\b|\s+the\b))",
    re.IGNORECASE,
)
_AN = re.compile(
    rf"\ban?[\s-](?P<unit>{_UNIT_WORDS})\b(?P<half>[\s-]and[\s-]a[\s-]half\b)?(?![\s-]and[\s-]a[\s-]half)",
    re.IGNORECASE,
)
_YEAR_AND_HALF = re.compile(r"\b(?P<unit>year|hour|month|day|decade|century)-and-a-half\b", re.IGNORECASE)
_HINTS = frozenset([*_SMALL, *_SCALES, *_ORDINALS, *_UNITS]) | frozenset(
    "half quarter quarters thirds once twice thrice".split()
)
_HINT_WORD = re.compile(r"[a-z]+|\d")
_MANNER = re.compile(r"\b(?P<word>once|twice|thrice)\b", re.IGNORECASE)
_BOUND = re.compile(
    r"(?:(?P<about>about|around|roughly|approximately|some|circa|an estimated|almost exactly)"
    r"|(?P<over>more than|over|at least|greater than|above|upwards of|in excess of)"
    r"|(?P<under>nearly|almost|less than|fewer than|under|up to|below|close to|at most|not quite))"
    r"\s+(?:an?\s+)?[\"“(]?$",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Number:
    """A value at [start, end) of a text.

    `dimension` is a unit's ("time" in seconds, "months", "percent", "usd", "clock" in minutes after midnight, …),
    "ordinal", or "" where a noun follows. `firm` values must stand in the evidence; others ("a year", a bare "one")
    can only satisfy one that must.
    """

    start: int
    end: int
    value: float
    dimension: str = ""
    bound: Bound = ""
    firm: bool = True

    @property
    def key(self) -> str:
        """Equal for equal values of one dimension."""
        return f"#{self.dimension}:{self.value:g}"


def numbers_in(text: str) -> tuple[Number, ...]:
    """Every number of a text, in order and without overlap; dates are not told apart here."""
    if not any(word in _HINTS or word.isdigit() for word in _HINT_WORD.findall(text.lower())):
        return ()
    found: list[Number] = []
    taken: list[tuple[int, int]] = []
    for reader in (_clocks, _parts, _halves, _plain, _ordinals, _articles, _manners):
        for number in reader(text):
            if not any(number.start < end and start < number.end for start, end in taken):
                found.append(number)
                taken.append((number.start, number.end))
    return tuple(sorted(found, key=lambda n: n.start))


def same_value(claim: Number, evidence: Number) -> bool:
    """Whether the evidence's number satisfies the claim's, taking "about" and "more than" at their word."""
    if not _comparable(claim, evidence):
        return False
    wanted, given = claim.value, evidence.value
    if abs(wanted - given) <= 1e-6 * max(abs(wanted), abs(given)):
        return True
    slack = 0.1 * abs(given)
    if claim.bound == "over":
        return wanted < given <= wanted + slack
    if claim.bound == "under":
        return given < wanted <= given + slack
    return claim.bound == "about" and abs(wanted - given) <= slack / 2


def rivals(claim: Number, evidence: Number) -> bool:
    """Whether two numbers measure the same kind of thing in a known unit and differ."""
    alike = claim.dimension == evidence.dimension and not is_count(claim)
    return alike and not same_value(claim, evidence)


def is_count(number: Number) -> bool:
    """Whether what is counted, or put in order, is the noun that follows."""
    return number.dimension in ("", "ordinal")


def _comparable(a: Number, b: Number) -> bool:
    if a.dimension == b.dimension:
        return True
    # "45" beside a bare "45 minutes" of the evidence, as in a table; never an ordinal or a time of day
    return "" in (a.dimension, b.dimension) and not {"ordinal", "clock"} & {a.dimension, b.dimension}


def _clocks(text: str) -> Iterator[Number]:
    for match in _CLOCK.finditer(text):
        if match["h24"]:
            yield Number(match.start(), match.end(), int(match["h24"]) * 60.0 + int(match["m24"]), "clock")
            continue
        hour = int(match["hour"]) % 12 + (12 if match["half"].lower() == "p" else 0)
        yield Number(match.start(), match.end(), hour * 60.0 + int(match["minute"] or 0), "clock")


def _plain(text: str) -> Iterator[Number]:
    for match in _NUMBER.finditer(text):
        number = _number(text, match)
        if number is not None:
            yield number


def _number(text: str, match: re.Match[str]) -> Number | None:
    start = match.start("sign") if match["sign"] else match.start("digits" if match["digits"] else "spelt")
    spelt = match["spelt"]
    value = _spelt(spelt) if spelt else float(re.sub(r"[^\d.]", "", match["digits"]))
    if match["nth"]:
        return Number(start, match.end("nth"), value, "ordinal")
    dimension, factor = _unit(match)
    value = (value * _SCALES[(match["scale"] or "").lower()] if match["scale"] else value) + _half(match)
    firm = dimension != "" or spelt is None or spelt.strip(" -\n").lower() != "one"
    return Number(start, match.end(), value * factor, dimension, _bound(text, start), firm)


def _half(match: re.Match[str]) -> float:
    return 0.5 if match["half"] or match["late"] else 0.0


def _unit(match: re.Match[str]) -> tuple[str, float]:
    if match["sign"]:
        return _SIGNS[match["sign"].lower()], 1.0
    unit = (match["unit"] or "").lower()
    return _UNITS["percent"] if unit == "per cent" else _UNITS.get(unit, ("", 1.0))


def _spelt(words: str) -> float:
    """The value of number words: "one hundred and twenty-five" is 125, "twenty twenty-two" is not read as a year."""
    total = current = 0.0
    for word in re.findall(r"[a-z]+", words.lower()):
        if word in _SMALL:
            current += _SMALL[word]
        elif word == "hundred":
            current = (current or 1.0) * 100
        elif word in _SCALES:
            total += (current or 1.0) * _SCALES[word]
            current = 0.0
    return total + current


def _bound(text: str, start: int) -> Bound:
    match = _BOUND.search(text, max(0, start - 24), start)
    if match is None:
        return ""
    return "about" if match["about"] else "over" if match["over"] else "under"


def _ordinals(text: str) -> Iterator[Number]:
    for match in _ORDINAL.finditer(text):
        opening = match.start() == 0 and text[match.end() : match.end() + 1] == ","
        if not opening:  # "First, …" counts arguments, not events
            yield Number(match.start(), match.end(), _ORDINALS[match["word"].lower()], "ordinal")


def _parts(text: str) -> Iterator[Number]:
    """Half an hour; a quarter of the fleet; two-thirds of voters."""
    for match in _PART.finditer(text):
        part = match["part"].lower().rstrip("s")
        share = {"half": 1 / 2, "third": 1 / 3, "quarter": 1 / 4}[part] * {"two": 2, "three": 3}.get(
            (match["top"] or "").lower(), 1
        )
        if part == "third" and not match["top"]:
            continue  # "the third of four talks" is an ordinal
        if match["unit"]:
            dimension, factor = (
                ("", 12.0) if match["unit"].lower() == "dozen" else _UNITS[match["unit"].lower()]
            )
            yield Number(match.start(), match.end(), share * factor, dimension, _bound(text, match.start()))
        else:
            yield Number(match.start(), match.end(), share * 100, "percent", _bound(text, match.start()))


def _halves(text: str) -> Iterator[Number]:
    """A year-and-a-half."""
    for match in _YEAR_AND_HALF.finditer(text):
        dimension, factor = _UNITS[match["unit"].lower()]
        yield Number(match.start(), match.end(), 1.5 * factor, dimension, _bound(text, match.start()))


def _articles(text: str) -> Iterator[Number]:
    """A year (which may be one year), an hour and a half."""
    for match in _AN.finditer(text):
        dimension, factor = _UNITS[match["unit"].lower()]
        more = match["half"] is not None
        yield Number(
            match.start(),
            match.end(),
            (1.5 if more else 1.0) * factor,
            dimension,
            _bound(text, match.start()),
            more,
        )


def _manners(text: str) -> Iterator[Number]:
    for match in _MANNER.finditer(text):
        value = {"once": 1.0, "twice": 2.0, "thrice": 3.0}[match["word"].lower()]
        yield Number(match.start(), match.end(), value, "times", firm=value > 1)
