"""An answer's text falls into sentences and claims; refusals and lead-ins are told apart from statements."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qa.claims import atomic_claims, is_connective, is_refusal, split_sentences, without_markers


def sentences(text: str) -> list[str]:
    return [text[start:end] for start, end in split_sentences(text)]


def claims(text: str) -> list[str]:
    return [text[start:end] for start, end in atomic_claims(text)]


def test_a_line_break_ends_a_sentence() -> None:
    assert sentences("The call\nlasted 45 minutes. It ended.") == [
        "The call",
        "lasted 45 minutes.",
        "It ended.",
    ]


@pytest.mark.parametrize(
    "text",
    [
        "The call ended. [1]",
        "The call ended.[1][2]",
        "The call ended.【1】",
        "[1] The call ended.",
        "- The call ended.",
        "* The call ended. [1, 2]",
        "2. The call ended.",
        "**The call ended.**",
        "• The call ended. (Source: 3)",
        "The call ended. [c1] [S2] [doc 3]",
    ],
)
def test_markers_and_bullets_at_either_end_are_no_part_of_a_sentence(text: str) -> None:
    assert sentences(text) == ["The call ended."]


def test_a_marker_between_sentences_hides_no_end() -> None:
    assert sentences("It rose.[1] It fell.[2]") == ["It rose.", "It fell."]


@pytest.mark.parametrize("text", ["", "  \n ", "[1]", "- [2]\n\n* ", "…"])
def test_a_piece_with_no_words_is_dropped(text: str) -> None:
    assert sentences(text) == []


def test_titles_and_initials_end_no_sentence() -> None:
    text = "Gen. Wei Fenge met Lloyd J. Austin III in the U.S. capital."
    assert sentences(text) == [text]


def test_markers_inside_a_sentence_are_taken_out_of_the_claim() -> None:
    assert without_markers("It lasted 45 minutes [1] and ended [2].") == "It lasted 45 minutes and ended."


@pytest.mark.parametrize("text", ["a team [SD] of men", "in [2022]", "an array[i]"])
def test_other_brackets_stay(text: str) -> None:
    assert without_markers(text) == text


@given(st.text(alphabet="aB .[1]-*\n“”。", max_size=60))
def test_spans_are_ordered_and_lie_inside_the_text(text: str) -> None:
    spans = split_sentences(text)
    assert all(0 <= start < end <= len(text) for start, end in spans)
    assert all(end <= start for (_, end), (start, _) in itertools.pairwise(spans))


def test_a_compound_sentence_falls_into_its_claims() -> None:
    text = "They talked about Taiwan, and Wei objected to it; nothing came of the talks."
    assert claims(text) == ["They talked about Taiwan", "Wei objected to it", "nothing came of the talks."]


@pytest.mark.parametrize(
    "text",
    [
        "They discussed Ukraine, North Korea, and Taiwan.",
        "Biden and Xi spoke over the phone.",
        "He said “we met, and they left” on Monday.",
    ],
)
def test_no_cut_where_one_side_says_nothing_by_itself(text: str) -> None:
    assert claims(text) == [text]


@pytest.mark.parametrize(
    "text",
    [
        "The sources do not say who won.",
        "The provided text does not mention the price.",
        "I cannot find that in the documents.",
        "There is no information about it.",
        "This is not stated in the articles.",
        "No information about the price is given.",
        "The documents do not contain enough information to answer.",
        "It is unclear from the text.",
        "I don't know.",
    ],
)
def test_a_refusal_is_recognised(text: str) -> None:
    assert is_refusal(text)


@pytest.mark.parametrize(
    "text",
    [
        "The call lasted 45 minutes.",
        "The Pentagon offered no details.",
        "It was not immediately clear how Wei responded.",
        "China said Li would not speak with his counterpart.",
        "The documents were not classified.",
        "The article was published in May.",
    ],
)
def test_a_statement_is_no_refusal(text: str) -> None:
    assert not is_refusal(text)


@pytest.mark.parametrize(
    ("text", "leads"),
    [
        ("Here is the answer:", True),
        ("Based on the sources:", True),
        ("The call:", False),
        ("Here is the answer.", False),
    ],
)
def test_a_lead_in_states_nothing(text: str, leads: bool) -> None:
    assert is_connective(text) is leads
