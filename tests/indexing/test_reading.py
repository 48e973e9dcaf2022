"""What a reader is given of a hit, and how its reading orders hits."""

import math

import pytest

from index.reading import NOTHING, answers, laid_out, pieces, reordered, stated, to_read, valued, window_of
from index.types import Hit, Reading, ToRead

SENTENCE = "The harbour master closed the quay for nine days after the storm."


def hit(text: str, **changes: object) -> Hit:
    fields: dict[str, object] = {
        "document_id": "d", "path": "a.txt", "title": "Storm at Norra", "date": "2019-03-04", "paragraph": 3, "line_start": 5,
        "line_end": 5, "start": 100, "end": 100 + len(text), "page": None, "text": text, "sha256": "", "context": "Storm at Norra\nHarbour",
        "score": 0.5, "kind": "body",
    }  # fmt: skip
    return Hit(**{**fields, **changes})  # type: ignore[arg-type]


def test_the_title_stands_once_then_headings_date_and_lent_names() -> None:
    (piece,) = to_read(hit(SENTENCE, lent="Ada Holm"))
    assert piece.about == "Storm at Norra. Harbour. 4 March 2019. Ada Holm"


def test_a_document_without_title_or_date_is_about_nothing() -> None:
    (piece,) = to_read(hit(SENTENCE, title="", date=None, context=""))
    assert piece.about == ""
    assert laid_out(piece)[0].startswith(SENTENCE)


def test_only_the_last_words_before_a_paragraph_are_read() -> None:
    (piece,) = pieces(SENTENCE, title="", date=None, before=" ".join(f"w{n}" for n in range(100)))
    assert piece.before.split()[0] == "w76"
    assert piece.before.split()[-1] == "w99"


def test_a_long_paragraph_is_cut_between_sentences_and_nothing_is_lost() -> None:
    sentences = [f"Sentence number {n} has exactly ten words in it, no more." for n in range(60)]
    found = pieces(" ".join(sentences), title="T", date=None)
    assert len(found) > 1
    assert [s for piece in found for s in piece.sentences] == sentences
    assert all(sum(len(s.split()) for s in piece.sentences) <= 220 for piece in found)
    assert sentences[len(found[0].sentences) - 1].endswith(found[1].before)


def test_one_endless_sentence_is_one_piece() -> None:
    (piece,) = pieces("word " * 900, title="T", date=None)
    assert len(piece.sentences) == 1


def test_what_a_passage_on_another_matter_states_counts_for_less() -> None:
    assert answers(2.0, 0.5) == 2.0
    assert answers(2.0, 0.9) == 2.0
    assert answers(2.0, 0.001) == pytest.approx(2.0 + math.log(0.001 / 0.999) + 3.0)


def test_an_empty_paragraph_gives_nothing_to_read() -> None:
    assert pieces("  \n ", title="T", date=None) == []


def test_spans_hold_exactly_the_sentences() -> None:
    (piece,) = to_read(hit(f"{SENTENCE} “Nobody was hurt,” he said."), before="It blew hard.")
    text, spans = laid_out(piece)
    assert [text[start:end] for start, end in spans] == list(piece.sentences)
    assert "It blew hard." in text[: spans[0][0]]


def read(*odds: float) -> list[list[Reading]]:
    """One reading of one sentence for each hit."""
    return [[Reading(value, (value,))] for value in odds]


def test_what_states_the_answer_comes_before_what_is_only_on_the_matter() -> None:
    hits = [hit(f"text {n}", paragraph=n, score=score) for n, score in enumerate((0.7, 0.6, 0.2, 0.01))]
    found = reordered(hits, read(-8.0, 3.0, -8.0))
    assert [one.paragraph for one in found] == [1, 0, 2, 3]
    assert found[0].score == pytest.approx(0.7), "the greatest score stays"
    assert [one.scores.get("stated") for one in found] == [3.0, -8.0, -8.0, None]
    assert [one.scores["relevance"] for one in found] == [0.6, 0.7, 0.2, 0.01]
    assert [one.read for one in found] == [(3.0,), (-8.0,), (-8.0,), ()]


def test_the_unread_count_as_the_least_of_the_read() -> None:
    hits = [hit("a", paragraph=1, score=0.5), hit("b", paragraph=2, score=0.4)]
    assert [one.paragraph for one in reordered(hits, read(-20.0))] == [1, 2]


def test_equal_readings_change_neither_order_nor_scores() -> None:
    hits = [hit("a", paragraph=1, score=0.5), hit("b", paragraph=2, score=0.25)]
    assert [one.score for one in reordered(hits, read(1.0, 1.0))] == pytest.approx([0.5, 0.25])
    assert reordered(hits, []) == hits
    assert reordered([], []) == []


def test_the_best_sentence_and_its_passage_count_alike() -> None:
    assert stated([Reading(2.0, (-3.0, 1.0)), Reading(-1.0, (0.0,))]) == 1.5
    assert stated([]) == NOTHING


def test_a_window_is_read_after_what_precedes_it_in_its_paragraph() -> None:
    text = "The bridge was closed in May. It opens again in June. The mayor was pleased."
    whole = hit(text)
    start = text.index("It opens")
    found = window_of(whole, start, start + len("It opens again in June."))
    assert found.sentences == ("It opens again in June.",)
    assert found.before == "The bridge was closed in May."
    assert window_of(whole, 0, 0).sentences == ()


@pytest.mark.parametrize(
    ("question", "sentences", "expected"),
    [
        ("How long was the quay closed?", (SENTENCE, "It was a gale."), Reading(1.0, (2.0, 0.0))),
        (
            "How long was the quay closed?",
            ("It was a gale.", "It was the first in two years."),
            Reading(-3.0, (-2.0, -2.0)),
        ),
        ("Why was the quay closed?", ("It was a gale.", "It rained."), Reading(1.0, (2.0, 2.0))),
    ],
)
def test_where_a_length_of_time_is_asked_for_a_text_without_one_counts_for_less(
    question: str, sentences: tuple[str, ...], expected: Reading
) -> None:
    assert valued(question, ToRead("", "", sentences), Reading(1.0, (2.0, 2.0))) == expected
