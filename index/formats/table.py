"""Rows of cells to rows of words: the first row that could name the columns does."""

from collections.abc import Iterable

from index.formats.build import Builder
from index.formats.regions import joined

_LONGEST_NAME = 80


def add_rows(rows: Iterable[list[str]], out: Builder, *, page: int | None = None) -> None:
    """Add each row as "Name: value; Name: value"; the row of names stays above them, as a heading that is no path."""
    names: list[str] | None = None
    for raw in rows:
        values = [" ".join(value.split()) for value in raw]
        if not any(values):
            continue
        if names is None:
            names = values if is_header(values) else []
            if names:
                out.add("; ".join(name for name in names if name), "heading", page=page)
                continue
        out.add(joined(names, values), "row", page=page, tight=True)


def is_header(values: list[str]) -> bool:
    """Whether a row names the columns beneath it: words, none of them long, a number or there twice."""
    given = [value for value in values if value]
    return (
        len(given) > 1
        and len(set(given)) == len(given)
        and all(len(value) <= _LONGEST_NAME and not _is_number(value) for value in given)
    )


def _is_number(value: str) -> bool:
    bare = value.lstrip("+-$€£¥(").rstrip("%)€$£").replace(",", "").replace(".", "").replace(" ", "")
    return bare.isdigit()
