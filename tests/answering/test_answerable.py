"""The probability that a question can be answered, and the bars it has to pass."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from index.relevance import log_odds, logistic
from qa.answerable import answerable, probability

ODDS = st.floats(-30, 30)
CHANCE = st.floats(0, 1)


@given(CHANCE, st.none() | ODDS)
def test_it_is_a_probability_whatever_is_known(sentence: float, stated: float | None) -> None:
    assert 0 <= probability(sentence, stated) <= 1


@given(CHANCE, ODDS, st.floats(0.1, 20))
def test_what_the_reader_finds_stated_raises_it(sentence: float, stated: float, more: float) -> None:
    assert probability(sentence, stated + more) >= probability(sentence, stated)


def test_without_a_reader_relevance_stands_alone() -> None:
    assert probability(0.3, None) == 0.3


@given(CHANCE, st.none() | ODDS)
def test_an_llm_is_asked_at_least_where_a_sentence_is_quoted(sentence: float, stated: float | None) -> None:
    assert answerable(sentence, stated, "ask") or not answerable(sentence, stated, "quote")


def test_an_llm_is_asked_sooner() -> None:
    assert answerable(0.5, -3.0, "ask")
    assert not answerable(0.5, -3.0, "quote")


def test_what_is_on_the_matter_and_not_stated_is_refused() -> None:
    assert not answerable(0.99, -12.0, "ask")
    assert answerable(0.99, 1.0, "quote")


def test_unread_what_is_off_the_matter_is_refused() -> None:
    assert not answerable(0.001, None, "ask")
    assert answerable(0.1, None, "quote")


@pytest.mark.parametrize("p", [0.0, 1.0])
def test_certainty_has_finite_odds(p: float) -> None:
    assert abs(log_odds(p)) < 20


@given(st.floats(0.001, 0.999))
def test_odds_and_probability_undo_each_other(p: float) -> None:
    assert logistic(log_odds(p)) == pytest.approx(p)
