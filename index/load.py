"""From a file's bytes to a document and its passages; one loader for each kind of file."""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from pathlib import PurePosixPath

from index.errors import RejectedError
from index.markdown import markdown_paragraphs
from index.metadata import date_of, title_of
from index.paragraphs import plain_paragraphs
from index.passages import passages_of
from index.types import Document, Loader, Paragraph, Passage

_MOST_PARAGRAPHS = 200_000
_MOST_CHARACTERS = 20_000_000
_BOMS = ((b"\xef\xbb\xbf", "utf-8-sig"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"))
# Control characters that text files do hold: tab, line breaks, form feed, escape sequences of terminals.
_TEXT_CONTROLS = frozenset("\t\n\r\f\v\x1b\x08")
_MOST_CONTROLS = 0.01


def prepare(data: bytes, path: str) -> tuple[Document, tuple[Passage, ...]]:
    """The document of a file and its passages.

    Raises:
        RejectedError: `unsupported`, `empty`, `not_text`, `too_large` or `too_many_paragraphs`.
    """
    loader = LOADERS.get(PurePosixPath(path).suffix.lower())
    if loader is None:
        raise RejectedError(
            "unsupported", f"no loader for {PurePosixPath(path).suffix or 'a name without extension'}"
        )
    document = loader(data, path)
    return document, passages_of(document.text, document.paragraphs, document.title)


def decoded(data: bytes) -> tuple[str, tuple[str, ...]]:
    """The text of a file and notes on how it was read.

    Raises:
        RejectedError: `empty`, `not_text` or `too_large`.
    """
    notes: tuple[str, ...] = ()
    encoding = next((name for bom, name in _BOMS if data.startswith(bom)), "utf-8")
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError:
        if b"\0" in data:
            raise RejectedError("not_text", "the file holds binary data") from None
        # Windows-1252 has no wrong bytes once its five gaps are mapped; what is not text shows below.
        text = data.decode("cp1252", errors="replace")
        notes = ("decoded as windows-1252",)
    if "\0" in text:
        text = text.replace("\0", "")
        notes = (*notes, "NUL characters removed")
    controls = sum(1 for c in text if c < " " and c not in _TEXT_CONTROLS) + text.count("\ufffd")
    if controls > _MOST_CONTROLS * len(text) + 1:
        raise RejectedError("not_text", "the file holds binary data")
    if not any(c.isalnum() for c in text):
        raise RejectedError("empty", "the file holds no words")
    if len(text) > _MOST_CHARACTERS:
        raise RejectedError("too_large", f"more than {_MOST_CHARACTERS:,} characters of text")
    return text, notes


def _loader(split: Callable[[str], Sequence[Paragraph]], media_type: str) -> Loader:
    def load(data: bytes, path: str, /) -> Document:
        text, notes = decoded(data)
        paragraphs = tuple(split(text))
        if len(paragraphs) > _MOST_PARAGRAPHS:
            raise RejectedError("too_many_paragraphs", f"more than {_MOST_PARAGRAPHS:,}")
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


LOADERS: Mapping[str, Loader] = {
    ".txt": _loader(plain_paragraphs, "text/plain"),
    ".text": _loader(plain_paragraphs, "text/plain"),
    ".md": _loader(markdown_paragraphs, "text/markdown"),
    ".markdown": _loader(markdown_paragraphs, "text/markdown"),
}
