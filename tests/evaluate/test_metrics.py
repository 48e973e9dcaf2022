from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qa.evaluate.metrics import percentile, ratios, risk_coverage, separation, summarise, summarise_kinds
from qa.evaluate.types import JudgedCitation, Outcome
from qa.types import Citation

Make = Callable[..., Outcome]


@pytest.fixture
def judged(citation: Citation) -> Callable[..., tuple[JudgedCitation, ...]]:
    """Citations from letters: `g` at a gold line, `x` elsewhere; upper case for a quote that differs."""
    return lambda letters: tuple(
        JudgedCitation(citation, letter.lower() == "g", letter.islower()) for letter in letters
    )


def test_retrieval_counts_answerable_questions_with_gold_lines(make_outcome: Make) -> None:
    metrics = summarise(
        [
            make_outcome(rank=1),
            make_outcome(rank=4),
            make_outcome(rank=None),
            make_outcome(rank=None, gold=()),
            make_outcome(rank=None, answerable=False, status="abstained"),
        ]
    )
    found = [metrics[name] for name in ("hit@1", "hit@3", "hit@5", "hit@10", "mrr")]
    assert found == pytest.approx([1 / 3, 1 / 3, 2 / 3, 2 / 3, (1 + 1 / 4) / 3])


def test_accuracy_is_right_over_answerable(make_outcome: Make) -> None:
    refused = make_outcome(answerable=False, status="abstained", right=True)
    metrics = summarise([make_outcome(), make_outcome(right=False), refused])
    assert metrics["answer_accuracy"] == 0.5


def test_citation_precision_counts_citations_of_answered_questions(make_outcome: Make, judged) -> None:
    outcomes = [
        make_outcome(citations=judged("gx")),
        make_outcome(citations=judged("g"), status="partial"),
        make_outcome(citations=judged("x"), answerable=False, gold=()),
        make_outcome(citations=judged("xx"), gold=()),
    ]
    assert summarise(outcomes)["citation_precision"] == 2 / 4


def test_citation_recall_counts_questions_with_a_gold_citation(make_outcome: Make, judged) -> None:
    outcomes = [
        make_outcome(citations=judged("gg")),
        make_outcome(citations=judged("x")),
        make_outcome(status="abstained", right=False),
        make_outcome(answerable=False, status="abstained"),
    ]
    assert summarise(outcomes)["citation_recall"] == 1 / 3


def test_refusals_are_counted_apart(make_outcome: Make) -> None:
    refused = make_outcome(status="abstained", right=False)
    silent = make_outcome(status="abstained", answerable=False)
    invented = make_outcome(answerable=False, right=False)
    metrics = summarise([make_outcome(), make_outcome(), make_outcome(), refused, silent, invented])
    assert (metrics["refused_answerable"], metrics["refused_unanswerable"]) == (0.25, 0.5)


def test_quote_exact_is_a_share_of_all_citations(make_outcome: Make, judged) -> None:
    outcomes = [make_outcome(citations=judged("gXx")), make_outcome(citations=judged("g"))]
    assert summarise(outcomes)["quote_exact"] == 3 / 4


def test_a_metric_without_questions_has_no_value(make_outcome: Make) -> None:
    metrics = summarise([make_outcome()])
    assert metrics["refused_unanswerable"] is None
    assert metrics["quote_exact"] is None


def test_times_leave_failed_questions_out(make_outcome: Make) -> None:
    times = [make_outcome(ms=float(ms)) for ms in (10, 20, 30)]
    metrics = summarise([*times, make_outcome(ms=9999.0, status="failed", right=False)])
    assert (metrics["p50_ms"], metrics["p95_ms"]) == pytest.approx((20, 29))


def test_kinds_are_summed_up_apart(make_outcome: Make) -> None:
    kinds = summarise_kinds([make_outcome(kind="b"), make_outcome(kind="a", right=False)])
    assert list(kinds) == ["a", "b"]
    assert [metrics["answer_accuracy"] for metrics in kinds.values()] == [0, 1]


def test_nothing_gives_no_figures() -> None:
    assert ratios([]) == {}
    assert percentile([], 50) is None
    assert risk_coverage([]) == []


@given(st.lists(st.floats(0, 1e6), min_size=1), st.sampled_from([50, 95]))
def test_a_percentile_lies_between_the_extremes(values: list[float], percent: float) -> None:
    found = percentile(values, percent)
    assert found is not None
    assert min(values) <= found <= max(values) or found == pytest.approx(max(values))


def test_risk_grows_with_coverage_and_ties_share_a_point(make_outcome: Make) -> None:
    outcomes = [
        make_outcome(confidence=0.5, right=False),
        make_outcome(confidence=0.9),
        make_outcome(confidence=0.5),
        make_outcome(status="abstained", right=False),
    ]
    assert risk_coverage(outcomes) == [(0.25, 0.0), (0.75, 1 / 3)]


def test_answering_the_unanswerable_is_a_risk(make_outcome: Make) -> None:
    assert risk_coverage([make_outcome(answerable=False, right=False)]) == [(1.0, 1.0)]


def test_separation_is_the_share_of_pairs_in_order(make_outcome: Make) -> None:
    answerable = [make_outcome(confidence=value) for value in (0.9, 0.5)]
    silent = [make_outcome(confidence=value, answerable=False) for value in (0.1, 0.5)]
    assert separation([*answerable, *silent]) == 3.5 / 4
    assert separation(answerable) is None
