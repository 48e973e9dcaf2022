"""From words to a full-text query. Nothing else builds one: unquoted input is syntax to FTS5."""

import re
import unicodedata
from collections.abc import Iterable, Iterator

MAX_TERMS = 64
"""More words than this add time and no precision; a long question is searched by its first ones."""

_SURROGATES = re.compile("[\ud800-\udfff]")
_APART = re.compile(r"\s+")
# Between two characters of a word these belong to it: don't, node.js, U.S., AT&T, snake_case
_JOINERS = frozenset("'’.&_")
# ... and these only between two digits: 1,000, 2022-04-20, 10:30, 24/7
_DIGIT_JOINERS = frozenset(",-:/")
# At the end of a word these belong to it: c++, c#
_TAILS = frozenset("+#")


def clean(text: str) -> str:
    """The text with each lone surrogate replaced by U+FFFD: storable, and every offset still right."""
    return _SURROGATES.sub("\ufffd", text)


def words(text: str) -> list[str]:
    """The distinct words of a text, lower-cased, in order; at most MAX_TERMS."""
    found: dict[str, None] = {}
    for chunk in _APART.split(clean(text).lower()):
        for word in _split(chunk):
            found[word] = None
            if len(found) == MAX_TERMS:
                return list(found)
    return list(found)


def match_any(terms: Iterable[str]) -> str:
    """An FTS5 expression that matches any of the terms; empty when there is none to match.

    A term of several tokens ("node.js") matches as a phrase.
    """
    return " OR ".join(_quoted(term) for term in terms if any(map(str.isalnum, term)))


def _quoted(term: str) -> str:
    return '"' + clean(term).replace("\0", " ").replace('"', '""') + '"'


def _split(chunk: str) -> Iterator[str]:
    """The words of a text without white space."""
    start: int | None = None
    for place, char in enumerate(chunk):
        if _is_inside(chunk, place, char):
            start = place if start is None else start
        elif start is not None:
            yield _with_tail(chunk, start, place)
            start = None
    if start is not None:
        yield chunk[start:]


def _is_inside(chunk: str, place: int, char: str) -> bool:
    if char.isalnum():
        return True
    before, after = chunk[max(place - 1, 0) : place], chunk[place + 1 : place + 2]
    if unicodedata.category(char)[0] == "M":  # a combining mark: vowels of Devanagari, accents apart
        return bool(before)
    if char in _JOINERS:
        return before.isalnum() and after.isalnum()
    return char in _DIGIT_JOINERS and before.isdigit() and after.isdigit()


def _with_tail(chunk: str, start: int, end: int) -> str:
    while end < len(chunk) and chunk[end] in _TAILS:
        end += 1
    return chunk[start:end]
