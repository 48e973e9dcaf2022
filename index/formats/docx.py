"""Word documents: paragraphs, headings by their styles, tables row by row, foot- and endnotes."""

import io
import re
from collections.abc import Iterator
from typing import Any

from docx.opc.constants import CONTENT_TYPE, RELATIONSHIP_TYPE
from docx.opc.part import PartFactory
from docx.package import Package
from docx.parts.document import DocumentPart

from index.errors import RejectedError
from index.formats.build import MOST_PARAGRAPHS, Builder
from index.formats.markup import xml_root
from index.formats.regions import joined
from index.formats.sound import now, saved, sound_title

_W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
_MACRO_DOCUMENT = "application/vnd.ms-word.document.macroEnabled.main+xml"
_FALLBACK = "{http://schemas.openxmlformats.org/markup-compatibility/2006}Fallback"
_UNSEEN = frozenset(
    {f"{_W}{tag}" for tag in ("del", "moveFrom", "instrText", "delText", "pPr", "sectPr", "txbxContent")}
    | {_FALLBACK}
)
_MARKS = {f"{_W}tab": "\t", f"{_W}br": "\n", f"{_W}cr": "\n", f"{_W}noBreakHyphen": "-"}
_HEADING = re.compile(r"(?i)\Aheading\s*([1-9])")
_BUILT_IN = {"Title": 0, **{f"Heading{level}": level for level in range(1, 10)}}
"""The styles that Word has of its own; a file may use them without saying what they are."""
_NOTES = (RELATIONSHIP_TYPE.FOOTNOTES, RELATIONSHIP_TYPE.ENDNOTES)


def parse(data: bytes, out: Builder, kind: str) -> None:
    """Add the paragraphs of a document. Macros, links and embedded objects are left alone."""
    del kind
    began = now()
    # python-docx takes no macro document; its text is in the same place
    PartFactory.part_type_for[_MACRO_DOCUMENT] = DocumentPart
    package = Package.open(io.BytesIO(data))
    part = package.main_document_part
    if not isinstance(part, DocumentPart) or part.content_type not in {
        CONTENT_TYPE.WML_DOCUMENT_MAIN,
        _MACRO_DOCUMENT,
    }:
        raise RejectedError("damaged", "the archive holds no Word document")
    properties = package.core_properties
    out.title = sound_title(properties.title)
    out.created = saved(properties.modified, properties.created, before=began)
    body = part.element.body
    # counted before it is walked: 500,000 paragraphs fit in 86 kB
    if sum(1 for _ in body.iter(f"{_W}p")) > MOST_PARAGRAPHS:
        raise RejectedError("too_many_paragraphs", f"more than {MOST_PARAGRAPHS:,}")
    _Walk(_levels(part), out).blocks(body)
    for note in _notes(part):
        out.add(note, headings=("Notes",))


class _Walk:
    """A walk over a document's body."""

    def __init__(self, levels: dict[str, int], out: Builder) -> None:
        self._levels = levels
        self._out = out

    def blocks(self, parent: Any) -> None:
        """Add the paragraphs and tables beneath an element, in order."""
        for element in parent:
            if element.tag == f"{_W}p":
                self._paragraph(element)
            elif element.tag == f"{_W}tbl":
                self._table(element)
            elif element.tag not in _UNSEEN:
                self.blocks(element)  # content controls and other wrappers

    def _paragraph(self, element: Any) -> None:
        text = "".join(_words(element))
        level = self._level(element)
        if level == 0 and not self._out.title and self._out.count == 0:
            self._out.title = text
        if level is not None:
            self._out.heading(text, max(1, level))
        else:
            listed = element.find(f"{_W}pPr/{_W}numPr") is not None or self._style(
                element
            ).lower().startswith("list")
            self._out.add(text, "list_item" if listed else "text")
        for box in element.iter(f"{_W}txbxContent"):
            if not any(above.tag == _FALLBACK for above in box.iterancestors()):
                self.blocks(box)

    def _table(self, element: Any) -> None:
        """Add a table's rows; the first one names the columns where it says so or is the only bold one."""
        headers: list[str] = []
        rows = [row for row in element.iter(f"{_W}tr") if next(row.iterancestors(f"{_W}tbl")) is element]
        for place, row in enumerate(rows):
            values = [" ".join("".join(_words(cell)).split()) for cell in row.iter(f"{_W}tc")]
            named = row.find(f"{_W}trPr/{_W}tblHeader") is not None
            if place == 0 and len(rows) > 1 and (named or _is_header(values)):
                headers = values
            else:
                self._out.add(joined(headers, values), "row", tight=place > bool(headers))

    def _style(self, element: Any) -> str:
        style = element.find(f"{_W}pPr/{_W}pStyle")
        return "" if style is None else style.get(f"{_W}val") or ""

    def _level(self, element: Any) -> int | None:
        outline = element.find(f"{_W}pPr/{_W}outlineLvl")
        if outline is not None and (outline.get(f"{_W}val") or "9") in "012345678":
            return int(outline.get(f"{_W}val")) + 1
        return self._levels.get(self._style(element))


def _is_header(values: list[str]) -> bool:
    """Whether a table's first row names its columns: short words, no numbers, all different."""
    return (
        len(set(values)) == len(values) > 1
        and all(values)
        and all(len(value) <= 60 and not value[0].isdigit() for value in values)
    )


def _words(element: Any) -> Iterator[str]:
    """The visible words of an element; those of text boxes come by themselves."""
    for child in element:
        if child.tag == f"{_W}t":
            yield child.text or ""
        elif child.tag in _MARKS:
            yield _MARKS[child.tag]
        elif isinstance(child.tag, str) and not _is_unseen(child):
            yield from _words(child)
            yield "\n" if child.tag == f"{_W}p" else ""


def _is_unseen(element: Any) -> bool:
    return element.tag in _UNSEEN or element.find(f"{_W}rPr/{_W}vanish") is not None


def _levels(part: DocumentPart) -> dict[str, int]:
    """The heading level of each style that makes headings; 0 is the document's title."""
    found = dict(_BUILT_IN)
    for style in part.styles.element.iter(f"{_W}style"):
        name = style.find(f"{_W}name")
        label = "" if name is None else name.get(f"{_W}val") or ""
        outline = style.find(f"{_W}pPr/{_W}outlineLvl")
        if match := _HEADING.match(label):
            found[style.get(f"{_W}styleId")] = int(match[1])
        elif label.lower() == "title":
            found[style.get(f"{_W}styleId")] = 0
        elif outline is not None and (outline.get(f"{_W}val") or "9") in "012345678":
            found[style.get(f"{_W}styleId")] = int(outline.get(f"{_W}val")) + 1
    return found


def _notes(part: DocumentPart) -> Iterator[str]:
    for relation in part.rels.values():
        if relation.reltype in _NOTES and not relation.is_external:
            for note in xml_root(relation.target_part.blob):
                if note.get(f"{_W}type") is None:  # the others are separator lines
                    yield "".join(_words(note))
