"""Fit `qa.support.WITH_READER`: what the reader's word on a claim counts beside the words and against an objection.

    python benchmarks/fit_reader_support.py [--aside 16] [--sets claims-seeds-1 claims-firm]

The logistic of the best window is fitted on claims of `benchmarks/reading` that the reader was not taught with, on some
sets of `benchmarks/heldout`, and on `tests/quality/restatements.jsonl`, each set weighing the same. What a firm
objection decides takes no part. The other sets are judged with what was fitted.
"""

import argparse
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from claim_sets import Known, aside, held_out, restatements
from scipy.optimize import minimize

from index.models import DEFAULT_RERANKER, carried
from index.passage_reader import OnnxReader
from qa.evaluate.metrics import area_under_curve
from qa.evidence import evidence_of, windows
from qa.similarity import passage_of
from qa.support import WITH_READER, assess, covered_odds
from qa.verify import ASKED, CANDIDATES, PAIRED

HERE = Path(__file__).parent
START = (-0.5, 1.0, 1.0, 0.0, 0.6, -0.3, -1.5)
"""bias, words, all, replaced, learned, lacks, conflicts."""
SHRINK = 0.001
VERBATIM = 9.0


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--aside", type=int, default=16, metavar="N")
    parser.add_argument("--sets", nargs="*", default=["claims-seeds-1", "claims-firm"])
    options = parser.parse_args(arguments)
    files = carried(DEFAULT_RERANKER)
    assert files is not None, "the weights are not installed"
    reader = OnnxReader(files)
    claims = held_out(HERE / "heldout")
    claims["restatements"] = restatements(HERE.parent / "tests/quality/restatements.jsonl")
    claims["aside"] = aside(HERE / "reading", options.aside)
    rows = {name: [(claim.true, features(claim, reader)) for claim in some] for name, some in claims.items()}
    fitting = {name for name in rows if name in {*options.sets, "restatements", "aside"}}
    weights = fitted([rows[name] for name in sorted(fitting)])
    print("fitted:", " ".join(f"{weight:.2f}" for weight in weights))
    now = WITH_READER
    told(rows, fitting, weights)
    print("in use:")
    told(
        rows,
        fitting,
        np.array([now.bias, now.words, now.all, now.replaced, now.learned, now.lacks, now.conflicts]),
    )
    return 0


Row = tuple[bool, np.ndarray]
"""Whether a claim is true, and float[windows, 8] of those that no firm objection is against."""


def features(claim: Known, reader: OnnxReader) -> np.ndarray:
    """What is known of each window: 1, words, all, replaced, the reader's log odds, lacks, conflicts, verbatim."""
    evidence = evidence_of(claim.hits, claim.question)
    read = evidence.reading(claim.text)
    found = [
        f
        for f in (assess(read, window) for window in windows(evidence, read, CANDIDATES, PAIRED))
        if not f.firm
    ]
    near = sorted(found, key=lambda f: -covered_odds(f))[:ASKED]
    odds = reader.supports(claim.text, [passage_of(f.window) for f in near]) if near else []
    return np.array(
        [
            [
                1.0,
                f.coverage.words,
                f.coverage.all,
                min(f.coverage.replaced, 2),
                odd,
                f.worst == "lacks",
                f.worst == "conflicts",
                VERBATIM * f.verbatim,
            ]
            for f, odd in zip(near, odds, strict=True)
        ]
    ).reshape(-1, 8)


def scored(row: np.ndarray, weights: np.ndarray) -> float:
    """Log odds by the best window; a claim with none is as good as refused."""
    return float((row @ np.append(weights, 1.0)).max()) if len(row) else -VERBATIM


def fitted(sets: Sequence[Sequence[Row]]) -> np.ndarray:
    """Weights with the least cross-entropy, each set counting the same."""

    def loss(weights: np.ndarray) -> float:
        total = SHRINK * float((weights[1:] ** 2).sum())
        for rows in sets:
            odds = np.array(
                [scored(row, weights) if true else -scored(row, weights) for true, row in rows if len(row)]
            )
            total += float(np.logaddexp(0, -odds).mean()) / len(sets)
        return total

    return np.asarray(
        minimize(loss, START, method="Nelder-Mead", options={"maxiter": 6000, "maxfev": 6000}).x
    )


def told(rows: Mapping[str, Sequence[Row]], fitting: set[str], weights: np.ndarray) -> None:
    """Print how many true claims pass, how many false ones do not, and how well the two are told apart."""
    for name, some in rows.items():
        yes, no = ([scored(row, weights) for true, row in some if true is kind] for kind in (True, False))
        print(
            f"    {name}{' (fitted)' if name in fitting else ''}: kept {sum(s > 0 for s in yes)} of {len(yes)}, caught"
            f" {sum(s <= 0 for s in no)} of {len(no)}, AUROC {area_under_curve(yes, no) or 0:.3f}"
        )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
