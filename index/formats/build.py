"""What a parser hands over: text put together block by block, with the place of each block in it."""

import re
import textwrap
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from index.errors import RejectedError
from index.visible import inert, visible

if TYPE_CHECKING:  # every parser process would spend 0.03 s on it
    from index.types import ParagraphKind

MOST_CHARACTERS = 20_000_000
MOST_PARAGRAPHS = 200_000
_MOST_HEADINGS = 12
_LONGEST_HEADING = 300
_MOST_NOTES = 40

_BLANKS = re.compile(r"[^\S\n]+")
_BREAKS = re.compile(r"\r\n?|[\u2028\u2029\x0b\x0c\x85]")


@dataclass(frozen=True, slots=True)
class Block:
    """One paragraph to be: its range in the text and what is known about it."""

    start: int
    end: int
    kind: "ParagraphKind"
    page: int | None
    headings: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Parsed:
    """The outcome of a parse: the text that will be stored, its blocks in order, and the file's own metadata.

    `kind` names the format that the bytes turned out to be.
    """

    text: str
    blocks: tuple[Block, ...]
    kind: str = ""
    title: str = ""
    date: str | None = None
    created: str | None = None
    notes: tuple[str, ...] = ()


@dataclass(slots=True)
class Builder:
    """Collects blocks in reading order; stops as soon as a limit is passed.

    `title`, `date` (the ISO day of publication) and `created` (of the file) are set by a parser that finds them.
    """

    title: str = ""
    date: str | None = None
    created: str | None = None
    notes: list[str] = field(default_factory=list)
    _parts: list[str] = field(default_factory=list)
    _blocks: list[Block] = field(default_factory=list)
    _path: list[tuple[int, str]] = field(default_factory=list)
    _length: int = 0
    _invisible: int = 0

    @property
    def count(self) -> int:
        """How many blocks there are so far."""
        return len(self._blocks)

    @property
    def headings(self) -> tuple[str, ...]:
        """The headings that the next block stands under."""
        return tuple(text for _, text in self._path)

    def add(
        self,
        text: str,
        kind: "ParagraphKind" = "text",
        *,
        page: int | None = None,
        headings: tuple[str, ...] | None = None,
        tight: bool = False,
        indented: bool = False,
    ) -> None:
        """Append a block; blank ones are passed over.

        `tight` puts it on the very next line; `indented` keeps the indentation of its lines (code).

        Raises:
            RejectedError: `too_large` or `too_many_paragraphs`.
        """
        body = self._readable(text, indented=indented)
        if not body:
            return
        separator = ("\n" if tight else "\n\n") if self._blocks else ""
        start = self._length + len(separator)
        self._parts += (separator, body)
        self._length = start + len(body)
        path = self.headings if headings is None else headings
        self._blocks.append(Block(start, self._length, kind, page, path))
        if self._length > MOST_CHARACTERS:
            raise RejectedError("too_large", f"more than {MOST_CHARACTERS:,} characters of text")
        if len(self._blocks) > MOST_PARAGRAPHS:
            raise RejectedError("too_many_paragraphs", f"more than {MOST_PARAGRAPHS:,}")

    def heading(self, text: str, level: int, *, page: int | None = None, tight: bool = False) -> None:
        """Append a heading of a level (1 is the highest); the blocks that follow stand under it."""
        before = len(self._blocks)
        self.under(text, level)
        self.add(text, "heading", page=page, headings=(), tight=tight)
        if len(self._blocks) == before:  # nothing to read in it
            self._path = [(depth, name) for depth, name in self._path if depth < level]

    def under(self, text: str, level: int) -> None:
        """Put the blocks that follow under a heading that is no text of its own (a sheet, a field)."""
        path = [(depth, name) for depth, name in self._path if depth < level][-_MOST_HEADINGS + 1 :]
        name = " ".join(self._readable(text).split())[:_LONGEST_HEADING]
        self._path = [*path, (level, name)] if name else path

    def note(self, text: str) -> None:
        """Say how the file was read, or what was left out."""
        if len(self.notes) < _MOST_NOTES and text not in self.notes:
            self.notes.append(text)

    def parsed(self, kind: str) -> Parsed:
        """What was collected.

        Raises:
            RejectedError: `no_text`.
        """
        text = "".join(self._parts)
        if not any(map(str.isalnum, text)):
            raise RejectedError("no_text", "the file holds no text")
        if self._invisible:
            self.note(f"{self._invisible} invisible characters removed")
        title = " ".join(self._readable(self.title).split())[:_LONGEST_HEADING]
        return Parsed(text, tuple(self._blocks), kind, title, self.date, self.created, tuple(self.notes))

    def _readable(self, text: str, *, indented: bool = False) -> str:
        """The text as a person sees it, its lines trimmed and none of them blank."""
        text = _BREAKS.sub("\n", text)
        seen = visible(text)
        self._invisible += len(text) - len(seen)
        seen = inert(seen)
        if indented:
            return "\n".join(
                line.rstrip() for line in textwrap.dedent(seen).split("\n") if line.strip()
            ).strip()
        lines = (line.strip() for line in _BLANKS.sub(" ", seen).split("\n"))
        return "\n".join(line for line in lines if line)
