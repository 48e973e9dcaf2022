"""Words kept whole at the edge of a terminal, in text that streams and in whole blocks."""

import re
from collections.abc import Callable

from rich.cells import cell_len

_PIECES = re.compile(r"[ \t]+|\n|[^ \t\n]+")
_COLOUR = re.compile(r"\x1b\[\d+m")
_LEAD = re.compile(r" *(?:\d+  )?")
"""What the lines of a block hang under: its indent, and a paragraph's number."""


def _same(word: str) -> str:
    return word


class Flow:
    """A stream of text, broken before the word that would cross the edge; without a width it passes unchanged.

    `paint` colours a word once it is whole. The last word is held back until what follows it is known.
    """

    def __init__(self, width: int | None, *, hang: str = "", paint: Callable[[str], str] = _same) -> None:
        self._width = width
        self._hang = hang
        self._paint = paint
        self._column = 0
        self._gap = ""
        self._word = ""

    def feed(self, text: str) -> str:
        """What can be shown of the text so far."""
        if self._width is None:
            return text
        shown: list[str] = []
        for piece in _PIECES.findall(text):
            if piece[0] not in " \t\n":
                self._word += piece
                continue
            shown.append(self._placed(self._width))
            if piece == "\n":
                shown.append(piece)
                self._column, self._gap = 0, ""
            else:
                self._gap += piece.replace("\t", "    ")
        return "".join(shown)

    def end(self) -> str:
        """What was still held back."""
        return "" if self._width is None else self._placed(self._width)

    def _placed(self, width: int) -> str:
        if not self._word:
            return ""
        gap, word, self._gap, self._word = self._gap, self._word, "", ""
        cells = cell_len(_COLOUR.sub("", word))
        if self._column and self._column + len(gap) + cells > width:
            gap, self._column = f"\n{self._hang}", len(self._hang) + cells
        else:
            self._column += len(gap) + cells
        if self._column > width:
            # a word longer than a line is broken by the terminal itself
            self._column = self._column % width or width
        return gap + self._paint(word)


def wrapped(text: str, width: int | None) -> str:
    """A block with its long lines broken between words, each going on under its own indent."""
    if width is None:
        return text
    return "\n".join(_broken(line, width) for line in text.split("\n"))


def _broken(line: str, width: int) -> str:
    plain = _COLOUR.sub("", line)
    if cell_len(plain) <= width:
        return line
    lead = _LEAD.match(plain)
    hang = " " * len(lead[0]) if lead and len(lead[0]) < width // 2 else ""
    flow = Flow(width, hang=hang)
    return flow.feed(line) + flow.end()
