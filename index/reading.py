"""What a reader is given of a hit: what the paragraph is about, then its sentences."""

from collections.abc import Sequence

from index.sentences import sentence_spans
from index.timing import spelled
from index.types import Hit, ToRead

_WORDS_READ = 220
"""Words of a paragraph in one piece; a longer paragraph is read in several."""
_WORDS_BEFORE = 24
"""Words of the text before a paragraph that are read with it: what "it" and "the meeting" point to."""
BEFORE = 400
"""Characters that hold so many words."""


def to_read(hit: Hit, before: str = "") -> list[ToRead]:
    """The pieces of a hit's paragraph, each with what it is about; `before` is the text that precedes it."""
    return pieces(
        hit.text,
        title=hit.title,
        date=hit.date,
        context=hit.context,
        names=hit.lent,
        before=before,
    )


def pieces(
    text: str, *, title: str, date: str | None, context: str = "", names: str = "", before: str = ""
) -> list[ToRead]:
    """A paragraph cut between sentences into pieces of at most `_WORDS_READ` words."""
    lines = dict.fromkeys(line for line in (title, *context.split("\n")) if line)
    about = ". ".join(part for part in (*lines, spelled(date).partition(" ")[2], names) if part)
    found: list[ToRead] = []
    lead = " ".join(before.split()[-_WORDS_BEFORE:])
    sentences: list[str] = []
    size = 0
    for start, end in sentence_spans(text):
        sentence = text[start:end]
        words = len(sentence.split())
        if sentences and size + words > _WORDS_READ:
            found.append(ToRead(about, lead, tuple(sentences)))
            lead = " ".join(sentences[-1].split()[-_WORDS_BEFORE:])
            sentences, size = [], 0
        sentences.append(sentence)
        size += words
    if sentences:
        found.append(ToRead(about, lead, tuple(sentences)))
    return found


def laid_out(passage: ToRead) -> tuple[str, Sequence[tuple[int, int]]]:
    """A passage as one text, and where each sentence stands in it (start, end) in characters."""
    text = f"{passage.about}: " if passage.about else ""
    text += f"… {passage.before} " if passage.before else ""
    spans: list[tuple[int, int]] = []
    for sentence in passage.sentences:
        spans.append((len(text), len(text) + len(sentence)))
        text += f"{sentence} "
    return text, spans
