"""Index a folder of many small files, again without a change, and again after one edit; print a markdown table.

    python benchmarks/many_files.py [N] [--html-only]

Three in eight files are plain text, three Markdown, two HTML, unless all are to be HTML. The files go away afterwards.
"""

import argparse
import os
import random
import resource
import tempfile
from pathlib import Path
from time import perf_counter, strftime

from index.engine import Index
from index.types import SyncReport

WORDS = "harbour council budget road engine ship winter market school letter price water report north bridge".split()
MIX = (".txt", ".md", ".html", ".txt", ".md", ".html", ".txt", ".md")


def text_of(chance: random.Random, suffix: str, number: int) -> str:
    title = f"Report {number} on the {chance.choice(WORDS)}"
    body = " ".join(chance.choices(WORDS, k=18)).capitalize() + f" in the year {1900 + number % 120}."
    if suffix == ".html":
        head = f"<!doctype html><html><head><title>{title}</title></head>"
        return f"{head}<body><h1>{title}</h1><p>{body}</p></body></html>"
    return f"# {title}\n\n{body}\n" if suffix == ".md" else f"{title}\n\n{body}\n"


def make(root: Path, count: int, *, html_only: bool) -> None:
    chance = random.Random(20261126)
    for number in range(count):
        suffix = ".html" if html_only else MIX[number % len(MIX)]
        folder = root / f"{number // 500:03d}"
        folder.mkdir(exist_ok=True)
        (folder / f"{number:05d}{suffix}").write_text(text_of(chance, suffix, number), encoding="utf-8")


def run(index: Index, root: Path, what: str) -> SyncReport:
    began = perf_counter()
    report = index.sync(root)
    took = perf_counter() - began
    files = report.added + report.changed + report.unchanged
    done = f"{report.added} added, {report.changed} changed, {report.unchanged} unchanged"
    rates = f"{files / took:.1f} files/s, {report.passages / took:.1f} passages/s"
    print(f"| {what} | {took:.1f} s ({rates}) | {done}, {report.passages} passages stored |", flush=True)
    return report


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("count", nargs="?", type=int, default=10_000)
    parser.add_argument("--html-only", action="store_true")
    args = parser.parse_args()
    print(f"{args.count} files, {strftime('%d %B %Y %H:%M')}, load average {os.getloadavg()[0]:.1f}\n")
    print("| what | time | done |\n|---|---|---|")
    with tempfile.TemporaryDirectory(prefix="nutgraf-many-") as name:
        root, data = Path(name) / "corpus", Path(name) / "data"
        root.mkdir()
        make(root, args.count, html_only=args.html_only)
        with Index.open(data, reranker="off", writable=True) as index:
            assert run(index, root, "first run").added == args.count
            assert run(index, root, "second run").unchanged == args.count
            edited = sorted(path for path in root.rglob("*") if path.is_file())[args.count // 2]
            edited.write_text(
                edited.read_text(encoding="utf-8").replace("Report", "Review"), encoding="utf-8"
            )
            assert run(index, root, "after one edit").changed == 1
    own, children = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    print(
        f"\nPeak RSS {own.ru_maxrss >> 10} MB; processor {own.ru_utime + own.ru_stime:.0f} s, "
        f"parsers {children.ru_utime + children.ru_stime:.0f} s; load average at the end {os.getloadavg()[0]:.1f}"
    )


if __name__ == "__main__":
    main()
