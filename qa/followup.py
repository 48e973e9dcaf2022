"""A follow-up question made to stand alone, by rule, from the conversation before it.

"And how long did that one last?" cannot be searched for. What it leaves out is taken from the last question and its
answer: a person for a pronoun, the subject for "it" or "that one", a changed name for "What about …?".
"""

import re
from collections.abc import Sequence

from index.analysis import STOP_WORDS, content_words, names_in, question_names, stem, tokens
from index.expects import expected
from qa.types import Turn

_OPENERS = re.compile(r"(?i)^\W*(?:(?:and|but|so|also|then|ok(?:ay)?|well|now)\b[\s,]*)+")
_ABOUT = re.compile(
    r"(?i)^(?:what|how) about\b|^(?:what|and)\s+(?:of|with)\b|^the one\b|^(?:in|for|with|by|on|at|about)\s+[A-Z0-9]"
)
_PERSON = re.compile(r"\b(?:he|she|him|her|his|hers)\b", re.IGNORECASE)
_THING = re.compile(
    r"\b(?:it|its|they|them|their|theirs|that|this|these|those|there|then|one|ones|other|others|both|each|former|latter|same|"
    r"the (?:call|talk|talks|meeting|visit|conversation|article|deal|agreement|report|paper|study|document|policy|statement))\b",
    re.IGNORECASE,
)
_MARKER = re.compile(r"\s*\[\d+\]")
_SHORT = 4
"""Content words; a question with fewer, asked in a conversation, leans on what was said."""


def standalone_question(question: str, history: Sequence[Turn]) -> str:
    """The question with what it leaves out filled in from history; the question itself when it stands alone."""
    asked = next((turn.content for turn in reversed(history) if turn.role == "user"), "")
    if not asked:
        return question
    answered = _MARKER.sub(
        "", next((turn.content for turn in reversed(history) if turn.role == "assistant"), "")
    )
    earlier = standalone_question(asked, history[: _last(history, asked)])
    bare = _OPENERS.sub("", question).strip()
    if _ABOUT.match(bare) or _names_only(bare):
        return _with_new_subject(bare, earlier)
    if _PERSON.search(bare) and (person := _person(earlier, answered, bare)):
        return _PERSON.sub(
            lambda m: f"{person}'s" if m.group().lower() in ("his", "hers") else person, bare, count=1
        )
    if _leans(bare):
        return _with_subject(bare, earlier, answered)
    return question


def _last(history: Sequence[Turn], content: str) -> int:
    return max(n for n, turn in enumerate(history) if turn.role == "user" and turn.content == content)


def _names_only(bare: str) -> bool:
    """Whether a question is a bare subject: "Brown with Liu?"."""
    words = tokens(bare)
    asks = any(word.lower() in _ASK_WORDS for word in words)
    return not asks and len(words) <= _BARE_WORDS and any(word[:1].isupper() for word in words)


def _leans(bare: str) -> bool:
    """Whether a question needs its conversation: it points back, or says too little by itself."""
    return bool(_THING.search(bare)) or (len(content_words(bare)) < _SHORT and not question_names(bare))


def _with_new_subject(bare: str, earlier: str) -> str:
    """The earlier question about another subject: "What about Wei?" after "How long was the call with Dong?"."""
    subject = re.sub(
        r"(?i)^(?:what|how|and)\s+(?:about|of|with)\s+|^the one\s+(?:with|about|in|of)?\s*", "", bare
    ).strip(" ?.")
    new = [word for word in tokens(subject) if word.lower() not in STOP_WORDS]
    old = [name.group() for name in names_in(earlier) if name.start() > 0]
    fresh = {stem(word) for word in new}
    replaceable = [name for name in old if not fresh & {stem(word) for word in tokens(name)}]
    if not replaceable:
        return f"{earlier.rstrip(' ?.')} {subject}?"
    if sum(word[:1].isupper() for word in new) > 1:
        for name in replaceable:
            earlier = earlier.replace(name, " ")
        return f"{' '.join(earlier.split()).rstrip(' ?.')} {subject}?"
    kept = [name for name in old if fresh & {stem(word) for word in tokens(name)}]
    if kept and len(old) == len(kept):
        return f"{earlier.rstrip(' ?.')} {subject}?"
    head, _, tail = earlier.rpartition(replaceable[-1])
    return f"{head}{subject}{tail}"


def _person(earlier: str, answered: str, bare: str) -> str | None:
    """Who a pronoun means: the person that the last question asked for, else the last one it named."""
    asked_for = expected(earlier) == "person" or re.search(
        r"(?i)\b(?:name|who|whom|which (?:official|minister|general|officer|diplomat))\b", earlier
    )
    known = {stem(word) for word in tokens(earlier)}
    from_answer = [name for name in _people(answered) if not known & {stem(word) for word in tokens(name)}]
    from_question = [
        name for name in _people(earlier) if stem(tokens(name)[0]) not in {stem(w) for w in STOP_WORDS}
    ]
    pools = (from_answer, from_question) if asked_for else (from_question, from_answer)
    own = {stem(word) for word in tokens(bare)}
    for pool in pools:
        for name in pool if pool is from_answer else reversed(pool):
            if not own & {stem(word) for word in tokens(name)}:
                return name
    return None


def _people(text: str) -> list[str]:
    """Names in a text that may be people's, titles and sentence openers taken off."""
    found = []
    for match in names_in(text):
        words = [w for w in match.group().split() if w.lower().strip(".") not in STOP_WORDS]
        if match.start() == 0 and len(words) == 1:
            continue
        if words:
            found.append(" ".join(words).rstrip(".").removesuffix("’s").removesuffix("'s"))
    return found


def _with_subject(bare: str, earlier: str, answered: str) -> str:
    """The question with the names and content words of the earlier one behind it, in brackets."""
    have = {stem(word) for word in tokens(bare)}
    words = [
        word for word in content_words(earlier) if stem(word) not in have and word.lower() not in _ASKING
    ]
    names = [name for name in question_names(answered) if stem(name) not in have | {stem(w) for w in words}]
    subject = " ".join([*words, *(names[:4] if len(words) < _SHORT else [])])
    return f"{bare.rstrip(' ?.')} ({subject})?" if subject else bare


_ASK_WORDS = frozenset(
    "what which who whom whose when where why how did does do is are was were has have had can could will would".split()
)
_BARE_WORDS = 6
_ASKING = frozenset("long many much often day date month year time name kind type week first last".split())
