"""Which titles and dates of a file's metadata are worth believing."""

import re
from datetime import UTC, date, datetime

_DAY = re.compile(r"(?:D:)?\s*((?:19|20)\d\d)-?(\d\d)-?(\d\d)")
_NO_TITLE = re.compile(
    r"""(?xi)^\W*(?:untitled.*|unknown|no\ title|title|document\d*|presentation\d*|powerpoint\ presentation|slide\ \d+
    |word\ document|book\d*|workbook\d*|microsoft\ \w+\ -\ .*|\d+|print|layout\ 1
    |.*\.(?:docx?|pptx?|xlsx?|pdf|dvi|tex|indd|qxd|rtf|odt|html?|ps|eps|cdr|pub))\W*$"""
)
_LONGEST_TITLE = 300
_TEMPLATES = frozenset({"2013-01-27", "2013-12-23"})
"""Days on which the empty files were made that python-pptx and python-docx start from."""


def sound_title(text: str | None) -> str:
    """The title, or nothing where it is what a program put there by itself."""
    words = " ".join((text or "").split())
    return (
        ""
        if len(words) > _LONGEST_TITLE or _NO_TITLE.match(words) or not any(map(str.isalpha, words))
        else words
    )


def iso_day(text: str | None) -> str | None:
    """The ISO day at the beginning of a date as metadata have it (2024-05-17T…, 20240517, D:20240517…)."""
    match = _DAY.match((text or "").strip())
    if match is None:
        return None
    try:
        return date(int(match[1]), int(match[2]), int(match[3])).isoformat()
    except ValueError:
        return None


def now() -> datetime:
    """The second a parse begins in, to be given to `saved`."""
    return datetime.now(UTC).replace(microsecond=0)


def saved(modified: datetime | None, created: datetime | None, *, before: datetime) -> str | None:
    """The ISO day on which an Office file was last saved, where it says so itself.

    The libraries say "now" for a file that does not, so only what lies before the parse is believed.
    """
    for moment in (modified, created):
        if moment is None:
            continue
        known = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        if known < before and moment.date().isoformat() not in _TEMPLATES:
            return moment.date().isoformat()
    return None
