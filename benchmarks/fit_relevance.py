"""Fit the coefficients of `index.relevance` and `qa.extract`, and print them with their figures.

    python benchmarks/fit_relevance.py XQUAD_FOLDER [--questions FILE --corpus FOLDER]... [--limit N]

XQuAD (CC BY-SA 4.0) as a corpus of articles; for half of its questions the gold paragraph is taken away, so that
the best of the rest has to be refused. `--questions` adds question files in the project's format over `--corpus`.
Questions are split by hash into a fitting and a held-out half.
"""

import argparse
import hashlib
import json
import re
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import astuple, dataclass
from pathlib import Path

import numpy as np

from index.engine import Index
from index.search import LIST_LENGTH, RERANKED, candidates, hit_of, query_terms, rank, texts_of
from index.types import Filters, Hit, Reranker
from qa import extract


class CachedReranker:
    """A reranker that keeps its scores in a file, so that a fit over other signals costs seconds."""

    def __init__(self, reranker: Reranker, path: Path | None) -> None:
        self._reranker = reranker
        self._path = path
        self._known: dict[str, float] = json.loads(path.read_text()) if path and path.is_file() else {}

    @property
    def name(self) -> str:
        """The reranker's name."""
        return self._reranker.name

    def scores(self, query: str, texts: Sequence[str], /) -> np.ndarray:
        """float32[len(texts)]."""
        keys = [hashlib.sha256(f"{query}\0{text}".encode()).hexdigest() for text in texts]
        new = [n for n, key in enumerate(keys) if key not in self._known]
        if new:
            fresh = self._reranker.scores(query, [texts[n] for n in new])
            self._known.update({keys[n]: float(s) for n, s in zip(new, fresh, strict=True)})
        return np.array([self._known[key] for key in keys], np.float32)

    def keep(self) -> None:
        """Write what is known."""
        if self._path:
            self._path.write_text(json.dumps(self._known))


@dataclass(frozen=True, slots=True)
class Asked:
    """One question with what tells a right passage and a right sentence."""

    id: str
    text: str
    gold: frozenset[tuple[str, int]]  # (path, line)
    patterns: tuple[str, ...]
    answerable: bool = True
    hide_gold: bool = False


def xquad(folder: Path, root: Path, limit: int) -> list[Asked]:
    """Write the articles as files, one paragraph a line, and give the questions."""
    rows = [json.loads(line) for line in (folder / "corpus.jsonl").read_text().splitlines()]
    where: dict[str, tuple[str, int]] = {}
    articles: dict[str, list[dict[str, str]]] = {}
    for row in rows:
        articles.setdefault(row["title"], []).append(row)
    for title, members in articles.items():
        name = re.sub(r"\W+", "_", title) + ".txt"
        lines = [title, ""]
        for row in members:
            where[row["_id"]] = (name, len(lines) + 1)
            lines += [" ".join(row["text"].split()), ""]
        (root / name).write_text("\n".join(lines))
    asked = []
    for row in (json.loads(line) for line in (folder / "qa.jsonl").read_text().splitlines()):
        gold = frozenset(where[c] for c in row["context_ids"])
        hidden = int(hashlib.sha256(row["id"].encode()).hexdigest(), 16) % 3 == 0
        patterns = ("|".join(re.escape(a) for a in row["answers"]),)
        asked.append(Asked(row["id"], row["question"], gold, patterns, not hidden, hidden))
    step = max(len(asked) // limit, 1)
    return asked[::step][:limit]


def question_file(path: Path) -> list[Asked]:
    """Questions in the project's format, follow-ups left out."""
    rows = [json.loads(line) for line in path.read_text().splitlines() if line.strip()]
    return [
        Asked(
            r["id"],
            r["question"],
            frozenset((p, n) for p, n in r["cite_any"]),
            tuple(r["answer_all"]),
            r["answerable"],
        )
        for r in rows
        if not r.get("history")
    ]


def is_gold(asked: Asked, hit: Hit) -> bool:
    """Whether a hit holds a gold line."""
    return any(hit.path == path and hit.line_start <= line <= hit.line_end for path, line in asked.gold)


Rows = list[tuple[tuple[float, ...], bool]]
"""Signals of passages or sentences, each with whether it is right."""


def measured(index: Index, asked: Asked, reranker: Reranker | None) -> tuple[Rows, Rows]:
    """Signals with labels of the passages and of the sentences of one question."""
    assert index.embedder is not None
    vector = index.embedder.embed_queries([asked.text])[0]
    store = index.store
    dense = store.dense("default", vector, LIST_LENGTH, Filters())
    lexical = store.lexical("default", query_terms(asked.text), LIST_LENGTH, Filters())
    found = candidates(store, "default", asked.text, dense, lexical, depth=RERANKED + 2)
    if asked.hide_gold:
        found = [
            f
            for f in found
            if not any(
                f.stored.source.document.path == p
                and f.stored.source.paragraph.line_start <= n <= f.stored.source.paragraph.line_end
                for p, n in asked.gold
            )
        ]
    model = reranker
    ranked = rank(asked.text, found[:RERANKED], model, texts_of(store, "default", found[:RERANKED]))
    passages = [(astuple(c.signals), asked.answerable and is_gold(asked, hit_of(c))) for c in ranked]
    hits = [hit_of(c) for c in ranked]
    sentences = []
    triples = extract.sentences_of(hits)[: extract.SENTENCES_READ]
    texts = [extract.text_of(*t) for t in triples]
    logits = (
        model.scores(asked.text, [extract.for_reranker(t[0], s) for t, s in zip(triples, texts, strict=True)])
        if model and triples
        else np.zeros(len(triples))
    )
    for (hit, _, _), text, logit in zip(triples, texts, logits, strict=True):
        right = (
            asked.answerable
            and is_gold(asked, hit)
            and any(re.search(p, text, re.IGNORECASE) for p in asked.patterns)
        )
        sentences.append((astuple(extract.signals_of(asked.text, hit, text, rerank=float(logit))), right))
    return passages, sentences


def fit(rows: list[tuple[tuple[float, ...], bool]], ridge: float = 1.0) -> np.ndarray:
    """Logistic regression by Newton's method with a small ridge; the last coefficient is the intercept."""
    x = np.array([[*s, 1.0] for s, _ in rows])
    y = np.array([float(label) for _, label in rows])
    w = np.zeros(x.shape[1])
    penalty = np.diag([ridge] * (x.shape[1] - 1) + [0.0])
    for _ in range(50):
        p = 1 / (1 + np.exp(-x @ w))
        gradient = x.T @ (p - y) + penalty @ w
        hessian = (x * (p * (1 - p))[:, None]).T @ x + penalty
        step = np.linalg.solve(hessian + 1e-9 * np.eye(len(w)), gradient)
        w -= step
        if np.abs(step).max() < 1e-6:
            break
    return w


def corpora(args: argparse.Namespace, folder: Path) -> Iterator[tuple[Path, list[Asked]]]:
    """(folder to index, questions) of each corpus."""
    root = folder / "xquad"
    root.mkdir()
    yield root, xquad(args.xquad, root, args.limit)
    for corpus, questions in zip(args.corpus, args.questions, strict=True):
        yield corpus, question_file(questions)


def half_of(key: str) -> int:
    """0 for the questions fitted on, 1 for those held out."""
    return int(hashlib.sha256(key.encode()).hexdigest(), 16) % 2


def report(name: str, data: list[tuple[str, str, bool, list[tuple[tuple[float, ...], bool]]]]) -> None:
    """Print coefficients and, on the held-out half, how often the best is right and how well its score tells."""
    weights = fit([r for _, key, _, rows in data if half_of(key) == 0 for r in rows])
    everything = fit([r for *_, rows in data for r in rows])
    print(name, "fitted on half:", np.round(weights, 2).tolist(), "on all:", np.round(everything, 2).tolist())
    for corpus in dict.fromkeys(d[0] for d in data):
        held = [d for d in data if d[0] == corpus and half_of(d[1]) == 1]
        tops = [
            max(((float(np.dot([*s, 1.0], weights)), label) for s, label in rows), default=(-9.0, False))
            for *_, rows in held
        ]
        there = [any(label for _, label in rows) for *_, rows in held]
        right = np.mean([top[1] for top, has in zip(tops, there, strict=True) if has])
        yes = np.array([top[0] for top, d in zip(tops, held, strict=True) if d[2]])
        no = np.array([top[0] for top, d in zip(tops, held, strict=True) if not d[2]])
        auc = float(np.mean(yes[:, None] > no[None, :])) if len(yes) and len(no) else float("nan")
        print(
            f"  {corpus}: best is right {right:.3f} of {sum(there)}; "
            f"answerable told from not, AUC {auc:.3f} ({len(yes)} / {len(no)})"
        )
        for bar in (0.2, 0.3, 0.4, 0.5):
            edge = np.log(bar / (1 - bar))
            print(
                f"    below {bar}: {np.mean(yes < edge):.3f} of answerable, {np.mean(no < edge):.3f} of unanswerable"
            )


def main() -> int:
    """Measure, fit, print."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("xquad", type=Path)
    parser.add_argument("--questions", type=Path, action="append", default=[])
    parser.add_argument("--corpus", type=Path, action="append", default=[])
    parser.add_argument("--limit", type=int, default=300)
    parser.add_argument("--no-reranker", action="store_true")
    parser.add_argument("--cache", type=Path, help="keep the reranker's scores in this file")
    parser.add_argument("--save", type=Path, help="keep the measured signals in this file")
    args = parser.parse_args()
    if not args.xquad.is_dir():
        print(
            f"{args.xquad}: not there; give the folder that holds XQuAD's corpus.jsonl and qa.jsonl",
            file=sys.stderr,
        )
        return 66
    data: list[tuple[str, str, bool, list, list]] = []
    with tempfile.TemporaryDirectory() as tmp:
        for n, (root, asked) in enumerate(corpora(args, Path(tmp))):
            with Index.open(Path(tmp) / f"data{n}", writable=True) as index:
                index.sync(root)
                cached = (
                    CachedReranker(index.reranker, args.cache)
                    if index.reranker and not args.no_reranker
                    else None
                )
                data.extend(
                    (root.name, one.id, one.answerable, *measured(index, one, cached)) for one in asked
                )
                if cached:
                    cached.keep()
    if args.save:
        args.save.write_text(json.dumps(data))
    for name, position in (("passages", 3), ("sentences", 4)):
        report(
            name,
            [
                (corpus, key, answerable, row)
                for corpus, key, answerable, *rows in data
                for row in [rows[position - 3]]
            ],
        )
    return 0


if __name__ == "__main__":
    sys.exit(main())
