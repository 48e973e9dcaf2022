"""What a reader is given of a hit, and what its reading changes: the order of the hits."""

from collections.abc import Sequence
from dataclasses import replace

from index.expects import expected, holds
from index.relevance import log_odds, logistic
from index.sentences import sentence_spans
from index.timing import spelled
from index.types import Hit, Reading, ToRead

HITS_READ = 6
"""Paragraphs that are read; what answers is among them for 19 questions of 20."""
NOTHING = -20.0
"""Log odds of what could not be read."""
_WEIGHT = 0.8
"""Of the reader's log odds beside those of relevance, in the order of hits (docs/decisions/0017-stated.md)."""
_BESIDE = -3.0
"""A passage whose log odds of relevance are less than this is on another matter, and counts for so much less."""

_NO_VALUE, _NO_VALUE_HERE = 4.0, 2.0
"""Log odds that a passage without any length of time loses where one is asked for; a sentence of one that has some."""

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


def window_of(hit: Hit, start: int, end: int) -> ToRead:
    """A span of a hit's text as one passage, after the words of the paragraph before it."""
    found = to_read(replace(hit, text=hit.text[start:end]), hit.text[:start])
    sentences = tuple(sentence for piece in found for sentence in piece.sentences)
    return ToRead(found[0].about, found[0].before, sentences) if found else ToRead("", "", ())


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


def valued(question: str, passage: ToRead, reading: Reading) -> Reading:
    """A reading that counts for less where a length of time is asked for and the text has none.

    Of other kinds a value may be written in ways that no pattern knows, or stand in the title.
    """
    if expected(question) != "duration":
        return reading
    held = [holds("duration", sentence, question) for sentence in passage.sentences]
    less = [0.0 if has else _NO_VALUE_HERE if any(held) else _NO_VALUE for has in held]
    sentences = tuple(odds - loss for odds, loss in zip(reading.sentences, less, strict=True))
    return Reading(reading.passage - (0.0 if any(held) else _NO_VALUE), sentences)


def stated(readings: Sequence[Reading]) -> float:
    """Log odds that some passage states what is asked: its best sentence and the passage as a whole, halved."""
    return max(((max(r.sentences, default=NOTHING) + r.passage) / 2 for r in readings), default=NOTHING)


def answers(stated: float, relevance: float) -> float:
    """Log odds that a passage answers: what it states, less where it is hardly relevant (a probability).

    A near miss is as relevant as what answers, so relevance says nothing for a passage; where it is all but nil, a
    value of the kind asked for is that of another matter.
    """
    return stated + min(log_odds(relevance) - _BESIDE, 0.0)


def reordered(hits: Sequence[Hit], found: Sequence[Sequence[Reading]]) -> list[Hit]:
    """Hits by relevance and by how far each states what is asked, with what was read in them.

    `found` is of the first hits; the others count as the least of these.

    The greatest score stays what it was: a score says how relevant a paragraph is, whatever is stated in it.
    """
    if not found:
        return list(hits)
    said = [stated(readings) for readings in found]
    known = [*said, *[min(said)] * (len(hits) - len(said))]
    odds = [log_odds(hit.score) + _WEIGHT * value for hit, value in zip(hits, known, strict=True)]
    shift = max(log_odds(hit.score) for hit in hits) - max(odds)
    changed = [
        replace(hit, score=logistic(value + shift), scores={**hit.scores, "relevance": hit.score})
        for hit, value in zip(hits, odds, strict=True)
    ]
    for n, (value, readings) in enumerate(zip(said, found, strict=True)):
        sentences = tuple(odd for reading in readings for odd in reading.sentences)
        changed[n] = replace(changed[n], scores={**changed[n].scores, "stated": value}, read=sentences)
    return sorted(changed, key=lambda hit: -hit.score)
