"""JSON: records and long texts as paragraphs, under the path of the fields that lead to them."""

import json
from collections.abc import Iterator
from typing import Any

from index.encoding import decoded
from index.errors import RejectedError
from index.formats.build import Builder
from index.formats.sound import iso_day, sound_title

_LONG = 200
"""Characters from which a text is a paragraph by itself and no field of a record."""
_DEEPEST = 100
_DATES = (
    "date",
    "published",
    "published_at",
    "publish_date",
    "date_published",
    "datePublished",
    "publication_date",
)


def parse(data: bytes, out: Builder, kind: str) -> None:
    """Add the leaves of a JSON text, or of each line of a JSON Lines text."""
    text, notes = decoded(data)
    for note in notes:
        out.note(note)
    if kind == "jsonl":
        _lines(text, out)
        return
    value = _loaded(text)
    if isinstance(value, dict):
        out.title = sound_title(value["title"]) if isinstance(value.get("title"), str) else ""
        given = [value[name] for name in _DATES if isinstance(value.get(name), str)]
        out.date = next((day for text in given if (day := iso_day(text))), None)
    _value(value, (), out)


def _lines(text: str, out: Builder) -> None:
    bad = 0
    for line in text.splitlines():
        if not line.strip():
            continue
        try:
            _value(_loaded(line), (), out)
        except RejectedError as rejected:
            if rejected.reason != "damaged":
                raise
            bad += 1
    if bad:
        out.note(f"{bad} lines are not JSON and left out")


def _loaded(text: str) -> Any:
    """The value of a JSON text; numbers stay as they are written."""
    try:
        return json.loads(text, parse_int=str, parse_float=str, parse_constant=str)
    except RecursionError:
        raise RejectedError("parse_limit", "nested too deeply") from None
    except ValueError as error:
        raise RejectedError("damaged", f"not JSON: {error}") from error


def _value(value: Any, path: tuple[str, ...], out: Builder) -> None:
    if len(path) > _DEEPEST:
        raise RejectedError("parse_limit", f"nested more than {_DEEPEST} levels deep")
    if isinstance(value, dict):
        _record(value, path, out)
    elif isinstance(value, list):
        if value and not any(isinstance(item, dict | list) for item in value):
            _list(value, path, out)
        else:
            for item in value:
                _value(item, path, out)
    else:
        out.add(_scalar(value), headings=path)


def _list(values: list[Any], path: tuple[str, ...], out: Builder) -> None:
    """A list of plain values: short ones together, long ones each by itself."""
    texts = [_scalar(value) for value in values]
    if sum(map(len, texts)) <= _LONG:
        out.add("; ".join(texts), headings=path)
    else:
        for text in texts:
            out.add(text, "list_item", headings=path)


def _record(record: dict[str, Any], path: tuple[str, ...], out: Builder) -> None:
    """The short fields of a record in one paragraph, then what is long or has parts of its own."""
    short = [(name, text) for name, text in _short_fields(record)]
    if len(short) == 1 and short[0][0] in record and len(record) == 1:
        out.add(short[0][1], headings=(*path, short[0][0]))
    else:
        out.add("; ".join(f"{name}: {text}" for name, text in short if text), "row", headings=path)
    taken = {name for name, _ in short}
    for name, value in record.items():
        if name not in taken:
            _value(value, (*path, name), out)


def _short_fields(record: dict[str, Any]) -> Iterator[tuple[str, str]]:
    for name, value in record.items():
        if isinstance(value, list) and not any(isinstance(item, dict | list) for item in value):
            text = ", ".join(map(_scalar, value))
        elif isinstance(value, dict | list):
            continue
        else:
            text = _scalar(value)
        if len(text) <= _LONG and "\n\n" not in text:
            yield name, text


def _scalar(value: Any) -> str:
    match value:
        case None:
            return ""
        case bool():
            return "yes" if value else "no"
        case _:
            return str(value)
