"""Whether a claim denies what its evidence affirms, or the reverse: negation, opposites and excluded alternatives."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from qa.facts import Read
from qa.lexicon import EXCLUSIVE, OPPOSITES, PREFIXES, SYNONYMS
from qa.tokens import Token, key_of

_CUES = frozenset(
    "not no never none neither nor cannot without nobody nothing nowhere hardly scarcely barely lacks lacked lacking".split()
)
_CUE_VERBS = frozenset(
    "fail fails failed failing refuse refuses refused refusing decline declines declined declining deny denies denied denying avoid avoids avoided avoiding unable lack absence prevent prevents prevented".split()
)
_SOFT = frozenset(
    key_of(word) for word in "stop end cease halt suspend cut break freeze abandon drop cancel reject".split()
)
_IDIOMS = re.compile(
    r"\b(?:not only(?=.*\bbut\b)|no longer than|no later than|no fewer than|no less than|whether or not|not just|no doubt|no matter)\b",
    re.IGNORECASE,
)
_BREAKS = re.compile(
    r"[;:!?)(]|(?<=[a-z]{5})\.(?=\s|$)|,\s+(?:but|and|or|which|who|while|although|though|because|since|as|when|after|before)\b|\b(?:but|although|though|because|while|whether|how|what|who|whom|than|so that)\b",
    re.IGNORECASE,
)
_REACH = 6
"""Content words that one negation may govern."""


@dataclass(frozen=True, slots=True)
class Cue:
    """A word that denies, by its key, and the keys of the content words it governs, nearest first.

    A soft one ("stopped the talks") may answer a negation on the other side but denies nothing by itself.
    """

    key: str
    scope: tuple[str, ...]
    strength: Literal["full", "verb", "soft"] = "full"


def cues_in(sentence: Read) -> tuple[Cue, ...]:
    """Every negation of a sentence with its scope."""
    idioms = [(m.start(), m.end()) for m in _IDIOMS.finditer(sentence.text)]
    breaks = [m.start() for m in _BREAKS.finditer(sentence.text)]
    return tuple(
        Cue(token.key if strength != "full" else "not", _scope(sentence, token, breaks), strength)
        for token in sentence.tokens
        if (strength := _strength(token)) and not any(start <= token.start < end for start, end in idioms)
    )


def flipped(claim: Read, evidence: Read) -> bool:
    """Whether claim and evidence, which speak of the same thing, say opposite things about it.

    Two reversals cancel out: "not safe" agrees with "unsafe".
    """
    turned = _opposed(claim, evidence)
    denied = _denied_words(claim, evidence)
    if turned and denied:
        return False
    return bool(turned or denied)


def excluded(claim: Read, evidence: Read) -> bool:
    """Whether the claim names one of a closed set (a season, a direction, a time of day) and the evidence another."""
    return any(
        _other_of(token, claim, evidence, EXCLUSIVE) and not _near(token, evidence) for token in claim.tokens
    ) and not _shares_set(claim, evidence)


def _strength(token: Token) -> Literal["full", "verb", "soft"] | None:
    """How a word denies what follows it, if it does."""
    lower = token.text.lower().replace("’", "'")
    if lower in _CUES or lower.endswith("n't"):
        return "full"
    if lower in _CUE_VERBS:
        return "verb"
    return "soft" if token.key in _SOFT else None


def _scope(sentence: Read, cue: Token, breaks: list[int]) -> tuple[str, ...]:
    stop = min((place for place in breaks if place > cue.start), default=len(sentence.text))
    after = [slot.key for slot in sentence.slots if cue.start < slot.start < stop and slot.kind != "function"]
    if after:
        return tuple(after[:_REACH])
    if _strength(cue) != "full":
        return ()  # "the attempt failed" denies nothing that follows
    before = [slot.key for slot in sentence.slots if slot.start < cue.start and slot.kind != "function"]
    return tuple(reversed(before[-2:]))


def _denied_words(claim: Read, evidence: Read) -> bool:
    """Whether a negation of one side governs words that the other side states, with no negation to match it."""
    ours, theirs = _unmatched(cues_in(claim), cues_in(evidence))
    return any(_governs(cue, evidence.places) for cue in ours) or any(
        _governs(cue, claim.places) for cue in theirs
    )


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


def _governs(cue: Cue, said: frozenset[str]) -> bool:
    """Whether what the cue governs most closely is said by the other sentence.

    A verb that denies ("failed attempts to speak") governs the second word as well as the first.
    """
    if cue.strength == "soft" or not cue.scope:
        return False
    near = [key for key in cue.scope if key not in _FAINT] or list(cue.scope)
    # One word in common is not yet the same thing denied ("cannot be given to men" and "giving it has drawbacks")
    if cue.strength == "verb":
        return not said.isdisjoint(near[:2]) and sum(key in said for key in near[:4]) >= min(2, len(near))
    return not said.isdisjoint(near[:1]) and (len(near) == 1 or not said.isdisjoint(near[1:3]))


_FAINT = frozenset(
    key_of(word)
    for word in "have has had say said make made be been get any immediately yet ever longer".split()
)


def _opposed(claim: Read, evidence: Read) -> bool:
    """Whether a word of the claim that the evidence lacks has its opposite there, which the claim lacks."""
    return any(
        _other_of(token, claim, evidence, OPPOSITES) or _prefixed(token, claim, evidence)
        for token in _missing(claim, evidence)
    )


def _missing(claim: Read, evidence: Read) -> Iterator[Token]:
    for token in claim.tokens:
        if token.kind != "name" and token.key not in evidence.keys and not _near(token, evidence):
            yield token


def _near(token: Token, evidence: Read) -> bool:
    return token.key in evidence.keys or bool(SYNONYMS.get(token.key, frozenset()) & evidence.keys)


def _other_of(token: Token, claim: Read, evidence: Read, table: dict[str, frozenset[str]]) -> bool:
    """Whether the evidence says one of the words against the token, and the claim nothing of its family."""
    against = (table.get(token.key, frozenset()) & evidence.keys) - claim.keys
    return any(not any(key[:4] == other[:4] for key in claim.keys) for other in against)


def _prefixed(token: Token, claim: Read, evidence: Read) -> bool:
    """Whether "unsafe" stands on one side and "safe" on the other."""
    word = token.text.lower()
    for prefix in PREFIXES:
        if (
            word.startswith(prefix)
            and len(word) - len(prefix) >= 4
            and key_of(word[len(prefix) :]) in evidence.keys - claim.keys
        ):
            return True
        if len(word) >= 4 and key_of(prefix + word) in evidence.keys - claim.keys:
            return True
    return False


def _shares_set(claim: Read, evidence: Read) -> bool:
    """Whether the claim also names a member that the evidence does name ("from morning to night")."""
    return any(token.key in EXCLUSIVE and token.key in evidence.keys for token in claim.tokens)
