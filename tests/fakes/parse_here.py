"""The parsers in the test's own process, where a debugger and a property can see them."""

import importlib

from index.formats.build import Builder, Parsed
from index.formats.kinds import KINDS


def parsed(data: bytes | str, kind: str) -> Parsed:
    out = Builder()
    module = importlib.import_module(f"index.formats.{KINDS[kind].module}")
    module.parse(data.encode() if isinstance(data, str) else data, out, kind)
    return out.parsed(kind)


def blocks(found: Parsed) -> list[tuple[str, str]]:
    """Kind and text of each block."""
    return [(block.kind, found.text[block.start : block.end]) for block in found.blocks]


def texts(found: Parsed, *kinds: str) -> list[str]:
    return [text for kind, text in blocks(found) if not kinds or kind in kinds]


def assert_sound(found: Parsed) -> None:
    """Blocks are ranges of the text in order, not empty, trimmed, apart; nothing else but white space is in it."""
    end = 0
    for block in found.blocks:
        assert block.start >= end
        assert not found.text[end : block.start].strip()
        body = found.text[block.start : block.end]
        assert body
        assert body == body.strip()
        end = block.end
    assert end == len(found.text)
