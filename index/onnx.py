"""Running a transformer's ONNX graph on text: tokens in, one array out. No torch is involved."""

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from tokenizers import Encoding, Tokenizer

from index.errors import ModelError
from index.onnx_file import output_of

# Once loaded without this, onnxruntime keeps a device id in the home folder and reports events to its maker.
os.environ["ORT_DISABLE_TELEMETRY"] = "1"
import onnxruntime

Text = str | tuple[str, str]

_BATCH_TOKENS = 4096
"""Padded tokens in one call: bounds memory, and small batches lose nothing on a CPU."""


@dataclass(frozen=True, slots=True)
class Batch:
    """What the graph gave for some texts: `rows` are their positions, `output` and `mask` have a row for each."""

    rows: list[int]
    output: npt.NDArray[np.float32]
    mask: npt.NDArray[np.int64]
    encodings: list[Encoding]


class OnnxGraph:
    """A graph with its tokenizer. Safe to call from several threads.

    `values` replace weights of the file by name; `output` is a float value inside the graph to give instead of its
    first output.
    """

    def __init__(
        self,
        model: Path,
        tokenizer: Path,
        *,
        threads: int,
        max_tokens: int = 512,
        values: Mapping[str, npt.NDArray[Any]] | None = None,
        output: str | None = None,
    ) -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        # A spinning thread beside a busy process multiplies the tail latency several times.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        options.enable_cpu_mem_arena = False
        options.log_severity_level = 3
        # The session reads them where they are: they live as long as it does.
        self._values = {
            name: onnxruntime.OrtValue.ortvalue_from_numpy(np.ascontiguousarray(value))
            for name, value in (values or {}).items()
        }
        for name, value in self._values.items():
            options.add_initializer(name, value)
        try:
            graph = str(model) if output is None else model.read_bytes() + output_of(output, "float")
            self._session = onnxruntime.InferenceSession(graph, options, providers=["CPUExecutionProvider"])
            self._tokenizer: Tokenizer = Tokenizer.from_file(str(tokenizer))
        except Exception as error:  # both libraries raise bare Exception subclasses for any bad file
            raise ModelError(f"cannot load the model at {model.parent}: {error}") from error
        self._tokenizer.no_padding()
        self._tokenizer.enable_truncation(max_tokens)
        self._inputs = tuple(i.name for i in self._session.get_inputs())
        self._output = output or self._session.get_outputs()[0].name

    @property
    def width(self) -> int:
        """Size of the last axis of the output."""
        size = self._session.get_outputs()[0].shape[-1]
        return int(size)

    def count_tokens(self, texts: Sequence[Text]) -> int:
        """Tokens of these texts as the graph reads them."""
        return sum(len(encoding.ids) for encoding in self._tokenizer.encode_batch(list(texts)))

    def run(self, texts: Sequence[Text]) -> Iterator[Batch]:
        """Yield what the graph gives for each batch; texts of like length share one."""
        encodings = self._tokenizer.encode_batch(list(texts))
        order = sorted(range(len(encodings)), key=lambda n: len(encodings[n].ids))
        start = 0
        while start < len(order):
            stop = start + 1
            while stop < len(order) and (stop - start + 1) * len(encodings[order[stop]].ids) <= _BATCH_TOKENS:
                stop += 1
            batch = order[start:stop]
            shape = (len(batch), len(encodings[batch[-1]].ids))
            feed = {
                name: np.zeros(shape, np.int64) for name in ("input_ids", "attention_mask", "token_type_ids")
            }
            for row, n in enumerate(batch):
                length = len(encodings[n].ids)
                feed["input_ids"][row, :length] = encodings[n].ids
                feed["attention_mask"][row, :length] = 1
                feed["token_type_ids"][row, :length] = encodings[n].type_ids
            output = self._session.run([self._output], {name: feed[name] for name in self._inputs})[0]
            yield Batch(
                batch, np.asarray(output, np.float32), feed["attention_mask"], [encodings[n] for n in batch]
            )
            start = stop


def weights_of(model: Path, names: Sequence[str]) -> dict[str, npt.NDArray[Any]]:
    """Weights of a file by name, int8 where the name ends in "_quantized", else float.

    Raises:
        ModelError: the file cannot be read, or has no such weights.
    """
    if not names:
        return {}
    asked = b"".join(output_of(name, "int8" if name.endswith("_quantized") else "float") for name in names)
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    options.intra_op_num_threads = 1
    options.log_severity_level = 3
    try:
        session = onnxruntime.InferenceSession(
            model.read_bytes() + asked, options, providers=["CPUExecutionProvider"]
        )
        nothing = np.zeros((1, 1), np.int64)
        found = session.run(list(names), {i.name: nothing for i in session.get_inputs()})
    except Exception as error:  # onnxruntime raises bare Exception subclasses for any bad file
        raise ModelError(f"cannot read the weights at {model.parent}: {error}") from error
    return dict(zip(names, found, strict=True))
