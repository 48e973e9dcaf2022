"""Answers put together: markers, places of sentences, and citations copied from the stored text."""

import hashlib

import pytest

from index.types import Hit
from qa.compose import Checked, Composer, citation_of, nearest, whole
from qa.types import Quote

TEXT = "First line of it\nand the second. Another sentence."


def hit(document: str = "d1", start: int = 100) -> Hit:
    return Hit(
        document, f"{document}.txt", "", None, 4, 7, 8, start, start + len(TEXT), None, TEXT, "", "", 0.9
    )


def test_a_citation_is_copied_from_the_paragraph_with_its_lines() -> None:
    citation = citation_of(Quote(hit(), 100, 132), "c1", 1, "http://x")
    assert citation.cited_text == "First line of it\nand the second."
    assert (citation.line_start, citation.line_end) == (7, 8)
    assert citation.sha256 == hashlib.sha256(citation.cited_text.encode()).hexdigest()
    assert citation.url == "http://x/documents/d1#p4"


def test_a_later_sentence_of_a_wrapped_paragraph_is_on_its_own_line() -> None:
    citation = citation_of(Quote(hit(), 133, 150), "c1", 1, "http://x")
    assert (citation.cited_text, citation.line_start, citation.line_end) == ("Another sentence.", 8, 8)


@pytest.mark.parametrize(("start", "end"), [(99, 110), (140, 151), (120, 120), (130, 120)])
def test_a_citation_cannot_leave_its_paragraph(start: int, end: int) -> None:
    with pytest.raises(ValueError, match="paragraph"):
        citation_of(Quote(hit(), start, end), "c1", 1, "http://x")


def test_sentences_stand_where_they_say_and_markers_count_up() -> None:
    composer = Composer("http://x")
    composer.add(
        Checked(
            "First line of it\nand the second.", "supported", 0.9, (Quote(hit(), 100, 132), whole(hit("d2")))
        )
    )
    composer.add(Checked("Another sentence.", "partial", 0.4, (Quote(hit(), 100, 132),)))
    made = composer.composed()
    assert made.answer == "First line of it and the second. [1][2] Another sentence. [1]"
    assert [made.answer[s.start : s.end] for s in made.sentences] == [
        "First line of it and the second.",
        "Another sentence.",
    ]
    assert made.answer_plain == "First line of it and the second. Another sentence."
    assert [c.id for c in made.citations] == ["c1", "c2"]


def test_equal_text_in_two_files_is_two_citations() -> None:
    composer = Composer("http://x")
    composer.add(Checked("x", "supported", 1.0, (whole(hit("d1")), whole(hit("d2")))))
    assert [c.path for c in composer.composed().citations] == ["d1.txt", "d2.txt"]


def test_nearest_are_whole_paragraphs() -> None:
    assert [c.cited_text for c in nearest([hit("a"), hit("b"), hit("c"), hit("d")], "http://x")] == [TEXT] * 3
