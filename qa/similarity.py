"""Learned support scores: a cross-encoder's or an embedder's opinion, put on one scale.

Both models were made to find what is relevant, not what is entailed, so their opinion only tips the balance where no
fact decides (`qa.support`). .5 means "as likely supported as not" among claims that no layer objects to; the
coefficients are fitted by benchmarks/fit_support.py.
"""

from collections.abc import Sequence
from math import exp

import numpy as np

from index.types import Embedder, Reranker

_LOGIT = (0.260, -1.081)
"""Slope and intercept for logits of cross-encoder/ms-marco-MiniLM-L-12-v2, int8."""
_COSINE = (9.029, -6.983)
"""Slope and intercept for cosines of BAAI/bge-small-en-v1.5, int8, both texts embedded as documents."""


class RerankerSimilarity:
    """A cross-encoder's relevance as a support score; satisfies `qa.verify.Similarity`."""

    def __init__(self, reranker: Reranker) -> None:
        self._reranker = reranker

    def scores(self, claim: str, texts: Sequence[str], /) -> Sequence[float]:
        """Support of the claim by each text, 0..1."""
        return [_scaled(float(logit), _LOGIT) for logit in self._reranker.scores(claim, texts)]


class EmbedderSimilarity:
    """Cosine of sentence embeddings as a support score; satisfies `qa.verify.Similarity`."""

    def __init__(self, embedder: Embedder) -> None:
        self._embedder = embedder

    def scores(self, claim: str, texts: Sequence[str], /) -> Sequence[float]:
        """Support of the claim by each text, 0..1."""
        vectors = self._embedder.embed_documents([claim, *texts])
        return [_scaled(float(cosine), _COSINE) for cosine in np.asarray(vectors[1:] @ vectors[0])]


def similarity_of(
    embedder: Embedder | None, reranker: Reranker | None
) -> RerankerSimilarity | EmbedderSimilarity | None:
    """The better of the models at hand: the cross-encoder, else the embedder, else none."""
    if reranker is not None:
        return RerankerSimilarity(reranker)
    return EmbedderSimilarity(embedder) if embedder is not None else None


def _scaled(raw: float, line: tuple[float, float]) -> float:
    return 1 / (1 + exp(-(line[0] * raw + line[1])))
