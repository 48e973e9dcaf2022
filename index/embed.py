"""Embedding texts with an ONNX graph. What answers a question runs here; torch stays out of the process."""

from collections.abc import Sequence

import numpy as np

from index.models import ModelFiles, Pooling
from index.onnx import OnnxGraph
from index.types import Vectors


class OnnxEmbedder:
    """A sentence encoder as an ONNX graph; satisfies `Embedder`."""

    def __init__(self, files: ModelFiles, *, threads: int = 2) -> None:
        self._files = files
        self._graph = OnnxGraph(
            files.files["model.onnx"],
            files.files["tokenizer.json"],
            threads=threads,
            max_tokens=files.max_tokens,
        )

    @property
    def name(self) -> str:
        """The model's name as recorded in an index."""
        return self._files.name

    @property
    def sha256(self) -> str:
        """SHA-256 of the weights."""
        return self._files.sha256

    @property
    def dim(self) -> int:
        """Dimensions of a vector."""
        return self._graph.width

    def embed_queries(self, texts: Sequence[str], /) -> Vectors:
        """float32[len(texts), dim], unit rows; the model's query prefix goes before each text."""
        return self._embed([self._files.query_prefix + text for text in texts])

    def embed_documents(self, texts: Sequence[str], /) -> Vectors:
        """float32[len(texts), dim], unit rows."""
        return self._embed(texts)

    def count_tokens(self, texts: Sequence[str], /) -> int:
        """Tokens that the model reads of these texts; what it cuts off is not counted."""
        return self._graph.count_tokens(texts)

    def _embed(self, texts: Sequence[str]) -> Vectors:
        vectors = np.zeros((len(texts), self.dim), np.float32)
        for batch in self._graph.run(texts):
            vectors[batch.rows] = pooled(batch.output, batch.mask.astype(np.float32), self._files.pooling)
        norms = np.linalg.norm(vectors, axis=1, keepdims=True)
        return np.asarray(np.divide(vectors, norms, out=np.zeros_like(vectors), where=norms > 0), np.float32)


def pooled(states: Vectors, mask: Vectors, pooling: Pooling) -> Vectors:
    """One vector a row from token states [n, tokens, dim]; an already pooled output passes through."""
    if pooling == "cls":
        return states[:, 0]
    if pooling == "mean":
        weights = mask[:, :, None]
        return np.asarray((states * weights).sum(axis=1) / np.maximum(weights.sum(axis=1), 1.0), np.float32)
    return states
