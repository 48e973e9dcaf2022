"""EPUB books: the chapters in reading order, headings from the text or the table of contents.

The well-known library for EPUB is under the AGPL; a book is a zip of XHTML pages with a list of them, so the archive
and page readers that are here anyway do.
"""

import posixpath
from collections.abc import Iterator
from typing import Any
from urllib.parse import unquote

from index.encoding import decoded
from index.errors import RejectedError
from index.formats.archive import Archive
from index.formats.build import Builder
from index.formats.html import add_page, page
from index.formats.markup import xml_root
from index.formats.sound import iso_day, sound_title

_CONTAINER = "{urn:oasis:names:tc:opendocument:xmlns:container}"
_OPF = "{http://www.idpf.org/2007/opf}"
_DC = "{http://purl.org/dc/elements/1.1/}"
_NCX = "{http://www.daisy.org/z3986/2005/ncx/}"
_ENCRYPTION = "{http://www.w3.org/2001/04/xmlenc#}"
_FONT_SCRAMBLING = ("http://www.idpf.org/2008/embedding", "http://ns.adobe.com/pdf/enc#RC")
_PAGES = frozenset({"application/xhtml+xml", "text/html"})


def parse(data: bytes, out: Builder, kind: str) -> None:
    """Add the chapters of a book. Scripts, pictures and what lies outside the archive are left alone."""
    del kind
    book = Archive(data)
    _refuse_protected(book)
    rootfile = xml_root(book.read("META-INF/container.xml")).find(f".//{_CONTAINER}rootfile")
    if rootfile is None:
        raise RejectedError("damaged", "the archive does not say where its book is")
    place = rootfile.get("full-path") or ""
    package = xml_root(book.read(place))
    out.title = sound_title(package.findtext(f".//{_DC}title"))
    out.date = next((day for date in package.iter(f"{_DC}date") if (day := iso_day(date.text))), None)
    names = _names(book, package, place)
    for path in _spine(package, place):
        _chapter(book, path, names.get(path, ""), out)


def _chapter(book: Archive, path: str, name: str, out: Builder) -> None:
    data = book.read(path)
    if not data:
        out.note(f"a chapter is missing: {path[:80]}")
        return
    try:
        root = page(decoded(data)[0])
    except RejectedError as rejected:
        if rejected.reason not in {"empty", "no_text"}:
            raise
        return  # a cover or a divider
    headings = [heading.tag for heading in root.iter("h1", "h2", "h3")]
    out.under("" if headings else name, 1)
    # many books begin their chapters with <h2>
    add_page(root, out, level=-1 if headings and "h1" not in headings else 0)


def _spine(package: Any, place: str) -> Iterator[str]:
    """Paths of the chapters in reading order."""
    items = {item.get("id"): item for item in package.iter(f"{_OPF}item")}
    for reference in package.iter(f"{_OPF}itemref"):
        item = items.get(reference.get("idref"))
        if (
            item is not None
            and item.get("media-type") in _PAGES
            and "nav" not in (item.get("properties") or "").split()
        ):
            yield _inside(place, item.get("href") or "")


def _names(book: Archive, package: Any, place: str) -> dict[str, str]:
    """What the table of contents calls each chapter."""
    found: dict[str, str] = {}
    for item in package.iter(f"{_OPF}item"):
        if item.get("media-type") == "application/x-dtbncx+xml":
            path = _inside(place, item.get("href") or "")
            for point in xml_root(book.read(path)).iter(f"{_NCX}navPoint") if book.read(path) else ():
                content = point.find(f"{_NCX}content")
                if content is not None:
                    name = point.findtext(f"{_NCX}navLabel/{_NCX}text") or ""
                    found.setdefault(_inside(path, content.get("src") or ""), name)
        elif "nav" in (item.get("properties") or "").split():
            path = _inside(place, item.get("href") or "")
            for link in page(decoded(book.read(path))[0]).iter("a") if book.read(path) else ():
                found.setdefault(_inside(path, link.get("href") or ""), link.text_content())
    return found


def _inside(base: str, target: str) -> str:
    """A path within the archive, as the entry is called."""
    return posixpath.normpath(posixpath.join(posixpath.dirname(base), unquote(target.partition("#")[0])))


def _refuse_protected(book: Archive) -> None:
    """Raise where the text itself is encrypted; scrambled fonts do not matter."""
    data = book.read("META-INF/encryption.xml")
    methods = xml_root(data).iter(f"{_ENCRYPTION}EncryptionMethod") if data else ()
    if any(method.get("Algorithm") not in _FONT_SCRAMBLING for method in methods):
        raise RejectedError("encrypted", "the book is protected against copying")
