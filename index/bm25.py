"""BM25 as SQLite's FTS5 computes it, for passages that were found elsewhere.

Words are those of FTS5's own tokenizer, so a term means the same wherever it is looked up. In how many passages a
term stands, and how long passages are, is what the catalog's full-text index says.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import apsw

from index.connection import fetch
from index.fulltext import CONTEXT_WEIGHT, TEXT_WEIGHT, TOKENIZER, FullText, TermCounts

K1, B = 1.2, 0.75
"""Those of FTS5, which has no setting for them."""
_LEAST_IDF = 1e-6
_MOST_BYTES = 65_000
"""Of the words of one passage, where something else indexes them: Milvus takes 65,535."""
_VARINT = 9
"""Bytes of the longest number as SQLite writes them; the last one has eight bits."""


@dataclass(frozen=True, slots=True)
class Phrase:
    """A term as its words, and what it counts for."""

    words: tuple[str, ...]
    idf: float

    def times(self, words: Sequence[str]) -> int:
        """How often it stands in a text."""
        size = len(self.words)
        if size == 1:
            return words.count(self.words[0])
        return sum(tuple(words[n : n + size]) == self.words for n in range(len(words) - size + 1))


@dataclass(frozen=True, slots=True)
class Asked:
    """What a passage of one collection is scored by: the terms, and the mean number of words of a passage."""

    phrases: tuple[Phrase, ...]
    mean: float

    @classmethod
    def of(cls, db: apsw.Connection, counts: TermCounts, collection: int, terms: Sequence[str]) -> "Asked":
        """The terms that FTS5 would be asked for, weighed as it weighs them."""
        phrases: list[Phrase] = []
        for term in counts.telling(db, terms):
            held, words = counts.of_term(db, term), words_in(db, term.encode("utf-8", "replace"))
            if held and words:
                idf = math.log((max(counts.passages - held, 0) + 0.5) / (held + 0.5))
                phrases.append(Phrase(tuple(words), idf if idf > 0 else _LEAST_IDF))
        return cls(tuple(phrases), _mean_length(db, collection))

    @property
    def text(self) -> str:
        """Every word that is asked for, as `words_of` gives them."""
        return " ".join(word for phrase in self.phrases for word in phrase.words)

    def score(self, text: Sequence[str], context: Sequence[str]) -> float:
        """BM25 of a passage with these words; 0 where it holds no term."""
        length = K1 * (1 - B + B * (len(text) + len(context)) / self.mean) if self.mean else K1
        total = 0.0
        for phrase in self.phrases:
            often = TEXT_WEIGHT * phrase.times(text) + CONTEXT_WEIGHT * phrase.times(context)
            total += phrase.idf * often * (K1 + 1) / (often + length)
        return total


def words_in(db: apsw.Connection, text: bytes) -> list[str]:
    """The words of a text in order, as FTS5 indexes them."""
    name, *options = TOKENIZER.split()
    tokenizer = db.fts5_tokenizer(name, options)
    found = tokenizer(text, apsw.FTS5_TOKENIZE_DOCUMENT, None, include_offsets=False)
    return [str(words[0]) for words in found]


def words_of(db: apsw.Connection, text: bytes, context: bytes) -> str:
    """The words of a passage for an index elsewhere, apart by spaces; of a very long one, as many as go in there."""
    joined = " ".join([*words_in(db, text), *words_in(db, context)])
    data = joined.encode()
    return joined if len(data) <= _MOST_BYTES else data[:_MOST_BYTES].decode("utf-8", "ignore")


def _mean_length(db: apsw.Connection, collection: int) -> float:
    """Words of a passage and its context on average: FTS5 keeps rows, and words of each column."""
    rows = fetch(db, FullText.of(collection).averages())
    numbers = _numbers(rows[0][0]) if rows else []
    return sum(numbers[1:]) / numbers[0] if numbers and numbers[0] else 0.0


def _numbers(data: bytes) -> list[int]:
    """Numbers as SQLite writes them: seven bits a byte, the first ones first."""
    found: list[int] = []
    value = size = 0
    for byte in data:
        size += 1
        last = size == _VARINT
        value = value << 8 | byte if last else value << 7 | byte & 0x7F
        if last or byte < 0x80:
            found.append(value)
            value = size = 0
    return found
