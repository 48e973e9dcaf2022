"""Fit the coefficients of `qa.support` and `qa.similarity`, and print them with their figures.

    python benchmarks/fit_support.py XQUAD_FOLDER SCIFACT_FOLDER [--cache FILE]

Supported claims: XQuAD's subject questions ("Who led …?") turned into statements with their answers, and SciFact's
training claims. Unsupported ones: the same statements with their paragraph taken away, SciFact's claims without
evidence, and claims of which one or two words are exchanged for others' (seeded). Only claims that no layer objects to
take part, since the coefficients decide nothing else. Learned scores are kept in `--cache`. The weights beside a reader
are fitted by `fit_reader_support.py`.
"""

import argparse
import json
import random
import re
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import exp
from pathlib import Path

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score, roc_curve
from sklearn.model_selection import KFold, cross_val_predict

from index.embed import OnnxEmbedder
from index.models import DEFAULT_EMBEDDER, DEFAULT_RERANKER, carried
from index.rerank import OnnxReranker
from index.types import Hit
from qa.evidence import evidence_of, windows
from qa.support import Finding, assess, support
from qa.tokens import tokens_of

SUBJECT = re.compile(
    r"^(?:Who|What|Which(?: [a-zA-Z]+){1,3}?|What (?:[a-z]+ ){0,2}?[a-z]+) "
    r"(?=(?:was|were|is|are|has|had|led|won|made|wrote|became|began|held|gave|took|said|found|played|ran|[a-z]{3,}ed)\b)"
)
INVERTED = re.compile(
    r"^(?:is|was|are|were|has|had) (?:the \w+ (?:of|for|in)|[A-Z]|he|she|it|they|an?|his|her|its|their)\b"
)
ALLOWED = 0.2
"""Share of unsupported claims that may pass at the threshold."""
WINDOWS = 4


@dataclass(frozen=True, slots=True)
class Claim:
    """A claim, whether its hits support it, and the hits."""

    text: str
    supported: bool
    hits: tuple[Hit, ...]
    question: str = ""


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("xquad", type=Path)
    parser.add_argument("scifact", type=Path)
    parser.add_argument("--cache", type=Path)
    options = parser.parse_args(arguments)
    chance = random.Random(5)
    stated = list(statements(options.xquad))
    science = list(scifact(options.scifact))
    chance.shuffle(science)
    science = science[:400]
    gone = [Claim(c.text, False, tuple(h for h in c.hits if h.score == 0), c.question) for c in stated]
    true = stated + [c for c in science if c.supported]
    claims = stated + gone + science + [*exchanged(true, chance)]
    rows, labels = features(claims, options.cache)
    report(rows, labels)
    return 0


def lines(path: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in path.open(encoding="utf-8")]


def hit(document: str, number: int, title: str, text: str, score: float = 0.0) -> Hit:
    return Hit(
        document, document, title, None, number, number, number, 0, len(text), None, text, "", "", score
    )


def statements(folder: Path) -> Iterator[Claim]:
    """Subject questions as statements, each with its paragraph (score 1) and its two neighbours on either side."""
    corpus = lines(folder / "corpus.jsonl")
    place = {entry["_id"]: n for n, entry in enumerate(corpus)}
    for asked in lines(folder / "qa.jsonl"):
        question, answer = str(asked["question"]), str(asked["answers"][0])
        subject = SUBJECT.match(question)
        rest = question[subject.end() :].rstrip("? ") if subject else ""
        if not rest or INVERTED.match(rest) or len(answer.split()) > 8:
            continue
        n = place[asked["context_ids"][0]]
        near = range(max(0, n - 2), min(len(corpus), n + 3))
        hits = tuple(
            hit(
                str(corpus[m]["title"]), m + 1, str(corpus[m]["title"]), str(corpus[m]["text"]), float(m == n)
            )
            for m in near
        )
        yield Claim(f"{answer[0].upper()}{answer[1:]} {rest}.", True, hits, question)


def scifact(folder: Path) -> Iterator[Claim]:
    """Training claims that are supported, or have no evidence, with the abstracts that they cite."""
    corpus = {str(entry["_id"]): entry for entry in lines(folder / "corpus.jsonl")}
    for claim in lines(folder / "claims.jsonl"):
        evidence = claim["evidence"]
        if claim["split"] != "train" or (evidence and evidence[0]["label"] == "CONTRADICT"):
            continue
        found = [corpus[d] for d in claim["cited_doc_ids"] if d in corpus]
        hits = tuple(hit(str(e["_id"]), 1, str(e["title"]), str(e["text"])) for e in found)
        yield Claim(str(claim["claim"]), bool(evidence), hits)


def exchanged(claims: Sequence[Claim], chance: random.Random) -> Iterator[Claim]:
    """Claims of which one or two neighbouring content words are exchanged for words of others with a like ending."""

    def plain(text: str) -> list[tuple[int, int, str]]:
        found = (t for t in tokens_of(text) if t.kind == "word" and t.weight >= 1)
        return [(t.start, t.end, t.text) for t in found if t.text.islower() and t.text.isalpha()]

    pool = [word for claim in claims for _, _, word in plain(claim.text)]
    for claim in claims:
        words = plain(claim.text)
        if len(words) < 2:
            continue
        count = chance.choice((1, 2))
        first = chance.randrange(len(words) - count + 1)
        text = claim.text
        for start, end, word in reversed(words[first : first + count]):
            like = [other for other in pool if other[-2:] == word[-2:] and other != word] or pool
            text = text[:start] + chance.choice(like) + text[end:]
        yield Claim(text, False, claim.hits, claim.question)


def features(claims: Sequence[Claim], cache: Path | None) -> tuple[np.ndarray, np.ndarray]:
    """Words, all, replaced, and what two models say, of the best window of each claim that no layer objects to."""
    known: dict[str, list[float]] = json.loads(cache.read_text()) if cache and cache.is_file() else {}
    reranker = OnnxReranker(carried(DEFAULT_RERANKER), threads=1)
    embedder = OnnxEmbedder(carried(DEFAULT_EMBEDDER), threads=1)
    rows: list[list[float]] = []
    labels: list[bool] = []
    for claim in claims:
        findings = agreeing(claim)
        if not findings:
            continue
        texts = [f.window.read.text for f in findings]
        fresh = [text for text in texts if f"{claim.text}\0{text}" not in known]
        if fresh:
            vectors = embedder.embed_documents([claim.text, *fresh])
            for text, logit, cosine in zip(
                fresh, reranker.scores(claim.text, fresh), vectors[1:] @ vectors[0], strict=True
            ):
                known[f"{claim.text}\0{text}"] = [float(logit), float(cosine)]
        scored = [
            [
                f.coverage.words,
                f.coverage.all,
                min(f.coverage.replaced, 2),
                *known[f"{claim.text}\0{t}"],
            ]
            for f, t in zip(findings, texts, strict=True)
        ]
        rows.append(max(scored, key=lambda row: 1.2 * row[0] + 5.5 * row[1]))
        labels.append(claim.supported)
    if cache:
        cache.write_text(json.dumps(known))
    return np.array(rows), np.array(labels)


def agreeing(claim: Claim) -> list[Finding]:
    evidence = evidence_of(claim.hits, claim.question)
    read = evidence.reading(claim.text)
    found = [assess(read, window) for window in windows(evidence, read, 5, 2)]
    best = sorted(found, key=lambda f: -support(f))[:WINDOWS]
    return [f for f in best if f.state == "agrees" and not f.verbatim]


def report(rows: np.ndarray, labels: np.ndarray) -> None:
    print(f"{len(labels)} claims, {labels.mean():.2f} supported")
    for name, column in (("cross-encoder", 3), ("cosine", 4)):
        model = LogisticRegression(C=10, class_weight="balanced").fit(rows[:, [column]], labels)
        slope, bias = float(model.coef_[0, 0]), float(model.intercept_[0])
        print(f"{name}: {slope:.3f} x {bias:+.3f}, AUROC {roc_auc_score(labels, rows[:, column]):.3f}")
        rows = np.column_stack([rows, slope * rows[:, column] + bias])
    for name, columns in (
        ("words", [0, 1, 2]),
        ("and cross-encoder", [0, 1, 2, 5]),
        ("and cosine", [0, 1, 2, 6]),
    ):
        model = LogisticRegression(C=10, class_weight="balanced", max_iter=5000)
        folds = KFold(5, shuffle=True, random_state=1)
        held_out = cross_val_predict(model, rows[:, columns], labels, cv=folds, method="predict_proba")[:, 1]
        false, true, thresholds = roc_curve(labels, held_out)
        at = int(np.searchsorted(false, ALLOWED)) - 1
        model.fit(rows[:, columns], labels)
        weights = " ".join(f"{weight:.2f}" for weight in model.coef_[0])
        shift = np.log(thresholds[at] / (1 - thresholds[at]))
        print(
            f"{name}: {weights} {model.intercept_[0] - shift:+.2f}; AUROC {roc_auc_score(labels, held_out):.3f}"
        )
        print(
            f"    {true[at]:.2f} of supported pass with {ALLOWED} of others, at p {1 / (1 + exp(-shift)):.2f}"
        )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
