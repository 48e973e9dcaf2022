"""A corpus of made-up words and vectors for `benchmarks/scale.py`: the same from one seed, in any part and order.

Words follow Zipf's law as those of a language do, and each document has some of its own that it comes back to.
Vectors stand in clusters, with directions that matter less and less, as those of embedding models do.
"""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from index.types import Document, Paragraph, Passage, Upsert, Vectors

DIM = 384
A_DOCUMENT = 20
"""Passages of one document."""
_STEP = 500
"""Documents that are made in one go."""
_SPECTRUM = (np.arange(1, DIM + 1) ** -0.35).astype(np.float32)
_SPECTRUM /= np.linalg.norm(_SPECTRUM)
_VOCABULARY = 200_000
_STOP_WORDS = 60
"""The most frequent words, which a question would lose before it is searched."""
_OWN_WORDS = 40
_SYLLABLES = [first + last for first in "bdfgklmnprstvz" for last in "aou"]


def word(rank: int) -> str:
    """The word of a rank; no two are alike, and none has an ending that a stemmer takes off."""
    parts = [_SYLLABLES[rank % len(_SYLLABLES)]]
    while rank := rank // len(_SYLLABLES):
        parts.append(_SYLLABLES[rank % len(_SYLLABLES)])
    return "".join(parts) + "x"


@dataclass(frozen=True)
class Corpus:
    """So many passages, of documents of twenty."""

    passages: int
    seed: int = 20261127

    def documents(self) -> Iterator[Upsert]:
        """Every document with its vectors. The passages of a new catalog get the ids from 1 on in this order."""
        for start, vectors in self.vectors():
            for place in range(0, len(vectors), A_DOCUMENT):
                number = (start + place) // A_DOCUMENT
                yield self.document(number, vectors[place : place + A_DOCUMENT])

    def vectors(self) -> Iterator[tuple[int, Vectors]]:
        """All vectors in blocks, each with the number of its first."""
        for start in range(0, self.passages, _STEP * A_DOCUMENT):
            count = min(_STEP * A_DOCUMENT, self.passages - start)
            yield start, self._vectors(np.random.default_rng([self.seed, 1, start]), count)

    def queries(self, count: int) -> Vectors:
        """Vectors of the same clusters that are not in the corpus."""
        return self._vectors(np.random.default_rng([self.seed, 2]), count)

    def questions(self, count: int) -> list[list[str]]:
        """Two to seven words each that stand together in a passage, without the most frequent ones."""
        chance = np.random.default_rng([self.seed, 3])
        found = []
        while len(found) < count:
            ranks = self._ranks(int(chance.integers(self.passages // A_DOCUMENT)))
            passage = np.unique(ranks[int(chance.integers(len(ranks)))])
            passage = passage[passage >= _STOP_WORDS]
            size = min(int(chance.integers(2, 8)), len(passage))
            if size:
                found.append([word(int(rank)) for rank in chance.choice(passage, size, replace=False)])
        return found

    def document(self, number: int, vectors: Vectors) -> Upsert:
        """One document; a line is a paragraph and a passage."""
        lines = [" ".join(self._words[rank] for rank in ranks) for ranks in self._ranks(number)][
            : len(vectors)
        ]
        text, title = "\n".join(lines), " ".join(lines[0].split()[:5])
        paragraphs, passages, start = [], [], 0
        for place, line in enumerate(lines, 1):
            paragraphs.append(Paragraph(place, place, place, start, start + len(line)))
            passages.append(Passage(place, 0, start, start + len(line), line, title))
            start += len(line) + 1
        digest = hashlib.sha256(text.encode()).hexdigest()
        path, date = f"{number % 1000:03d}/{number:06d}.txt", f"{2000 + number % 25}-01-01"
        document = Document(path, text, tuple(paragraphs), digest, title, date)
        return Upsert(document, tuple(passages), vectors, len(text))

    def _vectors(self, chance: np.random.Generator, count: int) -> Vectors:
        which = chance.integers(len(self._topics), size=count)
        noise = chance.standard_normal((count, DIM), np.float32) * _SPECTRUM
        vectors = 0.75 * self._topics[which] + 0.66 * noise
        return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)

    def _ranks(self, number: int) -> list[np.ndarray]:
        """The words of a document's passages, by rank: one in five is of those the document comes back to."""
        chance = np.random.default_rng([self.seed, 4, number])
        own = np.searchsorted(self._shares, chance.random(_OWN_WORDS))
        sizes = chance.integers(20, 90, size=A_DOCUMENT)
        found = []
        for size in sizes:
            ranks = np.searchsorted(self._shares, chance.random(size))
            ranks[: size // 5] = chance.choice(own, size // 5)
            found.append(np.minimum(ranks, _VOCABULARY - 1))
        return found

    @cached_property
    def _topics(self) -> Vectors:
        chance = np.random.default_rng([self.seed, 0])
        return chance.standard_normal((max(self.passages // 50, 10), DIM), np.float32) * _SPECTRUM

    @cached_property
    def _shares(self) -> np.ndarray:
        weights = (np.arange(_VOCABULARY) + 2.7) ** -1.07
        return np.cumsum(weights) / weights.sum()

    @cached_property
    def _words(self) -> list[str]:
        return [word(rank) for rank in range(_VOCABULARY)]
