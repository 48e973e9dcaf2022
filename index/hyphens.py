"""Words that a line end has cut in two, joined again for embedding and search; the stored text keeps its hyphens."""

import re
from collections.abc import Callable

_CUT = re.compile(r"(?<=[^\W\d_])-[^\S\r\n]{0,9}\r?\n\s{0,9}(?=[^\W\d_])")
_TAIL = re.compile(r"[^\W\d_]+$")
_HEAD = re.compile(r"[^\W\d_]{1,40}")
_LONGEST = 40
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

    def hyphen(cut: re.Match[str]) -> str:
        before = _TAIL.search(cut.string, max(0, cut.start() - _LONGEST), cut.start())
        after = _HEAD.match(cut.string, cut.end())
        first, second = (found.group() if found else "" for found in (before, after))
        if not second[:1].islower() or len(first) == 1:
            return "-"
        if (first + second).lower() in known:
            return ""
        return "-" if f"{first}-{second}".lower() in known or first.lower() in _COMPOUNDING else ""

    return lambda part: _CUT.sub(hyphen, part)


def _unchanged(text: str) -> str:
    return text
