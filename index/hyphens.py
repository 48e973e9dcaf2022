"""Words that a line end has cut in two, joined again for embedding and search; the stored text keeps its hyphens."""

import re
from collections.abc import Callable

_CUT = re.compile(r"([^\W\d_]+)-[^\S\n]*\r?\n\s*([^\W\d_]+)")
_WORD = re.compile(r"[^\W\d_]+(?:-[^\W\d_]+)*")
# First parts of words that are written with a hyphen wherever they stand.
_COMPOUNDING = frozenset(
    """all anti cross ex far free full half hard high ill in large life light long low mid multi near new non off old on
    open part post pre pro quasi real self semi short single small so two three four five six seven eight nine ten
    up well wide world year""".split()
)


def joiner(text: str) -> Callable[[str], str]:
    """What joins the cut words of any part of a text, judged by how the whole text writes them.

    "hyphen-⏎ation" becomes "hyphenation"; "well-⏎known" and "Anglo-⏎Saxon" keep the hyphen and lose the line end.
    """
    if not _CUT.search(text):
        return _unchanged
    known = frozenset(word.lower() for word in _WORD.findall(text))

    def whole(match: re.Match[str]) -> str:
        first, second = match.groups()
        hyphenated = f"{first}-{second}"
        if not second[0].islower() or len(first) == 1:
            return hyphenated
        if (first + second).lower() in known:
            return first + second
        kept = hyphenated.lower() in known or first.lower() in _COMPOUNDING
        return hyphenated if kept else first + second

    return lambda part: _CUT.sub(whole, part)


def _unchanged(text: str) -> str:
    return text
