"""Bring made-up passages to a Milvus server, and time and weigh it; print a markdown table.

    python benchmarks/milvus.py URI [--passages N] [--queries N] [--files FOLDER]

The server is one of your own; the tables that are made in it are dropped again. `--files` is its data folder here.
"""

import argparse
import tempfile
from pathlib import Path
from time import perf_counter, strftime

import numpy as np
from scale import ALL, BUILT_BY, NARROW, fill
from synthetic import Corpus

from index.address import MilvusAddress
from index.milvus import Milvus
from index.milvus_store import MilvusStore
from index.types import Filters, Vectors

K = 20


def row(what: str, figure: str) -> None:
    """Print a row as soon as it is known."""
    print(f"| {what} | {figure} |", flush=True)


def size_of(folder: Path) -> int:
    """Bytes of all files beneath a folder."""
    return sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())


def allowed(store: MilvusStore, filters: Filters, ids: np.ndarray) -> np.ndarray:
    """Which of the ids the catalog's own filter lets through."""
    places = {passage.id: passage.source.document for passage in store.passages("default", ids.tolist())}
    low, high, glob = filters.date_from or "", filters.date_to or "9", (filters.path or "*").rstrip("*")
    return np.array([low <= (places[i].date or "") <= high and places[i].path.startswith(glob) for i in ids])


def search(store: MilvusStore, corpus: Corpus, queries: Vectors, filters: Filters) -> str:
    """Time of a search as the program makes it, and how many of the exactly nearest it finds."""
    every = np.concatenate([vectors for _, vectors in corpus.vectors()])
    ids = np.arange(1, len(every) + 1)
    mask = allowed(store, filters, ids) if filters != ALL else np.ones(len(ids), np.bool_)
    ids, every = ids[mask], every[mask]
    taken, hits = [], 0
    for query in queries:
        began = perf_counter()
        found = [id_ for id_, _ in store.dense("default", query, K, filters)]
        taken.append((perf_counter() - began) * 1000)
        hits += len(set(found) & set(ids[np.argsort(-(every @ query))[:K]].tolist()))
    p50, p95 = np.percentile(taken, [50, 95])
    share = hits / (len(queries) * min(K, len(ids)))
    return f"{p50:.0f} / {p95:.0f} ms, recall@{K} {share:.3f} ({len(ids):,} let through)"


def main() -> None:
    """Fill, weigh, search, change."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("uri")
    parser.add_argument("--passages", type=int, default=10_000)
    parser.add_argument("--queries", type=int, default=50)
    parser.add_argument("--files", type=Path)
    args = parser.parse_args()
    corpus, address = Corpus(args.passages), MilvusAddress(args.uri)
    print(
        f"{args.passages:,} passages, {Milvus(address).version()}, {strftime('%-d %B %Y')}\n\n| | |\n|---|---|"
    )
    before = size_of(args.files) if args.files else 0
    with tempfile.TemporaryDirectory() as name:
        fill(Path(name), corpus)
        row("catalog", f"{size_of(Path(name)) / args.passages:,.0f} bytes a passage")
        with MilvusStore.open_at(address, Path(name), BUILT_BY, writable=True) as store:
            began = perf_counter()
            store.snapshot()
            seconds = perf_counter() - began
            row("brought to Milvus", f"{seconds:.1f} s, {args.passages / seconds:,.0f} passages a second")
            for what, filters in {"no filter": ALL, **NARROW}.items():
                row(what, search(store, corpus, corpus.queries(args.queries), filters))
            began = perf_counter()
            for change in list(corpus.documents())[:20]:
                store.apply("default", [change])
            row("a document of 20 passages replaced", f"{(perf_counter() - began) * 50:.0f} ms")
            if args.files:
                row(
                    "files of the server",
                    f"{(size_of(args.files) - before) / args.passages:,.0f} bytes a passage",
                )
            began = perf_counter()
            problems = [proof.problems for proof in store.proofs()]
            row(f"every vector compared ({problems})", f"{perf_counter() - began:.1f} s")
            store._dense.clear()  # noqa: SLF001 - nothing of ours stays in the server


if __name__ == "__main__":
    main()
