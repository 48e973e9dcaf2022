"""Scoring (query, text) pairs with a cross-encoder's ONNX graph."""

from collections.abc import Sequence

import numpy as np

from index.models import ModelFiles
from index.onnx import OnnxGraph
from index.types import Vectors


class OnnxReranker:
    """A cross-encoder as an ONNX graph; satisfies `Reranker`. Scores are logits."""

    def __init__(self, files: ModelFiles, *, threads: int = 2, max_tokens: int = 512) -> None:
        self._files = files
        self._graph = OnnxGraph(
            files.files["model.onnx"], files.files["tokenizer.json"], threads=threads, max_tokens=max_tokens
        )

    @property
    def name(self) -> str:
        """The model's name."""
        return self._files.name

    def scores(self, query: str, texts: Sequence[str], /) -> Vectors:
        """float32[len(texts)]; larger is better."""
        found = np.zeros(len(texts), np.float32)
        for batch in self._graph.run([(query, text) for text in texts]):
            found[batch.rows] = batch.output[:, 0]
        return found
