"""Slides: titles as headings, text and tables in the order they stand, speaker notes; a slide is a page."""

import io
from collections.abc import Iterator
from typing import Any

from pptx import Presentation
from pptx.enum.shapes import PP_PLACEHOLDER

from index.formats.build import Builder
from index.formats.regions import joined
from index.formats.sound import now, saved, sound_title

_TITLES = (PP_PLACEHOLDER.TITLE, PP_PLACEHOLDER.CENTER_TITLE, PP_PLACEHOLDER.VERTICAL_TITLE)
_FURNITURE = (PP_PLACEHOLDER.FOOTER, PP_PLACEHOLDER.SLIDE_NUMBER, PP_PLACEHOLDER.DATE, PP_PLACEHOLDER.HEADER)
_DEEPEST = 20


def parse(data: bytes, out: Builder, kind: str) -> None:
    """Add the text of a presentation. Hidden slides are left out; links, media and macros are left alone."""
    del kind
    began = now()
    presentation = Presentation(io.BytesIO(data))
    properties = presentation.core_properties
    out.title = sound_title(properties.title)
    out.created = saved(properties.modified, properties.created, before=began)
    for number, slide in enumerate(presentation.slides, start=1):
        if slide.element.get("show") in {"0", "false"}:
            out.note(f"slide {number} is hidden and left out")
            continue
        _slide(slide, number, out)


def _slide(slide: Any, number: int, out: Builder) -> None:
    shapes = list(_shapes(slide.shapes))
    title = next(
        (shape for shape in shapes if _placeholder(shape) in _TITLES and shape.text_frame.text.strip()), None
    )
    out.under("", 1)
    if title is not None:
        out.heading(title.text_frame.text, 1, page=number)
        out.title = out.title or " ".join(title.text_frame.text.split())
    for shape in shapes:
        if shape is title:
            continue
        if getattr(shape, "has_table", False) and shape.has_table:
            _table(shape.table, number, out)
        elif shape.has_text_frame:
            _text(shape, number, out)
    if slide.has_notes_slide and slide.notes_slide.notes_text_frame is not None:
        for paragraph in slide.notes_slide.notes_text_frame.paragraphs:
            out.add(paragraph.text, page=number, headings=(*out.headings, "Speaker notes"))


def _text(shape: Any, number: int, out: Builder) -> None:
    kind = _placeholder(shape)
    listed = kind in {PP_PLACEHOLDER.BODY, PP_PLACEHOLDER.OBJECT} and len(shape.text_frame.paragraphs) > 1
    for paragraph in shape.text_frame.paragraphs:
        if kind in _FURNITURE:
            out.add(paragraph.text, "boilerplate", page=number, headings=())
        else:
            out.add(paragraph.text, "list_item" if listed or paragraph.level else "text", page=number)


def _table(table: Any, number: int, out: Builder) -> None:
    headers: list[str] = []
    for place, row in enumerate(table.rows):
        values = [" ".join(cell.text_frame.text.split()) for cell in row.cells]
        if place == 0 and table.first_row and len(table.rows) > 1:
            headers = values
        else:
            out.add(joined(headers, values), "row", page=number, tight=place > bool(headers))


def _shapes(shapes: Any, depth: int = 0) -> Iterator[Any]:
    """All shapes in the order in which they were put on the slide, groups opened."""
    for shape in shapes:
        if hasattr(shape, "shapes") and depth < _DEEPEST:
            yield from _shapes(shape.shapes, depth + 1)
        else:
            yield shape


def _placeholder(shape: Any) -> Any:
    return shape.placeholder_format.type if shape.is_placeholder else None
