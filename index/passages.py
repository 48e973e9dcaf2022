"""Paragraphs to passages: what is embedded and searched, with the context that a lone paragraph lacks."""

from collections.abc import Iterator, Sequence

from index.hyphens import joiner
from index.paragraphs import clean
from index.sentences import sentence_spans
from index.types import Paragraph, Passage
from index.visible import visible

SPLITTER_VERSION = 1
"""Raise when passages of the same text change; an index built by another version is refused."""

_MOST_WORDS = 220
"""Words of one passage: with its context it stays inside a 512-token window."""

_LEAD_IN_WORDS = 30
"""Words of the sentence that leads into a list, given to each of its items."""


def embed_text(passage: Passage) -> str:
    """What the embedder reads for a passage."""
    return f"{passage.context}\n{passage.text}" if passage.context else passage.text


def passages_of(text: str, paragraphs: Sequence[Paragraph], title: str) -> tuple[Passage, ...]:
    """Passages of a document in order. Headings and boilerplate give none; a long paragraph gives several."""
    found: list[Passage] = []
    lead_in = ""
    joined = joiner(text)
    for paragraph in paragraphs:
        words = clean(text[paragraph.start : paragraph.end])
        if paragraph.kind in ("heading", "boilerplate"):
            continue
        context = _context(title, paragraph, lead_in)
        found.extend(
            Passage(paragraph.number, part, start, end, clean(visible(joined(text[start:end]))), context)
            for part, (start, end) in enumerate(_parts(text, paragraph))
        )
        if paragraph.kind not in ("list_item", "row"):
            lead_in = words
    return tuple(found)


def _context(title: str, paragraph: Paragraph, lead_in: str) -> str:
    """Title, headings and, for a list item, what leads into the list.

    A neighbouring paragraph's text is left out: it made each passage match its neighbours' questions
    (hit@1 of dense search over the seeds fell from .65 to .19).
    """
    tail = " ".join(lead_in.split()[-_LEAD_IN_WORDS:]) if paragraph.kind in ("list_item", "row") else ""
    lines = [title, *(h for h in paragraph.headings if h != title), tail]
    return "\n".join(line for line in lines if line)


def _parts(text: str, paragraph: Paragraph) -> Iterator[tuple[int, int]]:
    """Spans of a paragraph of at most `_MOST_WORDS` words each, cut between sentences where there are any."""
    start: int | None = None
    words = 0
    end = paragraph.start
    for first, last in _pieces(text, paragraph):
        size = len(text[first:last].split())
        if start is not None and words + size > _MOST_WORDS:
            yield start, end
            start, words = None, 0
        if start is None:
            start = first
        words += size
        end = last
    if start is not None:
        yield start, end


def _pieces(text: str, paragraph: Paragraph) -> Iterator[tuple[int, int]]:
    """Sentences; one that is too long by itself is cut between words."""
    body = text[paragraph.start : paragraph.end]
    for start, end in sentence_spans(body):
        cut = start
        count = 0
        for position in range(start, end):
            if body[position].isspace() and position > start and not body[position - 1].isspace():
                count += 1
                if count % _MOST_WORDS == 0:
                    yield paragraph.start + cut, paragraph.start + position
                    cut = position + 1
        if end > cut:
            yield paragraph.start + cut, paragraph.start + end
