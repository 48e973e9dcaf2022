"""What a retriever of another library hands on of a hit: where it stands, to the character, and how to check it."""

import hashlib

from index.types import Hit

Value = str | int | float


def key_of(hit: Hit) -> str:
    """The paragraph's identity: its document and number, never its text."""
    return f"{hit.document_id}#p{hit.paragraph}"


def metadata_of(hit: Hit, url: str, collection: str) -> dict[str, Value]:
    """The citation of a hit as flat values; what is not known is left out.

    `sha256` is of the paragraph's text in UTF-8, `url` opens it at the server that was asked.
    """
    known: dict[str, Value | None] = {
        "path": hit.path,
        "paragraph": hit.paragraph,
        "line_start": hit.line_start,
        "line_end": hit.line_end,
        "page": hit.page,
        "start_char_index": hit.start,
        "end_char_index": hit.end,
        "sha256": hashlib.sha256(hit.text.encode()).hexdigest(),
        "url": f"{url}/documents/{key_of(hit)}",
        "title": hit.title or None,
        "date": hit.date,
        "document_id": hit.document_id,
        "collection": collection,
        "score": hit.score,
    }
    return {name: value for name, value in known.items() if value is not None}
