"""The stored text behind citations: whether a quote is exact, and what a gold line says."""

import hashlib
from collections.abc import Iterable

from index.errors import NotFoundError
from index.types import Hit, StoredParagraph
from qa.evaluate.types import Gold, Measured, Outcome
from qa.types import Citation


class StoredText:
    """Paragraphs read through the service, each document once."""

    def __init__(self, service: Measured, collection: str) -> None:
        self._service, self._collection = service, collection
        self._paragraphs: dict[str, list[StoredParagraph]] = {}
        self._ids: dict[str, str] = {}

    def is_exact(self, citation: Citation) -> bool:
        """Whether the stored text says, at the cited characters and lines, exactly what the citation quotes."""
        for stored in self.paragraphs(citation.document_id):
            if stored.paragraph.number == citation.paragraph:
                return stored.document.path == citation.path and quotes(citation, stored)
        return False

    def paragraphs(self, document_id: str) -> list[StoredParagraph]:
        """A document's paragraphs; none when it is gone."""
        if document_id not in self._paragraphs:
            try:
                found = self._service.paragraphs(self._collection, document_id)
            except NotFoundError:
                found = []
            self._paragraphs[document_id] = found
        return self._paragraphs[document_id]

    def remember(self, places: Iterable[Hit | Citation]) -> None:
        """Learn which document stands at which path, from what the service returned."""
        self._ids.update((place.path, place.document_id) for place in places)

    def gold_texts(self, outcome: Outcome) -> dict[str, str]:
        """The paragraph around each gold line, by `path:line`, of documents that were ever returned."""
        return {
            place_of(gold): "\n".join(stored.text for stored in around)
            for gold in outcome.gold
            if (around := [stored for stored in self._at(gold.path) if _covers(stored, gold)])
        }

    def _at(self, path: str) -> list[StoredParagraph]:
        return self.paragraphs(self._ids[path]) if path in self._ids else []


def place_of(gold: Gold) -> str:
    """A gold line as people write it."""
    return gold.path if gold.line is None else f"{gold.path}:{gold.line}"


def quotes(citation: Citation, stored: StoredParagraph) -> bool:
    """Whether a citation's characters, lines, text and hash are those of the stored paragraph.

    Lines may be those of the quote or of its whole paragraph, nothing outside.
    """
    paragraph, quote = stored.paragraph, citation.cited_text
    start, end = citation.start_char_index - paragraph.start, citation.end_char_index - paragraph.start
    if not quote or not 0 <= start < end <= len(stored.text) or stored.text[start:end] != quote:
        return False
    first = paragraph.line_start + stored.text.count("\n", 0, start)
    last = first + quote.rstrip("\n").count("\n")
    lines = (
        paragraph.line_start <= citation.line_start <= first
        and last <= citation.line_end <= paragraph.line_end
    )
    return lines and citation.sha256 == hashlib.sha256(quote.encode()).hexdigest()


def _covers(stored: StoredParagraph, gold: Gold) -> bool:
    return gold.line is None or stored.paragraph.line_start <= gold.line <= stored.paragraph.line_end
