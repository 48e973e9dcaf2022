"""The reader: whether a passage states what is asked, or supports a claim. The cross-encoder with other weights.

A cross-encoder trained on search logs says how well a passage is on the matter; a passage about the right call on the
right day scores high for any question about that call. This one was taught to tell a passage that states the answer
from one that does not (benchmarks/fit_reader.py, docs/decisions/0017-stated.md). It differs from the cross-encoder by
a low-rank change of the upper layers' matrices, by their biases and layer norms, and by what stands on top.
"""

from collections.abc import Sequence
from importlib import resources
from typing import Any

import numpy as np
import numpy.typing as npt
from tokenizers import Encoding

from index.errors import ModelError
from index.models import ModelFiles
from index.onnx import OnnxGraph, weights_of
from index.reading import NOTHING, laid_out
from index.types import Reading, ToRead

_STATES = "/bert/encoder/layer.11/output/LayerNorm/Add_1_output_0"
"""The last layer's token states in the graph."""
_LARGEST_INT8 = 127
_HEADS = ("sentence.", "answer.", "passage.", "support.")

Values = dict[str, npt.NDArray[Any]]


class OnnxReader:
    """Satisfies `Reader`.

    Raises:
        ModelError: the adapter was fitted to other weights.
    """

    def __init__(self, files: ModelFiles, *, threads: int = 2) -> None:
        learned = adapter()
        if str(learned.pop("of")) != files.sha256:
            raise ModelError(f"{files.name}: the reader was fitted to other weights")
        self._heads = {name: learned.pop(name) for name in list(learned) if name.startswith(_HEADS)}
        model = files.files["model.onnx"]
        self._graph = OnnxGraph(
            model,
            files.files["tokenizer.json"],
            threads=threads,
            values=changed(learned, weights_of(model, _matrices(learned))),
            output=_STATES,
        )

    def read(self, question: str, passages: Sequence[ToRead], /) -> list[Reading]:
        """Log odds for each passage and each of its sentences."""
        laid = [laid_out(passage) for passage in passages]
        found = [Reading(NOTHING, ())] * len(passages)
        for batch in self._graph.run([(question, text) for text, _ in laid]):
            for n, states, encoding in zip(batch.rows, batch.output, batch.encodings, strict=True):
                sentences = tuple(self._sentence(states, encoding, span) for span in laid[n][1])
                found[n] = Reading(self._head("passage", states[0]), sentences)
        return found

    def supports(self, claim: str, passages: Sequence[ToRead], /) -> list[float]:
        """Log odds for each passage that it supports the claim."""
        found = [NOTHING] * len(passages)
        for batch in self._graph.run([(claim, laid_out(passage)[0]) for passage in passages]):
            for n, states in zip(batch.rows, batch.output, strict=True):
                found[n] = self._head("support", states[0])
        return found

    def _sentence(self, states: npt.NDArray[np.float32], encoding: Encoding, span: tuple[int, int]) -> float:
        """Half of it by the sentence as a whole, half by the words in it that may be the answer."""
        tokens = tokens_within(encoding, span)
        if not tokens:
            return NOTHING
        said = np.logaddexp.reduce(self._logits("answer", states[tokens]))
        return float(self._logits("sentence", states[tokens].mean(axis=0)) + said) / 2

    def _head(self, name: str, state: npt.NDArray[np.float32]) -> float:
        return float(self._logits(name, state))

    def _logits(self, name: str, states: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        logits: npt.NDArray[np.float32] = (
            states @ self._heads[f"{name}.weight"] + self._heads[f"{name}.bias"][0]
        )
        return logits


def adapter() -> Values:
    """What was learned, by name, as it is stored."""
    with resources.files("index").joinpath("passage_reader.npz").open("rb") as stream:
        return dict(np.load(stream, allow_pickle=False))


def fits(files: ModelFiles) -> bool:
    """Whether the reader was fitted to these weights."""
    return str(adapter()["of"]) == files.sha256


def tokens_within(encoding: Encoding, span: tuple[int, int]) -> list[int]:
    """Positions of the tokens of the second text that lie within a span of its characters."""
    return [
        position
        for position, (part, (start, end)) in enumerate(zip(encoding.type_ids, encoding.offsets, strict=True))
        if part == 1 and span[0] <= start < end <= span[1]
    ]


def _matrices(learned: Values) -> list[str]:
    """Names in the file of the matrices that are changed, and of their scales."""
    names = [name.removesuffix(".up") for name in learned if name.endswith(".up")]
    return [f"{name}_{part}" for name in names for part in ("quantized", "scale")]


def changed(learned: Values, stored: Values) -> Values:
    """The weights that replace those of the file: float biases and norms, and int8 matrices with a scale each."""
    values = {
        name: value.astype(np.float32)
        for name, value in learned.items()
        if not name.endswith((".up", ".down"))
    }
    for name in (name.removesuffix(".up") for name in learned if name.endswith(".up")):
        up, down = (learned[f"{name}.{part}"].astype(np.float32) for part in ("up", "down"))
        matrix = stored[f"{name}_quantized"] * stored[f"{name}_scale"] + (up @ down).T
        scale = np.float32(np.abs(matrix).max() / _LARGEST_INT8)
        values[f"{name}_quantized"] = np.rint(matrix / scale).astype(np.int8)
        values[f"{name}_scale"] = np.array(scale)
    return values
