"""How much of a claim's words and names a window of evidence covers, and how surely."""

from dataclasses import dataclass

from qa.evidence import Window
from qa.facts import Read
from qa.lexicon import SYNONYMS
from qa.roles import replaced
from qa.tokens import Token

# Words that a number says by itself: "lasted 90 minutes" needs no "lasted" beside a "90-minute conversation".
_IMPLIED = {
    "time": frozenset("last take run go long durat length".split()),
    "months": frozenset("last take run go long durat length ago age old".split()),
    "usd": frozenset("cost price pay worth".split()),
}
_ROUND_ABOUT = 0.5
"""Credit below which nothing in the window stands for a word, though its paragraph or document may hold it."""


@dataclass(frozen=True, slots=True)
class Coverage:
    """Shares (0..1) of a claim that a window covers, values apart.

    `all` counts words and names, `words` only content words, with credit for near-synonyms and surroundings; `inside`
    counts words and names that stand in the window as such; `size` is the weight of all words and names; `replaced`
    is how many words that nothing stands for have another word in their place.
    """

    all: float
    words: float
    inside: float
    size: float
    replaced: int = 0


def covered(claim: Read, window: Window) -> Coverage:
    """How much of a claim's words and names a window covers."""
    implied = frozenset[str]().union(*(_IMPLIED.get(n.dimension, frozenset()) for n in claim.numbers))
    got = total = words = all_words = inside = 0.0
    missing: set[str] = set()
    for token in claim.tokens:
        weight = 0.35 if token.key in implied else token.weight
        if weight == 0.0:
            continue
        credit = _credit(token, window)
        got, total = got + weight * credit, total + weight
        inside += weight * (token.key in window.read.keys)
        if token.kind == "word":
            words, all_words = words + weight * credit, all_words + weight
            if credit < _ROUND_ABOUT:
                missing.add(token.key)
    instead = replaced(claim, window.read, frozenset(missing)) if missing else 0
    return Coverage(_share(got, total), _share(words, all_words), _share(inside, total), total, instead)


def _share(part: float, whole: float) -> float:
    return part / whole if whole else 1.0


def _credit(token: Token, window: Window) -> float:
    """How far a word of the claim is found: itself, a near-synonym, a word of its family, or only round about."""
    keys = window.read.keys
    if token.key in keys:
        return 1.0
    if not SYNONYMS.get(token.key, frozenset()).isdisjoint(keys):
        return 0.9
    if len(token.key) >= 5 and any(_kin(token.key, key) for key in keys if key[:5] == token.key[:5]):
        return 0.85
    return _credit_around(token, window)


def _credit_around(token: Token, window: Window) -> float:
    """How far a word is found beside the window: a name is lent by its document, another word hardly."""
    is_name = token.kind == "name"
    if token.key in window.leads.keys:
        return 0.8
    if token.key in window.paragraph.every:
        return 0.9 if is_name else 0.3
    if token.key in window.around.keys:
        return 0.9 if is_name else 0.15
    return 0.0


def _kin(one: str, other: str) -> bool:
    """Whether two stems that begin alike share a root ("resumpt", "resum")."""
    shorter, longer = sorted((one, other), key=len)
    if len(shorter) < 5:
        return False
    shared = next((n for n, (a, b) in enumerate(zip(shorter, longer, strict=False)) if a != b), len(shorter))
    return shared >= 0.75 * len(shorter) and len(longer) - shared <= 5
