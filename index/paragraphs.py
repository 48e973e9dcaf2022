"""Plain text to numbered paragraphs.

A block stands between blank lines. Hard-wrapped lines of a block are one paragraph; where the lines are unwrapped,
each is a paragraph by itself; a list item is one, with its continuation lines. Offsets point into the text as given.
"""

import itertools
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from index.boilerplate import is_boilerplate
from index.types import Paragraph, ParagraphKind

# Plain-text files are wrapped at 60 to 100 columns; longer lines were never wrapped by hand.
_WIDEST_WRAP = 120
_LONGEST_HEADING_WORDS = 14

_LINE = re.compile(r"[^\r\n]*(?:\r\n|\r|\n|$)")
_ITEM = re.compile(r"\s*(?:[-*+•–—·▪◦‣]|\(?(?:\d{1,3}|[a-zA-Z]|[ivxIVX]{1,4})[.)])\s+(?=\S)")
_SECTION_NUMBER = re.compile(r"^\s*(?:§\s*)?\d+(?:\.\d+)*[.)]?\s+")


@dataclass(frozen=True, slots=True)
class Line:
    """One line: its number from 1 and the range of its text without the line break."""

    number: int
    start: int
    end: int
    text: str


def lines_of(text: str) -> list[Line]:
    r"""Split at \n, \r\n and \r only, as editors count lines."""
    found: list[Line] = []
    position = 0
    while position < len(text):
        match = _LINE.match(text, position)
        assert match is not None  # the pattern matches the empty string
        raw = match.group()
        body = raw.rstrip("\r\n")
        found.append(Line(len(found) + 1, position, position + len(body), body))
        position = match.end()
    return found


def plain_paragraphs(text: str) -> tuple[Paragraph, ...]:
    """Paragraphs of plain text, numbered from 1, in order; together they hold every non-blank line."""
    lines = lines_of(text)
    groups = [group for block in _blocks(lines) for group in _split_block(block)]
    paragraphs: list[Paragraph] = []
    headings: tuple[str, ...] = ()
    for number, group in enumerate(groups, start=1):
        kind = _kind(group, is_first=number == 1, is_last=number == len(groups))
        if kind == "heading":
            headings = (clean(group[0].text),)
        paragraphs.append(_paragraph(number, group, kind, () if kind == "heading" else headings))
    return tuple(paragraphs)


def clean(text: str) -> str:
    """The words of a paragraph on one line: hard wraps joined, runs of white space as one blank."""
    return " ".join(text.split())


def _paragraph(
    number: int, group: Sequence[Line], kind: ParagraphKind, headings: tuple[str, ...]
) -> Paragraph:
    first, last = group[0], group[-1]
    start = first.start + len(first.text) - len(first.text.lstrip())
    end = last.end - (len(last.text) - len(last.text.rstrip()))
    return Paragraph(number, first.number, last.number, start, end, kind, None, headings)


def _blocks(lines: Sequence[Line]) -> Iterator[list[Line]]:
    block: list[Line] = []
    for line in lines:
        if line.text.strip():
            block.append(line)
        elif block:
            yield block
            block = []
    if block:
        yield block


def _split_block(block: list[Line]) -> Iterator[list[Line]]:
    """The paragraphs of one block, each as its lines."""
    items = [n for n, line in enumerate(block) if _ITEM.match(line.text)]
    if not items:
        yield from _split_prose(block)
        return
    if items[0] > 0:
        yield from _split_prose(block[: items[0]])
    for n, start in enumerate(items):
        item = block[start : items[n + 1] if n + 1 < len(items) else len(block)]
        length = _item_length(item)
        yield item[:length]
        if item[length:]:
            yield from _split_prose(item[length:])


def _item_length(item: Sequence[Line]) -> int:
    """How many lines belong to a list item: those indented under it, or wrapped on from it."""
    length = 1
    while length < len(item):
        line = item[length].text
        indented = line[:1].isspace()
        if not indented and not (is_wrapped(item[: length + 1]) and line[:1].islower()):
            break
        length += 1
    return length


def _split_prose(block: list[Line]) -> Iterator[list[Line]]:
    if len(block) > 1 and _is_heading_text(block[0].text) and is_wrapped(block[1:]) and not is_wrapped(block):
        yield block[:1]
        yield block[1:]
    elif is_wrapped(block):
        yield block
    else:
        for line in block:
            yield [line]


def is_wrapped(block: Sequence[Line]) -> bool:
    """Whether the lines of a block were broken by a width and not by the author.

    Greedy filling leaves a trace: the first word of a line would not have fitted at the end of the line before.
    """
    texts = [line.text.strip() for line in block]
    if len(texts) < 2:
        return True
    width = max(map(len, texts))
    if width > _WIDEST_WRAP:
        return False
    continued = sum(text[:1].islower() for text in texts[1:])
    if continued * 2 > len(texts) - 1:
        return True
    broken_inside = any(not text.endswith((".", "!", "?", ":", ";", '"', "”")) for text in texts[:-1])
    misfits = sum(
        len(text) + 1 + len(following.split(maxsplit=1)[0]) <= width
        for text, following in itertools.pairwise(texts)
    )
    return broken_inside and continued > 0 and misfits * 10 <= len(texts)


def _is_heading_text(text: str, *, digits: bool = False) -> bool:
    words = _SECTION_NUMBER.sub("", text).split()
    if not words or len(words) > _LONGEST_HEADING_WORDS:
        return False
    bare = " ".join(words)
    return (
        bare[0].isupper()
        and bare[-1] not in '.!?:;,"”)'
        and (digits or not any(c.isdigit() for c in bare))
        and ": " not in bare
    )


def _kind(group: Sequence[Line], *, is_first: bool, is_last: bool) -> ParagraphKind:
    text = clean(" ".join(line.text for line in group))
    if is_boilerplate(text):
        return "boilerplate"
    if _ITEM.match(group[0].text) and not (
        len(group) == 1 and _SECTION_NUMBER.match(text) and _is_heading_text(text)
    ):
        return "list_item"
    if len(group) == 1 and not is_last and _is_heading_text(text, digits=is_first):
        return "heading"
    return "text"
