"""What kind of value a question asks for, and whether a text holds one.

A coarse answer-type taxonomy (after Li and Roth, "Learning Question Classifiers", 2002), kept to the types whose
values can be recognised without a model.
"""

import re
from collections.abc import Mapping
from typing import Literal

from index.analysis import STOP_WORDS, names_in, stem, tokens

Kind = Literal[
    "duration",
    "weekday",
    "month",
    "year",
    "date",
    "percent",
    "money",
    "frequency",
    "number",
    "person",
    "place",
    "statement",
    "reason",
]

_NUMBER_WORDS = (
    r"(?:zero|one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|thirteen|fourteen|fifteen|sixteen|seventeen|"
    r"eighteen|nineteen|twenty|thirty|forty|fifty|sixty|seventy|eighty|ninety|hundreds?|thousands?|millions?|billions?|dozens?|"
    r"half|several|couple|twice|once|thrice|double|triple|first|second|third|fourth|fifth|both|single|pair)"
)
_WEEKDAYS = r"(?:mon|tues|wednes|thurs|fri|satur|sun)day"
_MONTHS = r"(?:january|february|march|april|may|june|july|august|september|october|november|december|jan|feb|mar|apr|jun|jul|aug|sept?|oct|nov|dec)"
_UNITS = r"(?:seconds?|minutes?|mins?|hours?|hrs?|days?|nights?|weeks?|fortnights?|months?|quarters?|years?|yrs?|decades?|centur(?:y|ies))"

# The first pattern that fits decides, so special ones stand before general ones.
_ASKS: tuple[tuple[Kind, str], ...] = (
    ("statement", r"\bwhat (?:did|does|do|has|have|had) [^?]{1,80}?\b(?:say|said|tell|told|state|promise|warn|argue|claim|reply|announce)\b|\bhow (?:did|does|do|has|have) [^?]{1,60}?\b(?:describe|characteri[sz]e|respond|react|explain)\b"),
    ("reason", r"\bwhy\b|\b(?:for )?what reason\b|\bwhat (?:caused|prompted|led to|triggered|made)\b|\breasons? (?:for|why|behind)\b"),
    ("weekday", r"\b(?:what|which) (?:day of the week|weekday)|\bday of the week\b|\bweekday\b"),
    ("duration", rf"\bhow long\b(?! ago)|\bhow many {_UNITS}\b|\b(?:duration|length of time|time ?frame)\b|\bhow much (?:time|notice|leave)\b|\bwhat length of\b"),
    ("month", r"\b(?:what|which) month\b"),
    ("year", r"\b(?:what|which) year\b"),
    ("date", r"^\W*(?:(?:and|but|so|since|until|by|till)\W+)*when\b|\bwhen (?:did|does|do|was|were|is|are|will|has|had|have|should|must|can)\b|\b(?:what|which) (?:exact )?(?:date|day|time|century|decade)\b|\bhow long ago\b|\bdate (?:of|is|was)\b|\bsince when\b"),
    ("frequency", r"\bhow (?:often|frequently|regularly)\b|\bhow many times (?:a|per)\b"),
    ("percent", r"\bpercent(?:age)?\b|\bwhat (?:share|proportion|fraction)\b|%"),
    ("money", r"\bhow much (?:money|does|did|do|is|was|were|will|would|rent|cost)\b|\b(?:price|cost|fee|fine|rent|salary|budget|deposit|penalty|revenue)\b"),
    ("number", r"\bhow (?:many|much|old|far|fast|tall|high|deep|big|large|heavy|hot|cold|wide|thick|strong)\b|\b(?:what|which) (?:number|temperature|volume|concentration|speed|distance|amount|quantity|dose|size|weight|height|width|length|score|version|room|population|ratio)\b|\bnumber of\b"),
    ("person", r"\bwho\b|\bwhom\b|\bwhose\b|\b(?:what|which) (?:[\w.-]+ ){0,2}(?:person|man|woman|officials?|officers?|general|minister|president|author|player|scientist)\b"),
    ("place", r"\bwhere\b|\b(?:what|which) (?:city|country|place|state|town|location|region|building|venue|continent|county|province|island)\b"),
)  # fmt: skip
_ASKS_COMPILED = tuple((kind, re.compile(pattern, re.IGNORECASE)) for kind, pattern in _ASKS)

_VALUE_PATTERNS: Mapping[Kind, str] = {
    "duration": rf"(?:\b\d[\d.,]*|\b{_NUMBER_WORDS}|\ban?|\bfew|\bmany|-and-a-half|a[- ]half)[\s-]+(?:and a half[\s-]+|more[\s-]+|full[\s-]+|working[\s-]+|business[\s-]+|calendar[\s-]+|consecutive[\s-]+)*{_UNITS}\b|\b{_UNITS}[- ](?:and[- ]a[- ]half|long)\b|\bfor {_UNITS}\b|\b(?:overnight|indefinite(?:ly)?|permanent(?:ly)?|since (?:\d|{_MONTHS}))|\buntil\b",
    "weekday": rf"\b{_WEEKDAYS}\b",
    "month": rf"\b{_MONTHS}\b",
    "year": r"\b(?:1\d|20)\d\d\b",
    "date": rf"\b(?:1\d|20)\d\d\b|\b{_WEEKDAYS}\b|\b{_MONTHS}\.?\s+\d|\d(?:st|nd|rd|th)?\s+(?:of\s+)?{_MONTHS}\b|\b(?:in|since|by|until|from|last|this|next|early|late|earlier in) {_MONTHS}\b|\b\d{{1,2}}[:.]\d\d\b|\b\d{{1,2}} ?[ap]\.?m\b|\b(?:yesterday|today|tomorrow|last (?:year|month|week|fall|spring|summer|winter)|next (?:year|month|week)|this (?:year|month|week)|ago|centur(?:y|ies)|\d0s)\b",
    "percent": r"\d\s?%|\bper ?cent\b|\bpercentage\b|\b(?:half|third|quarter|majority|most)\b|\bone in \w+",
    "money": r"[$£€¥]\s?\d|\b\d[\d.,]*\s?(?:k|m|bn|million|billion|thousand)?\s?(?:dollars?|euros?|pounds?|yen|yuan|usd|eur|gbp|cents?)\b|\b(?:dollars|euros|pounds|free of charge|no charge)\b",
    "frequency": rf"\b(?:daily|weekly|monthly|yearly|annual(?:ly)?|hourly|nightly|quarterly|always|never|often|rarely|sometimes|regularly)\b|\b(?:every|each|once|twice|per|times an?)\b|\ba {_UNITS}\b",
    "statement": r"[“”\"]|\b(?:said|says|told|tells|stated|states|noted|notes|called|calls|described|describes|reiterated|warned|warns|expressed|declared|announced|argued|argues|claimed|claims|promised|pledged|stressed|reaffirmed|raised|echoed|criticized|criticised|insisted|acknowledged|replied|responded|explained|complain(?:ed|ing)|according to)\b",
    "reason": r"\b(?:because|due to|owing to|as a result|result(?:ed|ing)? (?:of|from|in)|since|so that|in order to|thanks to|on account of|caused|causing|prompted|led to|leading to|sparked|triggered|after|amid|for fear|aim(?:ed|s|ing)?|intended|to (?!the\b|a\b|an\b|his\b|her\b|their\b|its\b)[a-z]+|as (?:it|he|she|they|the)|for (?:his|her|its|their|being)|therefore|reasons?|purpose|reflected|over)\b",
    "number": rf"\d|\b{_NUMBER_WORDS}\b",
}
_VALUES = {kind: re.compile(pattern, re.IGNORECASE) for kind, pattern in _VALUE_PATTERNS.items()}


# "The first call in two years" tells how long there was none, not how long the call was.
_INTERVAL = re.compile(
    rf"\b(?:in|for the first time in|within) (?:nearly |almost |about |over |more than |at least |around |some |the (?:last|past) )*"
    rf"(?:\d[\d.,]*|{_NUMBER_WORDS}|an?) {_UNITS}\b",
    re.IGNORECASE,
)
# "Five months ago" is a date.
_AGO = re.compile(rf"\b(?:\d[\d.,]*|{_NUMBER_WORDS}|an?) {_UNITS} (?:ago|earlier|later|old)\b", re.IGNORECASE)
_ASKS_INTERVAL = re.compile(
    r"(?i)\b(?:since|before|without|no|not|been|ended|freeze|gap|silence|first|elapsed|pass(?:ed)?|within|notice)\b"
)


_QUESTION = re.compile(
    r"(?i)\?\s*$|\b(?:who|whom|whose|what|which|when|where|why|how)\b|^\W*(?:is|are|was|were|do|does|did|has|have|had|can|could|"
    r"will|would|should|may|must|name|list|tell|explain|describe|give)\b"
)
_KEYWORDS = 16
"""A longer text without a question word is a statement; a shorter one without a full stop is typed instead of a question."""


def is_question(text: str) -> bool:
    """Whether a query asks something, in words or in keywords, rather than claims it."""
    return bool(_QUESTION.search(text)) or (len(tokens(text)) < _KEYWORDS and not text.rstrip().endswith("."))


def expected(question: str) -> Kind | None:
    """The kind of value that a question asks for, or None where it asks for no such value."""
    for kind, pattern in _ASKS_COMPILED:
        if pattern.search(question):
            return kind
    return None


def holds(kind: Kind | None, text: str, question: str) -> bool:
    """Whether a text holds a value of the kind asked for; True where nothing is asked for.

    A person or place counts only when the question does not already name it.
    """
    if kind is None:
        return True
    return bool(values(kind, text, question))


def values(kind: Kind, text: str, question: str) -> set[str]:
    """The values of a kind in a text that the question does not hold itself, lower-cased.

    For people and places they are the stems of the words of names.
    """
    if kind in ("person", "place"):
        known = {stem(word) for word in tokens(question)}
        named = (
            word for name in names_in(text) if _may_name(kind, name.group()) for word in tokens(name.group())
        )
        return {stem(word) for word in named if word.lower() not in STOP_WORDS} - known
    if kind == "duration":
        text = without_intervals(text, question)
    asked = question.lower()
    found = {re.sub(r"[\s-]+", " ", match.group().lower()).strip() for match in _VALUES[kind].finditer(text)}
    return found if kind in ("statement", "reason") else {value for value in found if value not in asked}


def without_intervals(text: str, question: str) -> str:
    """A text in which what is no answer to "how long" is blanked: "two years ago", and "the first in two years"."""
    patterns = (_AGO,) if _ASKS_INTERVAL.search(question) else (_AGO, _INTERVAL)
    for pattern in patterns:
        text = pattern.sub(lambda found: " " * len(found[0]), text)
    return text


_NO_PERSON = re.compile(
    r"\b(?:Chiefs?|Staff|Department|Ministry|Commission|Committee|Council|Party|Army|Navy|Agreement|Act|Treaty|Summit|Sea|Strait|"
    r"Ocean|States|Kingdom|Republic|University|College|Institute|House|Court|Corporation|Company|Inc|Ltd|Pentagon|Congress|Senate|"
    r"Union|War|Bowl|Cup|League|News|Press|City|County|River|Lake|Mountains?|Island|January|February|March|April|May|June|July|"
    r"August|September|October|November|December|(?:Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)day)\b"
)


def _may_name(kind: Kind, name: str) -> bool:
    """Whether a name may be a person's: bodies, days and places with a telling word are not."""
    return kind != "person" or not names_no_person(name)


def names_no_person(name: str) -> bool:
    """Whether a word of a name tells that it is a body's, a day's or a place's."""
    return bool(_NO_PERSON.search(name))
