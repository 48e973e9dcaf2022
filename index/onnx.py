"""Running a transformer's ONNX graph on text: tokens in, one array out. No torch is involved."""

import os
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
from tokenizers import Tokenizer

from index.errors import ModelError

# Once loaded without this, onnxruntime keeps a device id in the home folder and reports events to its maker.
os.environ["ORT_DISABLE_TELEMETRY"] = "1"
import onnxruntime

Text = str | tuple[str, str]

_BATCH_TOKENS = 4096
"""Padded tokens in one call: bounds memory, and small batches lose nothing on a CPU."""


class OnnxGraph:
    """A graph with its tokenizer. Safe to call from several threads."""

    def __init__(self, model: Path, tokenizer: Path, *, threads: int, max_tokens: int = 512) -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        # A spinning thread beside a busy process multiplies the tail latency several times.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        options.enable_cpu_mem_arena = False
        options.log_severity_level = 3
        try:
            self._session = onnxruntime.InferenceSession(
                str(model), options, providers=["CPUExecutionProvider"]
            )
            self._tokenizer: Tokenizer = Tokenizer.from_file(str(tokenizer))
        except Exception as error:  # both libraries raise bare Exception subclasses for any bad file
            raise ModelError(f"cannot load the model at {model.parent}: {error}") from error
        self._tokenizer.no_padding()
        self._tokenizer.enable_truncation(max_tokens)
        self._inputs = tuple(i.name for i in self._session.get_inputs())

    @property
    def width(self) -> int:
        """Size of the last axis of the output."""
        size = self._session.get_outputs()[0].shape[-1]
        return int(size)

    def count_tokens(self, texts: Sequence[Text]) -> int:
        """Tokens of these texts as the graph reads them."""
        return sum(len(encoding.ids) for encoding in self._tokenizer.encode_batch(list(texts)))

    def run(
        self, texts: Sequence[Text]
    ) -> Iterator[tuple[list[int], npt.NDArray[np.float32], npt.NDArray[np.int64]]]:
        """Yield (positions in `texts`, first output, attention mask) per batch; texts of like length share one."""
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
            output = self._session.run(None, {name: feed[name] for name in self._inputs})[0]
            yield batch, np.asarray(output, np.float32), feed["attention_mask"]
            start = stop
