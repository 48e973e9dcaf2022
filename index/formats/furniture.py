"""Which blocks of a page are furniture: by where they stand, by their links, by what they say."""

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from index.boilerplate import is_boilerplate
from index.formats.build import Builder
from index.formats.walk import Piece

if TYPE_CHECKING:
    from index.types import ParagraphKind

_LINKED = 0.5
_LONGEST_LINKED = 40
"""Words. A longer block is prose even where most of it is linked."""
_LEAST_WORDS = 30
_LEAST_SHARE = 0.05


def settled(pieces: Sequence[Piece]) -> list[Piece]:
    """The blocks with their final say on what is furniture. A page that would have nothing left keeps all."""
    judged = [replace(piece, furniture=piece.furniture or _reads_like_furniture(piece)) for piece in pieces]
    kept = sum(_words(piece) for piece in judged if not piece.furniture and not _level(piece))
    if kept < _LEAST_WORDS and kept < _LEAST_SHARE * sum(map(_words, pieces)) + 1:
        return [replace(piece, furniture=is_boilerplate(" ".join(piece.text.split()))) for piece in pieces]
    return _without_empty_headings(judged)


def emit(pieces: Sequence[Piece], out: Builder, *, level: int = 0) -> None:
    """Add the blocks to a document; headings begin below `level`."""
    kinds: dict[str, ParagraphKind] = {"item": "list_item", "row": "row"}
    before = ""
    for piece in pieces:
        if piece.furniture:
            out.add(piece.text, "boilerplate", headings=())
        elif depth := _level(piece):
            out.heading(" ".join(piece.text.split()), level + depth)
        else:
            tight = piece.kind == before == "row"
            out.add(piece.text, kinds.get(piece.kind, "text"), tight=tight, indented=piece.kind == "pre")
        before = piece.kind


def _reads_like_furniture(piece: Piece) -> bool:
    if piece.kind in {"row", "pre"}:
        return False
    if _level(piece):
        return is_boilerplate(" ".join(piece.text.split()))
    linked = piece.links > _LINKED and _words(piece) < _LONGEST_LINKED and not _is_sentence(piece.text)
    return linked or is_boilerplate(" ".join(piece.text.split()))


def _without_empty_headings(pieces: list[Piece]) -> list[Piece]:
    """A heading over nothing but furniture ("Related stories") is furniture too."""
    found = list(pieces)
    for place, piece in enumerate(pieces):
        depth = _level(piece)
        if not depth or piece.furniture or depth == 1:
            continue
        beneath = []
        for other in pieces[place + 1 :]:
            if 0 < _level(other) <= depth and not other.furniture:
                break
            beneath.append(other)
            if not other.furniture:
                break
        if beneath and all(other.furniture for other in beneath):
            found[place] = replace(piece, furniture=True)
    return found


def _is_sentence(text: str) -> bool:
    return text.rstrip().endswith((".", "!", "?", "”", '"')) and len(text.split()) > 8


def _words(piece: Piece) -> int:
    return len(piece.text.split())


def _level(piece: Piece) -> int:
    return int(piece.kind[1]) if piece.kind[:1] == "h" else 0
