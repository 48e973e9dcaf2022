"""From the lines of a page to its paragraphs: columns in reading order, then what belongs together."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from statistics import median

from index.formats.pdf_lines import Line

_LEAST_LINES = 5
"""Lines that each of two columns must have; a table's cells or a form's fields are fewer or shorter."""
_MOST_LINES = 2_000
"""A page with more is no page of prose, and would take long."""
_LEAST_WORDS = 3.5
_MOST_CROSSING = 0.4
_TOUCH = 2.0
_WIDER_GAP = 1.35
_SAME_SIZE = 0.12
_INDENT = 0.6
_SLACK = 0.04
_ITEM = re.compile(r"(?:[-*+•–—·▪◦‣●○■]|\(?(?:\d{1,3}|[a-zA-Z]|[ivxIVX]{1,4})[.)])\s+\S")
_SENTENCE_END = re.compile(r"[.!?:;…][\"'”’»)\]]*\d{0,3}$")


@dataclass(frozen=True, slots=True)
class Group:
    """Lines of one paragraph, in order."""

    lines: tuple[Line, ...]

    @property
    def text(self) -> str:
        """The lines, one below the other."""
        return "\n".join(line.text for line in self.lines)

    @property
    def size(self) -> float:
        """The height of its type, in points."""
        return self.lines[0].size

    @property
    def bold(self) -> bool:
        """Whether all of it is bold."""
        return all(line.bold for line in self.lines)

    @property
    def is_item(self) -> bool:
        """Whether it is an item of a list."""
        return bool(_ITEM.match(self.lines[0].text))


def in_order(pieces: Sequence[Line]) -> list[Line]:
    """The lines of a page in reading order: column by column where it has columns, else as they were written."""
    gutter = _gutter(pieces)
    if gutter is None:
        return _whole_lines(pieces)
    crossing = [piece for piece in pieces if piece.left < gutter - _TOUCH and piece.right > gutter + _TOUCH]
    aside = set(map(id, crossing))
    rest = [piece for piece in pieces if id(piece) not in aside]
    ordered: list[Line] = []
    for above, bar in _bands(crossing):
        band = [piece for piece in rest if above > piece.middle >= (bar.middle if bar else float("-inf"))]
        ordered += _columns(band, gutter)
        if bar is not None:
            ordered.append(bar)
    return _whole_lines(ordered)


def _bands(crossing: Sequence[Line]) -> Iterator[tuple[float, Line | None]]:
    """The horizontal bands between lines that run over both columns: (upper edge, the line that ends the band)."""
    above = float("inf")
    for bar in sorted(crossing, key=lambda line: -line.middle):
        yield above, bar
        above = bar.middle
    yield above, None


def _columns(band: Sequence[Line], gutter: float) -> list[Line]:
    left = [piece for piece in band if (piece.left + piece.right) / 2 < gutter]
    right = [piece for piece in band if (piece.left + piece.right) / 2 >= gutter]
    return [*in_order(left), *in_order(right)] if left and right else list(band)


def _gutter(pieces: Sequence[Line]) -> float | None:
    """Where a vertical strip without text parts two columns of prose; None where there is none."""
    if not 2 * _LEAST_LINES <= len(pieces) <= _MOST_LINES:
        return None
    edges = {float(round(piece.left - _TOUCH)) for piece in pieces}
    candidates: list[tuple[int, float]] = []
    for edge in edges:
        crossing = [p for p in pieces if p.left < edge - _TOUCH and p.right > edge + _TOUCH]
        if len(crossing) <= _MOST_CROSSING * len(pieces):
            candidates.append((len(crossing), edge))
    for _, edge in sorted(candidates)[:8]:
        left = [p for p in pieces if p.right <= edge + _TOUCH]
        right = [p for p in pieces if p.left >= edge - _TOUCH]
        if _is_column(left) and _is_column(right) and _are_beside(left, right):
            return edge
    return None


def _is_column(side: Sequence[Line]) -> bool:
    return len(side) >= _LEAST_LINES and median(len(line.text.split()) for line in side) >= _LEAST_WORDS


def _are_beside(left: Sequence[Line], right: Sequence[Line]) -> bool:
    """Whether two columns stand at the same height for at least half of the shorter one."""
    low = max(min(line.bottom for line in side) for side in (left, right))
    high = min(max(line.top for line in side) for side in (left, right))
    shorter = min(
        max(line.top for line in side) - min(line.bottom for line in side) for side in (left, right)
    )
    return high - low >= 0.5 * shorter > 0


def _whole_lines(pieces: Sequence[Line]) -> list[Line]:
    """Pieces of one line that the columns did not part become a line again."""
    joined: list[Line] = []
    for piece in pieces:
        last = joined[-1] if joined else None
        if (
            last
            and piece.left >= last.right
            and abs(piece.middle - last.middle) < 0.3 * min(last.size, piece.size)
        ):
            joined[-1] = replace(
                last,
                text=f"{last.text} {piece.text}",
                right=piece.right,
                bottom=min(last.bottom, piece.bottom),
                top=max(last.top, piece.top),
                bold=last.bold and piece.bold,
            )
        else:
            joined.append(piece)
    return joined


def groups(lines: Sequence[Line]) -> list[Group]:
    """The paragraphs of lines in reading order."""
    pitch = _pitch(lines)
    found: list[list[Line]] = []
    for line in lines:
        if found and not _begins(found[-1], line, pitch):
            found[-1].append(line)
        else:
            found.append([line])
    return [Group(tuple(group)) for group in found]


def _pitch(lines: Sequence[Line]) -> float:
    """The usual distance between two lines, as a multiple of the type's height."""
    steps = [
        (above.middle - below.middle) / above.size
        for above, below in pairwise(lines)
        if above.size > 0 and 0.5 * above.size < above.middle - below.middle < 3 * above.size
    ]
    return median(steps) if steps else 1.2


def _begins(group: Sequence[Line], line: Line, pitch: float) -> bool:
    """Whether a line begins a new paragraph after a group of lines."""
    last = group[-1]
    if _looks_different(group, line) or _ITEM.match(line.text):
        return True
    step = last.middle - line.middle
    ended = bool(_SENTENCE_END.search(last.text))
    if step < 0 or step > 3 * last.size:  # another column, or far below
        return ended or not (line.text[:1].islower() or last.text.endswith("-"))
    return step > _WIDER_GAP * pitch * last.size or _is_set_off(group, line, ended=ended)


def _looks_different(group: Sequence[Line], line: Line) -> bool:
    last = group[-1]
    if abs(line.size - last.size) > _SAME_SIZE * max(line.size, last.size):
        return True
    return line.bold != last.bold and (line.bold or all(one.bold for one in group))


def _is_set_off(group: Sequence[Line], line: Line, *, ended: bool) -> bool:
    """Whether a line is indented, or follows one that ended before the margin."""
    left, last = min(one.left for one in group), group[-1]
    indented = len(group) > 1 and line.left > left + _INDENT * line.size and not _ITEM.match(group[0].text)
    if indented and (ended or last.left <= left + 1):
        return True
    # the next line's first word would have fitted at the end of a line that was broken by the margin
    first_word = line.text.split(maxsplit=1)[0]
    needed = line.size / 2 + (line.right - line.left) * len(first_word) / len(line.text)
    margin = max(line.right, *(one.right for one in group))
    return ended and last.right + needed < margin - _SLACK * (margin - left)
