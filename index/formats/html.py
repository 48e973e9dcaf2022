"""Web pages: what a reader sees, block by block, with the page's furniture told apart from its text."""

import json
import re
from collections.abc import Iterator
from typing import Any

from lxml import etree
from lxml.html import HTMLParser, document_fromstring

from index.encoding import decoded
from index.errors import RejectedError
from index.formats.build import Builder
from index.formats.furniture import emit, settled
from index.formats.hidden import Hidden
from index.formats.sound import iso_day, sound_title
from index.formats.walk import pieces_of

_CHARSET = re.compile(rb"<meta[^>]{0,200}charset\s{0,9}=\s{0,9}[\"']?\s{0,9}([\w.:-]{2,40})", re.IGNORECASE)
_XML_CHARSET = re.compile(
    rb"\A\s*<\?xml[^>]{0,100}encoding\s{0,9}=\s{0,9}[\"']([\w.:-]{2,40})", re.IGNORECASE
)
_XML_DECLARATION = re.compile(r"\A\s*<\?xml[^>]*>")
_TITLES = ("og:title", "twitter:title", "dc.title", "citation_title")
_DATES = (
    "article:published_time", "og:published_time", "datepublished", "date", "dc.date", "dc.date.issued", "dcterms.date",
    "dcterms.created", "pubdate", "publishdate", "publish_date", "parsely-pub-date", "sailthru.date",
    "citation_publication_date",
)  # fmt: skip
_SITE = re.compile(r"\s+[|–—·»-]\s+[^|–—·»]{2,40}\Z")
_MEANT = {
    "utf-16": "",
    "utf-16le": "",
    "utf-16be": "",
    "iso-8859-1": "cp1252",
    "latin1": "cp1252",
    "us-ascii": "cp1252",
    "gb2312": "gb18030",
    "gbk": "gb18030",
}
"""What browsers take some names of encodings for."""
_HEAD = 100_000
_MOST_JSON = 200_000


def parse(data: bytes, out: Builder, kind: str) -> None:
    """Add the blocks of a page. Nothing is fetched, run, or followed."""
    del kind
    if b"<!ENTITY" in data[:_HEAD].replace(b"\0", b""):
        raise RejectedError("xml_entities", "the page defines entities")
    text, notes = decoded(data, _declared(data))
    for note in notes:
        out.note(note)
    root = page(text)
    out.title, out.date = title_of(root), date_of(root)
    add_page(root, out)


def page(text: str) -> Any:
    """The root of a page's tree.

    Raises:
        RejectedError: `no_text` or `parse_limit`.
    """
    parser = HTMLParser(no_network=True, huge_tree=False, remove_comments=True, remove_pis=True)
    try:
        # a declared encoding is refused in a text that is decoded already
        root = document_fromstring(_XML_DECLARATION.sub("", text), parser=parser)
    except (etree.ParserError, etree.XMLSyntaxError, ValueError) as error:
        raise RejectedError("no_text", "the page holds no text") from error
    if any("depth" in entry.message for entry in parser.error_log):
        raise RejectedError("parse_limit", "nested more than 256 levels deep")
    return root


def add_page(root: Any, out: Builder, *, level: int = 0) -> None:
    """Add the blocks of a page's tree; its headings begin below `level`."""
    hidden = Hidden(root)
    emit(settled(list(pieces_of(root, hidden))), out, level=level)
    if hidden.words:
        out.note(f"{hidden.words} words of hidden text left out")


def title_of(root: Any) -> str:
    """The page's own title: its only first-level heading, or what its head says."""
    firsts = [" ".join(heading.text_content().split()) for heading in root.iter("h1")]
    if len(firsts) == 1 and sound_title(firsts[0]):
        return sound_title(firsts[0])
    named = next((found for name in _TITLES for found in _meta(root, name)), "")
    return sound_title(named) or sound_title(
        _SITE.sub("", " ".join((root.findtext(".//title") or "").split()))
    )


def date_of(root: Any) -> str | None:
    """The ISO day on which the page says that it was published."""
    candidates = [value for name in _DATES for value in _meta(root, name)]
    candidates += _linked_data(root)
    candidates += [time.get("datetime") for time in root.iter("time") if time.get("datetime")][:1]
    return next((day for value in candidates if (day := iso_day(value))), None)


def _meta(root: Any, name: str) -> Iterator[str]:
    for meta in root.iter("meta"):
        names = (meta.get("property"), meta.get("name"), meta.get("itemprop"))
        if meta.get("content") and any((given or "").lower() == name for given in names):
            yield meta.get("content")


def _linked_data(root: Any) -> list[str]:
    """Dates of publication in JSON-LD, as most news sites have them."""
    found: list[str] = []
    for script in root.iter("script"):
        text = script.text or ""
        if "ld+json" not in (script.get("type") or "") or len(text) > _MOST_JSON:
            continue
        try:
            found += re.findall(r'"datePublished":\s?"([^"]{8,40})"', json.dumps(json.loads(text)))
        except (ValueError, RecursionError):
            continue
    return found


def _declared(data: bytes) -> str:
    """The encoding that the page names; a name that does not fit the bytes is passed over later."""
    match = _XML_CHARSET.match(data[:_HEAD]) or _CHARSET.search(data[:_HEAD])
    name = match[1].decode("ascii").lower() if match else ""
    return _MEANT.get(name, name)
