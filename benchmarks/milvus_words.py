"""Compare words ranked by Milvus with words ranked by the catalog, on a file of questions; print a markdown table.

    python benchmarks/milvus_words.py DATA_DIR URI [--questions FILE] [--any-version] [--no-reranker]

DATA_DIR holds an index of the questions' documents, made by `NUTGRAF_DATA_DIR=DATA_DIR nutgraf index`; it is copied.
The server is one of your own; the tables that are made in it are dropped again. `--any-version` makes one rank words
that is not trusted with it, such as Milvus Lite.
"""

import argparse
import json
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from time import perf_counter
from unittest.mock import patch

import numpy as np

from index.address import MilvusAddress
from index.engine import Index
from index.milvus import Milvus
from index.milvus_store import MilvusStore
from index.search import LIST_LENGTH, query_terms
from index.types import Filters
from index.watermark import read_mark

Ranked = list[tuple[int, float]]
Lists = Callable[[str], Ranked]
FIRST = 5


def raw_lists(store: MilvusStore, milvus: Milvus) -> Lists:
    """Milvus's own lists and scores, for the words that the store asks it for."""
    with store._catalog.reading() as db:  # noqa: SLF001 - what no user of a store needs
        mark = read_mark(db)
        key, _ = store._find(db, "default")  # noqa: SLF001
    assert mark is not None
    table, taken = mark.table(store.built_by.dim), []

    def listed(question: str) -> Ranked:
        with patch.object(
            Milvus, "search_words", lambda _self, _table, words, **_: taken.append(words) or []
        ):
            store.lexical("default", query_terms(question), LIST_LENGTH, Filters())
        if not taken:  # no passage holds any of the words
            return []
        found = milvus._call(  # noqa: SLF001
            lambda client: client.search(
                table,
                [taken.pop()],
                anns_field="terms",
                limit=LIST_LENGTH,
                filter=f"collection == {key}",
                consistency_level="Strong",
            )
        )
        return [(int(hit["id"]), abs(float(hit["distance"]))) for hit in found[0]]

    return listed


def differences(name: str, index: Index, questions: list[str], lists: Lists, other: Lists) -> None:
    """Print how often two lists, and the searches that use them, differ."""
    counts, ratios = np.zeros(4, int), []
    for question in questions:
        one, two = lists(question), other(question)
        a, b = [id_ for id_, _ in one], [id_ for id_, _ in two]
        found = []
        for ranked in (one, two) if one != two else ():
            with patch.object(MilvusStore, "lexical", lambda *_, ranked=ranked: ranked):
                hits = index.search(question, k=FIRST).hits
            found.append([(hit.path, hit.paragraph) for hit in hits])
        counts += [a[:FIRST] != b[:FIRST], set(a[:FIRST]) != set(b[:FIRST]), a != b, found[:1] != found[1:]]
        scores = dict(two)
        ratios += [scores[id_] / score for id_, score in one[:10] if id_ in scores and score > 0]
    low, middle, high = np.percentile(ratios, [5, 50, 95])
    print(
        f"| {name} | {counts[0]} ({counts[1]} not the same five) | {counts[2]} | {counts[3]} |"
        f" {low:.3f} / {middle:.3f} / {high:.3f} |",
        flush=True,
    )


def main() -> None:
    """Bring a copy of an index to Milvus, and ask each question both ways."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("uri")
    parser.add_argument("--questions", type=Path, default=Path("tests/quality/seeds.jsonl"))
    parser.add_argument("--any-version", action="store_true")
    parser.add_argument("--no-reranker", action="store_true")
    args = parser.parse_args()
    questions = [json.loads(line)["question"] for line in args.questions.read_text().splitlines()]
    if args.any_version:
        patch("index.milvus.ranks_words", lambda _: True).start()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "data"
        shutil.copytree(args.folder, folder)
        address = MilvusAddress(args.uri)
        milvus = Milvus(address)
        reranker = "off" if args.no_reranker else "auto"
        with Index.open(folder, reranker=reranker, milvus=address, writable=True) as index:
            store = index.store
            assert isinstance(store, MilvusStore)
            store.snapshot()

            def asked(lexical: Callable[..., Ranked]) -> Lists:
                return lambda question: lexical("default", query_terms(question), LIST_LENGTH, Filters())

            native, catalog = asked(store.lexical), asked(super(MilvusStore, store).lexical)
            print(f"{len(questions)} questions, {milvus.version()}\n")
            print(
                "| lists | first 5 differ | lists differ | first 5 of `search` differ | score, p5 / p50 / p95 |"
            )
            print("|---|---|---|---|---|")
            differences("Milvus's scores", index, questions, catalog, raw_lists(store, milvus))
            differences("the catalog's scores", index, questions, catalog, native)
            for what, lists in (("Milvus", native), ("catalog", catalog)):
                began = perf_counter()
                for question in questions:
                    lists(question)
                print(f"\n{what}: {(perf_counter() - began) * 1000 / len(questions):.1f} ms a list")
            store._dense.clear()  # noqa: SLF001 - nothing of ours stays in the server


if __name__ == "__main__":
    main()
