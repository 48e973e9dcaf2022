"""Learned support scores: a reader's, a cross-encoder's or an embedder's opinion, put on one scale.

The reader was taught to tell supported claims from like ones that are not, and may outweigh an objection that is not
firm; the other two were taught to find what is relevant, and outweigh none (`qa.support`). Theirs is a scale on which
.5 means "as likely supported as not" among claims that no layer objects to, fitted by benchmarks/fit_support.py
(docs/decisions/0005-verification.md).
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from index.reading import window_of
from index.relevance import logistic
from index.types import Embedder, Reader, Reranker, ToRead
from qa.evidence import Window
from qa.facts import Read
from qa.support import WITH_LEARNED, WITH_READER

_LOGIT = (0.260, -1.081)
"""Slope and intercept for logits of cross-encoder/ms-marco-MiniLM-L-12-v2, int8."""
_COSINE = (9.029, -6.983)
"""Slope and intercept for cosines of BAAI/bge-small-en-v1.5, int8, both texts embedded as documents."""


class ReaderSimilarity:
    """The reader's word on whether a window supports a claim; satisfies `qa.verify.Similarity`."""

    weights = WITH_READER

    def __init__(self, reader: Reader) -> None:
        self._reader = reader

    def scores(self, claim: Read, windows: Sequence[Window], /) -> Sequence[float]:
        """Support of the claim by each window, 0..1."""
        odds = self._reader.supports(claim.text, [passage_of(window) for window in windows])
        return [logistic(odd) for odd in odds]


def passage_of(window: Window) -> ToRead:
    """A window as the reader takes it; sentences gathered from several places are read one after the other."""
    found = window_of(window.hit, *window.span[1:])
    return replace(found, sentences=tuple(window.read.text.split("\n"))) if window.others else found


class RerankerSimilarity:
    """A cross-encoder's relevance as a support score; satisfies `qa.verify.Similarity`."""

    weights = WITH_LEARNED

    def __init__(self, reranker: Reranker) -> None:
        self._reranker = reranker

    def scores(self, claim: Read, windows: Sequence[Window], /) -> Sequence[float]:
        """Support of the claim by each window, 0..1."""
        texts = [_with_lent_names(claim, window) for window in windows]
        return [_scaled(float(logit), _LOGIT) for logit in self._reranker.scores(claim.text, texts)]


class EmbedderSimilarity:
    """Cosine of sentence embeddings as a support score; satisfies `qa.verify.Similarity`."""

    weights = WITH_LEARNED

    def __init__(self, embedder: Embedder) -> None:
        self._embedder = embedder

    def scores(self, claim: Read, windows: Sequence[Window], /) -> Sequence[float]:
        """Support of the claim by each window, 0..1."""
        texts = [_with_lent_names(claim, window) for window in windows]
        vectors = self._embedder.embed_documents([claim.text, *texts])
        return [_scaled(float(cosine), _COSINE) for cosine in np.asarray(vectors[1:] @ vectors[0])]


def _with_lent_names(claim: Read, window: Window) -> str:
    """A window's words after the claim's names that its document lends it, which a model cannot know by itself."""
    lent = [t.text for t in claim.names if t.key not in window.read.keys and t.key in window.around.keys]
    return f"{', '.join(lent)}: {window.read.text}" if lent else window.read.text


def similarity_of(
    embedder: Embedder | None, reranker: Reranker | None, reader: Reader | None
) -> ReaderSimilarity | RerankerSimilarity | EmbedderSimilarity | None:
    """The best of the models at hand: the reader, else the cross-encoder, else the embedder, else none."""
    if reader is not None:
        return ReaderSimilarity(reader)
    if reranker is not None:
        return RerankerSimilarity(reranker)
    return EmbedderSimilarity(embedder) if embedder is not None else None


def _scaled(raw: float, line: tuple[float, float]) -> float:
    return logistic(line[0] * raw + line[1])
