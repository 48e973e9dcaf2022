"""Claim verification sets: both layouts, the figures, and the baselines they stand beside."""

import json
import re
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from index.errors import ModelError
from qa.cli.main import main
from qa.evaluate.claims import ClaimSet, article_hits, f1, macro_f1, read_claims
from qa.evaluate.compare import compare, read_run
from qa.evaluate.metrics import area_under_curve
from qa.evaluate.payload import evaluation_payload
from qa.evaluate.records import DataFileError
from qa.evaluate.report import render_page
from qa.evaluate.verification import best_threshold, constant_baselines, evaluate_claims, sides
from qa.types import Embedded
from qa.verify import Judgement

CORPUS = [
    {"_id": "1", "title": "Calls", "text": "Austin and Wei spoke for 45 minutes. It was in spring."},
    {"_id": "2", "title": "Navy", "text": "The outpost is resupplied once a week."},
]
CITED = [
    ("a", "dev", "Austin and Wei spoke for 45 minutes.", "1", "SUPPORT"),
    ("b", "dev", "Austin and Wei spoke for 90 minutes.", "1", "CONTRADICT"),
    ("c", "dev", "The outpost is on the moon.", "2", None),
    ("d", "train", "The outpost is resupplied once a week.", "2", "SUPPORT"),
    ("e", "train", "The outpost is resupplied each day.", "2", None),
]


class WordJudge:
    """Supported where every word is found, contradicted where only a number is missing; else unsupported."""

    def judge(self, claim, hits):
        wanted = set(re.findall(r"\w+", claim.lower()))
        found = {word for hit in hits for word in re.findall(r"\w+", hit.text.lower())}
        missing = wanted - found
        verdict = (
            "supported"
            if not missing
            else "contradicted"
            if all(map(str.isdigit, missing))
            else "unsupported"
        )
        return Judgement(verdict, 1 - len(missing) / len(wanted), "words", ())

    def embed(self, texts):
        vectors = np.zeros((len(texts), 64))
        for row, text in enumerate(texts):
            for word in re.findall(r"\w+", text.lower()):
                vectors[row, sum(map(ord, word)) % 64] += 1
        return Embedded(
            "words", tuple(map(tuple, vectors / np.linalg.norm(vectors, axis=1, keepdims=True))), 0
        )


@pytest.fixture
def cited(write_lines: Callable[..., object]):
    """A file in SciFact's layout, with a claim that has no text in it."""
    write_lines("corpus.jsonl", *CORPUS)
    rows = [
        {
            "id": id_, "split": split, "claim": claim, "cited_doc_ids": [int(doc)],
            "evidence": [{"doc_id": doc, "label": label, "sentences": [0]}] if label else [],
        }
        for id_, split, claim, doc, label in CITED
    ]  # fmt: skip
    blind = {"id": "t", "split": "test", "claim": "Nobody knows.", "cited_doc_ids": [], "evidence": []}
    return write_lines("claims.jsonl", *rows, blind)


@pytest.fixture
def article(write_lines: Callable[..., object]):
    """A file in WiCE's layout."""
    sentences = ["TITLE: Calls", "Austin and Wei spoke for 45 minutes.", "", "It was in spring."]
    labels = ("supported", "partially_supported", "not_supported")
    claims = ("Wei spoke for 45 minutes.", "Wei spoke for 45 minutes to Dong.", "The moon is far.")
    return write_lines(
        "claims.jsonl",
        *({"id": n, "split": "dev", "claim": c, "label": label, "evidence_sentences": sentences}
          for n, (c, label) in enumerate(zip(claims, labels, strict=True))),
    )  # fmt: skip


def test_cited_texts_are_what_a_claim_is_held_against(cited):
    found = read_claims(cited)
    assert [(claim.id, claim.label) for claim in found.claims] == [
        ("a", "supported"),
        ("b", "contradicted"),
        ("c", "unsupported"),
    ]
    assert [claim.id for claim in found.fitting] == ["d", "e"]
    assert found.claims[0].hits[0].text == CORPUS[0]["text"]
    assert (found.claims[0].deciding, found.left_out) == ({"1"}, 1)


def test_an_article_becomes_paragraphs(article):
    found = read_claims(article)
    assert [claim.label for claim in found.claims] == ["supported", "partial", "unsupported"]
    assert found.claims[0].hits[0].text.startswith("TITLE: Calls Austin")


def test_the_paragraphs_that_share_most_words_are_taken_in_order():
    sentences = [f"Sentence {n} on nothing." for n in range(100)]
    sentences[97], sentences[2] = "Austin spoke to Wei.", "Wei spoke."
    hits = article_hits("Austin spoke to Wei", sentences)
    assert len(hits) == 8
    assert {hit.paragraph for hit in hits} >= {1, 20}
    assert [hit.paragraph for hit in hits] == sorted(hit.paragraph for hit in hits)


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ({"id": "a", "claim": "x", "label": "maybe", "evidence_sentences": ["x"]}, "no label that is known"),
        ({"id": "a", "claim": "x", "label": "supported"}, "evidence_sentences"),
        ({"id": "a", "claim": "x", "label": "supported", "evidence_sentences": [3]}, "evidence_sentences"),
        ({"id": "a", "claim": "", "label": "supported", "evidence_sentences": ["x"]}, "'claim'"),
        ({"id": "a", "claim": "x", "cited_doc_ids": ["1"], "evidence": ["x"]}, "'evidence'"),
        ({"id": "a", "claim": "x", "cited_doc_ids": ["9"], "evidence": []}, "no claim with a text"),
    ],
)
def test_a_line_that_is_not_what_it_should_be_is_named(write_lines, line, reason):
    write_lines("corpus.jsonl", *CORPUS)
    with pytest.raises(DataFileError, match=reason):
        read_claims(write_lines("claims.jsonl", line))


def test_an_empty_file_holds_no_claim(write_lines):
    with pytest.raises(DataFileError, match="no claim"):
        read_claims(write_lines("claims.jsonl"))


def test_each_claim_is_judged_and_counted(cited):
    told = []
    run = evaluate_claims(
        WordJudge(), read_claims(cited), title="t", progress=lambda done, total: told.append((done, total))
    )
    assert [(item.id, item.right, item.answer) for item in run.outcomes] == [
        ("a", True, "supported (words)"),
        ("b", True, "contradicted (words)"),
        ("c", True, "unsupported (words)"),
    ]
    assert (run.metrics["macro_f1"], run.metrics["f1"], run.metrics["auroc"]) == (1, 1, 1)
    assert run.metrics["majority_macro_f1"] == pytest.approx(1 / 6)
    assert run.metrics["all_supported_f1"] == 0.5
    assert run.metrics["cosine_f1"] >= 0.5
    assert told[-1] == (8, 8)


def test_a_verdict_that_no_claim_should_get_counts_as_unsupported(article):
    claims = read_claims(article).claims
    off = tuple(replace(claim, text=claim.text.replace("45", "46")) for claim in claims)
    run = evaluate_claims(WordJudge(), ClaimSet(off), title="t")
    assert run.outcomes[0].answer == "contradicted (words)"
    assert run.metrics["f1_unsupported"] == 0.5
    assert "f1_contradicted" not in run.metrics


def test_without_a_model_there_is_no_cosine(cited):
    class Wordless(WordJudge):
        def embed(self, texts):
            raise ModelError("no model")

    metrics = evaluate_claims(Wordless(), read_claims(cited), title="t").metrics
    assert "cosine_f1" not in metrics
    assert metrics["macro_f1"] == 1


def test_the_figures_are_those_of_the_field():
    gold, said = ["a", "a", "b", "c"], ["a", "b", "b", "a"]
    assert f1([True, True, False, False], [True, False, True, False]) == 0.5
    assert macro_f1(gold, said) == pytest.approx((0.5 + 2 / 3 + 0) / 3)
    assert area_under_curve([0.9, 0.5], [0.5, 0.1]) == 0.875
    assert area_under_curve([], [0.5]) is None
    assert constant_baselines(["supported", "unsupported", "unsupported"]) == {
        "majority_macro_f1": 0.4,
        "all_supported_f1": 0.5,
    }


def test_a_threshold_is_where_it_scores_best():
    gold = ["unsupported", "unsupported", "supported"]
    threshold = best_threshold([0.1, 0.4, 0.7], lambda said: macro_f1(gold, said))
    assert 0.4 < threshold <= 0.7
    assert sides([0.1, 0.4, 0.7], threshold) == gold


def test_two_runs_are_compared_by_all_that_resampling_can_give(cited, tmp_path):
    class Yes(WordJudge):
        def judge(self, claim, hits):
            return Judgement("supported", 0.5, "words", ())

    good, bad = (evaluate_claims(judge, read_claims(cited), title="t") for judge in (WordJudge(), Yes()))
    saved = tmp_path / "bad.json"
    saved.write_text(json.dumps(evaluation_payload(bad)))
    found = {item.metric: item for item in compare(good.outcomes, read_run(saved), "bad").differences}
    assert {"macro_f1", "f1", "auroc", "claim_accuracy", "p50_ms"} <= found.keys()
    assert (found["auroc"].ours, found["auroc"].theirs) == (1.0, 0.5)
    assert (found["macro_f1"].ours, found["macro_f1"].theirs) == (1.0, pytest.approx(1 / 6))
    assert 0 <= found["macro_f1"].low < found["macro_f1"].high
    assert found["auroc"].low == found["auroc"].high == 0.5


def test_the_page_shows_claims_in_their_own_words(cited):
    from datetime import UTC, datetime

    class Yes(WordJudge):
        def judge(self, claim, hits):
            return Judgement("supported", 0.5, "<b>words</b>", ())

    page = render_page(evaluate_claims(Yes(), read_claims(cited), title="t"), None, datetime.now(UTC))
    for words in ("3 claims", "F1 of each verdict", "Against simple baselines", "Held against", "Misses (2)"):
        assert words in page
    assert "said supported (&lt;b&gt;words&lt;/b&gt;)" in page
    assert "Rank of the first gold paragraph" not in page


def test_the_command_judges_a_file(cited, capsys, tmp_path, monkeypatch):
    monkeypatch.setenv("NUTGRAF_DATA_DIR", str(tmp_path / "none"))
    monkeypatch.setenv("NUTGRAF_RERANKER", "off")
    code = main(
        ["eval", "--claims", str(cited), "--json", "--floor", "auroc=0.1", "--html", str(tmp_path / "a.html")]
    )
    out, err = capsys.readouterr()
    report = json.loads(out)
    assert code == 0
    assert report["metrics"]["claim_accuracy"] >= 1 / 3
    assert {"macro_f1", "cosine_macro_f1", "majority_macro_f1"} <= report["metrics"].keys()
    assert "1 claims come with no text" in err
    assert (tmp_path / "a.html").exists()
    assert not (tmp_path / "none").exists()
