"""The reference runtime: loads any sentence-transformers model and exports its graph once to ONNX.

Run as `python -m index.reference SOURCE FOLDER`. The only module that imports sentence_transformers and torch;
nothing that answers a question imports it.
"""

import hashlib
import json
import sys
from pathlib import Path

import numpy as np
import torch
from sentence_transformers import SentenceTransformer

from index.durable import durable_write
from index.embed import OnnxEmbedder
from index.errors import ModelError
from index.models import ModelFiles

MIN_COSINE = 0.9999
"""Between the exported graph and the reference on each probe, at fp32 (design target)."""

_PROBES = (
    "How long did the call last?",
    "The committee met on 12 March 2021 and adopted three resolutions; the minutes were published a week later.",
    "x",
    "Die Sitzung dauerte neunzig Minuten. 会议持续了九十分钟。",
    "pressure 3.5 MPa at 20 °C, n = 12, p < 0.05 " * 20,
)
_INPUTS = ("input_ids", "attention_mask", "token_type_ids")


class _Pipeline(torch.nn.Module):
    """A model's whole pipeline (transformer, pooling, dense layers) as one graph."""

    def __init__(self, model: SentenceTransformer, names: tuple[str, ...]) -> None:
        super().__init__()
        self.model = model
        self.names = names

    def forward(self, *values: torch.Tensor) -> torch.Tensor:
        """float32[batch, dim]."""
        output: torch.Tensor = self.model(dict(zip(self.names, values, strict=True)))["sentence_embedding"]
        return output


def load(source: str) -> SentenceTransformer:
    """A sentence-transformers model from a folder or a name; safetensors only, no code from the model."""
    return SentenceTransformer(
        source,
        device="cpu",
        trust_remote_code=False,
        model_kwargs={"attn_implementation": "eager", "use_safetensors": True},
    )


def export(source: str, folder: Path) -> ModelFiles:
    """Write model.onnx, tokenizer.json and a manifest to `folder`, checked against the reference.

    Raises:
        ModelError: the model has no exportable graph, or the graph does not give the reference's vectors.
    """
    torch.set_num_threads(1)
    model = load(source)
    tokenizer = getattr(model.tokenizer, "backend_tokenizer", None)
    if tokenizer is None:
        raise ModelError(f"{source}: has no fast tokenizer")
    encoded = model.tokenizer(list(_PROBES[:2]), padding=True, return_tensors="pt")
    names = tuple(name for name in _INPUTS if name in encoded)
    folder.mkdir(parents=True, exist_ok=True)
    graph = folder / "model.onnx.tmp"
    with torch.no_grad():
        torch.onnx.export(
            _Pipeline(model, names).eval(),
            tuple(encoded[name] for name in names),
            str(graph),
            input_names=list(names),
            output_names=["sentence_embedding"],
            dynamic_axes={name: {0: "batch", 1: "tokens"} for name in names}
            | {"sentence_embedding": {0: "batch"}},
            opset_version=17,
            dynamo=False,
        )
    tokenizer.no_padding()
    tokenizer.no_truncation()
    data = {"model.onnx": graph.read_bytes(), "tokenizer.json": tokenizer.to_str().encode()}
    graph.unlink()
    for name, content in data.items():
        durable_write(folder / name, content)
    prefix = str(dict(model.prompts or {}).get("query") or "")
    dim = int(model.get_sentence_embedding_dimension() or 0)
    hashes = {name: hashlib.sha256(content).hexdigest() for name, content in data.items()}
    window = int(model.max_seq_length or 512)
    paths = {name: folder / name for name in data}
    files = ModelFiles(source, hashes["model.onnx"], paths, "none", prefix, dim, window)
    _check(model, files)
    manifest = {
        "format": 1,
        "source": source,
        "sha256": hashes,
        "query_prefix": prefix,
        "dim": dim,
        "max_tokens": window,
    }
    durable_write(folder / "manifest.json", json.dumps(manifest, indent=1).encode())
    return files


def _check(model: SentenceTransformer, files: ModelFiles) -> None:
    expected = model.encode(list(_PROBES), normalize_embeddings=True, convert_to_numpy=True)
    found = OnnxEmbedder(files, threads=1).embed_documents(list(_PROBES))
    worst = float(np.min(np.sum(expected * found, axis=1)))
    if worst < MIN_COSINE:
        raise ModelError(f"{files.name}: the exported graph differs from the reference (cosine {worst:.5f})")


if __name__ == "__main__":
    export(sys.argv[1], Path(sys.argv[2]))
