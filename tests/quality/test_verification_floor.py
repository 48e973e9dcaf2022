"""Floors of verification over the seeds: falsified sentences caught, true ones left alone."""

import json
import random
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

from index.analysis import stems
from index.load import prepare
from index.sentences import sentence_spans
from index.types import Hit
from qa.verify import Judgement, judge

ROOT = Path(__file__).parents[2]
pytestmark = pytest.mark.quality


@pytest.fixture(scope="module")
def planted() -> Iterator[ModuleType]:
    """The generator of the benchmark, which stands outside the packages."""
    sys.path.insert(0, str(ROOT / "benchmarks"))
    try:
        import planted

        yield planted
    finally:
        sys.path.remove(str(ROOT / "benchmarks"))


def documents() -> list[list[Hit]]:
    found: list[list[Hit]] = []
    for path in sorted((ROOT / "seeds").glob("*.txt")):
        document, _ = prepare(path.read_bytes(), path.name)
        hits = [
            Hit(path.name, path.name, document.title, document.date, p.number, p.line_start, p.line_end, p.start, p.end,
                None, document.text[p.start : p.end], "", "", 0.0)
            for p in document.paragraphs
            if p.kind in ("text", "list_item")
        ]  # fmt: skip
        found.append(hits)
    return found


def nearest(claim: str, hits: list[Hit], most: int = 8) -> list[Hit]:
    """The paragraphs that share most words with a claim, long ones held back."""
    wanted = stems(claim)

    def shared(hit: Hit) -> float:
        words = stems(hit.text)
        return len(wanted & words) / (len(words) + 20) ** 0.3

    return sorted(hits, key=shared, reverse=True)[:most]


def judged(planted: ModuleType, seed: int) -> Iterator[tuple[str, Judgement]]:
    corpus = documents()
    sentences = [[[h.text[a:b] for a, b in sentence_spans(h.text)] for h in hits] for hits in corpus]
    for case in planted.cases(sentences, random.Random(seed), 5):
        hits = corpus[case.document]
        near = [h for h in hits if abs(h.paragraph - hits[case.paragraph].paragraph) <= 2]
        yield case.kind, judge(case.text, near)


@pytest.mark.parametrize("seed", [1, 2])
def test_falsified_sentences_are_caught_and_true_ones_kept(planted: ModuleType, seed: int) -> None:
    found = list(judged(planted, seed))
    false = [verdict.verdict != "supported" for kind, verdict in found if kind != "true"]
    flagged = [verdict.verdict != "supported" for kind, verdict in found if kind == "true"]
    assert len(false) > 200
    assert sum(false) / len(false) >= 0.95
    assert sum(flagged) / len(flagged) <= 0.03


def test_restatements_written_by_hand_are_told_apart() -> None:
    """100 false and 100 true sentences about the seeds, in other words than theirs; no model takes part."""
    corpus = [hit for document in documents() for hit in document]
    lines = (Path(__file__).parent / "restatements.jsonl").read_text(encoding="utf-8").splitlines()
    cases = [json.loads(line) for line in lines]
    right = {True: 0, False: 0}
    for case in cases:
        claim, question = case["claim"], case["question"]
        verdict = judge(claim, nearest(f"{claim} {question}", corpus), question=question).verdict
        right[case["supported"]] += (verdict == "supported") is case["supported"]
    assert len(cases) == 200
    assert right[False] >= 93
    assert right[True] >= 78


def test_every_quote_of_a_supported_sentence_lies_in_its_paragraph(planted: ModuleType) -> None:
    for kind, judgement in judged(planted, 3):
        assert kind != "true" or judgement.verdict != "supported" or judgement.quotes
        for quote in judgement.quotes:
            assert quote.hit.start <= quote.start < quote.end <= quote.hit.end
