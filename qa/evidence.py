"""The paragraphs a claim is checked against, cut into windows of one or two sentences, with what surrounds them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

from index.analysis import question_names
from index.sentences import sentence_spans
from index.types import Hit
from qa.days import Day, days_in
from qa.facts import Read, read
from qa.tokens import Token, key_of, tokens_of


@dataclass(frozen=True, slots=True)
class Paragraph:
    """A paragraph's words: its sentences as spans, the keys of each, and the keys of its names."""

    sentences: tuple[tuple[int, int], ...]
    keys: tuple[frozenset[str], ...]
    every: frozenset[str]
    names: frozenset[str]
    days: tuple[Day, ...]


@dataclass(frozen=True, slots=True)
class Window:
    """A span [start, end) of a hit's text: one sentence, or two that follow each other. `place` is the hit's in the evidence."""

    hit: Hit
    place: int
    start: int
    end: int

    @property
    def text(self) -> str:
        """The words of the window, as stored."""
        return self.hit.text[self.start : self.end]


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a document lends its paragraphs: the keys and dates of its title, context and other hits."""

    keys: frozenset[str]
    days: tuple[Day, ...]


@dataclass(frozen=True, slots=True)
class Evidence:
    """All hits of one request, ready to be asked about many claims."""

    hits: tuple[Hit, ...]
    paragraphs: tuple[Paragraph, ...]
    documents: dict[str, Surroundings]
    names: frozenset[str]
    asked: frozenset[str]

    def reading(self, text: str) -> Read:
        """A text read with what is known here of names."""
        first = next(iter(tokens_of(text[:60])), None)
        return read(text, opens_with_name=first is not None and self._named(text, first))

    def _named(self, text: str, first: Token) -> bool:
        if first.key in self.names:
            return True
        rest = text[first.end :]
        return rest.startswith(("'s ", "’s "))


def evidence_of(hits: Sequence[Hit], question: str = "") -> Evidence:
    """Hits as evidence. Each paragraph is read once and remembered by its text."""
    paragraphs = tuple(paragraph_of(hit.text) for hit in hits)
    documents: dict[str, Surroundings] = {}
    for document in {hit.document_id for hit in hits}:
        documents[document] = _surroundings(
            [(h, p) for h, p in zip(hits, paragraphs, strict=True) if h.document_id == document]
        )
    asked = frozenset(key_of(name) for name in question_names(question))
    names = frozenset().union(*(p.names for p in paragraphs), asked)
    return Evidence(tuple(hits), paragraphs, documents, names, asked)


@lru_cache(maxsize=2048)
def paragraph_of(text: str) -> Paragraph:
    """A paragraph cut into sentences."""
    spans = tuple(_sentence_spans(text))
    tokens = [tokens_of(text[start:end]) for start, end in spans]
    names = frozenset(t.key for sentence in tokens for t in sentence if t.kind == "name")
    keys = tuple(frozenset(t.key for t in sentence) for sentence in tokens)
    return Paragraph(spans, keys, frozenset().union(*keys), names, days_in(text))


def windows(evidence: Evidence, wanted: frozenset[str], most: int) -> Iterator[Window]:
    """The sentences that share most with the wanted keys, best first, each followed by its pair with a neighbour."""
    ranked = sorted(
        (
            (-len(wanted & keys), n, k)
            for n, paragraph in enumerate(evidence.paragraphs)
            for k, keys in enumerate(paragraph.keys)
            if wanted & keys
        ),
    )
    for _, n, k in ranked[:most]:
        spans = evidence.paragraphs[n].sentences
        yield Window(evidence.hits[n], n, *spans[k])
    for _, n, k in ranked[:2]:
        spans = evidence.paragraphs[n].sentences
        if k > 0:
            yield Window(evidence.hits[n], n, spans[k - 1][0], spans[k][1])
        if k + 1 < len(spans):
            yield Window(evidence.hits[n], n, spans[k][0], spans[k + 1][1])


def _sentence_spans(text: str) -> Iterator[tuple[int, int]]:
    spans = list(sentence_spans(text))
    yield from spans or ([(0, len(text))] if text.strip() else [])


@lru_cache(maxsize=2048)
def _keys_around(text: str) -> tuple[frozenset[str], tuple[Day, ...]]:
    return frozenset(t.key for t in tokens_of(text)), days_in(text)


def _surroundings(pairs: Sequence[tuple[Hit, Paragraph]]) -> Surroundings:
    keys: set[str] = set()
    days: list[Day] = []
    for hit, paragraph in pairs:
        around, named = _keys_around(f"{hit.title}\n{hit.context}")
        keys |= paragraph.every | around
        days += [*paragraph.days, *named, *_own_day(hit)]
    return Surroundings(frozenset(keys), tuple(days))


def _own_day(hit: Hit) -> tuple[Day, ...]:
    return days_in(hit.date) if hit.date else ()
