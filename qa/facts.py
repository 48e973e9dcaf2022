"""What a sentence states that can be checked to the letter: numbers, dates, names and quotations, beside its words."""

import re
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import pairwise
from typing import Literal

from qa.days import Day, days_in
from qa.numbers import Number, numbers_in
from qa.tokens import Token, is_title, key_of, tokens_of

_QUOTED = re.compile(r"“([^”]{2,})”|\"([^\"]{2,})\"|«([^»]{2,})»")
_CAPITALISED = re.compile(r"\b[A-Z]\w*(?:[\s-]+[A-Z]\w*){2,}")
_INITIAL = re.compile(r"\b[A-Z]")
_ARTICLES = frozenset({"a", "an", "the", "s"})
_QUOTES = str.maketrans(
    {"“": '"', "”": '"', "«": '"', "»": '"', "‘": "'", "’": "'", "–": "-", "—": "-", "\u00a0": " "}
)
_WORDS = re.compile(r"[^\W_]+(?:[.'’][^\W_]+)*")


@dataclass(frozen=True, slots=True)
class Slot:
    """One place in the order of a sentence: a word, a name, a number or a date, by its key.

    `owns` marks a name in the possessive: what follows is its own.
    """

    key: str
    kind: Literal["word", "name", "function", "number", "day"]
    start: int
    owns: bool = False


@dataclass(frozen=True, slots=True)
class Read:
    """A sentence (or a few) read once.

    `tokens` leave out the words of numbers and dates; `keys` are of all of them; `slots` keep the order, without
    articles, possessive endings and titles.
    """

    text: str
    tokens: tuple[Token, ...]
    numbers: tuple[Number, ...]
    days: tuple[Day, ...]
    quotations: tuple[str, ...]
    keys: frozenset[str]
    slots: tuple[Slot, ...]

    @property
    def places(self) -> frozenset[str]:
        """Keys of everything in the order of the sentence, numbers and dates with it."""
        return frozenset(slot.key for slot in self.slots)

    @property
    def words(self) -> tuple[Token, ...]:
        """Content words that are no names."""
        return tuple(token for token in self.tokens if token.kind == "word")

    @property
    def names(self) -> tuple[Token, ...]:
        """Words that are names or part of one."""
        return tuple(token for token in self.tokens if token.kind == "name")


@lru_cache(maxsize=4096)
def read(text: str, *, opens_with_name: bool = False) -> Read:
    """Everything checkable in a text. A first word's capital says nothing: the caller knows whether it is a name."""
    every = tokens_of(text)
    codes = [(t.start, t.end) for t in every if t.kind == "name" and not t.text.isalpha()]
    days = days_in(text)
    taken = [(d.start, d.end) for d in days] + codes
    numbers = tuple(
        n for n in numbers_in(text) if not any(n.start < end and start < n.end for start, end in taken)
    )
    spans = [(d.start, d.end) for d in days] + [(n.start, n.end) for n in numbers]
    if opens_with_name and every and every[0].opens:
        every = (replace(every[0], kind="name", weight=1.0), *every[1:])
    tokens = tuple(t for t in every if not any(start <= t.start < end for start, end in spans))
    return Read(
        text,
        tokens,
        numbers,
        days,
        quotations_in(text),
        frozenset(t.key for t in tokens) | acronyms_in(text),
        _slots(tokens, numbers, days),
    )


def acronyms_in(text: str) -> frozenset[str]:
    """Keys of the acronyms that runs of three to six capitalised words have (South China Sea: scs)."""
    found: set[str] = set()
    for match in _CAPITALISED.finditer(text):
        initials = "".join(_INITIAL.findall(match.group()))
        for size in range(3, min(len(initials), 6) + 1):
            found.update(key_of(initials[n : n + size]) for n in range(len(initials) - size + 1))
    return frozenset(found)


def quotations_in(text: str) -> tuple[str, ...]:
    """What stands between quotation marks, end punctuation left out."""
    return tuple(
        piece.rstrip(" .,;!?…")
        for match in _QUOTED.finditer(text)
        for piece in match.groups()
        if piece is not None
    )


def plain(text: str) -> str:
    """The words of a text, lower-cased, one space apart: two texts with equal plain forms read the same aloud."""
    return " ".join(match.group().lower() for match in _WORDS.finditer(text.translate(_QUOTES)))


def holds_verbatim(evidence: str, quotation: str) -> bool:
    """Whether the quotation's words stand in the evidence in this order with nothing between."""
    wanted = plain(quotation)
    return bool(wanted) and f" {wanted} " in f" {plain(evidence)} "


def _slots(tokens: tuple[Token, ...], numbers: tuple[Number, ...], days: tuple[Day, ...]) -> tuple[Slot, ...]:
    owners = {before.start for before, token in pairwise(tokens) if token.key == "s"}
    slots = [
        Slot(t.key, t.kind, t.start, t.start in owners)
        for t in tokens
        if t.text.lower() not in _ARTICLES and not is_title(t.text)
    ]
    slots.extend(Slot(n.key, "number", n.start) for n in numbers)
    slots.extend(Slot(f"@{d.year}-{d.month}-{d.day}-{d.weekday}", "day", d.start) for d in days)
    return tuple(sorted(slots, key=lambda slot: slot.start))
