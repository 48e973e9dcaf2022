"""Markdown to numbered paragraphs: blocks as CommonMark sees them, offsets into the source as written."""

import re
from collections.abc import Iterator, Sequence

from markdown_it import MarkdownIt
from markdown_it.token import Token

from index.boilerplate import is_boilerplate
from index.dates import only_date
from index.paragraphs import Line, clean, lines_of
from index.types import Paragraph, ParagraphKind

_LEAVES = frozenset({"paragraph_open", "heading_open", "fence", "code_block", "html_block", "tr_open"})
_FRONT_MATTER = re.compile(r"\A---[ \t]*\r?\n.*?\r?\n(?:---|\.\.\.)[ \t]*(?:\r?\n|\Z)", re.DOTALL)
_NESTING = 40
"""Deeper block nesting than any person writes; the parser stops there."""


def markdown_paragraphs(text: str) -> tuple[Paragraph, ...]:
    """Paragraphs of a Markdown text, numbered from 1: headings, prose, list items, table rows, code blocks."""
    lines = lines_of(text)
    found: list[Paragraph] = []
    path: tuple[str, ...] = ()
    for found_as, level, first, last in _blocks(text, lines):
        kind = found_as
        start, end = _trimmed(lines[first : last + 1])
        if start >= end:
            continue
        words = clean(text[start:end])
        if kind == "heading":
            path = (*path[: level - 1], words.strip("#= -"))
        elif kind == "text" and is_boilerplate(words) and only_date(words) is None:
            kind = "boilerplate"
        number = len(found) + 1
        headings = () if kind == "heading" else path
        found.append(
            Paragraph(number, lines[first].number, lines[last].number, start, end, kind, None, headings)
        )
    return tuple(found)


def _blocks(text: str, lines: Sequence[Line]) -> Iterator[tuple[ParagraphKind, int, int, int]]:
    """(kind, heading level, first line, last line) of each leaf block, lines from 0, inclusive."""
    matter = _FRONT_MATTER.match(text)
    skipped = len(lines_of(matter.group())) if matter else 0
    if matter:
        for n in range(1, skipped - 1):
            yield "text", 0, n, n
    body = "".join(line.text + "\n" for line in lines[skipped:])
    parser = MarkdownIt("commonmark", {"maxNesting": _NESTING, "html": True}).enable("table")
    last_end = 0
    items = 0
    for token in parser.parse(body):
        items += {"list_item_open": 1, "list_item_close": -1}.get(token.type, 0)
        if token.type not in _LEAVES or token.map is None:
            continue
        first, end = token.map
        first = max(first, last_end)
        if end <= first:
            continue
        last_end = end
        yield _kind(token, inside_item=items > 0), _level(token), skipped + first, skipped + end - 1


def _kind(token: Token, *, inside_item: bool) -> ParagraphKind:
    if token.type == "heading_open":
        return "heading"
    if token.type == "tr_open":
        return "row"
    return "list_item" if inside_item else "text"


def _level(token: Token) -> int:
    return int(token.tag[1]) if token.type == "heading_open" else 0


def _trimmed(lines: Sequence[Line]) -> tuple[int, int]:
    """Character range of lines without blank edges."""
    filled = [line for line in lines if line.text.strip()]
    if not filled:
        return 0, 0
    first, last = filled[0], filled[-1]
    return first.start + len(first.text) - len(first.text.lstrip()), last.start + len(last.text.rstrip())
