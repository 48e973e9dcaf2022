"""People named in a text, told from places, bodies and days by the words beside them."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from index.analysis import STOP_WORDS, names_in, stem
from index.expects import names_no_person
from qa.tokens import is_title, key_of

_OFFICES = frozenset(
    """
    defence vice-president mayor sheriff detective inspector constable councillor councilman councilwoman pastor
    bishop father sister coach manager director engineer nurse principal premier captain lieutenant spokesman adm.
    """.split()
)
_PLACED = re.compile(
    r"\b(?:in|at|near|from|across|around|outside|inside|of|towards?|into|off|on)\s+(?:the\s+)?$",
    re.IGNORECASE,
)
_PLACE = re.compile(
    r"(?:Hong|San|Los|Las|Tel|Buenos|Sri|Costa|Puerto|El|Saudi|Abu|Kuala|Rio|Cape|Fort|Mount|Lake|Port|Bay)\b"
)
_LINKED = re.compile(
    r"\b(?:with|between|and|by|to|met|called|phoned|told|joined|succeeded|replaced|named|appointed|elected)\s+$"
)
_DOES = re.compile(
    r"\s*(?:,\s+(?:who|the|a|an|then|\d)|['’]s\b|(?:and|who|is|was|has|had|will|said|says|told|met|spoke|called|led|won|took|became|made|"
    r"joined|succeeded|held|wrote|signed|asked|opened|visited|chaired|resigned|leads|heads)\b)"
)
_SPEAKS = re.compile(
    r"\s*(?:,[^,.]{1,60},\s*)?(?:said|says|told|added|adds|noted|wrote|explained|confirmed|announced|estimated|reported)\b"
)
_SPOKEN = re.compile(
    r"(?:\b(?:said|says|according to|told by|added|confirmed by|reported by)|\()\s+(?:[\w.’'-]+\s+){0,4}$",
    re.IGNORECASE,
)
_POSSESSIVE = re.compile(r"['’]s?$")
_WORD = re.compile(r"\S+")
_STOP = re.compile(r"(?P<word>[^\W\d_]{3,})\.\s+")
_MOST_WORDS = 4


@dataclass(frozen=True, slots=True)
class Person:
    """A person named at [start, end): the name without titles, its words' stems, and whether he is only quoted."""

    name: str
    keys: frozenset[str]
    start: int
    end: int
    speaks: bool


def persons_in(text: str) -> list[Person]:
    """People named in a text, in order; a surname alone counts where the text gives an office or the whole name too."""
    found = list(_named(text))
    sure = {key for person, certain in found if certain for key in person.keys}
    placed = {key for person, _ in found if _PLACED.search(text[: person.start]) for key in person.keys}
    return [
        person for person, certain in found if certain or (person.keys & sure and not person.keys & placed)
    ]


def _named(text: str) -> Iterator[tuple[Person, bool]]:
    """Runs of capitalised words that may be a person's name, and whether the words beside them make it certain."""
    for first, last in _runs(text):
        words, titled = _bare(text, first, last)
        keys = frozenset(stem(word[0]) for word in words if len(word[0]) > 1)
        if not keys or len(words) > _MOST_WORDS:
            continue
        start, end = words[0][1], words[-1][2]
        if names_no_person(text[start:end]):
            continue
        name = " ".join(word for word, _, _ in words)
        certain = titled or _certain(text, len(words), start, end)
        yield _person(text, name, keys, (start, end)), certain


def _runs(text: str) -> Iterator[tuple[int, int]]:
    """Runs of capitalised words as spans; one that goes on over the end of a sentence is two."""
    for match in names_in(text):
        start = match.start()
        for stop in _STOP.finditer(text, match.start(), match.end()):
            if not is_title(stop["word"]) and stop["word"].lower() not in _OFFICES:
                yield start, stop.end("word")
                start = stop.end()
        if start < match.end():
            yield start, match.end()


def _bare(text: str, first: int, last: int) -> tuple[list[tuple[str, int, int]], bool]:
    """The words of a name as (word, start, end) without titles and peoples, and whether a title stood before it."""
    words: list[tuple[str, int, int]] = []
    before: list[tuple[str, int, int]] = []
    titled = False
    for found in _WORD.finditer(text, first, last):
        bare = _POSSESSIVE.sub("", found.group().rstrip(".,"))
        office = is_title(bare) or bare.lower() in _OFFICES
        if office or _describes(bare):
            if words and not office:
                break
            before, words = (
                words or before,
                [],
            )  # "Navy Capt. Jo Marsh": what stands before an office describes it
            titled = titled or office
            continue
        words.append((bare, found.start(), found.start() + len(bare)))
        if _POSSESSIVE.search(found.group()):
            break
    return words or before, titled


def _describes(word: str) -> bool:
    """Whether a capitalised word names no person: a country or its people, or a word that opens the sentence."""
    key = key_of(word) if word else ""
    alias = key != "" and key in _COUNTRIES
    return (
        alias or word.lower() in STOP_WORDS or word.lower() in _OPENERS or not any(c.isalpha() for c in word)
    )


_COUNTRIES = frozenset(
    """
    usa uk china russia ukraine taiwan japan india philippines france germany italy spain israel iran canada mexico
    australia turkey europe africa asia eu un
    """.split()
)


_OPENERS = frozenset(
    """
    after although before since despite during until once although though because however meanwhile according unlike
    both only even still yet later earlier today yesterday north south east west northern southern eastern western
    new national federal great united saint
    """.split()
)
"""Words with a capital that a sentence, or the name of a place or body, begins with."""


def _certain(text: str, words: int, start: int, end: int) -> bool:
    """A whole name of two or three words that does something or is done something with, and is not a place."""
    if not 2 <= words <= 3 or _PLACED.search(text[:start]) or _PLACE.match(text, start):
        return False
    return bool(_LINKED.search(text[:start]) or _DOES.match(text, end))


def _person(text: str, name: str, keys: frozenset[str], span: tuple[int, int]) -> Person:
    start, end = span
    speaks = bool(_SPEAKS.match(text, end) or _SPOKEN.search(text[max(0, start - 80) : start]))
    return Person(name, keys, start, end, speaks)
