"""From an answer's text to sentences, and from a sentence to the atomic claims in it."""

import re
from collections.abc import Iterator

from index.analysis import STOP_WORDS
from index.sentences import sentence_spans

_MARKER = (
    r"(?:\[\^?\d{1,3}(?:\s*[,;–-]\s*\d{1,3})*\]|【\d{1,3}(?:[^】]{0,20})】"
    r"|\[(?:c|C|s|S|p|P|doc|source|passage)[ _-]?\d{1,3}\]"
    r"|\((?:[Ss]ource|[Pp]assage|[Pp]aragraph)s?:? [^()]{1,40}\))"
)
_MARKERS = re.compile(rf"\s*{_MARKER}(?:\s*,?\s*{_MARKER})*")
_LEADING = re.compile(rf"(?:\s|{_MARKER}|[-*•·–—>#]+(?=\s)|\(?\d{{1,2}}[.)](?=\s)|\(?[a-z]\)(?=\s)|\*\*|__)+")
_TRAILING = re.compile(rf"(?:\s|{_MARKER}|\*\*|__)+$")
_LINE = re.compile(r"[^\n\r]+")
_LETTER = re.compile(r"[^\W_]")

_REFUSAL = re.compile(
    r"""(?ix)
    \b(?:the\s+)?(?:provided\s+|given\s+|available\s+|retrieved\s+|cited\s+|above\s+)*
    (?:sources?|documents?|passages?|texts?|articles?|contexts?|paragraphs?|information|excerpts?|corpus|evidence|materials?)
    (?:\s+(?:provided|given|above|available|here|retrieved))?\s+
    (?:(?:do(?:es)?|did|is|are|was|were)(?:\s+not|n['’]t)\s+(?:\w+ly\s+|directly\s+|actually\s+)?
        (?:mention|sa[yi]|state|specif|contain|provid|give|includ|address|indicat|tell|answer|explain|describ|discuss|clear|enough|sufficient|relevant|cover|reveal|report|identif|confirm|name|list|disclos|offer|go\s+into|refer|relate|have|hold|support)
       |lacks?\b|never\s+(?:mention|sa[yi]|state|specif)|(?:contains?|gives?|has|have|provides?|offers?|makes?|says?|includes?)\s+(?:no|nothing)\b)
    |\b(?:i|we)\s+(?:do\s+not|don['’]t|cannot|can['’]?t|could\s+not|couldn['’]t|am\s+not\s+able|are\s+not\s+able|am\s+unable|was\s+unable|were\s+unable|are\s+unable|have\s+no)\s+(?:to\s+)?(?:\w+\s+)?
        (?:know|say|tell|find|answer|determine|information|see|confirm|provide|verify)
    |\b(?:it\s+is|it['’]s|this\s+is)\s+(?:not\s+(?:possible|clear|stated|mentioned|specified|known|given|said)|unclear|impossible|unknown)\s+(?:to\s+(?:say|tell|determine|answer)|from\s+(?:the|this|these)|in\s+(?:the|this|these|any))
    |\b(?:no|not\s+enough|insufficient)\s+(?:relevant\s+|further\s+|such\s+|specific\s+)*(?:information|evidence|answer|details?|context|mention)\s+(?:\w+\s+){0,3}?(?:is|was|are|were|can|could|in|to|about|on|regarding|available|provided|found|given)
    |\b(?:there\s+is|there['’]s|there\s+are)\s+(?:no|not\s+enough|insufficient)\s+(?:\w+\s+){0,2}(?:information|mention|evidence|answer|indication|details?)
    |\b(?:cannot|can\s*not|can['’]t|could\s+not)\s+be\s+(?:answered|determined|found|established|inferred|verified)
    |\b(?:not|never|isn['’]t|wasn['’]t)\s+(?:explicitly\s+|directly\s+|specifically\s+)*(?:mentioned|stated|specified|provided|given|addressed|covered|said|disclosed)\s+(?:in|by|here|anywhere)\b
    """
)
_CONNECTIVE = re.compile(
    r"(?ix)^\W*(?:here\s+(?:is|are)|(?:the|my|a)\s+(?:short\s+|direct\s+|final\s+)?(?:answer|summary)|in\s+(?:summary|short|conclusion)|to\s+(?:summari[sz]e|answer)|based\s+on|according\s+to|as\s+follows|sure|yes|no|of\s+course|certainly|okay|note)\b"
)

_HARD_CUT = re.compile(
    r";\s+|\s+[–—]\s+|,?\s+(?:but|whereas|while|although|though)\s+|,\s+(?:and|which|who)\s+"
)
_SOFT_CUT = re.compile(
    r"\s+and\s+(?:also\s+|then\s+|later\s+)?(?=[a-z]+(?:ed|s)\b|was\b|is\b|had\b|has\b|were\b|spoke\b|met\b|held\b|said\b|told\b|led\b|made\b|became\b)"
)
_VERB_LIKE = re.compile(
    r"\b(?:is|are|was|were|be|been|has|have|had|do|does|did|will|would|can|could|may|might|should|must|said|spoke|met|held|told|led|made|became|began|took|gave|went|came|saw|kept|left|brought|sent|set|put|cut|lasted|lasts|[a-z]{3,}(?:ed|ing|es|s))\b"
)


def split_sentences(text: str) -> list[tuple[int, int]]:
    """Spans of the sentences of an answer.

    A line break ends a sentence. Citation markers ([1], [2][3], 【1】) and list bullets at either end are left out of
    the span, and a piece with nothing else in it is dropped.
    """
    spans: list[tuple[int, int]] = []
    for line in _LINE.finditer(text):
        for start, end in _sentences(text, line.start(), line.end()):
            trimmed = _trimmed(text, start, end)
            if trimmed is not None:
                spans.append(trimmed)
    return spans


def without_markers(text: str) -> str:
    """A sentence as it reads with the citation markers inside it taken out."""
    return _MARKERS.sub("", text).strip()


def is_refusal(text: str) -> bool:
    """Whether a text says that the sources hold no answer ("The sources do not say who …")."""
    return _REFUSAL.search(text) is not None


def is_connective(text: str) -> bool:
    """Whether a sentence only leads into others ("Here is the answer:"): it states nothing to check."""
    return (
        text.rstrip(" *_").endswith(":") and len(text.split()) <= 12 and _CONNECTIVE.match(text) is not None
    )


def atomic_claims(sentence: str) -> list[tuple[int, int]]:
    """Spans of the claims a sentence is made of, in order; the whole sentence where no cut is safe.

    A cut is safe when both sides say something by themselves: two content words and something like a verb.
    """
    spans = list(sentence_spans(sentence)) or [(0, len(sentence))]
    for pattern in (_HARD_CUT, _SOFT_CUT):
        spans = [piece for start, end in spans for piece in _cut(sentence, start, end, pattern)]
    return spans


def _sentences(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    """Sentences of one line. A marker after the full stop belongs to the sentence before it."""
    lead = _LEADING.match(text, start, end)
    start = lead.end() if lead is not None else start
    # A marker between a full stop and the next sentence would hide the sentence's end from the splitter.
    blanked = _MARKERS.sub(lambda match: " " * len(match.group()), text[start:end])
    for first, last in sentence_spans(blanked):
        yield start + first, start + last


def _trimmed(text: str, start: int, end: int) -> tuple[int, int] | None:
    lead = _LEADING.match(text, start, end)
    if lead is not None:
        start = lead.end()
    trail = _TRAILING.search(text, start, end)
    if trail is not None:
        end = trail.start()
    return (start, end) if start < end and _LETTER.search(text, start, end) else None


def _cut(sentence: str, start: int, end: int, pattern: re.Pattern[str]) -> Iterator[tuple[int, int]]:
    begin = start
    for match in pattern.finditer(sentence, start, end):
        if _inside_quotation(sentence, match.start()):
            continue
        if _says_something(sentence[begin : match.start()]) and _says_something(sentence[match.end() : end]):
            yield begin, match.start()
            begin = match.end()
    yield begin, end


def _says_something(piece: str) -> bool:
    words = [word for word in re.findall(r"[^\W_]+", piece) if word.lower() not in STOP_WORDS]
    return len(words) >= 2 and _VERB_LIKE.search(piece) is not None


def _inside_quotation(sentence: str, position: int) -> bool:
    before = sentence[:position]
    return before.count("“") > before.count("”") or before.count('"') % 2 == 1
