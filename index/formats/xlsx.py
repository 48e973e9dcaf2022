"""Workbooks: each row of each sheet is a paragraph; a formula is text where it has no value."""

import io
import mimetypes
from collections.abc import Iterator
from datetime import date, datetime, time
from typing import Any

from index.formats.build import Builder
from index.formats.sound import now, saved, sound_title
from index.formats.table import add_rows

# importing openpyxl makes mimetypes read the machine's own tables, which the jail forbids
mimetypes.knownfiles.clear()

from openpyxl import load_workbook  # noqa: E402


def parse(data: bytes, out: Builder, kind: str) -> None:
    """Add the rows of the visible sheets. Nothing is computed; links and macros are left alone."""
    del kind
    began = now()
    values = load_workbook(io.BytesIO(data), read_only=True, data_only=True, keep_links=False)
    formulas = load_workbook(io.BytesIO(data), read_only=True, keep_links=False)
    out.title = sound_title(values.properties.title)
    out.created = saved(values.properties.modified, values.properties.created, before=began)
    for place, sheet in enumerate(values.worksheets):
        if sheet.sheet_state != "visible":
            out.note(f"sheet {sheet.title!r} is hidden and left out")
            continue
        out.under(sheet.title, 1)
        add_rows(_rows(sheet, formulas.worksheets[place]), out, page=place + 1)


def _rows(sheet: Any, formulas: Any) -> Iterator[list[str]]:
    for one in (sheet, formulas):
        one.reset_dimensions()  # the range that the file declares may be a lie of 10^10 cells
    for row, written in zip(
        sheet.iter_rows(values_only=True), formulas.iter_rows(values_only=True), strict=False
    ):
        yield [
            _text(value if value is not None else formula)
            for value, formula in zip(row, written, strict=False)
        ]


def _text(value: object) -> str:
    match value:
        case None:
            return ""
        case bool():
            return "yes" if value else "no"
        case datetime():
            return value.isoformat(sep=" ").removesuffix(" 00:00:00")
        case date() | time():
            return value.isoformat()
        case float():
            return f"{value:.15g}"
        case _:
            return str(value)
