"""A parsed file as values for JSON and back; what comes back is believed only where it fits."""

from collections.abc import Mapping
from datetime import date
from typing import TYPE_CHECKING, Any, Final

from index.formats.build import MOST_CHARACTERS, MOST_PARAGRAPHS, Block, Parsed
from index.formats.kinds import KINDS

if TYPE_CHECKING:  # every parser process would spend 0.03 s on it
    from index.types import ParagraphKind

PARAGRAPH_KINDS: Final[tuple["ParagraphKind", ...]] = ("text", "heading", "list_item", "row", "boilerplate")
_MOST_HEADINGS = 20
_LONGEST = 1_000


def packed(parsed: Parsed) -> dict[str, object]:
    """The values: a block is [start, end, kind, page or 0, place of its headings in the list of headings]."""
    paths: dict[tuple[str, ...], int] = {}
    blocks = [
        (
            block.start,
            block.end,
            PARAGRAPH_KINDS.index(block.kind),
            block.page or 0,
            paths.setdefault(block.headings, len(paths)),
        )
        for block in parsed.blocks
    ]
    return {
        "text": parsed.text,
        "blocks": blocks,
        "headings": list(paths),
        "kind": parsed.kind,
        "title": parsed.title,
        "date": parsed.date,
        "created": parsed.created,
        "notes": parsed.notes,
    }


def unpacked(fields: Mapping[str, Any]) -> Parsed:
    """The parsed file again.

    Raises:
        ValueError, TypeError, KeyError: the values are not what `packed` makes.
    """
    text = _string(fields["text"], MOST_CHARACTERS)
    paths = [tuple(_string(name, _LONGEST) for name in path[:_MOST_HEADINGS]) for path in fields["headings"]]
    if len(fields["blocks"]) > MOST_PARAGRAPHS or fields["kind"] not in KINDS:
        raise ValueError("too many blocks, or of no known kind")
    blocks: list[Block] = []
    end = 0
    for values in fields["blocks"]:
        block = _block(values, text, end, paths)
        end = block.end
        blocks.append(block)
    return Parsed(
        text,
        tuple(blocks),
        fields["kind"],
        _string(fields["title"], _LONGEST),
        _day(fields["date"]),
        _day(fields["created"]),
        tuple(_string(note, _LONGEST) for note in fields["notes"][:100]),
    )


def _block(values: list[int], text: str, after: int, paths: list[tuple[str, ...]]) -> Block:
    start, end, kind, page, path = values
    if not all(type(value) is int and value >= 0 for value in values):
        raise ValueError("not a block")
    if not after <= start < end <= len(text) or text[start].isspace() or text[end - 1].isspace():
        raise ValueError("a block that is no range of text")
    return Block(start, end, PARAGRAPH_KINDS[kind], page or None, paths[path])


def _string(value: object, most: int) -> str:
    if not isinstance(value, str) or len(value) > most:
        raise ValueError("not a text of that length")
    return value


def _day(value: object) -> str | None:
    return None if value is None else date.fromisoformat(_string(value, 10)).isoformat()
