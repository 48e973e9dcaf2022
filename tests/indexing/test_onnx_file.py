"""Values from inside an ONNX file, and weights put in the place of the file's own."""

import numpy as np
import pytest

from index.errors import ModelError
from index.models import DEFAULT_RERANKER, ModelFiles, carried
from index.onnx import OnnxGraph, weights_of

MATRIX = "onnx::MatMul_1662"


@pytest.fixture(scope="module")
def files() -> ModelFiles:
    found = carried(DEFAULT_RERANKER)
    assert found is not None
    return found


def graph(files: ModelFiles, **options: object) -> OnnxGraph:
    return OnnxGraph(files.files["model.onnx"], files.files["tokenizer.json"], threads=1, **options)  # type: ignore[arg-type]


def score(of: OnnxGraph) -> float:
    (batch,) = of.run([("who came", "The king came.")])
    return float(batch.output[0, 0])


def test_weights_are_read_as_they_are_stored(files: ModelFiles) -> None:
    found = weights_of(files.files["model.onnx"], [f"{MATRIX}_quantized", f"{MATRIX}_scale"])
    assert found[f"{MATRIX}_quantized"].shape == (384, 384)
    assert found[f"{MATRIX}_quantized"].dtype == np.int8
    assert found[f"{MATRIX}_scale"].shape == ()


def test_a_value_of_the_graph_becomes_its_output(files: ModelFiles) -> None:
    inner = graph(files, output="/bert/encoder/layer.11/output/LayerNorm/Add_1_output_0")
    (batch,) = inner.run([("who came", "The king came.")])
    assert batch.output.shape == (1, len(batch.encodings[0].ids), 384)


def test_replaced_weights_change_what_the_graph_says_and_the_same_weights_do_not(files: ModelFiles) -> None:
    own = weights_of(files.files["model.onnx"], [f"{MATRIX}_quantized", f"{MATRIX}_scale"])
    plain = score(graph(files))
    assert score(graph(files, values=own)) == plain
    other = {**own, f"{MATRIX}_quantized": np.roll(own[f"{MATRIX}_quantized"], 1, axis=0)}
    assert score(graph(files, values=other)) != plain
    assert score(graph(files)) == plain


def test_a_name_that_the_file_has_not_is_an_error(files: ModelFiles) -> None:
    with pytest.raises(ModelError):
        weights_of(files.files["model.onnx"], ["no such weight_quantized"])
    with pytest.raises(ModelError):
        graph(files, output="no such value")
    assert weights_of(files.files["model.onnx"], []) == {}
