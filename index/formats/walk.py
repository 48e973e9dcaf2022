"""From a page's tree to its blocks, in the order in which a reader meets them."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from lxml import etree

from index.formats.hidden import Hidden
from index.formats.regions import Regions

_BLOCKS = frozenset(
    """address article aside blockquote body caption center dd details dialog dir div dl dt fieldset figcaption figure
    footer form h1 h2 h3 h4 h5 h6 header hgroup hr html legend li main menu nav ol p pre search section summary table
    tbody td tfoot th thead tr ul""".split()
)
_UNSEEN = frozenset(
    """script style template noscript head iframe object embed applet audio video canvas svg map datalist select
    textarea button input meta link title frameset noframes progress meter rp""".split()
)
_KINDS = {f"h{n}": f"h{n}" for n in range(1, 7)} | {"pre": "pre", "li": "item", "dd": "item", "dt": "item"}
_WHITE = re.compile(r"[^\S\xa0]+")
_GAP = re.compile(r"\n[^\S\n]*\n\s*")


@dataclass(frozen=True, slots=True)
class Piece:
    """A block of a page: text, item, row, pre or h1 to h6. `links` is the share of its characters in links."""

    text: str
    kind: str
    furniture: bool
    links: float


def pieces_of(root: Any, hidden: Hidden) -> Iterator[Piece]:
    """The blocks of a page; blank ones are left out."""
    walk = _Walk(hidden, Regions(root))
    events = etree.iterwalk(root, events=("start", "end"))
    for event, element in events:
        if event == "end":
            yield from walk.leave(element)
        elif walk.is_skipped(element):
            events.skip_subtree()
        else:
            yield from walk.enter(element)
            if walk.is_done(element):
                events.skip_subtree()
    yield from walk.flush()


class _Walk:
    """One walk: the words of the block at hand, and the elements that it stands in."""

    def __init__(self, hidden: Hidden, regions: Regions) -> None:
        self._hidden = hidden
        self._regions = regions
        self._passed: set[Any] = set()
        self._words: list[str] = []
        self._linked = 0
        self._links = 0
        self._kinds: list[str] = []
        self._furniture = 0

    def is_skipped(self, element: Any) -> bool:
        """Whether nothing of an element is seen; its tail still is."""
        unseen = not isinstance(element.tag, str) or element.tag in _UNSEEN or self._hidden.hides(element)
        if unseen:
            self._passed.add(element)
        return unseen

    def is_done(self, element: Any) -> bool:
        """Whether an element was taken as a whole when it was entered."""
        return element.tag == "table" and self._regions.is_data(element)

    def enter(self, element: Any) -> Iterator[Piece]:
        tag = element.tag
        if tag in _BLOCKS:
            yield from self.flush()
            self._kinds.append(_KINDS.get(tag, ""))
            self._furniture += self._regions.is_furniture(element)
        if self.is_done(element):
            for row in self._regions.rows(element, self._hidden):
                yield Piece(row, "row", self._furniture > 0, 0.0)
            return
        if tag == "br":
            self._words.append("\n")
        self._links += tag == "a"
        self._take(element.text)

    def leave(self, element: Any) -> Iterator[Piece]:
        if element in self._passed:
            self._passed.discard(element)
        else:
            if element.tag in _BLOCKS:
                yield from self.flush()
                self._kinds.pop()
                self._furniture -= self._regions.is_furniture(element)
            self._links -= element.tag == "a"
        self._take(element.tail)

    def flush(self) -> Iterator[Piece]:
        """End the block at hand. Two line breaks in a row end a paragraph too."""
        text, linked = "".join(self._words), self._linked
        self._words, self._linked = [], 0
        kind = next((kind for kind in reversed(self._kinds) if kind), "text")
        share = linked / max(1, len(text))
        for chunk in [text] if kind == "pre" else _GAP.split(text):
            if chunk.strip():
                yield Piece(chunk, kind, self._furniture > 0, share)

    def _take(self, text: str | None) -> None:
        if text:
            words = text if "pre" in self._kinds else _WHITE.sub(" ", text)
            self._words.append(words)
            self._linked += len(words) if self._links else 0
