"""Fill a data folder with made-up passages, and time opening, searching and changing it; print a markdown table.

    python benchmarks/scale.py [--passages N] [--folder FOLDER] [--queries N]

A million passages take 3.8 GB of disk and about ten minutes; `--folder` keeps them for the next run. What is measured
runs in a process of its own, so that its memory is that of opening and searching. `--part` names such a process.
"""

import argparse
import os
import subprocess
import sys
import tempfile
from itertools import islice
from pathlib import Path
from time import perf_counter, process_time, strftime

import numpy as np
from synthetic import A_DOCUMENT, DIM, Corpus

from index import records
from index.catalog import CATALOG_NAME, open_catalog
from index.changelog import last_sequence, log_changes
from index.lexical import MOST_SCORED, Ranking
from index.store import LocalStore
from index.types import BuiltBy, Filters, Remove

BUILT_BY = BuiltBy("synthetic", "0" * 64, DIM, 1)
K = 100
"""Entries of a list, as search asks for them."""
ALL = Filters()
NARROW = {
    "half of the passages (dates)": Filters(date_from="2012-06-01"),
    "one in 25 (a date)": Filters(date_from="2010-01-01", date_to="2010-01-01"),
    "one in 1,000 (a folder)": Filters(path="007/*"),
}
PARTS = ("exact", "layout", "dense", "lexical")


def row(what: str, figure: str) -> None:
    """Print a row as soon as it is known."""
    print(f"| {what} | {figure} |", flush=True)


def fill(folder: Path, corpus: Corpus) -> None:
    """Write the catalog, many documents a transaction: what is measured is the reading."""
    with LocalStore.open(folder, BUILT_BY, writable=True) as store:
        store.create_collection("default")
    catalog = open_catalog(folder / CATALOG_NAME, writable=True)
    documents, done = corpus.documents(), 0
    while block := list(islice(documents, 500)):
        with catalog.writing() as db:
            for change in block:
                records.insert_document(db, catalog.secret, (1, "default"), change)
            added = sum(len(change.passages) for change in block)
            log_changes(db, 1, "upsert", range(done + 1, done + added + 1), ())
            done += added
    catalog.close()


def memory() -> str:
    """Resident memory of this process now, and at its highest."""
    lines = Path("/proc/self/status").read_text(encoding="utf-8").splitlines()
    sizes = {line.split(":")[0]: int(line.split()[1]) // 1024 for line in lines if line.startswith("Vm")}
    return f"{sizes['VmRSS']} / {sizes['VmHWM']} MB"


class Clock:
    """Seconds of each run of a block, by the clock and of the processor, which depend less on the neighbours."""

    def __init__(self) -> None:
        self.taken: list[tuple[float, float]] = []

    def __enter__(self) -> None:
        self.began = perf_counter(), process_time()

    def __exit__(self, *_: object) -> None:
        self.taken.append((perf_counter() - self.began[0], process_time() - self.began[1]))

    def __str__(self) -> str:
        """Median and 95th percentile in ms."""
        (p50, cpu50), (p95, cpu95) = np.percentile(self.taken, [50, 95], axis=0) * 1000
        return f"{p50:.1f} / {p95:.1f} ms ({cpu50:.1f} / {cpu95:.1f} of processor)"


def exact(corpus: Corpus, folder: Path, queries: int) -> None:
    """Find what is really nearest, by reading every vector."""
    wanted = corpus.queries(queries)
    best, ids = np.full((queries, K), -2, np.float32), np.zeros((queries, K), np.int64)
    for start, vectors in corpus.vectors():
        scores = np.concatenate([best, wanted @ vectors.T], axis=1)
        new = np.broadcast_to(np.arange(start + 1, start + len(vectors) + 1), (queries, len(vectors)))
        every = np.concatenate([ids, new], axis=1)
        kept = np.argpartition(-scores, K, axis=1)[:, :K]
        best, ids = np.take_along_axis(scores, kept, 1), np.take_along_axis(every, kept, 1)
    order = np.argsort(-best, axis=1)
    np.save(folder / "nearest.npy", np.take_along_axis(ids, order, 1))


def layout(folder: Path) -> None:
    """Lay the dense index out, and write its snapshot."""
    began = perf_counter()
    with LocalStore.open(folder, BUILT_BY, writable=True) as store:
        store.snapshot()
    size = sum(file.stat().st_size for file in (folder / "snapshots").iterdir()) >> 20
    row("dense index laid out and saved; its file", f"{perf_counter() - began:.0f} s; {size} MB")
    row("memory meanwhile, at the end / peak", memory())


def dense(corpus: Corpus, folder: Path, queries: int) -> None:
    """Open, search, narrow, change."""
    vectors, nearest = corpus.queries(queries), np.load(folder / "nearest.npy")[:queries]
    before = memory()
    began = perf_counter()
    store = LocalStore.open(folder, BUILT_BY, writable=True)
    store.dense("default", vectors[0], K, ALL)
    row("opening to the first dense result", f"{perf_counter() - began:.2f} s")
    row("memory before / peak, and after opening", f"{before}; {memory()}")
    clock, found = Clock(), []
    for vector in vectors:
        with clock:
            found.append([id_ for id_, _ in store.dense("default", vector, K, ALL)])
    row(f"dense, k = {K}, one thread: p50 / p95 of {queries}", str(clock))
    for depth in (10, K):
        share = np.mean([
            len({*near[:depth].tolist()} & {*ids[:depth]}) / depth
            for near, ids in zip(nearest, found, strict=True)
        ])  # fmt: skip
        row(f"recall@{depth} against exact search", f"{share:.3f}")
    for what, filters in NARROW.items():
        clock = Clock()
        for vector in vectors[:30]:
            with clock:
                store.dense("default", vector, K, filters)
        row(f"dense, narrowed to {what}: p50 / p95", str(clock))
    row("memory after searching / peak", memory())
    change(store, corpus, vectors[0])
    store.close()


def change(store: LocalStore, corpus: Corpus, vector: np.ndarray) -> None:
    """Add a document, replace it, take it away; each until a search shows it."""
    added = corpus.document(corpus.passages, np.tile(vector, (A_DOCUMENT, 1)))
    steps = {"added": added, "replaced": added, "deleted": Remove(added.document.path)}
    for what, step in steps.items():
        began = perf_counter()
        store.apply("default", [step])
        found = store.dense("default", vector, A_DOCUMENT, ALL)
        words = store.lexical("default", added.passages[0].text.split()[:5], 5, ALL)
        seconds = perf_counter() - began
        assert words
        assert (found[-1][1] > 0.999) == (what != "deleted")
        row(f"one document of {A_DOCUMENT} passages {what}, and the change found", f"{seconds:.3f} s")


def lexical(corpus: Corpus, folder: Path, queries: int) -> None:
    """Search by words, as it is done and without the bound on the work."""
    questions = corpus.questions(queries)
    store = LocalStore.open(folder, BUILT_BY)
    whole, counting, found = Clock(), Clock(), []
    for words in questions:
        with whole:
            with counting:
                store.term_frequencies("default", words)
            found.append(store.lexical("default", words, K, ALL))
    row(f"lexical, k = {K}: p50 / p95 of {queries}, words counted first", str(whole))
    row("of which counting, once for each word and state of the index", str(counting))
    row("memory after searching / peak", memory())
    store.close()
    without_bound(folder, questions, found)


def without_bound(folder: Path, questions: list[list[str]], found: list[list[tuple[int, float]]]) -> None:
    """The same when every passage with any of the words is scored, and how much the lists have in common."""
    from index.fulltext import TermCounts  # noqa: PLC0415 - beside its only use

    catalog = open_catalog(folder / CATALOG_NAME, writable=False)
    clock, shares = Clock(), {10: [], 30: [], K: []}
    with catalog.reading() as db:
        counts = TermCounts.of(db, 1, last_sequence(db))
        for words, hits in zip(questions, found, strict=True):
            with clock:
                whole = Ranking(db, counts, 1, K, None, most_scored=sys.maxsize).best(words)
            for depth, share in shares.items():
                lowest = whole[:depth][-1][1] - 1e-9  # what scores the same is as good
                share.append(sum(score >= lowest for _, score in hits[:depth]) / len(whole[:depth]))
    catalog.close()
    row(f"lexical without the bound of {MOST_SCORED:,} scored passages", str(clock))
    row(
        "of its first 10; 30; 100, found with the bound",
        "; ".join(f"{np.mean(share):.4f}" for share in shares.values()),
    )


def run(part: str, args: argparse.Namespace, folder: Path) -> None:
    """One part in a process of its own, on one thread."""
    one_thread = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1")
    command = [sys.executable, __file__, "--part", part, "--folder", str(folder)]
    command += ["--passages", str(args.passages), "--queries", str(args.queries)]
    subprocess.run(command, check=True, env={**os.environ, **one_thread})


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--passages", type=int, default=1_000_000, help="in all (default: 1,000,000)")
    parser.add_argument("--queries", type=int, default=300, help="of each kind (default: 300)")
    parser.add_argument("--folder", type=Path, help="where the data stays (default: it goes away)")
    parser.add_argument("--part", choices=PARTS, help=argparse.SUPPRESS)
    args = parser.parse_args()
    corpus = Corpus(args.passages)
    if args.part:
        measured = {"exact": exact, "dense": dense, "lexical": lexical}.get(args.part)
        measured(corpus, args.folder, args.queries) if measured else layout(args.folder)
        return 0
    print(f"{args.passages:,} passages, {strftime('%d %B %Y %H:%M')}, load {os.getloadavg()[0]:.1f}\n")
    print("| what | figure |\n|---|---|", flush=True)
    with tempfile.TemporaryDirectory(prefix="nutgraf-scale-") as name:
        folder = args.folder or Path(name)
        if not (folder / CATALOG_NAME).exists():
            fill(folder, corpus)
        if not (folder / "nearest.npy").exists():
            run("exact", args, folder)
        for part in PARTS[1:]:
            run(part, args, folder)
    print(f"\nload {os.getloadavg()[0]:.1f} at the end")
    return 0


if __name__ == "__main__":
    sys.exit(main())
