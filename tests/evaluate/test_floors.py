import argparse

import pytest

from qa.evaluate.floors import Floor, missed, parse_floor


def test_a_floor_is_read() -> None:
    assert parse_floor("hit@5=.95") == Floor("hit@5", 0.95)


@pytest.mark.parametrize("text", ["hit@4=1", "hit@5", "hit@5=", "hit@5=high", "hit@5=nan", "=1"])
def test_a_floor_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(argparse.ArgumentTypeError):
        parse_floor(text)


def test_a_reached_floor_is_not_missed() -> None:
    assert missed([Floor("hit@5", 0.95), Floor("p95_ms", 100)], {"hit@5": 0.95, "p95_ms": 100.0}) == ()


def test_a_missed_floor_is_named() -> None:
    assert missed([Floor("hit@5", 0.95)], {"hit@5": 0.9}) == ("hit@5 is 0.9; the floor is 0.95",)


@pytest.mark.parametrize("metric", ["refused_answerable", "p50_ms", "p95_ms"])
def test_where_less_is_better_the_floor_is_the_most(metric: str) -> None:
    floor = Floor(metric, 0.05)
    assert missed([floor], {metric: 0.01}) == ()
    assert missed([floor], {metric: 0.06}) == (f"{metric} is 0.06; it must be at most 0.05",)


@pytest.mark.parametrize("metrics", [{}, {"mrr": None}], ids=["absent", "none"])
def test_a_metric_without_a_value_misses_its_floor(metrics: dict[str, float | None]) -> None:
    assert missed([Floor("mrr", 0.5)], metrics) == ("mrr has no value; the floor is 0.5",)
