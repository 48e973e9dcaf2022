"""Reading JSON lines, with errors that name the file, the line and the reason."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import ClassVar

from index.errors import InputError

MAX_LINE_BYTES = 16 * 1024 * 1024


class DataFileError(InputError):
    """A file to evaluate with is not what it should be; names file, line (from 1) and reason."""

    code = "invalid_data_file"
    exit_code: ClassVar[int] = 65

    def __init__(self, path: Path, reason: str, line: int | None = None) -> None:
        where = f"{path}, line {line}" if line is not None else str(path)
        super().__init__(f"{where}: {reason}")
        self.path, self.line, self.reason = path, line, reason


class MissingFileError(DataFileError):
    """A file to evaluate with is not there or cannot be opened."""

    code = "missing_data_file"
    exit_code: ClassVar[int] = 66


class Record:
    """One JSON object of a file, read field by field with checks.

    Raises:
        DataFileError: from every reading method, when the field is not of the kind it should be.
    """

    __slots__ = ("fields", "line", "path")

    def __init__(self, path: Path, line: int | None, fields: Mapping[str, object]) -> None:
        self.path, self.line, self.fields = path, line, fields

    def error(self, reason: str) -> DataFileError:
        """An error that names this record's place."""
        return DataFileError(self.path, reason, self.line)

    def text(self, name: str, default: str | None = None) -> str:
        """A field that must be text and not blank; the default, where one is given, when it is missing or blank."""
        value = self.fields.get(name)
        if isinstance(value, str) and value.strip():
            return self._encodable(name, value)
        if default is not None and (value is None or value == ""):
            return default
        raise self.error(f"{name!r} must be text that is not blank")

    def key(self, name: str) -> str:
        """An identifier: text, or a whole number taken as text."""
        value = self.fields.get(name)
        if isinstance(value, int) and not isinstance(value, bool):
            return str(value)
        return self.text(name)

    def flag(self, name: str, default: bool) -> bool:
        """A field that must be true or false."""
        value = self.fields.get(name, default)
        if isinstance(value, bool):
            return value
        raise self.error(f"{name!r} must be true or false")

    def items(self, name: str) -> list[object]:
        """A field that must be a list; empty when missing."""
        value = self.fields.get(name)
        if value is None:
            return []
        if isinstance(value, list):
            return value
        raise self.error(f"{name!r} must be a list")

    def texts(self, name: str) -> tuple[str, ...]:
        """A field that must be a list of texts; empty when missing."""
        texts: list[str] = []
        for value in self.items(name):
            if not isinstance(value, str) or not value:
                raise self.error(f"{name!r} must be a list of texts, none of them empty")
            texts.append(self._encodable(name, value))
        return tuple(texts)

    def _encodable(self, name: str, value: str) -> str:
        if any("\ud800" <= character <= "\udfff" for character in value):
            raise self.error(f"{name!r} holds half a character (a lone surrogate)")
        return value


def read_records(path: Path) -> Iterator[Record]:
    """The JSON objects of a file, one a line; blank lines are passed over.

    Raises:
        MissingFileError: the file cannot be opened.
        DataFileError: a line is not UTF-8, not JSON, too long or not an object.
    """
    try:
        stream = path.open("rb")
    except OSError as error:
        raise MissingFileError(path, (error.strerror or "cannot be opened").lower()) from error
    with stream:
        lines = iter(lambda: stream.readline(MAX_LINE_BYTES + 1), b"")
        for number, data in enumerate(lines, start=1):
            line = _line(data, path, number)
            if line.strip():
                yield Record(path, number, parse_object(line, path, number))


def read_text(path: Path) -> str:
    """A whole UTF-8 file.

    Raises:
        MissingFileError: the file cannot be opened.
        DataFileError: it is not UTF-8.
    """
    try:
        return path.read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise MissingFileError(path, (error.strerror or "cannot be opened").lower()) from error
    except UnicodeDecodeError as error:
        raise DataFileError(path, f"not UTF-8 (byte {error.start})") from error


def parse_object(text: str, path: Path, line: int | None = None) -> Mapping[str, object]:
    """One JSON object.

    Raises:
        DataFileError: the text is not JSON, or JSON but no object.
    """
    try:
        value = json.loads(text)
    except json.JSONDecodeError as error:
        raise DataFileError(path, f"not JSON: {error.msg} at column {error.colno}", line) from error
    except (RecursionError, ValueError) as error:
        raise DataFileError(
            path, "not JSON that can be read: nested too deep or a number too long", line
        ) from error
    if not isinstance(value, dict):
        raise DataFileError(path, "must be a JSON object", line)
    return value


def _line(data: bytes, path: Path, number: int) -> str:
    if len(data) > MAX_LINE_BYTES:
        raise DataFileError(path, f"longer than {MAX_LINE_BYTES} bytes", number)
    try:
        return data.decode("utf-8-sig" if number == 1 else "utf-8")
    except UnicodeDecodeError as error:
        raise DataFileError(path, f"not UTF-8 (byte {error.start})", number) from error
