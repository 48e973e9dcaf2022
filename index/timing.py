"""When a document is from, in words a question may use, and which of several versions a question is about."""

import re
from collections.abc import Iterable, Mapping
from datetime import date

from index.analysis import stems
from index.types import DocumentInfo

_NOW = re.compile(
    r"(?i)\b(?:now|current(?:ly)?|latest|newest|new|recent(?:ly)?|today|nowadays|present(?:ly)?|up[- ]to[- ]date|in force|still)\b"
)
_THEN = re.compile(
    r"(?i)\b(?:old|older|oldest|previous(?:ly)?|former(?:ly)?|earlier|original(?:ly)?|used to|back then|superseded|first version)\b"
)
_SAME_TITLE = 0.8
"""Share of common words in two titles that makes the documents versions of one."""

NEWEST, OLDER, ALONE = 0.6, 0.4, 0.5
"""Without a word on time the newest version is meant a little more often than an older one."""


def described(document: DocumentInfo) -> str:
    """Title, the words of the path and the date spelled out: what a question may call a document by."""
    path = re.sub(r"[^\w-]+|_|-(?!\d)", " ", document.path.rsplit(".", 1)[0])
    return f"{document.title} {path} {spelled(document.date)}".strip()


def spelled(day: str | None) -> str:
    """An ISO day in words: "2025-04-10 10 April 2025"."""
    if day is None:
        return ""
    try:
        return f"{day} {date.fromisoformat(day):%-d %B %Y}"
    except ValueError:
        return day


def version_fit(query: str, documents: Iterable[DocumentInfo]) -> Mapping[str, float]:
    """How well the age of each document fits the query, 0 to 1, by document id.

    Only documents that are versions of one another (like titles, different dates) are told apart.
    """
    known = list({document.id: document for document in documents}.values())
    wants_old = bool(_THEN.search(query))
    wants_new = bool(_NOW.search(query)) and not wants_old
    fit: dict[str, float] = {}
    for document in known:
        others = [other for other in known if _versions(document, other)]
        if not others:
            fit[document.id] = ALONE
            continue
        newest = all((document.date or "") > (other.date or "") for other in others)
        oldest = all((document.date or "") < (other.date or "") for other in others)
        if wants_new:
            fit[document.id] = float(newest)
        elif wants_old:
            fit[document.id] = float(oldest)
        else:
            fit[document.id] = NEWEST if newest else OLDER
    return fit


def _versions(one: DocumentInfo, other: DocumentInfo) -> bool:
    if one.id == other.id or one.date is None or other.date is None or one.date == other.date:
        return False
    return versions_of_one(one.title, other.title)


def versions_of_one(title: str, other: str) -> bool:
    """Whether two titles, numbers and months aside, are those of versions of one document."""
    mine, theirs = stems(_bare(title)), stems(_bare(other))
    return bool(mine | theirs) and len(mine & theirs) >= _SAME_TITLE * len(mine | theirs)


def _bare(title: str) -> str:
    """A title without numbers and months, which differ between versions."""
    return re.sub(
        r"(?i)\b(?:\w*\d\w*|january|february|march|april|may|june|july|august|september|october|november|december|version)\b",
        " ",
        title,
    )
