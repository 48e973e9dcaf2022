"""Tables as text: each record is a paragraph; the names of the columns are kept with the values."""

import csv
import io
from collections import Counter

from index.encoding import decoded
from index.formats.build import Builder
from index.formats.table import add_rows

_DELIMITERS = ",;\t|"
_LONGEST_FIELD = 1_000_000
_SAMPLE_LINES = 30


def parse(data: bytes, out: Builder, kind: str) -> None:
    """Add the records of a CSV or TSV file; a field that looks like a formula is text like any other."""
    text, notes = decoded(data)
    for note in notes:
        out.note(note)
    delimiter = "\t" if kind == "tsv" else _delimiter(text)
    csv.field_size_limit(_LONGEST_FIELD)
    add_rows(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter), out)


def _delimiter(text: str) -> str:
    """The delimiter that parts most lines into the same number of fields."""
    lines = text[:100_000].splitlines()[:_SAMPLE_LINES]
    best, score = ",", 0
    for delimiter in _DELIMITERS:
        counts = Counter(len(record) for record in csv.reader(lines, delimiter=delimiter) if len(record) > 1)
        fields, times = counts.most_common(1)[0] if counts else (0, 0)
        if times * min(fields, 4) > score:
            best, score = delimiter, times * min(fields, 4)
    return best
