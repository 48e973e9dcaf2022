"""Numbers and dates are values, however they are written."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qa.days import days_in, lent_days, satisfied
from qa.days import rivals as rival_days
from qa.numbers import numbers_in, rivals, same_value


def values(text: str) -> list[tuple[float, str]]:
    return [(number.value, number.dimension) for number in numbers_in(text)]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("45 minutes", "forty-five minutes"),
        ("45 minutes", "a 45-minute call"),
        ("an hour and a half", "90 minutes"),
        ("one and a half hours", "1.5 hours"),
        ("half an hour", "30 min"),
        ("two weeks", "14 days"),
        ("a year-and-a-half impasse", "18 months"),
        ("$1.5 billion", "1.5bn dollars"),
        ("US$1,500", "1500 dollars"),
        ("90 %", "90 percent"),
        ("ninety per cent", "90%"),
        ("half of the ships", "50 % of them"),
        ("two-thirds of voters", "66.66666666666666 percent"),
        ("a hundred and twenty-five men", "125 men"),
        ("three million people", "3,000,000 people"),
        ("3.4m people", "3.4 million people"),
        ("the first call", "the 1st call"),
        ("10:30 a.m.", "10:30"),
        ("5 pm", "17:00"),
        ("1.5 km", "1500 metres"),
        ("twice", "two times"),
    ],
)
def test_two_ways_to_write_a_number_are_one_value(one: str, other: str) -> None:
    (left,), (right,) = numbers_in(one)[:1], numbers_in(other)[:1]
    assert same_value(left, right)
    assert same_value(right, left)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("45 minutes", "90 minutes"),
        ("45 minutes", "45 hours"),
        ("45 percent", "45 dollars"),
        ("the first call", "one call"),
        ("$1.5 billion", "$1.5 million"),
        ("90 minutes", "90 months"),
    ],
)
def test_different_values_stay_different(one: str, other: str) -> None:
    assert not same_value(numbers_in(one)[0], numbers_in(other)[0])


@pytest.mark.parametrize(
    ("claim", "evidence", "fits"),
    [
        ("about 45 minutes", "46 minutes", True),
        ("about 45 minutes", "60 minutes", False),
        ("45 minutes", "46 minutes", False),
        ("more than 40 ships", "43 ships", True),
        ("more than 40 ships", "38 ships", False),
        ("nearly two years", "23 months", True),
    ],
)
def test_about_and_more_than_are_taken_at_their_word(claim: str, evidence: str, fits: bool) -> None:
    assert same_value(numbers_in(claim)[0], numbers_in(evidence)[0]) is fits


@pytest.mark.parametrize(
    "text", ["IL-2 and COVID-19", "p53", "5HT", "hundreds of men", "First, they met.", ""]
)
def test_codes_and_vague_words_are_no_numbers(text: str) -> None:
    assert values(text) == []


def test_a_bare_one_and_a_year_can_satisfy_but_need_not_be_found() -> None:
    firm = {n.value: n.firm for n in numbers_in("one of them left a year ago with 3 others")}
    assert firm == {1.0: False, 12.0: False, 3.0: True}


def test_rivals_measure_the_same_thing() -> None:
    (call,) = numbers_in("45 minutes")
    assert rivals(call, numbers_in("90 minutes")[0])
    assert not rivals(call, numbers_in("90 percent")[0])
    assert not rivals(numbers_in("two officials")[0], numbers_in("three ships")[0])


@given(st.integers(min_value=0, max_value=99))
def test_number_words_below_a_hundred_read_as_their_digits(n: int) -> None:
    ones = "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen".split()
    ones += "seventeen eighteen nineteen".split()
    tens = "twenty thirty forty fifty sixty seventy eighty ninety".split()
    word = ones[n] if n < 20 else tens[n // 10 - 2] + ("" if n % 10 == 0 else f"-{ones[n % 10]}")
    assert values(f"{word} kg")[0] == values(f"{n} kg")[0]


@given(st.text(max_size=80))
def test_any_text_can_be_read(text: str) -> None:
    spans = [(n.start, n.end) for n in numbers_in(text)]
    assert all(0 <= start < end <= len(text) for start, end in spans)
    assert all(end <= start for (_, end), (start, _) in itertools.pairwise(spans))


# ---------------------------------------------------------------------------------------------------- dates


@pytest.mark.parametrize(
    "text", ["Aug. 6, 2020", "6 August 2020", "2020-08-06", "August 6th, 2020", "08/06/2020", "06/08/2020"]
)
def test_one_day_is_satisfied_however_it_is_written(text: str) -> None:
    (claim,) = days_in("on August 6, 2020")
    assert satisfied(claim, days_in(text))


@pytest.mark.parametrize(
    ("claim", "evidence"),
    [
        ("in 2020", "Aug. 6, 2020"),
        ("in August", "6 August 2020"),
        ("in the 1970s", "in the 70's"),
        ("on Friday", "Friday, May 5"),
    ],
)
def test_a_part_of_a_date_is_satisfied_by_the_whole(claim: str, evidence: str) -> None:
    assert satisfied(days_in(claim)[0], days_in(evidence))


@pytest.mark.parametrize(
    ("claim", "evidence"),
    [
        ("in 2021", "Aug. 6, 2020"),
        ("on August 7", "Aug. 6, 2020"),
        ("in November", "in December 2020"),
        ("Tuesday", "Friday"),
    ],
)
def test_a_differing_part_is_a_rival(claim: str, evidence: str) -> None:
    assert not satisfied(days_in(claim)[0], days_in(evidence))
    assert rival_days(days_in(claim)[0], days_in(evidence)[0])


def test_a_whole_date_is_not_satisfied_by_a_part() -> None:
    assert not satisfied(days_in("Aug. 6, 2020")[0], days_in("in 2020"))


@pytest.mark.parametrize(
    ("words", "claim"),
    [
        ("last year", "in 2022"),
        ("on Thursday", "on December 21, 2023"),
        ("last month", "in November 2023"),
        ("today", "2023-12-21"),
    ],
)
def test_a_documents_date_gives_a_value_to_words(words: str, claim: str) -> None:
    assert satisfied(days_in(claim)[0], lent_days(words, "2023-12-21"))


def test_without_a_documents_date_words_give_none() -> None:
    assert lent_days("last year", None) == ()
    assert lent_days("last year", "not a date") == ()


@pytest.mark.parametrize("text", ["may march on", "2000 people", "$2000", "version 2020.1", "1,950"])
def test_words_and_counts_are_no_dates(text: str) -> None:
    assert days_in(text) == ()
