"""Where sentences begin and end, as spans of the text; nothing is rewritten."""

import re
from collections.abc import Iterator

# Words after which a full stop does not end a sentence: titles, months, company forms, Latin and reference marks.
_ABBREVIATIONS = frozenset(
    """
    mr mrs ms dr prof rev hon gen col maj capt cmdr lt sgt adm amb sen rep gov pres sec st jr sr messrs
    jan feb mar apr jun jul aug sep sept oct nov dec mon tue tues wed thu thur thurs fri sat sun
    inc ltd co corp llc plc bros vs v etc al eg ie e.g i.e cf viz approx no nos art arts cl sec secs para paras
    fig figs eq eqs ref refs ch vol ed eds pp p dept univ assn est min max temp ave blvd rd mt ft
    """.split()
)
_END = re.compile(r"[.!?…]+[\"'”’»)\]]*(?=\s|$)|[。！？]+[」』”]?")
_WORD_BEFORE = re.compile(r"([\w.]+)$")
_LONGEST_WORD = 40
"""Characters looked back over; without a bound a long text takes time that grows with its square."""
_NEXT = re.compile(r"\s*[\"'“‘«(\[]*(\S)")
_INITIALS = re.compile(r"[^\W\d_](?:\.[^\W\d_])*\.?")


def _ends_sentence(text: str, mark: re.Match[str]) -> bool:
    """Whether this run of end marks closes a sentence."""
    following = _NEXT.match(text, mark.end())
    if following is None:
        return True
    lower_case_follows = following.group(1).islower()
    closes_more = mark.group() != "."  # another mark, or a quotation mark or bracket closed with it
    if lower_case_follows or closes_more:
        return not lower_case_follows
    before = _WORD_BEFORE.search(text, max(0, mark.start() - _LONGEST_WORD), mark.start())
    word = before.group(1) if before else ""
    if _INITIALS.fullmatch(word) and word.lower() not in _ABBREVIATIONS:
        # "Lloyd J. Austin", "U.S. Secretary": an initial is followed by a name; "in the U.S. The" is rare enough
        # that a missed end (one longer quotation) costs less than a cut name.
        return _is_sentence_opener(text, mark.end())
    return word.lower() not in _ABBREVIATIONS


_OPENERS = frozenset(
    "the a an it he she they we i this that these those in on at but and however since when while after".split()
)


def _is_sentence_opener(text: str, position: int) -> bool:
    """Whether a capitalised function word follows, which no name begins with."""
    word = re.compile(r"\s*[\"'“‘(]*([^\W\d_]+)").match(text, position)
    return word is not None and word.group(1).lower() in _OPENERS


def sentence_spans(text: str) -> Iterator[tuple[int, int]]:
    """Yield (start, end) of each sentence in order, white space trimmed. The spans never overlap."""
    start = 0
    for mark in _END.finditer(text):
        if _ends_sentence(text, mark):
            yield from _trimmed(text, start, mark.end())
            start = mark.end()
    yield from _trimmed(text, start, len(text))


def _trimmed(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    while start < end and text[start].isspace():
        start += 1
    while end > start and text[end - 1].isspace():
        end -= 1
    if end > start:
        yield start, end
