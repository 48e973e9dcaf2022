"""PDF: text with page numbers, in reading order, without what a reader does not see."""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import pypdfium2
import pypdfium2.raw as pdfium

from index.boilerplate import is_boilerplate
from index.errors import RejectedError
from index.formats.build import Builder
from index.formats.pdf_layout import Group, groups, in_order
from index.formats.pdf_lines import Line, PageText, page_text
from index.formats.sound import iso_day, sound_title

_MOST_PAGES = 20_000
_MOST_LOST = 100
"""Pages in a row that cannot be loaded, after which a page count is taken for a lie."""
_RUNNING_LINES = 2
_RUNNING_SHARE = 0.4
_RUNNING_PAGES = 3
_EDGE = 0.12
"""Share of a page's height in which running heads and feet stand."""
_PAGE_NUMBER = re.compile(
    r"(?i)^\W{0,9}(?:page|p\.|seite|s\.)?\W{0,9}(?:\d{1,5}|[ivxlc]{1,8})(?:\W{0,9}(?:of|/|von)\W{0,9}\d{1,5})?\W{0,9}$"
)
_DIGITS = re.compile(r"\d+")
_HEADING_SIZE = 1.12
_HEADING_WORDS = 16
_MOST_LEVELS = 4
_GARBLED_SHARE = 0.2


def parse(data: bytes, out: Builder, kind: str) -> None:
    """Add the paragraphs of a PDF, page by page. Scripts, forms and embedded files are left alone."""
    del kind
    document = _opened(data)
    pages = dict(_pages(document))
    letters = sum(len(line.text) for page in pages.values() for line in page.lines)
    _note(pages, letters, out)
    if not letters:
        raise RejectedError("no_text", "its pages are pictures or empty; reading pictures (OCR) is off")
    out.title = sound_title(document.get_metadata_value("Title"))
    out.created = iso_day(document.get_metadata_value("CreationDate"))
    body = _body_size(pages)
    style = _Style(body, _levels(pages, body), _running(pages, body))
    for number, page in pages.items():
        _add_page(number, page, style, out)


@dataclass(frozen=True, slots=True)
class _Style:
    body: float
    levels: tuple[float, ...]
    running: frozenset[str]

    def is_running(self, line: Line) -> bool:
        """Whether a line at the edge of a page is not its text."""
        return _mask(line, self.body) in self.running or bool(_PAGE_NUMBER.match(line.text))

    def level(self, group: Group) -> int:
        """The level of a heading, or 0 for what is none."""
        if len(group.text.split()) > _HEADING_WORDS or group.text.endswith((".", ",", ";")):
            return 0
        if not any(map(str.isalpha, group.text)):
            return 0
        for level, size in enumerate(self.levels, start=1):
            if group.size >= size - 0.3:
                return level
        is_label = (
            group.bold and len(group.lines) <= 2 and group.size >= self.body - 0.5 and not group.is_item
        )
        return len(self.levels) + 1 if is_label else 0


def _opened(data: bytes) -> Any:
    try:
        document = pypdfium2.PdfDocument(data)
        count = len(document)
    except pypdfium2.PdfiumError as error:
        if getattr(error, "err_code", None) == pdfium.FPDF_ERR_PASSWORD or "password" in str(error).lower():
            raise RejectedError("encrypted", "the file is protected by a password") from error
        raise RejectedError("damaged", f"PDFium cannot open it: {error}") from error
    if count < 1:
        raise RejectedError("damaged", "it has no pages")
    return document


def _pages(document: Any) -> Iterator[tuple[int, PageText]]:
    """Each page's number and text. Pages that cannot be loaded are left out."""
    lost = 0
    for place in range(len(document)):
        if place >= _MOST_PAGES:
            raise RejectedError("parse_limit", f"more than {_MOST_PAGES:,} pages")
        try:
            page = document[place]
        except pypdfium2.PdfiumError:
            lost += 1
            if lost > _MOST_LOST:
                return
            continue
        lost = 0
        yield place + 1, page_text(page)
        page.close()


def _note(pages: dict[int, PageText], letters: int, out: Builder) -> None:
    hidden = sum(page.hidden for page in pages.values())
    garbled = sum(page.garbled for page in pages.values())
    empty = [str(number) for number, page in pages.items() if not page.lines]
    if hidden:
        out.note(f"{hidden} hidden characters left out")
    if garbled > _GARBLED_SHARE * letters:
        out.note("low_text_quality: many characters of its fonts have no meaning")
    if empty and letters:
        some = ", ".join(empty[:20]) + (" …" if len(empty) > 20 else "")
        out.note(f"pages without text: {some}; reading pictures (OCR) is off")


def _add_page(number: int, page: PageText, style: _Style, out: Builder) -> None:
    furniture = {id(line) for line in _edges(page) if style.is_running(line)}
    text = [line for line in page.lines if id(line) not in furniture]
    for line in page.lines:
        if id(line) in furniture and line.middle > page.height / 2:
            out.add(line.text, "boilerplate", page=number, headings=())
    for group in groups(in_order(text)):
        if level := style.level(group):
            out.heading(group.text, level, page=number)
        elif is_boilerplate(" ".join(group.text.split())):
            out.add(group.text, "boilerplate", page=number, headings=())
        else:
            out.add(group.text, "list_item" if group.is_item else "text", page=number)
    for line in page.lines:
        if id(line) in furniture and line.middle <= page.height / 2:
            out.add(line.text, "boilerplate", page=number, headings=())


def _edges(page: PageText) -> list[Line]:
    """The lines at the head and the foot of a page."""
    by_height = sorted(page.lines, key=lambda line: -line.middle)
    head = [line for line in by_height[: 2 * _RUNNING_LINES] if line.middle > page.height * (1 - _EDGE)]
    foot = [line for line in by_height[-2 * _RUNNING_LINES :] if line.middle < page.height * _EDGE]
    return [*head, *(line for line in foot if line not in head)]


def _running(pages: dict[int, PageText], body: float) -> frozenset[str]:
    """What stands at the edge of many pages, numbers aside."""
    seen = Counter(mask for page in pages.values() for mask in {_mask(line, body) for line in _edges(page)})
    least = max(_RUNNING_PAGES, _RUNNING_SHARE * len(pages))
    return frozenset(mask for mask, count in seen.items() if count >= least)


def _mask(line: Line, body: float) -> str:
    """What two running heads have in common. Numbered headings ("Chapter 3") are larger, and differ."""
    text = line.text.casefold()
    return text if line.size > _HEADING_SIZE * body else _DIGITS.sub("#", text)


def _body_size(pages: dict[int, PageText]) -> float:
    """The size of type that most letters have, in points, to half a point."""
    sizes: Counter[float] = Counter()
    for page in pages.values():
        for line in page.lines:
            sizes[round(line.size * 2) / 2] += len(line.text)
    return max(sizes, key=lambda size: sizes[size])


def _levels(pages: dict[int, PageText], body: float) -> tuple[float, ...]:
    """The sizes of headings, largest first."""
    larger: Counter[float] = Counter()
    for page in pages.values():
        for line in page.lines:
            if line.size > _HEADING_SIZE * body and len(line.text.split()) <= _HEADING_WORDS:
                larger[round(line.size * 2) / 2] += 1
    return _merged(sorted(larger, reverse=True))[:_MOST_LEVELS]


def _merged(sizes: Sequence[float]) -> tuple[float, ...]:
    kept: list[float] = []
    for size in sizes:
        if not kept or kept[-1] - size > 0.75:
            kept.append(size)
    return tuple(kept)
