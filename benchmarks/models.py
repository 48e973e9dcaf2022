"""Compare embedding models, each with and without the reranker, and print a markdown table.

    python benchmarks/models.py DATA [--set NAME=LIMIT]... [--model NAME]... [--reranker NAME]... [--cache FOLDER]

DATA holds public retrieval sets in BEIR's layout, one folder a set (default: xquad_en=120, medline=30, scifact=60).
The seeds come with their own questions. A model that is not in ONNX is exported once, before the clock starts.
A set is indexed by its first run with a model, in a process of its own; with --cache, later runs only check it.
"""

import argparse
import json
import os
import re
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter, strftime

from qa.evaluate.beir import read_retrieval
from qa.evaluate.corpus import write_files
from qa.evaluate.session import _cache_name as cache_name

ROOT = Path(__file__).resolve().parent.parent
QUESTIONS = ROOT / "tests/quality/seeds.jsonl"
MODELS = ("BAAI/bge-small-en-v1.5", "sentence-transformers/all-MiniLM-L6-v2")
RERANKERS = ("off", "auto")
SETS = ("xquad_en=120", "medline=30", "scifact=60")
BUSY = 1.5
"""Load average above which a figure of time is called disturbed."""


@dataclass(frozen=True, slots=True)
class Row:
    """Figures of one set under one model and one reranker; times with a mark where the machine was busy."""

    model: str
    reranker: str
    name: str
    quality: str
    indexing: str
    p50: str

    def __str__(self) -> str:
        cells = (self.model, self.reranker, self.name, self.quality, self.indexing, self.p50)
        return f"| {' | '.join(cells)} |"


def nutgraf(*words: str, env: Mapping[str, str]) -> Mapping[str, object]:
    """Run a command with --json and give what it printed."""
    command = [sys.executable, "-m", "qa", *words, "--json"]
    done = subprocess.run(
        command, capture_output=True, text=True, check=False, cwd=ROOT, env={**os.environ, **env}
    )
    if done.returncode != 0:
        raise SystemExit(f"nutgraf {' '.join(words)}: {done.stderr.strip()}")
    found: Mapping[str, object] = json.loads(done.stdout)
    return found


def timed(seconds: float, digits: int, load: float) -> str:
    """A figure, with a mark where the machine was busy before it was taken."""
    return f"{seconds:.{digits}f}{' *' if load > BUSY else ''}"


def indexed(data: Path, files: Path, model: str) -> str:
    """Index a folder; seconds and passages. The export of a model comes first, so that it is not counted."""
    env = {"NUTGRAF_EMBEDDING_MODEL": model, "NUTGRAF_DATA_DIR": str(data)}
    with tempfile.TemporaryDirectory() as empty:
        (Path(empty) / "one.txt").write_text("One line.\n", encoding="utf-8")
        nutgraf("index", empty, "--collection", "warm", env=env)
    load, began = os.getloadavg()[0], perf_counter()
    report = nutgraf("index", str(files), env=env)
    return f"{timed(perf_counter() - began, 1, load)} ({report['passages']} passages)"


def measured(model: str, reranker: str, data: Path, questions: tuple[str, ...]) -> tuple[str, str]:
    """Quality and median time of a query."""
    env = {
        "NUTGRAF_EMBEDDING_MODEL": model,
        "NUTGRAF_RERANKER": reranker,
        "NUTGRAF_DATA_DIR": str(data),
    }
    load = os.getloadavg()[0]
    found = nutgraf("eval", *questions, env=env)
    metrics, asked = found["metrics"], found["questions"]
    assert isinstance(metrics, dict) and isinstance(asked, list)  # noqa: PT018 - the contract of --json
    names = ("ndcg@10",) if "ndcg@10" in metrics else ("hit@1", "hit@5")
    quality = ", ".join(f"{name} {metrics[name]:.3f}" for name in names)
    return quality, timed(statistics.median(one["ms"] for one in asked), 0, load)


def rows(
    model: str, rerankers: Sequence[str], data: Path, sets: Mapping[str, int], cache: Path
) -> Iterator[Row]:
    """One row for each set and reranker."""
    place = cache / re.sub(r"\W+", "-", model)
    label = model.rsplit("/", 1)[-1]
    for name, limit in {"seeds": 0, **sets}.items():
        if name == "seeds":
            files, index = ROOT / "seeds", place / "seeds"
            questions: tuple[str, ...] = (str(QUESTIONS),)
        else:
            # where `nutgraf eval --data-dir-cache` puts them, so that it finds everything indexed
            folder = place / cache_name(data / name)
            files, index = folder / "files", folder / "index"
            folder.mkdir(parents=True, exist_ok=True)
            write_files(files, read_retrieval(data / name).texts)
            questions = ("--beir", str(data / name), "--limit", str(limit), "--data-dir-cache", str(place))
        seconds = indexed(index, files, model)
        for reranker in rerankers:
            quality, p50 = measured(model, reranker, index, questions)
            yield Row(label, reranker, name, quality, seconds, p50)


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("data", type=Path)
    parser.add_argument("--set", action="append", dest="sets", metavar="NAME=LIMIT")
    parser.add_argument("--model", action="append", dest="models")
    parser.add_argument("--reranker", action="append", dest="rerankers")
    parser.add_argument("--cache", type=Path)
    args = parser.parse_args()
    sets = {name: int(limit) for name, limit in (one.split("=", 1) for one in args.sets or SETS)}
    print(f"load {os.getloadavg()[0]:.1f} at {strftime('%H:%M')}; * disturbed: load above {BUSY}\n")
    print("| embedding | reranker | set | quality | indexing, s | query p50, ms |\n|---|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as folder:
        for model in args.models or MODELS:
            for row in rows(model, args.rerankers or RERANKERS, args.data, sets, args.cache or Path(folder)):
                print(row, flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
