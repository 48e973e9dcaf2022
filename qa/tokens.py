"""Words of a claim or of evidence, in order, with keys under which two spellings of one word meet."""

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from index.analysis import STOP_WORDS
from qa.lexicon import PAST_FORMS, root

Kind = Literal["word", "name", "function"]
"""A content word, a (part of a) name, or a word that only binds others."""

_TOKEN = re.compile(
    r"(?=[\w-]*[A-Z\u0370-\u03ff])[^\W_]+(?:-\d+[^\W_]*)+|\d+-[A-Z][\w]*"  # IL-2, COVID-19, 5-HT
    r"|\d+(?:[.,]\d+)*(?:[^\W\d_]+\d*)*"
    r"|[^\W_]+(?:[.&][^\W_]+)*(?:['’](?!s\b)[^\W_]+)?"
)
_BEFORE = frozenset(" \t\"“”‘'([-–—*")

# One key for the names of one country or body, its people and its adjective. Closed on purpose: a wrong alias
# would let a swapped name pass. Capitals of countries are left out: a government is not always its capital.
_ALIASES = {
    alias: key
    for key, aliases in {
        "usa": "us u.s usa u.s.a american americans america",
        "uk": "uk u.k british britain britons",
        "china": "china chinese prc",
        "russia": "russia russian russians",
        "ukraine": "ukraine ukrainian ukrainians",
        "taiwan": "taiwan taiwanese",
        "japan": "japan japanese",
        "india": "india indian indians",
        "philippines": "philippines philippine filipino filipinos",
        "france": "france french",
        "germany": "germany german germans",
        "italy": "italy italian italians",
        "spain": "spain spanish",
        "israel": "israel israeli israelis",
        "iran": "iran iranian iranians",
        "canada": "canada canadian canadians",
        "mexico": "mexico mexican mexicans",
        "australia": "australia australian australians",
        "turkey": "turkish turkey türkiye",
        "europe": "europe european europeans",
        "africa": "africa african africans",
        "asia": "asia asian asians",
        "eu": "eu e.u",
        "un": "un u.n",
    }.items()
    for alias in aliases.split()
}
_PAIRS = {
    ("united", "states"): "usa",
    ("united", "kingdom"): "uk",
    ("great", "britain"): "uk",
    ("united", "nations"): "un",
    ("european", "union"): "eu",
}
_CASED = frozenset({"us", "uk", "un", "eu", "turkey"})
"""Aliases that are ordinary words, or nothing, in lower case."""

_METONYMS = """
beijing china; washington usa; moscow russia; kremlin russia; kyiv ukraine; london uk; paris france; berlin germany;
tokyo japan; pyongyang korea; seoul korea; taipei taiwan; tehran iran; jerusalem israel; ankara turkey; delhi india;
islamabad pakistan; brussels eu; canberra australia; ottawa canada; rome italy; madrid spain; warsaw poland;
manila philippines; hanoi vietnam; jakarta indonesia; riyadh arabia; cairo egypt
"""

_TITLES = frozenset(
    """
    mr mrs ms miss dr prof professor sir lord lady dame sen senator rep representative gov governor president
    vice minister prime secretary general gen colonel col major maj captain capt commander cmdr lieutenant lt
    sergeant sgt admiral adm ambassador amb chief chair chairman chairwoman speaker house state defense foreign
    deputy former then-house acting leader chancellor king queen prince princess judge justice department
    ministry office joint staff party commission spokesman spokeswoman spokesperson ceo
    """.split()
)
"""Words written with a capital as part of an office: they describe, they do not name."""

_LIGHT = frozenset(
    """
    say said says tell told according make made take took taken give gave given get got go went come came hold
    held have having include including includes included involve involved regard regarding concern concerning
    several various certain other others another however although though while since because thus therefore
    moreover furthermore overall respectively many much more most some such same well even still only just very
    also both each either during between among within across through against upon toward towards about around
    along until per via using use used based show shown showed find found report reported note noted state
    stated add added mention mentioned describe described see seen approximately roughly nearly almost total yet
    article text paragraph passage source sources document documents context information specifically
    additionally
    """.split()
)
_FUNCTION = STOP_WORDS | frozenset(
    """
    than during between among within across through against upon toward towards until per via both each either neither
    one no never none cannot won't don't doesn't didn't isn't aren't wasn't weren't hasn't haven't hadn't can't couldn't
    wouldn't shouldn't upon onto off after before above below while since because although though however if whether
    """.split()
)


@dataclass(frozen=True, slots=True)
class Token:
    """A word at [start, end): as written, its key for comparing, what it is, and its weight as content (0 to 1)."""

    text: str
    key: str
    start: int
    end: int
    kind: Kind
    weight: float
    opens: bool = False

    @property
    def past(self) -> bool:
        """Whether the word looks like a verb in the past."""
        return self.kind == "word" and _is_past(self.text.lower())


@lru_cache(maxsize=20_000)
def key_of(word: str) -> str:
    """The key of one word: its alias, or its stem in American spelling, marks left out."""
    lower = word.lower().replace("’", "'").rstrip(".")
    alias = _ALIASES.get(lower)
    if alias is not None and (lower not in _CASED or word[0].isupper()):
        return alias
    if any(c.isdigit() for c in lower):
        return lower.replace("-", "")
    return root(lower)


METONYMS: dict[str, str] = {
    key_of(seat): key_of(country) for seat, country in (pair.split() for pair in _METONYMS.split(";"))
}
"""From the key of where a government sits to that of the country it governs."""


@lru_cache(maxsize=4096)
def tokens_of(text: str) -> tuple[Token, ...]:
    """The words of a text in order; "United States" is one of them, "45-minute" two."""
    found: list[Token] = []
    for match in _TOKEN.finditer(text):
        word, start = match.group(), match.start()
        if found and found[-1].text[0] in "UGE" and text[found[-1].end : start].isspace():
            merged = _PAIRS.get((found[-1].text.lower(), word.lower()))
            if merged:
                before = found.pop()
                found.append(
                    Token(
                        text[before.start : match.end()],
                        merged,
                        before.start,
                        match.end(),
                        "name",
                        1.0,
                        before.opens,
                    )
                )
                continue
        opens = word[0].isupper() and _opens(text, start)
        key, kind, weight = _read(word, opens=opens)
        found.append(Token(word, key, start, match.end(), kind, weight, opens))
    return tuple(found)


def content_of(text: str) -> tuple[Token, ...]:
    """The content words of a text that are no names."""
    return tuple(token for token in tokens_of(text) if token.kind == "word" and token.weight >= 1)


def _opens(text: str, start: int) -> bool:
    """Whether nothing but marks stands between the start of the sentence, or a colon, and here."""
    place = start - 1
    while place >= 0 and text[place] in _BEFORE:
        place -= 1
    return place < 0 or text[place] in ":;\n•"


@lru_cache(maxsize=20_000)
def _read(word: str, *, opens: bool) -> tuple[str, Kind, float]:
    """Key, kind and weight of a word, told apart by whether it opens a sentence."""
    kind = _kind(word, opens=opens)
    return key_of(word), kind, _weight(word, kind)


def _kind(word: str, *, opens: bool) -> Kind:
    lower = word.lower().replace("’", "'")
    if lower in _ALIASES and (lower not in _CASED or word[0].isupper()):
        return "name"
    if lower in _FUNCTION and not _shouted(word):
        return "function"
    if is_code(word):
        return "name"
    if word[0].isupper() and not opens and lower not in _TITLES:
        return "name"
    return "word"


def is_code(word: str) -> bool:
    """Whether a word is a code or an acronym (IL-2, MMCA, mRNA), which names something wherever it stands."""
    return len(word) > 1 and any(c.isupper() for c in word[1:]) and not word.isdigit()


def _weight(word: str, kind: Kind) -> float:
    """What a word says: a verb in the past most, an office or a common word little."""
    lower = word.lower()
    if kind == "function":
        return 0.0
    if lower in _LIGHT:
        return 0.35
    if kind == "word" and is_title(word):
        return 0.5
    return 1.4 if kind == "word" and _is_past(lower) else 1.0


def _is_past(lower: str) -> bool:
    return lower in PAST_FORMS or (len(lower) > 4 and lower.endswith("ed") and not lower.endswith("eed"))


def is_title(word: str) -> bool:
    """Whether a word belongs to an office or a form of address."""
    return word.lower() in _TITLES and not _shouted(word)


def _shouted(word: str) -> bool:
    """Whether a word is in capitals (MR is imaging, Mr a form of address)."""
    return len(word) > 1 and word.isupper()
