"""The paragraphs a claim is checked against, cut into windows of one or two sentences, with what surrounds them."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

from index.analysis import question_names
from index.sentences import sentence_spans
from index.types import Hit
from qa.days import Day, days_in, lent_days
from qa.facts import Read, acronyms_in, read
from qa.numbers import numbers_in
from qa.tokens import is_title, key_of, tokens_of

_LONGEST = 1200
"""Characters of one window's sentence; comparing orders takes time by the product of lengths."""
_LED = 0.5
"""What a word in the line that leads into a list counts there."""
_LABEL = re.compile(r"\b(?P<word>[A-Z][a-z]{2,}) (?P<number>\d{1,4})(?![\w%]|[.,:]\d)")
_VALUE = 2.0
"""What a shared number or date counts beside a shared word when windows are ranked."""


@dataclass(frozen=True, slots=True)
class Paragraph:
    """A paragraph's words: its sentences as spans, the keys of each (values among them), and the keys of its names."""

    sentences: tuple[tuple[int, int], ...]
    keys: tuple[frozenset[str], ...]
    every: frozenset[str]
    names: frozenset[str]
    days: tuple[Day, ...]


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a document lends its paragraphs: keys of title, context and other hits, and dates of all but the hits.

    `labels` are the numbers by which it calls its things ("Unit 3", "sensor 12").
    """

    keys: frozenset[str]
    title: frozenset[str]
    days: tuple[Day, ...]
    labels: frozenset[str]


Span = tuple[int, int, int]
"""A hit's place in the evidence, and a range of its text."""


@dataclass(frozen=True, slots=True)
class Window:
    """A span of a hit's text, one sentence or two that follow each other, as read, in its surroundings.

    `leads` is what leads into it (a list's first line, a heading). A gathered window is read together with `others`,
    sentences from elsewhere in its document.
    """

    hit: Hit
    span: Span
    read: Read
    paragraph: Paragraph
    around: Surroundings
    leads: Read
    others: tuple[Span, ...] = ()

    def inside(self, other: "Window") -> bool:
        """Whether this window is a part of the other and not all of it."""
        (place, start, end), (outer, first, last) = self.span, other.span
        return place == outer and first <= start and end <= last and (start, end) != (first, last)


@dataclass(frozen=True, slots=True)
class Evidence:
    """All hits of one request, ready to be asked about many claims.

    `asked` are the names of the question that some document holds together; a document without them is about others.
    """

    hits: tuple[Hit, ...]
    paragraphs: tuple[Paragraph, ...]
    documents: Mapping[str, Surroundings]
    leads: tuple[frozenset[str], ...]
    names: frozenset[str]
    asked: frozenset[str]

    def reading(self, text: str) -> Read:
        """A text read with what is known here of names."""
        return read(text, opens_with_name=self._opens_with_name(text))

    def _opens_with_name(self, text: str) -> bool:
        """A first word is a name where it is one elsewhere, owns something, or stands right before a name."""
        tokens = tokens_of(text[:48])
        if not tokens or not tokens[0].opens:
            return False
        first = tokens[0]
        if first.key in self.names or text[first.end :].startswith(("'s ", "’s ")):
            return True
        plain = first.kind == "word" and not is_title(first.text) and not first.text.endswith("ly")
        return (
            plain
            and len(tokens) > 1
            and tokens[1].kind == "name"
            and text[first.end : tokens[1].start] == " "
        )

    def implied(self, claim: Read) -> frozenset[str]:
        """Names that a claim leaves to the question: all it asks of, where the claim names nobody else."""
        own = {name.key for name in claim.names}
        return self.asked if own <= self.asked else frozenset()

    def window(self, place: int, start: int, end: int) -> Window:
        """A span of a hit's text as a window."""
        hit, paragraph = self.hits[place], self.paragraphs[place]
        around = self.documents[hit.document_id]
        there = self.reading(hit.text[start:end])
        return Window(hit, (place, start, end), there, paragraph, around, read(hit.context))

    def together(self, spans: Sequence[Span]) -> Window:
        """Sentences of one document read as one; the first is the window's own."""
        text = "\n".join(self.hits[place].text[start:end] for place, start, end in spans)
        return replace(self.window(*spans[0]), read=self.reading(text), others=tuple(spans[1:]))


def evidence_of(hits: Sequence[Hit], question: str = "") -> Evidence:
    """Hits as evidence. Each paragraph is read once and remembered by its text."""
    paragraphs = tuple(paragraph_of(hit.text) for hit in hits)
    pairs = list(zip(hits, paragraphs, strict=True))
    documents = {
        document: _surroundings([pair for pair in pairs if pair[0].document_id == document])
        for document in {hit.document_id for hit in hits}
    }
    asked = frozenset(key_of(name) for name in question_names(question))
    names = frozenset[str]().union(*(paragraph.names for paragraph in paragraphs), asked)
    answered = asked if any(asked <= around.keys for around in documents.values()) else frozenset[str]()
    leads = tuple(read(hit.context).keys if hit.context else frozenset() for hit in hits)
    return Evidence(tuple(hits), paragraphs, documents, leads, names, answered)


@lru_cache(maxsize=4096)
def paragraph_of(text: str) -> Paragraph:
    """A paragraph cut into sentences."""
    spans = tuple(piece for start, end in sentence_spans(text) for piece in _pieces(text, start, end))
    days = days_in(text)
    tokens = [tokens_of(text[start:end]) for start, end in spans]
    values = [(day.start, key) for day in days for key in day_keys(day)] + [
        (n.start, n.key) for n in numbers_in(text)
    ]
    keys = tuple(
        frozenset(t.key for t in sentence if t.kind != "function")
        | {key for at, key in values if start <= at < end}
        for (start, end), sentence in zip(spans, tokens, strict=True)
    )
    every = acronyms_in(text).union(*({t.key for t in sentence} for sentence in tokens))
    names = frozenset(t.key for sentence in tokens for t in sentence if t.kind == "name")
    return Paragraph(spans, keys, every, names, days)


def _pieces(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    """A sentence, or what a table or a text without full stops gives in its place, cut between words."""
    while end - start > _LONGEST:
        cut = text.rfind(" ", start + 1, start + _LONGEST)
        cut = cut if cut > 0 else start + _LONGEST
        yield start, cut
        start = cut + (text[cut] == " ")
    yield start, end


def day_keys(day: Day) -> list[str]:
    """One key for each part that a date gives."""
    parts = (("y", day.year), ("m", day.month), ("d", day.day), ("w", day.weekday), ("s", day.decade))
    return [f"@{part}{value}" for part, value in parts if value is not None]


def _wanted(claim: Read) -> frozenset[str]:
    """Keys by which the windows of a claim are found."""
    words = {token.key for token in claim.tokens if token.kind != "function"}
    return frozenset(
        words | {n.key for n in claim.numbers} | {key for day in claim.days for key in day_keys(day)}
    )


def windows(evidence: Evidence, claim: Read, most: int, paired: int) -> Iterator[Window]:
    """The sentences that share most with a claim, best first; then the first few with each neighbour."""
    ranked = _ranked(evidence, claim)
    for n, k, _ in ranked[:most]:
        yield evidence.window(n, *evidence.paragraphs[n].sentences[k])
    for n, k, _ in ranked[:paired]:
        spans = evidence.paragraphs[n].sentences
        if k > 0:
            yield evidence.window(n, spans[k - 1][0], spans[k][1])
        if k + 1 < len(spans):
            yield evidence.window(n, spans[k][0], spans[k + 1][1])


def gathered(evidence: Evidence, claim: Read, most: int) -> Iterator[Window]:
    """For each document, the few sentences that together share most with a claim, where it takes more than one."""
    ranked = _ranked(evidence, claim)
    for document in dict.fromkeys(evidence.hits[n].document_id for n, *_ in ranked):
        left = [(n, k, shared) for n, k, shared in ranked if evidence.hits[n].document_id == document]
        chosen: list[Span] = []
        covered: frozenset[str] = frozenset()
        while left and len(chosen) < most:
            n, k, shared = max(left, key=lambda item: _worth(item[2] - covered))
            if not shared - covered:
                break
            chosen.append((n, *evidence.paragraphs[n].sentences[k]))
            covered |= shared
        if len(chosen) > 1:
            yield evidence.together(chosen)


def _ranked(evidence: Evidence, claim: Read) -> list[tuple[int, int, frozenset[str]]]:
    """Sentences as (hit, number, keys shared with the claim), those that share most first.

    Documents without the names that the claim leaves to the question are about something else.
    """
    wanted, implied = _wanted(claim), evidence.implied(claim)
    found = [
        (n, k, wanted & keys, _worth(wanted & keys) + _LED * len(wanted & evidence.leads[n]))
        for n, paragraph in enumerate(evidence.paragraphs)
        if implied <= evidence.documents[evidence.hits[n].document_id].keys
        for k, keys in enumerate(paragraph.keys)
        if not wanted.isdisjoint(keys)
    ]
    return [
        (n, k, shared) for n, k, shared, _ in sorted(found, key=lambda item: (-item[3], item[0], item[1]))
    ]


def _worth(keys: frozenset[str]) -> float:
    return sum(_VALUE if key[0] in "#@" else 1.0 for key in keys)


def number_label(text: str, start: int) -> str:
    """The name that a number at `start` gives with the word before it ("unit 3"); empty where it is no such number."""
    return next((_as_label(match) for match in _LABEL.finditer(text) if match.start("number") == start), "")


@lru_cache(maxsize=4096)
def _labels_of(text: str) -> frozenset[str]:
    return frozenset(_as_label(match) for match in _LABEL.finditer(text))


def _as_label(match: re.Match[str]) -> str:
    return f"{key_of(match['word'])} {int(match['number'])}"


def _keys_of(text: str) -> frozenset[str]:
    return frozenset(token.key for token in tokens_of(text)) if text else frozenset()


@lru_cache(maxsize=4096)
def _read_around(title: str, context: str, date: str) -> tuple[frozenset[str], tuple[Day, ...]]:
    text = f"{title}\n{context}"
    return frozenset(t.key for t in tokens_of(text)), (
        *days_in(text),
        *days_in(date),
        *lent_days("today", date or None),
    )


def _surroundings(pairs: Sequence[tuple[Hit, Paragraph]]) -> Surroundings:
    keys: set[str] = set()
    title: set[str] = set()
    days: list[Day] = []
    labels: set[str] = set()
    for hit, paragraph in pairs:
        around, named = _read_around(hit.title, hit.context, hit.date or "")
        keys |= paragraph.every | around | _keys_of(hit.lent)
        title |= around
        days += named
        for text in (hit.title, hit.context, hit.text):
            labels |= _labels_of(text)
    return Surroundings(frozenset(keys), frozenset(title), tuple(days), frozenset(labels))
