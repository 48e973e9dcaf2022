import re
from collections.abc import Callable
from dataclasses import replace

import pytest

from index.types import Hit
from qa.evaluate.judge import contains, failed, holds, judge
from qa.evaluate.types import EvalQuestion, Gold
from qa.types import Answer, Citation

Make = Callable[..., Answer]


def pattern(text: str) -> re.Pattern[str]:
    return re.compile(text, re.IGNORECASE)


QUESTION = EvalQuestion(
    "wei",
    "fact",
    "How long?",
    answer_all=(pattern("45"), pattern("MINUTES")),
    answer_none=(pattern("90"),),
    cite_any=(Gold("calls.txt", 4),),
)
UNANSWERABLE = EvalQuestion("japan", "none", "Who?", answerable=False)


@pytest.mark.parametrize(
    ("text", "right"),
    [("45 minutes", True), ("45", False), ("45 or 90 minutes", False), ("", False)],
    ids=["all", "one missing", "one too many", "refused"],
)
def test_an_answer_is_right_when_all_match_and_none_does(make_answer: Make, text: str, right: bool) -> None:
    assert judge(QUESTION, make_answer(text), 1.0, lambda _: True).right is right


def test_a_partial_answer_can_be_right(make_answer: Make) -> None:
    assert judge(QUESTION, make_answer("45 minutes", status="partial"), 1.0, lambda _: True).right


@pytest.mark.parametrize(("text", "right"), [("", True), ("Kishida", False)], ids=["refused", "answered"])
def test_an_unanswerable_question_is_right_when_refused(make_answer: Make, text: str, right: bool) -> None:
    assert judge(UNANSWERABLE, make_answer(text), 1.0, lambda _: True).right is right


def test_one_of_several_answers_is_enough(make_answer: Make) -> None:
    question = EvalQuestion("q", "k", "How long?", answer_any=("an hour", "45 Minutes"))
    assert judge(question, make_answer("It took 45 minutes."), 1.0, lambda _: True).right
    assert not judge(question, make_answer("It took 145 minutes."), 1.0, lambda _: True).right


@pytest.mark.parametrize(
    ("text", "wanted", "found"),
    [
        ("The U.S. said so", "u s", True),
        ("in the 1308th", "308", False),
        ("New York—based", "New York", True),
        ("a Prime Minister", "the prime minister", True),
        ("costs 5 €", "€", True),
        ("", "x", False),
    ],
    ids=["dots", "inside a word", "dash", "articles", "no word", "empty"],
)
def test_containment_is_by_whole_words(text: str, wanted: str, found: bool) -> None:
    assert contains(text, wanted) is found


@pytest.mark.parametrize(
    ("gold", "found"),
    [
        (Gold("calls.txt", 3), True),
        (Gold("calls.txt", 4), True),
        (Gold("calls.txt", 5), False),
        (Gold("navy.txt", 3), False),
        (Gold("calls.txt"), True),
    ],
    ids=["first line", "last line", "line below", "other file", "whole file"],
)
def test_a_range_holds_its_first_and_its_last_line(
    hit: Hit, citation: Citation, gold: Gold, found: bool
) -> None:
    assert holds(hit, (gold,)) is holds(citation, (gold,)) is found


def test_rank_is_of_the_first_gold_hit(make_answer: Make, hit: Hit) -> None:
    other = replace(hit, path="navy.txt")
    outcome = judge(QUESTION, make_answer("45 minutes", hits=(other, hit, hit)), 1.0, lambda _: True)
    assert outcome.rank == 2
    assert [item.gold for item in outcome.hits] == [False, True, True]


def test_an_outcome_says_who_answered_and_from_what(make_answer: Make, citation: Citation) -> None:
    outcome = judge(QUESTION, make_answer("45 minutes", citation, degraded=("dense",)), 7.0, lambda _: False)
    assert (outcome.ms, outcome.answerer, outcome.degraded) == (7.0, "extractive words", ("dense",))
    assert [(cited.gold, cited.exact) for cited in outcome.citations] == [(True, False)]
    assert outcome.expected == ("45", "MINUTES")


def test_a_failed_question_is_neither_right_nor_refused() -> None:
    outcome = failed(QUESTION, "llm_timeout", 5.0)
    assert (outcome.status, outcome.right, outcome.error) == ("failed", False, "llm_timeout")
    assert outcome.tallies["answer_accuracy"] == (0, 1)
    assert outcome.tallies["refused_answerable"] == (0, 1)


def test_an_outcome_keeps_the_answers_confidence(make_answer: Make) -> None:
    assert judge(QUESTION, make_answer("", confidence=0.3), 1.0, lambda _: True).confidence == 0.3
