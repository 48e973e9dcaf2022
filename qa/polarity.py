"""Whether a claim denies what its evidence affirms, or the reverse: negation, opposites and excluded alternatives."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from qa.facts import Read
from qa.lexicon import EXCLUSIVE, OPPOSITES, PREFIXES, SYNONYMS
from qa.tokens import Token, key_of

Strength = Literal["full", "verb", "soft"]

_CUES = frozenset(
    """not no never none neither nor cannot without nobody nothing nowhere hardly scarcely barely
    lacks lacked lacking""".split()
)
_CUE_VERBS = frozenset(
    """fail fails failed failing refuse refuses refused refusing decline declines declined declining
    deny denies denied denying avoid avoids avoided avoiding prevent prevents prevented unable lack absence""".split()
)
_SOFT = frozenset(
    key_of(word)
    for word in """stop end cease halt suspend cut break freeze abandon drop cancel reject deficiency deficient loss
    lose absence knockout depletion deplete inhibition inhibit blockade block suppression suppress disrupt disruption
    impair reduce reduction less fewer low""".split()
)
_IDIOMS = re.compile(
    r"\b(?:not only(?=.*\bbut\b)|no (?:longer|later|fewer|less) than|whether or not|not just|no doubt|no matter)\b",
    re.IGNORECASE,
)
_BREAKS = re.compile(
    r"[;:!?)(]|(?<=[a-z]{5})\.(?=\s|$)"
    r"|,\s+(?:but|and|or|which|who|while|although|though|because|since|as|when|after|before)\b"
    r"|\b(?:but|although|though|because|while|whether|how|what|who|whom|than|so that)\b",
    re.IGNORECASE,
)
_YET_TO = re.compile(r"\b(?:has|have|had|is|are|was|were)\s+(?P<yet>yet)\s+to\b", re.IGNORECASE)
_ADJACENT = 2
"""How near to a negation an opposite must stand for the two to cancel out."""
_LEAST_ROOT = 4
_REACH = 6
"""Content words that one negation may govern."""


@dataclass(frozen=True, slots=True)
class Cue:
    """A word that denies, by its key, and the keys of the content words it governs, nearest first.

    A soft one ("stopped the talks") may answer a negation on the other side but denies nothing by itself.
    """

    key: str
    scope: tuple[str, ...]
    strength: Strength = "full"


def cues_in(sentence: Read) -> tuple[Cue, ...]:
    """Every negation of a sentence with its scope."""
    idioms = [(m.start(), m.end()) for m in _IDIOMS.finditer(sentence.text)]
    breaks = [m.start() for m in _BREAKS.finditer(sentence.text)]
    yet = {m.start("yet") for m in _YET_TO.finditer(sentence.text)}
    found: list[Cue] = []
    for token in sentence.tokens:
        strength = "full" if token.start in yet else _strength(token)
        if strength is not None and not any(start <= token.start < end for start, end in idioms):
            key = "not" if strength == "full" else token.key
            found.append(Cue(key, _scope(sentence, token, strength, breaks), strength))
    return tuple(found)


def flipped(claim: Read, evidence: Read) -> bool:
    """Whether claim and evidence, which speak of the same thing, say opposite things about it.

    Two reversals cancel out: "not safe" agrees with "unsafe".
    """
    turned = frozenset(_opposed(claim, evidence))
    ours, theirs = _unmatched(cues_in(claim), cues_in(evidence))
    denied = any(_governs(c, claim, evidence) for c in ours) or any(
        _governs(c, evidence, claim) for c in theirs
    )
    undone = any(turned & set(cue.scope[:_ADJACENT]) for cue in (*ours, *theirs) if cue.strength != "soft")
    return (bool(turned) or denied) and not undone


def excluded(claim: Read, evidence: Read) -> bool:
    """Whether the claim names one of a closed set (a season, a direction, a time of day) and the evidence another."""
    others = (
        EXCLUSIVE.get(token.key, frozenset()) - claim.keys
        for token in claim.tokens
        if not _near(token, evidence)
    )
    return any(not evidence.keys.isdisjoint(other) for other in others) and not _shares_set(claim, evidence)


def _strength(token: Token) -> Strength | None:
    """How a word denies what follows it, if it does."""
    lower = token.text.lower().replace("’", "'")
    if lower in _CUES or lower.endswith("n't"):
        return "full"
    if lower in _CUE_VERBS:
        return "verb"
    return "soft" if token.key in _SOFT else None


def _scope(sentence: Read, cue: Token, strength: Strength, breaks: list[int]) -> tuple[str, ...]:
    stop = min((place for place in breaks if place > cue.start), default=len(sentence.text))
    after = [slot.key for slot in sentence.slots if cue.start < slot.start < stop and slot.kind != "function"]
    before = [slot.key for slot in sentence.slots if slot.start < cue.start and slot.kind != "function"][-2:][
        ::-1
    ]
    if strength == "soft":
        return (*after[:_REACH], *before)  # "loss of the gene", "the gene's loss"
    if after or strength == "verb":
        return tuple(after[:_REACH])  # "the attempt failed" denies nothing that follows
    return tuple(before)


def _unmatched(ours: Sequence[Cue], theirs: Sequence[Cue]) -> tuple[list[Cue], list[Cue]]:
    """Negations of each side without a fellow on the other: one answers one, the same word first."""
    left, right = list(ours), list(theirs)
    for alike in (
        lambda a, b: a.key == b.key and _overlap(a, b) > 1,
        lambda a, b: a.key == b.key and _overlap(a, b),
        _overlap,
    ):
        for cue in list(left):
            fellow = next((other for other in right if alike(cue, other)), None)
            if fellow is not None:
                left.remove(cue)
                right.remove(fellow)
    return left, right


def _overlap(one: Cue, other: Cue) -> int:
    return len(set(one.scope) & set(other.scope)) if one.scope and other.scope else 1


def _governs(cue: Cue, own: Read, other: Read) -> bool:
    """Whether what the cue governs most closely is said by the other sentence, or its opposite is.

    A verb that denies ("failed attempts to speak") governs the second word as well as the first.
    """
    if cue.strength == "soft" or not cue.scope:
        return False
    near = [key for key in cue.scope if key not in _FAINT] or list(cue.scope)
    said = [key in other.places or bool(_against(key, own, other)) for key in near[:4]]
    # One word in common is not yet the same thing denied ("cannot be given to men" and "giving it has drawbacks")
    if cue.strength == "verb":
        tried = bool(
            SYNONYMS.get(near[0], frozenset()) & other.keys
        )  # "tried to speak", "failed attempts to speak"
        return not tried and any(said[:2]) and sum(said) >= min(2, len(near))
    return said[0] and (len(near) == 1 or any(said[1:3]))


_FAINT = frozenset(
    key_of(word)
    for word in """have has had say said make made be been get any immediately yet ever longer
    indication evidence sign proof""".split()
)


def _opposed(claim: Read, evidence: Read) -> Iterator[str]:
    """Words of the claim that the evidence lacks, and their opposites there, which the claim lacks."""
    for token in _missing(claim, evidence):
        against = _against(token.key, claim, evidence) | _prefixed(token, claim, evidence)
        if against:
            yield token.key
            yield from against


def _missing(claim: Read, evidence: Read) -> Iterator[Token]:
    for token in claim.tokens:
        if token.kind != "name" and token.key not in evidence.keys and not _near(token, evidence):
            yield token


def _near(token: Token, evidence: Read) -> bool:
    return token.key in evidence.keys or bool(SYNONYMS.get(token.key, frozenset()) & evidence.keys)


def _against(key: str, own: Read, other: Read) -> frozenset[str]:
    """Words of the other side that say the opposite of a word, its own side having nothing of their family."""
    against = (OPPOSITES.get(key, frozenset()) & other.keys) - own.keys
    return frozenset(word for word in against if not any(known[:4] == word[:4] for known in own.keys))


def _prefixed(token: Token, claim: Read, evidence: Read) -> frozenset[str]:
    """What the evidence says with a denying prefix that the claim says without, or the reverse ("unsafe", "safe")."""
    word = token.text.lower()
    forms = [prefix + word for prefix in PREFIXES if len(word) >= _LEAST_ROOT]
    forms += [word[len(p) :] for p in PREFIXES if word.startswith(p) and len(word) - len(p) >= _LEAST_ROOT]
    return frozenset(key_of(form) for form in forms) & (evidence.keys - claim.keys)


def _shares_set(claim: Read, evidence: Read) -> bool:
    """Whether the claim also names a member that the evidence does name ("from morning to night")."""
    return any(token.key in EXCLUSIVE and token.key in evidence.keys for token in claim.tokens)
