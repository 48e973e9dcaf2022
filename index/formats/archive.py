"""Opening an archive that may be a bomb: everything is counted while it is inflated, nothing is written."""

import io
import zipfile
import zlib

from index.errors import RejectedError

_MOST_ENTRIES = 2_000
_MOST_BYTES = 200 * 1024 * 1024
_MOST_RATIO = 200
_RATIO_FROM = 1024 * 1024
"""Inflated bytes of an entry from which its ratio counts; a small one may well be a run of blanks."""
_CHUNK = 256 * 1024
_ENCRYPTED_FLAG = 0x1
_LOCAL_HEADER = 30


class Archive:
    """A zip file in memory whose entries have all been inflated once within the limits.

    Raises:
        RejectedError: `archive_limits`, `encrypted` or `damaged`.
    """

    def __init__(self, data: bytes) -> None:
        try:
            self._zip = zipfile.ZipFile(io.BytesIO(data))
        except (zipfile.BadZipFile, NotImplementedError, ValueError, EOFError) as error:
            raise RejectedError("damaged", f"the archive cannot be read: {error}") from error
        self._left = _MOST_BYTES
        entries = self._zip.infolist()
        if len(entries) > _MOST_ENTRIES:
            raise RejectedError("archive_limits", f"more than {_MOST_ENTRIES:,} entries")
        _refuse_overlaps(entries)
        for entry in entries:
            self._inflate(entry)
        self.names = frozenset(entry.filename for entry in entries)

    def read(self, name: str) -> bytes:
        """The content of an entry; empty when there is none of this name."""
        return self._zip.read(name) if name in self.names else b""

    def kind(self) -> str | None:
        """Which kind of document this archive is."""
        if self.read("mimetype").strip() == b"application/epub+zip":
            return "epub"
        for name, kind in (
            ("word/document.xml", "docx"),
            ("ppt/presentation.xml", "pptx"),
            ("xl/workbook.xml", "xlsx"),
        ):
            if name in self.names:
                return kind
        return _by_content_type(self.read("[Content_Types].xml"))

    def _inflate(self, entry: zipfile.ZipInfo) -> None:
        if entry.flag_bits & _ENCRYPTED_FLAG:
            raise RejectedError("encrypted", "the archive is protected by a password")
        markup = entry.filename.lower().endswith(
            (".xml", ".rels", ".xhtml", ".opf", ".ncx", ".html", ".htm", ".svg")
        )
        size = 0
        tail = b""
        try:
            with self._zip.open(entry) as stream:
                while chunk := stream.read(_CHUNK):
                    size += len(chunk)
                    self._count(entry, size, len(chunk))
                    if markup:
                        _refuse_entities(tail + chunk, entry.filename)
                        tail = chunk[-32:]
        except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, OSError) as error:
            raise RejectedError("damaged", f"{entry.filename[:80]}: {error}") from error
        if size != entry.file_size:
            raise RejectedError("damaged", f"{entry.filename[:80]} is not of the size it declares")

    def _count(self, entry: zipfile.ZipInfo, size: int, more: int) -> None:
        self._left -= more
        if self._left < 0:
            raise RejectedError("archive_limits", f"more than {_MOST_BYTES >> 20} MiB when unpacked")
        if size > _RATIO_FROM and size > _MOST_RATIO * max(1, entry.compress_size):
            raise RejectedError(
                "archive_limits", f"{entry.filename[:80]} unpacks to more than {_MOST_RATIO} times its size"
            )


def _refuse_overlaps(entries: list[zipfile.ZipInfo]) -> None:
    """Entries that share their bytes unpack to any size; Python sees them from 3.11.8 on only."""
    end = 0
    for entry in sorted(entries, key=lambda entry: entry.header_offset):
        if entry.header_offset < end:
            raise RejectedError("archive_limits", "entries of the archive overlap")
        end = entry.header_offset + _LOCAL_HEADER + len(entry.filename) + entry.compress_size


def _refuse_entities(data: bytes, name: str) -> None:
    """No document of these kinds defines an entity; what does is a bomb, or reads files."""
    flat = data.replace(b"\0", b"")  # UTF-16 too
    if b"<!ENTITY" in flat:
        raise RejectedError("xml_entities", f"{name[:80]} defines entities")


def _by_content_type(types: bytes) -> str | None:
    marks = ((b"wordprocessingml.document.main", "docx"), (b"ms-word.document.macroEnabled.main", "docx"))
    return next((kind for mark, kind in marks if mark in types), None)
