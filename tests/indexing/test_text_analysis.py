"""Sentences, names, kinds of value, and the names a paragraph goes on about."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from index.expects import expected, holds
from index.mentions import nearby_names
from index.sentences import sentence_spans


def sentences(text: str) -> list[str]:
    return [text[a:b] for a, b in sentence_spans(text)]


@pytest.mark.parametrize(
    "sentence",
    [
        "U.S. Secretary of Defense Lloyd J. Austin III spoke to Gen. Wei on Aug. 6.",
        "Nancy Pelosi, D-Ca., visited Taiwan.",
        "It cost 3.5 million, e.g. for steel.",
        "See Sec. 4.2 and Fig. 3.",
    ],
)
def test_abbreviations_do_not_end_a_sentence(sentence: str) -> None:
    assert sentences(f"{sentence} Then it ended.") == [sentence, "Then it ended."]


def test_a_closing_quotation_mark_belongs_to_its_sentence() -> None:
    assert sentences("He said “it risks escalation.” America has a treaty.") == [
        "He said “it risks escalation.”",
        "America has a treaty.",
    ]


@given(st.text(max_size=200))
def test_sentences_cover_every_word_in_order(text: str) -> None:
    spans = list(sentence_spans(text))
    assert all(a < b for a, b in spans)
    assert all(one[1] <= two[0] for one, two in itertools.pairwise(spans))
    assert "".join("".join(text[a:b].split()) for a, b in spans) == "".join(text.split())


@pytest.mark.parametrize(
    ("question", "kind"),
    [
        ("How long did the call last?", "duration"),
        ("When was it signed?", "date"),
        ("Which city hosted the summit when they met?", "place"),
        ("How many people came?", "number"),
        ("Who wrote it?", "person"),
        ("Why did they stop?", "reason"),
        ("Name the parties.", None),
    ],
)
def test_a_question_asks_for_a_kind_of_value(question: str, kind: str | None) -> None:
    assert expected(question) == kind


@pytest.mark.parametrize(
    ("text", "has"),
    [
        ("the 90-minute conversation covered it", True),
        ("which lasted about forty-five minutes", True),
        ("the first such talk in nearly two years", False),
        ("they spoke on the phone", False),
    ],
)
def test_a_duration_is_known_from_the_time_since_something(text: str, has: bool) -> None:
    assert holds("duration", text, "How long did the call last?") is has


def test_a_person_counts_only_when_the_question_does_not_name_them() -> None:
    assert holds("person", "Then Mark Esper raised it with him.", "Who spoke with Wei?")
    assert not holds("person", "That was when Wei spoke.", "Who spoke with Wei?")


def test_names_of_the_question_are_lent_by_the_text_around() -> None:
    text = "Austin met Minister Dong Jun.\n\nThe 90-minute conversation covered much."
    start = text.index("The 90")
    assert nearby_names("How long did Austin talk with Dong Jun?", text, start, len(text), text[start:]) == [
        "Dong Jun",
        "Austin",
    ]


def test_a_name_that_stands_nowhere_near_is_not_lent() -> None:
    text = "Austin met Wei.\n\nThe 45-minute call covered much."
    start = text.index("The 45")
    assert "Dong" not in " ".join(
        nearby_names("How long did Austin talk with Dong?", text, start, len(text), text[start:])
    )
