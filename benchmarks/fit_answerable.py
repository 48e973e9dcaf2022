"""Fit the coefficients of `qa.answerable`, and print them with what they tell apart.

    python benchmarks/fit_answerable.py --texts benchmarks/reading/*.jsonl --aside 8 --index FOLDER

The texts become a corpus, which is kept in FOLDER. Only the questions of the groups that `fit_reader.py --aside` kept
aside are asked: on the others the reader is surer than it will ever be again.
"""

import argparse
import json
import re
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from index.engine import Index
from index.relevance import log_odds
from qa.evaluate.metrics import area_under_curve
from qa.extract import scored_sentences


def write_corpus(documents: Sequence[dict], folder: Path) -> None:
    """A text file for each document: title, date, paragraphs."""
    for n, document in enumerate(documents):
        parts = [document["title"], document["date"] or "", *document["paragraphs"]]
        name = re.sub(r"\W+", "-", document["title"].lower())[:60]
        (folder / f"{n:04}-{name}.txt").write_text("\n\n".join(part for part in parts if part))


def signals(index: Index, question: str) -> tuple[float, float]:
    """Log odds of the reader and of the best sentence."""
    result = index.search(question)
    scored = scored_sentences(question, result.hits, index.reranker)
    return result.stated or 0.0, log_odds(scored[0].score if scored else 0.0)


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
    groups = sorted({document["group"] for document in documents})
    aside = set(groups[:: args.aside])
    asked = [
        (q["q"], q["sentence"] is not None) for d in documents if d["group"] in aside for q in d["questions"]
    ]
    with Index.open(args.index, writable=True) as index:
        with tempfile.TemporaryDirectory() as folder:
            write_corpus(documents, Path(folder))
            index.sync(Path(folder))
        found = np.array([signals(index, question) for question, _ in asked])
    right = np.array([answerable for _, answerable in asked])
    slope, intercept = logistic_regression(found[:, :1], right)
    print(f"{len(asked)} questions; slope {slope:.3f}, intercept {intercept:.3f}")
    both = logistic_regression(found, right)
    print(f"with the best sentence's relevance beside it: {both[0]:.3f}, {both[1]:.3f}, {both[2]:.3f}")
    report("relevance alone", 1 / (1 + np.exp(-found[:, 1])), right)
    report("reader", 1 / (1 + np.exp(-(slope * found[:, 0] + intercept))), right)
    report("both", 1 / (1 + np.exp(-(found @ both[:2] + both[2]))), right)
    return 0


if __name__ == "__main__":
    sys.exit(main())
