"""Words of a question or a text: content words, stems, and names."""

import re
from collections.abc import Iterator
from functools import lru_cache

import snowballstemmer

# Words that carry no content in a question; kept small, since a content word lost costs more than one kept.
STOP_WORDS = frozenset(
    """
    a an and any are as at be been being but by can could did do does doing for from had has have he her hers him his how i if in
    into is it its just may me might must my no nor not of on or our ours out over s shall she should so some such t than that the
    their theirs them then there these they this those to too under up us very was we were what when where which while who whom
    whose why will with would you your yours about also am please tell
    """.split()
)

_WORD = re.compile(r"[^\W_]+(?:[.'’&-][^\W_]+)*", re.UNICODE)
_POSSESSIVE = re.compile(r"['’]s$|['’]$", re.IGNORECASE)
_CAPITALISED = r"[A-ZÀ-ÖØ-ÞĀ-Ž][\w’'&.-]*"
_NAME = re.compile(rf"{_CAPITALISED}(?:\s+(?:(?:of|de|van|von|al|bin)\s+)?{_CAPITALISED})*")

_stemmer = snowballstemmer.stemmer("english")


@lru_cache(maxsize=50_000)
def stem(word: str) -> str:
    """The stem of a word (Porter2), lower-cased, possessive ending gone."""
    bare = _POSSESSIVE.sub("", word.lower()).replace(".", "").replace("’", "'")
    return str(_stemmer.stemWord(bare))


def tokens(text: str) -> list[str]:
    """Words of a text as written, in order; hyphenated words as a whole and by their parts."""
    found: list[str] = []
    for match in _WORD.finditer(text):
        word = match.group()
        found.append(word)
        if "-" in word:
            found.extend(part for part in word.split("-") if part)
    return found


def stems(text: str) -> set[str]:
    """Stems of every word of a text, stop words left out."""
    return {stem(word) for word in tokens(text) if word.lower() not in STOP_WORDS}


def content_words(text: str) -> list[str]:
    """Distinct words of a question that carry content, in order; all of them when none does."""
    words = list(dict.fromkeys(_POSSESSIVE.sub("", word) for word in tokens(text)))
    return [word for word in words if word.lower() not in STOP_WORDS] or words


def names_in(text: str) -> Iterator[re.Match[str]]:
    """Runs of capitalised words: names of people, places and bodies (and the first word of a sentence)."""
    yield from _NAME.finditer(text)


def question_names(question: str) -> list[str]:
    """Words of a question that belong to a name or are a number: capitalised inside it, all capitals, or with a digit."""
    found: list[str] = []
    for position, word in enumerate(tokens(question)):
        bare = _POSSESSIVE.sub("", word)
        inside = position > 0 and bare[:1].isupper()
        if (
            inside or (len(bare) > 1 and bare.isupper()) or any(c.isdigit() for c in bare)
        ) and bare.lower() not in STOP_WORDS:
            found.append(bare)
    return list(dict.fromkeys(found))


_ALIASES = {
    alias: name
    for name, aliases in {
        "united states": (
            "us",
            "u.s",
            "u.s.",
            "usa",
            "u.s.a",
            "america",
            "american",
            "americans",
            "states",
            "united",
        ),
        "united kingdom": ("uk", "u.k", "u.k.", "britain", "british", "kingdom"),
        "european union": ("eu", "e.u", "e.u.", "union"),
    }.items()
    for alias in aliases
}
_SHARED_START = 4


def same_name(one: str, other: str) -> bool:
    """Whether two words may name the same: equal stems, known short forms, or a shared start (China, Chinese)."""
    a, b = one.lower().rstrip("."), other.lower().rstrip(".")
    if a == b or stem(a) == stem(b) or (a in _ALIASES and _ALIASES.get(a) == _ALIASES.get(b)):
        return True
    return (
        a.isalpha()
        and b.isalpha()
        and min(len(a), len(b)) >= _SHARED_START
        and a[:_SHARED_START] == b[:_SHARED_START]
    )


def share_of_names(names: list[str], text: str) -> float:
    """Share of names found among the words of a text; 1 where there are none."""
    if not names:
        return 1.0
    present = {word for word in tokens(text) if word[:1].isupper() or any(c.isdigit() for c in word)}
    return sum(any(same_name(name, word) for word in present) for name in names) / len(names)
