"""How old the sources of an answer are, in words."""

from collections.abc import Sequence
from datetime import UTC, date, datetime

from qa.types import Citation


def today() -> date:
    """The day by the clock."""
    return datetime.now(UTC).date()


def age_of(citations: Sequence[Citation], day: date) -> str:
    """Says how old the newest dated source is on a day, where that is more than a year; "" where it is not."""
    written = [found for found in (_day(citation.date) for citation in citations) if found is not None]
    if not written:
        return ""
    newest = max(written)
    years = day.year - newest.year - ((day.month, day.day) < (newest.month, newest.day))
    if years < 1:
        return ""
    many = len({citation.document_id for citation in citations}) > 1
    source = "the newest dated source of this answer" if many else "the source of this answer"
    return f"{source} is of {spelled(newest.isoformat())}, {years} {'year' if years == 1 else 'years'} old."


def spelled(day: str | None) -> str:
    """An ISO day as people write it: 16 April 2024; "" for none."""
    found = _day(day)
    return "" if found is None else f"{found:%-d %B %Y}"


def _day(text: str | None) -> date | None:
    try:
        return date.fromisoformat(text or "")
    except ValueError:
        return None
