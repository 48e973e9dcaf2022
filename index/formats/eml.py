"""E-mail: the headers that say who, when and what; then the text; then texts that were sent along."""

from collections.abc import Iterator
from email import policy
from email.message import EmailMessage
from email.parser import BytesParser

from index.encoding import decoded
from index.errors import RejectedError
from index.formats.build import Builder
from index.formats.html import add_page, page
from index.formats.sound import sound_title
from index.paragraphs import plain_paragraphs

_SHOWN = ("From", "To", "Cc", "Date", "Subject")
_DEEPEST = 2
"""Messages within messages; what lies deeper is left out."""
_MOST_PARTS = 1_000
_TEXTS = frozenset({"text/plain", "text/html", "text/markdown", "text/csv"})


def parse(data: bytes, out: Builder, kind: str) -> None:
    """Add a message and what it carries as text; other attachments are named in a note and not opened."""
    del kind
    message = BytesParser(policy=policy.default.clone(max_line_length=None)).parsebytes(
        data.lstrip(b"\r\n \t")
    )
    if not any(_header(message, name) for name in _SHOWN):
        raise RejectedError("damaged", "it has no header of a message")
    out.title = sound_title(_header(message, "Subject"))
    date = message["Date"]
    moment = getattr(date, "datetime", None)
    out.date = moment.date().isoformat() if moment is not None else None
    _message(message, 1, out)


def _message(message: EmailMessage, depth: int, out: Builder) -> None:
    out.add("\n".join(f"{name}: {text}" for name in _SHOWN if (text := _header(message, name))))
    for part, shown in _parts(message):
        name = part.get_filename() or ""
        kind = part.get_content_type()
        if kind == "message/rfc822":
            _attached(part, depth, out)
        elif kind in _TEXTS:
            _text(part, "" if shown else name, out)
        else:
            out.note(f"attachment not read: {name or kind}"[:200])


def _attached(part: EmailMessage, depth: int, out: Builder) -> None:
    inner = part.get_payload(0) if part.is_multipart() else None
    if depth > _DEEPEST or not isinstance(inner, EmailMessage):
        out.note("messages nested more than two deep are left out")
        return
    before = out.headings
    out.under(f"Attached message: {_header(inner, 'Subject')}", depth)
    _message(inner, depth + 1, out)
    if not before:
        out.under("", depth)


def _parts(message: EmailMessage) -> Iterator[tuple[EmailMessage, bool]]:
    """The parts of one message (not of messages within it), and whether each is part of what is shown."""
    body = message.get_body(preferencelist=("plain", "html"))
    alternatives = {
        id(part) for kind in ("plain", "html") if (part := message.get_body(preferencelist=(kind,)))
    }
    if isinstance(body, EmailMessage):
        yield body, True
    waiting: list[EmailMessage] = [message]
    seen = 0
    while waiting and seen < _MOST_PARTS:
        part = waiting.pop(0)
        seen += 1
        if part.get_content_type() == "message/rfc822" and part is not message:
            yield part, False
        elif part.is_multipart():
            waiting = [inner for inner in part.iter_parts() if isinstance(inner, EmailMessage)] + waiting
        elif id(part) not in alternatives:
            yield part, False


def _text(part: EmailMessage, name: str, out: Builder) -> None:
    payload = part.get_payload(decode=True)
    if not isinstance(payload, bytes):
        return
    try:
        text, _ = decoded(payload, part.get_content_charset() or "")
    except RejectedError as rejected:
        if rejected.reason == "too_large":
            raise
        return  # an empty or unreadable part costs only itself
    headings = (*out.headings, f"Attachment: {name}") if name else out.headings
    if part.get_content_type() == "text/html":
        add_page(page(text), out, level=2)
        return
    for paragraph in plain_paragraphs(text):
        kind = "text" if paragraph.kind == "heading" else paragraph.kind
        out.add(text[paragraph.start : paragraph.end], kind, headings=headings)


def _header(message: EmailMessage, name: str) -> str:
    try:
        return " ".join(str(message.get(name, "")).split())
    except (
        ValueError,
        LookupError,
        AttributeError,
        TypeError,
    ):  # the standard library fails on some damaged headers
        return ""
