"""From a file's bytes to a document and its passages; one loader for each kind of file.

Plain text and Markdown are read here. Everything else is parsed in the jail: a process of its own for each file.
"""

import hashlib
import re
from bisect import bisect_right
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import PurePosixPath
from types import MappingProxyType

from index import jail
from index.encoding import decoded
from index.errors import RejectedError
from index.formats.build import MOST_PARAGRAPHS, Parsed
from index.formats.kinds import BY_EXTENSION, KINDS, kind_of
from index.markdown import markdown_paragraphs
from index.metadata import date_of, title_of
from index.paragraphs import plain_paragraphs
from index.passages import passages_of
from index.types import Document, Loader, Paragraph, Passage

__all__ = ["LOADERS", "decoded", "prepare", "supported"]

_MOST_BYTES = 50 * 1024 * 1024
_MOST_LINES = 600_000
_BLOCK_END = re.compile(r"\S[^\S\r\n]{0,99}(?:\r\n?|\n)[^\S\r\n]{0,99}[\r\n]")
_RECORDS = frozenset({"csv", "tsv", "xlsx", "json", "jsonl", "srt", "vtt"})
"""Kinds whose first paragraphs are data: a date or a heading there is not the document's."""


def supported() -> frozenset[str]:
    """The extensions of the files that can be indexed, lower case, with their dot."""
    return frozenset(LOADERS)


def prepare(data: bytes, path: str) -> tuple[Document, tuple[Passage, ...]]:
    """The document of a file and its passages.

    Raises:
        RejectedError: with a reason of `index.jail.REASONS`.
    """
    loader = LOADERS.get(PurePosixPath(path).suffix.lower())
    if loader is None:
        raise RejectedError(
            "unsupported", f"no loader for {PurePosixPath(path).suffix or 'a name without extension'}"
        )
    if len(data) > _MOST_BYTES:
        raise RejectedError("too_large", f"more than {_MOST_BYTES >> 20} MiB")
    document = loader(data, path)
    return document, passages_of(document.text, document.paragraphs, document.title)


def _text_loader(split: Callable[[str], Sequence[Paragraph]], media_type: str) -> Loader:
    def load(data: bytes, path: str, /) -> Document:
        kind = kind_of(data, PurePosixPath(path).suffix.lower())
        if kind is not None:
            return _jailed(data, path)
        text, notes = decoded(data)
        _refuse_confetti(text)
        paragraphs = tuple(split(text))
        if len(paragraphs) > MOST_PARAGRAPHS:
            raise RejectedError("too_many_paragraphs", f"more than {MOST_PARAGRAPHS:,}")
        return Document(
            path=path,
            text=text,
            paragraphs=paragraphs,
            sha256=hashlib.sha256(data).hexdigest(),
            title=title_of(text, paragraphs),
            date=date_of(text, paragraphs),
            media_type=media_type,
            notes=notes,
        )

    return load


def _refuse_confetti(text: str) -> None:
    """Raise for a text of too many lines or blocks before it is split, which would take half a minute."""
    lines = text.count("\n") + text.count("\r")
    if lines > _MOST_LINES or (lines > MOST_PARAGRAPHS and len(_BLOCK_END.findall(text)) > MOST_PARAGRAPHS):
        raise RejectedError(
            "too_many_paragraphs", f"more than {MOST_PARAGRAPHS:,}, or than {_MOST_LINES:,} lines"
        )


def _jailed(data: bytes, path: str, /) -> Document:
    """Load a file of a kind that only the jail may open."""
    if not data.strip(b"\0 \t\r\n\xef\xbb\xbf"):
        raise RejectedError("empty", "the file holds nothing")
    extension = PurePosixPath(path).suffix.lower()
    kind = kind_of(data, extension)
    if kind is None:
        raise RejectedError("unsupported", f"no loader for {extension}")
    parsed = jail.parse(data, kind, extension)
    paragraphs = _numbered(parsed)
    document = Document(
        path=path,
        text=parsed.text,
        paragraphs=paragraphs,
        sha256=hashlib.sha256(data).hexdigest(),
        title=parsed.title,
        date=parsed.date or parsed.created,
        media_type=KINDS[parsed.kind].media_type,
        notes=parsed.notes,
    )
    if parsed.kind in _RECORDS:
        return document
    return replace(
        document,
        title=document.title or title_of(parsed.text, paragraphs),
        date=parsed.date or date_of(parsed.text, paragraphs) or parsed.created,
    )


def _numbered(parsed: Parsed) -> tuple[Paragraph, ...]:
    """The blocks as paragraphs, with the lines of the stored text that they stand on."""
    breaks = [place for place, char in enumerate(parsed.text) if char == "\n"]
    return tuple(
        Paragraph(
            number,
            bisect_right(breaks, block.start - 1) + 1,
            bisect_right(breaks, block.end - 1) + 1,
            block.start,
            block.end,
            block.kind,
            block.page,
            block.headings,
        )
        for number, block in enumerate(parsed.blocks, start=1)
    )


LOADERS: Mapping[str, Loader] = MappingProxyType({
    **dict.fromkeys((".txt", ".text"), _text_loader(plain_paragraphs, "text/plain")),
    **dict.fromkeys((".md", ".markdown"), _text_loader(markdown_paragraphs, "text/markdown")),
    **dict.fromkeys(BY_EXTENSION, _jailed),
})  # fmt: skip
