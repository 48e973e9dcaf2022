"""Which kinds of file there are, and which kind some bytes are: their first bytes decide over the name."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from index.errors import RejectedError


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of file: its media type, the module that parses it, and the extensions it goes by."""

    media_type: str
    module: str
    extensions: tuple[str, ...]


_OFFICE = "application/vnd.openxmlformats-officedocument."
KINDS: Mapping[str, Kind] = MappingProxyType({
    "pdf": Kind("application/pdf", "pdf", (".pdf",)),
    "html": Kind("text/html", "html", (".html", ".htm", ".xhtml")),
    "docx": Kind(_OFFICE + "wordprocessingml.document", "docx", (".docx", ".docm")),
    "pptx": Kind(_OFFICE + "presentationml.presentation", "pptx", (".pptx", ".pptm")),
    "xlsx": Kind(_OFFICE + "spreadsheetml.sheet", "xlsx", (".xlsx", ".xlsm")),
    "epub": Kind("application/epub+zip", "epub", (".epub",)),
    "csv": Kind("text/csv", "csv", (".csv",)),
    "tsv": Kind("text/tab-separated-values", "csv", (".tsv",)),
    "eml": Kind("message/rfc822", "eml", (".eml",)),
    "json": Kind("application/json", "json", (".json",)),
    "jsonl": Kind("application/jsonl", "json", (".jsonl", ".ndjson")),
    "rst": Kind("text/x-rst", "rst", (".rst",)),
    "srt": Kind("application/x-subrip", "subtitles", (".srt",)),
    "vtt": Kind("text/vtt", "subtitles", (".vtt",)),
})  # fmt: skip
ZIPPED = frozenset({"docx", "pptx", "xlsx", "epub"})
BY_EXTENSION: Mapping[str, str] = MappingProxyType(
    {extension: name for name, kind in KINDS.items() for extension in kind.extensions}
)
_BINARY = ZIPPED | {"pdf"}

_PROGRAMS = (b"MZ", b"\x7fELF", b"\xca\xfe\xba\xbe", b"\xcf\xfa\xed\xfe", b"#!/", b"#! /")
_PICTURES_AND_SUCH = (
    b"\x89PNG", b"\xff\xd8\xff", b"GIF8", b"\x1f\x8b", b"BZh", b"\xfd7zXZ", b"7z\xbc\xaf", b"Rar!", b"SQLite format 3",
    b"RIFF", b"OggS", b"ID3", b"\x28\xb5\x2f\xfd",
)  # fmt: skip
_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_PDF_WITHIN = 1024  # readers look for %PDF- in this many first bytes
_HTML = re.compile(
    rb"\A(?:\xef\xbb\xbf)?\s*(?:<\?xml[^>]{0,200}>\s*)?(?:<!--[^>]{0,500}-->\s*){0,9}<(?:!doctype\s+html|html[\s>])",
    re.IGNORECASE,
)


def kind_of(data: bytes, extension: str) -> str | None:
    """The kind of some bytes whose name has this extension; `zip` is settled in the jail, None is plain text.

    Raises:
        RejectedError: `unsupported`, `encrypted` or `damaged`.
    """
    claimed = BY_EXTENSION.get(extension)
    if data.startswith(b"%PDF-") or (claimed == "pdf" and b"%PDF-" in data[:_PDF_WITHIN]):
        return "pdf"
    if data.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        return "zip"
    if data.startswith(_OLE):
        raise _ole(data)
    if data.startswith(_PROGRAMS):
        raise RejectedError("unsupported", "a program or script, whatever its name says")
    if data.startswith(_PICTURES_AND_SUCH):
        raise RejectedError("not_text", "binary data, whatever its name says")
    if claimed in _BINARY:
        if _HTML.match(data[:2048]):
            return "html"
        raise RejectedError("damaged", f"not a {claimed} file: it does not begin like one")
    return claimed


def _ole(data: bytes) -> RejectedError:
    if "EncryptedPackage".encode("utf-16-le") in data:
        return RejectedError("encrypted", "the file is protected by a password")
    return RejectedError("unsupported", "an Office file from before 2007; save it in the current format")
