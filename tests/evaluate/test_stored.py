from dataclasses import replace
from hashlib import sha256

import pytest

from index.types import Hit
from qa.evaluate.stored import StoredText, place_of
from qa.evaluate.types import Gold, Outcome
from qa.types import Citation


@pytest.fixture
def stored(service) -> StoredText:
    return StoredText(service, "default")


def test_a_whole_paragraph_is_an_exact_quote(stored: StoredText, citation: Citation) -> None:
    assert stored.is_exact(citation)


def test_a_part_may_bear_its_own_lines_or_its_paragraphs(
    stored: StoredText, service, citation: Citation
) -> None:
    start = citation.start_char_index + citation.cited_text.index("on Wednesday")
    text = "on Wednesday"
    part = replace(
        citation,
        start_char_index=start,
        end_char_index=start + len(text),
        cited_text=text,
        sha256=sha256(text.encode()).hexdigest(),
    )
    assert stored.is_exact(part)
    assert stored.is_exact(replace(part, line_start=4))
    assert not stored.is_exact(replace(part, line_end=3))
    assert not stored.is_exact(replace(part, line_start=2))


@pytest.mark.parametrize(
    "change",
    [
        {"cited_text": "Austin and Wei spoke for 54 minutes\non Wednesday, the Pentagon said."},
        {"start_char_index": 0},
        {"end_char_index": 10_000},
        {"line_start": 4},
        {"line_end": 3},
        {"line_end": 5},
        {"sha256": "0" * 64},
        {"paragraph": 3},
        {"paragraph": 9},
        {"path": "navy.txt"},
        {"document_id": "gone"},
        {"cited_text": ""},
    ],
    ids=lambda change: next(iter(change)),
)
def test_a_quote_that_differs_anywhere_is_not_exact(
    stored: StoredText, citation: Citation, change: dict[str, object]
) -> None:
    assert not stored.is_exact(replace(citation, **change))


def test_gold_paragraphs_are_told_for_documents_that_were_returned(stored: StoredText, hit: Hit) -> None:
    outcome = Outcome(
        "a", "k", "?", True, False, "abstained", 1.0, gold=(Gold("calls.txt", 6), Gold("navy.txt", 3))
    )
    stored.remember((hit,))
    assert stored.gold_texts(outcome) == {"calls.txt:6": "Austin and Dong spoke for 90 minutes in April."}


def test_a_gold_document_is_told_whole(stored: StoredText, hit: Hit) -> None:
    stored.remember((hit,))
    outcome = Outcome("a", "k", "?", True, False, "abstained", 1.0, gold=(Gold("calls.txt"),))
    assert stored.gold_texts(outcome)["calls.txt"].count("\n") == 3


def test_a_place_is_written_with_its_line() -> None:
    assert [place_of(Gold("a.txt", 3)), place_of(Gold("a.txt"))] == ["a.txt:3", "a.txt"]
