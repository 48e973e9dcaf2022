"""Fit the coefficients of `qa.answerable` and those of read sentences in `qa.extract`, and print what they tell apart.

    python benchmarks/fit_answerable.py --texts benchmarks/reading/texts-*.jsonl --aside 10 --index FOLDER

The texts become a corpus, which is kept in FOLDER. Only the questions of the groups that `fit_reader.py --aside` kept
aside are asked: on the others the reader is surer than it will ever be again.
"""

import argparse
import json
import re
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import astuple, fields
from pathlib import Path

import numpy as np
from reading_examples import kept_aside

from index.engine import Index
from index.relevance import log_odds
from index.sentences import sentence_spans
from index.types import SearchResult
from qa.evaluate.metrics import area_under_curve
from qa.extract import SentenceSignals, signals_of


def write_corpus(documents: Sequence[dict], folder: Path) -> None:
    """A text file for each document: title, date, paragraphs."""
    for n, document in enumerate(documents):
        parts = [document["title"], document["date"] or "", *document["paragraphs"]]
        name = re.sub(r"\W+", "-", document["title"].lower())[:60]
        (folder / f"{n:04}-{name}.txt").write_text("\n\n".join(part for part in parts if part))


def signals(result: SearchResult) -> tuple[float, float]:
    """Log odds of the reader, and of the relevance of the best paragraph."""
    best = max((hit.scores["relevance"] for hit in result.hits if hit.read), default=0.0)
    return result.stated or 0.0, log_odds(best)


def sentences(question: str, gold: str, result: SearchResult) -> list[tuple[tuple[float, ...], bool]]:
    """The signals of each sentence that was read, and whether it is the one that states the answer."""
    return [
        (astuple(signals_of(question, hit, hit.text[start:end], read=odds)), hit.text[start:end] in gold)
        for hit in result.hits
        for (start, end), odds in zip(sentence_spans(hit.text), hit.read, strict=bool(hit.read))
    ]


def logistic_regression(x: np.ndarray, y: np.ndarray, ridge: float = 1e-2) -> np.ndarray:
    """Coefficients and intercept, by Newton's method."""
    x = np.hstack([x, np.ones((len(x), 1))])
    w = np.zeros(x.shape[1])
    for _ in range(50):
        p = 1 / (1 + np.exp(-x @ w))
        gradient = x.T @ (p - y) + ridge * w
        hessian = (x * (p * (1 - p))[:, None]).T @ x + ridge * np.eye(len(w))
        w -= np.linalg.solve(hessian, gradient)
    return w


def told_sentences(rows: Sequence[tuple[tuple[float, ...], bool]]) -> None:
    """Print the coefficients of the sentences' signals."""
    names = [field.name for field in fields(SentenceSignals)]
    x, y = np.array([row for row, _ in rows]), np.array([gold for _, gold in rows])
    weights = logistic_regression(x, y, ridge=1.0)
    scores = x @ weights[:-1] + weights[-1]
    area = area_under_curve(list(scores[y]), list(scores[~y]))
    shown = ", ".join(f"{name} {w:.2f}" for name, w in zip([*names, "intercept"], weights, strict=True))
    print(f"{len(rows)} sentences: {shown}; AUC {area:.3f}")


def report(name: str, scores: np.ndarray, right: np.ndarray) -> None:
    """Area under the curve, and what is refused where 2, 5 and 10 % of the answerable are refused too."""
    yes, no = np.sort(scores[right]), scores[~right]
    cells = []
    for share in (0.02, 0.05, 0.1):
        bar = yes[int(share * len(yes))]
        cells.append(f"{np.mean(no < bar):.2f} at {share:.0%} (bar {bar:.3f})")
    print(f"{name}: AUC {area_under_curve(list(yes), list(no)):.3f}; refused {', '.join(cells)}")


def main() -> int:
    """Index, ask, fit, print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--texts", nargs="+", required=True, metavar="FILE")
    parser.add_argument("--aside", type=int, default=8, metavar="N")
    parser.add_argument("--index", type=Path, required=True, metavar="FOLDER")
    args = parser.parse_args()
    documents = [
        json.loads(line) for name in args.texts for line in Path(name).read_text().splitlines() if line
    ]
    asked = [
        (q["q"], q["sentence"])
        for d in documents
        if kept_aside(d["group"], args.aside)
        for q in d["questions"]
    ]
    with Index.open(args.index, writable=True) as index:
        with tempfile.TemporaryDirectory() as folder:
            write_corpus(documents, Path(folder))
            index.sync(Path(folder))
        results = [index.search(question) for question, _ in asked]
    found = np.array([signals(result) for result in results])
    right = np.array([gold is not None for _, gold in asked])
    slope, intercept = logistic_regression(found[:, :1], right)
    print(f"{len(asked)} questions; slope {slope:.3f}, intercept {intercept:.3f}")
    both = logistic_regression(found, right)
    print(f"with the best sentence's relevance beside it: {both[0]:.3f}, {both[1]:.3f}, {both[2]:.3f}")
    report("relevance alone", 1 / (1 + np.exp(-found[:, 1])), right)
    report("reader", 1 / (1 + np.exp(-(slope * found[:, 0] + intercept))), right)
    told_sentences(
        [
            row
            for (question, gold), result in zip(asked, results, strict=True)
            if gold is not None
            for row in sentences(question, gold, result)
        ]
    )
    report("both", 1 / (1 + np.exp(-(found @ both[:2] + both[2]))), right)
    return 0


if __name__ == "__main__":
    sys.exit(main())
