"""A draft that may come as JSON, read while it is written."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qa.prompt import REFUSAL
from qa.structured import DraftText, draft_schema


def read(*pieces: str) -> str:
    draft = DraftText()
    return "".join([*(draft.feed(piece) for piece in pieces), draft.finish()])


def as_json(*sentences: str, indent: int | None = None) -> str:
    return json.dumps({"sentences": [{"text": s, "source": "s1"} for s in sentences]}, indent=indent)


TWO = ("The call took 45 minutes.", 'He said "no" — twice.\nThen he left.')


@pytest.mark.parametrize("indent", [None, 2])
@pytest.mark.parametrize("fence", ["{}", "```json\n{}\n```", "```\n{}\n```", "\n  {}"])
def test_each_sentence_of_a_list_is_a_line(indent: int | None, fence: str) -> None:
    text = fence.replace("{}", as_json(*TWO, indent=indent))
    assert read(text) == 'The call took 45 minutes.\nHe said "no" — twice. Then he left.\n'


def test_a_sentence_is_known_as_soon_as_it_is_whole() -> None:
    draft = DraftText()
    text = as_json(*TWO)
    first = text.index("}") + 1
    assert draft.feed(text[: first - 1]) == ""
    assert draft.feed(text[first - 1 : first]) == "The call took 45 minutes.\n"


def test_an_unfinished_sentence_is_left_out() -> None:
    text = as_json(*TWO)
    assert read(text[: text.index("twice")]) == "The call took 45 minutes.\n"


@pytest.mark.parametrize(
    "text", ['{"sentences": []}', '{ "sentences" : [ ] }', '```json\n{"sentences":[]}\n```']
)
def test_an_empty_list_is_a_refusal(text: str) -> None:
    assert read(text) == REFUSAL


def test_a_list_that_ends_before_it_begins_is_no_refusal() -> None:
    assert read('{"sentences": [') == ""


@pytest.mark.parametrize(
    "text",
    [
        "The call took 45 minutes [s1].",
        '{"answer": "45 minutes"}',
        "{",
        "",
        REFUSAL,
        '{"sentences": "45"}',
        "`45 minutes`",
    ],
)
def test_any_other_text_passes_as_it_is(text: str) -> None:
    assert read(text) == text
    assert read(*text) == text


@given(st.text(max_size=200))
def test_no_text_is_lost_that_is_not_a_list(text: str) -> None:
    if not "".join(text.split()).removeprefix("```json").removeprefix("```").startswith('{"sentences":['):
        assert read(*text) == text


@given(
    st.lists(st.text(min_size=1, max_size=40).filter(lambda s: s.strip()), min_size=1, max_size=4), st.data()
)
def test_how_it_is_cut_into_pieces_changes_nothing(sentences: list[str], data: st.DataObject) -> None:
    text = as_json(*sentences)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(text)), max_size=6)))
    pieces = [text[a:b] for a, b in zip([0, *cuts], [*cuts, len(text)], strict=True)]
    assert read(*pieces) == "".join(" ".join(s.split()) + "\n" for s in sentences)


def test_other_values_in_the_list_are_passed_over() -> None:
    assert (
        read('{"sentences": [7, null, {"source": "s1"}, "It rained.", {"text": "It snowed."}]}')
        == "It rained.\nIt snowed.\n"
    )


def test_the_schema_names_the_labels_and_nothing_else_is_allowed() -> None:
    schema = draft_schema(["s101", "s202"])
    item = schema["properties"]["sentences"]["items"]  # type: ignore[index]
    assert item["properties"]["source"]["enum"] == ["s101", "s202"]
    assert item["additionalProperties"] is False
    assert schema["additionalProperties"] is False
