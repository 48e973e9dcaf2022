"""Values in a form in which two sources can be compared, and the people of a text."""

import pytest

from index.expects import Kind, expected
from qa.people import persons_in
from qa.values import Value, agree, differ, values_of

LONG = "How long did the call last?"
INJURED = "How many people were injured in the fire?"
WHEN = "When did the meeting take place?"
COST = "What was the price of the bridge?"
SHARE = "What percentage of members voted for it?"
CLOCK = "At what time did the meeting start?"
WEEKDAY = "On what weekday was the meeting?"

DIFFERENT = [
    (LONG, "It lasted 45 minutes.", "It lasted an hour and a half."),
    (LONG, "It lasted 90 minutes.", "The 75-minute call ended."),
    (INJURED, "Twelve people were injured and 2 died.", "The fire injured 14 people; 2 died."),
    (INJURED, "12 people were injured.", "More than 30 people were injured."),
    (WHEN, "It took place on 3 May 2024.", "It took place on May 4."),
    (WHEN, "It was held on Tuesday.", "It was held on 17 April 2024."),
    (WHEN, "It was held in 2022.", "It was held in May 2023."),
    (WEEKDAY, "It was on Tuesday.", "It was on Wednesday."),
    (COST, "It cost $3 million.", "It cost $5 million."),
    (SHARE, "40 percent of members voted for it.", "Half of members voted for it."),
    (CLOCK, "It started at 9 a.m.", "It started at 10:30."),
]
ONE = [
    (LONG, "It lasted 45 minutes.", "It took forty-five minutes."),
    (LONG, "It lasted 45 minutes.", "It took .75 hours."),
    (LONG, "It lasted nearly 45 minutes.", "It lasted 45 minutes."),
    (LONG, "It lasted 45 minutes.", "It was the first call in two years."),
    (LONG, "It lasted 45 minutes.", "They had spoken 5 days earlier."),
    (LONG, "It lasted 3 months.", "It lasted 90 days."),
    (INJURED, "About 3,000 people were injured.", "2,950 people were injured."),
    (INJURED, "3,000 people were injured.", "2,950 people were injured."),
    (INJURED, "More than 40 people were injured.", "45 people were injured."),
    (INJURED, "Up to 50 people were injured.", "45 people were injured."),
    (INJURED, "12 people were injured.", "It was put out on 3 May by 60 firefighters."),
    (WHEN, "It was held on Tuesday.", "It was held on 16 April 2024."),
    (WHEN, "It was held in 2022.", "It was held in April 2022."),
    (WHEN, "It was held in the 1990s.", "It was held in 1994."),
    (WHEN, "It was held on 16 April.", "It was held on April 16, 2024."),
    (COST, "It cost $3 million.", "It cost £2 million."),
    (CLOCK, "It started at 9 a.m.", "It started at 9:00."),
]


def read(question: str, text: str, written: str | None = None) -> tuple[Kind, tuple[Value, ...]]:
    kind = expected(question)
    assert kind is not None
    return kind, values_of(kind, question, text, written)


@pytest.mark.parametrize(("question", "one", "other"), DIFFERENT)
def test_other_values_differ(question: str, one: str, other: str) -> None:
    kind = expected(question)
    assert kind is not None
    first, second = values_of(kind, question, one, None), values_of(kind, question, other, None)
    assert first
    assert second
    assert differ(first, second)
    assert differ(second, first)
    assert not agree(first, second)


@pytest.mark.parametrize(("question", "one", "other"), ONE)
def test_a_value_given_otherwise_does_not_differ(question: str, one: str, other: str) -> None:
    kind = expected(question)
    assert kind is not None
    first, second = values_of(kind, question, one, None), values_of(kind, question, other, None)
    assert not differ(first, second)
    assert not differ(second, first)


def test_a_day_without_a_year_takes_that_of_the_document() -> None:
    kind, tuesday = read(WHEN, "It was held on Tuesday.")
    assert not differ(tuesday, values_of(kind, WHEN, "It was held on 16 April.", "2024-04-20"))
    assert differ(tuesday, values_of(kind, WHEN, "It was held on 17 April.", "2024-04-20"))


def test_a_day_that_the_question_names_is_no_answer() -> None:
    assert read("When did the talks of May 2024 end?", "The talks of May 2024 ended.")[1] == ()


def test_only_the_number_beside_the_words_asked_about_counts() -> None:
    _, found = read(INJURED, "Two engines came, 12 people were injured, and 300 watched.")
    assert [value.text for value in found] == ["12"]


def test_more_than_one_person_cannot_be_compared() -> None:
    question = "Who was elected chair?"
    assert read(question, "Ann Lee was elected chair with Tom Fox.")[1] == ()


def test_persons_are_told_from_places_bodies_and_days() -> None:
    text = (
        "Defence Minister Olivia Hart met Gen. Erik Lindqvist in San Francisco on Tuesday. After Hart's visit, the "
        "South China Sea was calm. “All is well,” said Navy Capt. Jo Marsh. Hong Kong and the Defense News agreed."
    )
    found = {person.name: person.speaks for person in persons_in(text)}
    assert found == {"Olivia Hart": False, "Erik Lindqvist": False, "Hart": False, "Jo Marsh": True}


def test_a_place_with_a_name_of_two_words_is_no_person() -> None:
    assert persons_in("It lies between North Korea and Lake Como, near San Diego.") == []
