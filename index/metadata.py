"""Title and publication date of a document, where its text gives them."""

import re
from collections.abc import Sequence

from index.dates import named_dates, only_date
from index.paragraphs import clean
from index.types import Paragraph

# A date counts as the document's own only near the top: before the body begins, or behind a word that says so.
_TOP_PARAGRAPHS = 12
_BODY_WORDS = 25
_LABEL = re.compile(
    r"(?i)(?:^|\b)(?:date|dated|published|posted|updated|last updated|issued|effective(?: date)?|effective from|revised|created|"
    r"version of|as of|in force (?:from|since))\s*(?:on|:|-|–)?\s*$"
)


def title_of(text: str, paragraphs: Sequence[Paragraph]) -> str:
    """The heading that opens the document; empty where it opens with prose."""
    for paragraph in paragraphs[:3]:
        if paragraph.kind == "heading":
            return clean(text[paragraph.start : paragraph.end]).lstrip("# ")
        if paragraph.kind != "boilerplate":
            return ""
    return ""


def date_of(text: str, paragraphs: Sequence[Paragraph]) -> str | None:
    """The ISO day on which the document says that it appeared.

    A date alone on a line counts until the body begins (a teaser's date further down is another article's);
    a labelled one ("Published: …", "date 2023-12-21 …") within the first paragraphs.
    """
    in_body = False
    for paragraph in paragraphs[:_TOP_PARAGRAPHS]:
        words = clean(text[paragraph.start : paragraph.end])
        alone = only_date(words)
        if alone is not None and not in_body:
            return alone
        labelled = _in_title(words) if paragraph.kind == "heading" and not in_body else _labelled(words)
        if labelled is not None:
            return labelled
        in_body = in_body or len(words.split()) >= _BODY_WORDS
    return None


def _in_title(words: str) -> str | None:
    return next((found.iso for found in named_dates(words) if found.iso is not None), None)


def _labelled(words: str) -> str | None:
    for found in named_dates(words):
        if found.iso is not None and _LABEL.search(words[: found.start].rstrip("*_ ")):
            return found.iso
    return None
