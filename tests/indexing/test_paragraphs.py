"""Plain text and Markdown to numbered paragraphs."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from index.load import LOADERS, prepare
from index.paragraphs import lines_of, plain_paragraphs
from index.types import Paragraph

SEEDS = Path(__file__).parents[2] / "seeds"


def words(text: str, paragraph: Paragraph) -> str:
    return text[paragraph.start : paragraph.end]


def texts(text: str) -> list[str]:
    return [words(text, p) for p in plain_paragraphs(text)]


def test_blank_lines_separate_paragraphs() -> None:
    assert texts("One thing.\n\nAnother thing.\n") == ["One thing.", "Another thing."]


def test_hard_wrapped_lines_are_one_paragraph_with_the_line_breaks_kept() -> None:
    text = (
        "The tenant shall pay the rent on the first working day of each\n"
        "month, and shall keep the premises in the state in which they were\nreceived.\n"
    )
    assert texts(text) == [text.strip()]
    assert (plain_paragraphs(text)[0].line_start, plain_paragraphs(text)[0].line_end) == (1, 3)


def test_unwrapped_lines_are_a_paragraph_each() -> None:
    text = (
        "A first paragraph that says something.\nBreaking News\n"
        "Another one, a good deal longer than the first, says something else.\n"
    )
    assert len(texts(text)) == 3


def test_list_items_are_paragraphs_with_their_continuation_lines() -> None:
    text = "Bring:\n- a coat that is warm enough for the north in\n  the winter\n- boots\n"
    assert texts(text) == ["Bring:", "- a coat that is warm enough for the north in\n  the winter", "- boots"]
    assert [p.kind for p in plain_paragraphs(text)][1:] == ["list_item", "list_item"]


def test_the_unwrapped_seed_has_a_paragraph_for_each_line() -> None:
    text = (SEEDS / "002_299be7cca7e03bb1.txt").read_text()
    paragraphs = plain_paragraphs(text)
    assert [p.line_start for p in paragraphs] == list(range(1, 17))
    assert [p.kind for p in paragraphs[6:10]] == ["list_item"] * 4


@pytest.mark.parametrize(
    "line", ["Skip to main content", "Share via", "JOIN THE MOVEMENT", "Image", "March 14, 2022"]
)
def test_page_furniture_is_addressable_but_gives_no_passage(line: str) -> None:
    document, passages = prepare(
        f"Some real text stands here, long enough.\n\n{line}\n\nMore of it here.\n".encode(), "a.txt"
    )
    assert document.paragraphs[1].kind == "boilerplate"
    assert [p.paragraph for p in passages] == [1, 3]


@given(st.text(alphabet=st.sampled_from("ab. -*1)\n\r\t#:Ax\u2028é"), max_size=200))
def test_paragraphs_are_dense_ordered_and_hold_every_word(text: str) -> None:
    for split in (plain_paragraphs, _markdown):
        found = split(text)
        assert [p.number for p in found] == list(range(1, len(found) + 1))
        end = 0
        for p in found:
            assert end <= p.start < p.end
            assert words(text, p) == words(text, p).strip()
            end = p.end
    kept = "".join(words(text, p) for p in plain_paragraphs(text))
    assert "".join(kept.split()) == "".join(text.split())


def _markdown(text: str) -> tuple[Paragraph, ...]:
    from index.markdown import markdown_paragraphs

    return markdown_paragraphs(text)


@given(st.text(max_size=80))
def test_lines_are_counted_as_editors_count_them(text: str) -> None:
    expected = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    expected = expected[:-1] if expected[-1] == "" else expected
    assert [line.text for line in lines_of(text)] == expected


def test_markdown_keeps_headings_items_rows_and_code() -> None:
    text = "# Guide\n\nText that is\nwrapped.\n\n## Setup\n\n- one\n- two\n\n| a | b |\n|---|---|\n| 1 | 2 |\n\n```\ncode\n```\n"
    document = LOADERS[".md"](text.encode(), "g.md")
    assert [p.kind for p in document.paragraphs] == [
        "heading",
        "text",
        "heading",
        "list_item",
        "list_item",
        "row",
        "row",
        "text",
    ]
    assert document.paragraphs[3].headings == ("Guide", "Setup")
    assert document.title == "Guide"
