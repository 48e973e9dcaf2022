"""The lines of a PDF's page: their words, where they stand, and whether a reader sees them."""

import ctypes
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pypdfium2.raw as pdfium

_INVISIBLE_MODES = frozenset({3, 7})
"""Text render modes that paint nothing."""
_SMALLEST = 2.0
"""Points. Nobody reads smaller type."""
_WHITE = 245
_GAP = 0.8
"""A blank wider than this share of the type's height may be the gutter between two columns."""
_HYPHEN = re.compile("[\x02\ufffe]$")
"""What PDFium puts for a hyphen at the end of a line."""
_NO_UNICODE = re.compile("[\x02\ufffe\uffff]")
_GARBLED = re.compile("[\x01\x03-\x08\x0e-\x1f\uffff\ue000-\uf8ff\ufffd]")
_BOLD = 600
_LINE = re.compile("[^\r\n\x02\ufffe]+[\x02\ufffe]?")
_WORD = re.compile(r"[^\s\0]+")


@dataclass(frozen=True, slots=True)
class Line:
    """A line, or a part of one beside a wide gap. Coordinates in points, from the page's lower left corner."""

    text: str
    left: float
    right: float
    bottom: float
    top: float
    size: float
    bold: bool

    @property
    def middle(self) -> float:
        """The height at which the line stands."""
        return (self.bottom + self.top) / 2


@dataclass(frozen=True, slots=True)
class PageText:
    """What a page says: its lines in the order in which it was written, and the characters that nobody sees."""

    lines: tuple[Line, ...]
    width: float
    height: float
    hidden: int = 0
    garbled: int = 0


def page_text(page: Any) -> PageText:
    """The lines of an open page of pypdfium2."""
    text_page = page.get_textpage()
    try:
        return _Reader(page, text_page).read()
    finally:
        text_page.close()


_Box = tuple[float, float, float, float]
"""left, right, bottom, top; a plain tuple, because a page makes two for each word."""


class _Reader:
    """Reads one page; the C structures are made once, because a page has thousands of characters."""

    def __init__(self, page: Any, text_page: Any) -> None:
        self._page = page
        self._raw = text_page.raw
        self._rectangle = pdfium.FS_RECTF()
        self._at = ctypes.byref(self._rectangle)
        self._colour = tuple(ctypes.c_uint() for _ in range(4))
        self._left, self._bottom, self._right, self._top = page.get_bbox()
        self._scanned: bool | None = None
        self._behind: list[_Box] | None = None
        self._object = 0
        self._object_seen = (True, False)

    def read(self) -> PageText:
        """Every visible line."""
        lines: list[Line] = []
        hidden = 0
        text = self._characters()
        for start, end in _line_ranges(text):
            pieces, unseen = self._pieces(text, start, end)
            hidden += unseen
            lines += pieces
        garbled = len(_GARBLED.findall(text))
        return PageText(tuple(lines), self._right - self._left, self._top - self._bottom, hidden, garbled)

    def _characters(self) -> str:
        """The page's characters, one for each of PDFium's indices."""
        count = pdfium.FPDFText_CountChars(self._raw)
        if count <= 0:
            return ""
        units = (ctypes.c_ushort * (count + 1))()
        if pdfium.FPDFText_GetText(self._raw, 0, count, units) == count + 1:
            text = bytes(units)[:-2].decode("utf-16-le", "replace")
            if len(text) == count:
                return text
        # PDFium leaves characters out of the whole text; one by one they keep their places
        codes = map(pdfium.FPDFText_GetUnicode, [self._raw] * count, range(count))
        return "".join(chr(code) if code < 0x110000 else "\ufffd" for code in codes)

    def _pieces(self, text: str, start: int, end: int) -> tuple[list[Line], int]:
        """The parts of a line between wide gaps, and the number of characters left out of it."""
        pieces: list[Line] = []
        words: list[str] = []
        first = last = (0.0, 0.0, 0.0, 0.0)
        first_index = start
        hidden = 0
        for match in _WORD.finditer(text, start, end):
            word_start, word_end = match.span()
            box = self._box(word_start)
            if self._is_hidden(word_start, box):
                hidden += word_end - word_start
                continue
            if words and abs(box[0] - last[1]) > _GAP * (last[3] - last[2]):
                pieces.append(self._line(words, first, last, first_index))
                words = []
            if not words:
                first, first_index = box, word_start
            words.append(match.group())
            last = self._box(word_end - 1)
        if words:
            pieces.append(self._line(words, first, last, first_index))
        return pieces, hidden

    def _line(self, words: list[str], first: _Box, last: _Box, index: int) -> Line:
        text = _NO_UNICODE.sub("\ufffd", _HYPHEN.sub("-", " ".join(words)))
        weight = pdfium.FPDFText_GetFontWeight(self._raw, index)
        left, right, bottom, top = (
            min(first[0], last[0]),
            max(first[1], last[1]),
            min(first[2], last[2]),
            max(first[3], last[3]),
        )
        return Line(
            text, left, right, bottom, top, first[3] - first[2], weight >= _BOLD or self._named_bold(index)
        )

    def _named_bold(self, index: int) -> bool:
        name = ctypes.create_string_buffer(64)
        length = pdfium.FPDFText_GetFontInfo(self._raw, index, name, 64, None)
        return 0 < length <= 64 and b"bold" in name.value.lower()

    def _box(self, index: int) -> _Box:
        pdfium.FPDFText_GetLooseCharBox(self._raw, index, self._at)
        found = self._rectangle
        bottom, top = found.bottom, found.top
        return (
            (found.left, found.right, bottom, top)
            if bottom <= top
            else (found.left, found.right, top, bottom)
        )

    def _is_hidden(self, index: int, box: _Box) -> bool:
        left, right, bottom, top = box
        if right <= self._left or left >= self._right or top <= self._bottom or bottom >= self._top:
            return True
        if top - bottom < _SMALLEST:
            return True
        painted, white = self._looks(index)
        if not painted:
            return not self._is_scanned()
        return white and not self._has_behind(box)

    def _looks(self, index: int) -> tuple[bool, bool]:
        """Whether the letters of a text object are painted, and whether in white. Words of one object look alike."""
        shown = pdfium.FPDFText_GetTextObject(self._raw, index)
        address = ctypes.cast(shown, ctypes.c_void_p).value or 0
        if not address or address != self._object:
            mode = pdfium.FPDFTextObj_GetTextRenderMode(shown) if address else 0
            self._object, self._object_seen = address, (mode not in _INVISIBLE_MODES, self._is_white(index))
        return self._object_seen

    def _is_white(self, index: int) -> bool:
        red, green, blue, alpha = self._colour
        if not pdfium.FPDFText_GetFillColor(self._raw, index, red, green, blue, alpha):
            return False
        return alpha.value == 0 or min(red.value, green.value, blue.value) >= _WHITE

    def _is_scanned(self) -> bool:
        """Whether a picture fills the page: invisible text over it is what a scanner's OCR read from it."""
        if self._scanned is None:
            area = 0.5 * (self._right - self._left) * (self._top - self._bottom)
            boxes = self._objects(pdfium.FPDF_PAGEOBJ_IMAGE)
            self._scanned = any((right - left) * (top - bottom) >= area for left, right, bottom, top in boxes)
        return self._scanned

    def _has_behind(self, box: _Box) -> bool:
        """Whether something is painted behind white letters. A picture may be anything; a shape must not be white."""
        if self._behind is None:
            kinds = (pdfium.FPDF_PAGEOBJ_IMAGE, pdfium.FPDF_PAGEOBJ_PATH, pdfium.FPDF_PAGEOBJ_SHADING)
            self._behind = [box for kind in kinds for box in self._objects(kind)]
        x, y = (box[0] + box[1]) / 2, (box[2] + box[3]) / 2
        return any(left <= x <= right and bottom <= y <= top for left, right, bottom, top in self._behind)

    def _objects(self, kind: int) -> list[_Box]:
        found: list[_Box] = []
        for item in self._page.get_objects(filter=[kind], max_depth=4):
            if kind != pdfium.FPDF_PAGEOBJ_PATH or not self._is_white_shape(item):
                left, bottom, right, top = item.get_bounds()
                found.append((left, right, bottom, top))
        return found

    def _is_white_shape(self, item: Any) -> bool:
        red, green, blue, alpha = self._colour
        pdfium.FPDFPageObj_GetFillColor(item.raw, red, green, blue, alpha)
        return min(red.value, green.value, blue.value) >= _WHITE


def _line_ranges(text: str) -> Iterator[tuple[int, int]]:
    return (match.span() for match in _LINE.finditer(text))
