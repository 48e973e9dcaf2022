import json
from collections.abc import Callable
from pathlib import Path

import pytest

from qa.evaluate.records import DataFileError, MissingFileError
from qa.evaluate.squad import read_answers
from qa.evaluate.types import Gold

Write = Callable[..., Path]
LINE = {
    "id": "q1",
    "question": "Who?",
    "answers": ["Ann", "Ann Lee"],
    "context_ids": ["d1"],
    "answerable": True,
}


@pytest.fixture
def write_set(write_lines: Write) -> Write:
    def write(*lines: object) -> Path:
        write_lines("corpus.jsonl", *({"_id": f"d{n}", "title": "T", "text": "Ann came."} for n in (1, 2)))
        return write_lines("qa.jsonl", *lines)

    return write


def test_a_line_asks_for_any_of_its_answers_from_its_texts(write_set: Write) -> None:
    found = read_answers(write_set(LINE))
    (question,) = found.questions
    assert (question.answer_any, question.cite_any) == (("Ann", "Ann Lee"), (Gold("d1.txt"),))
    assert [text.id for text in found.texts] == ["d1", "d2"]


def test_gold_texts_are_taken_from_the_field_that_names_some(write_set: Write) -> None:
    line = {**LINE, "context_ids": ["f1"], "article_ids": ["d2", "d9"], "question_type": "bridge"}
    (question,) = read_answers(write_set(line)).questions
    assert (question.cite_any, question.kind) == ((Gold("d2.txt"),), "bridge")


def test_an_unanswerable_line_wants_nothing(write_set: Write) -> None:
    (question,) = read_answers(write_set({**LINE, "answerable": False})).questions
    assert (question.kind, question.answer_any, question.cite_any) == ("unanswerable", (), ())


def test_an_answerable_line_without_answers_is_refused(write_set: Write) -> None:
    with pytest.raises(DataFileError, match="line 1: an answerable question needs"):
        read_answers(write_set({**LINE, "answers": []}))


def test_a_set_without_its_corpus_is_refused(write_lines: Write) -> None:
    with pytest.raises(MissingFileError, match=r"corpus\.jsonl"):
        read_answers(write_lines("qa.jsonl", LINE))


def squad(*questions: object) -> str:
    paragraph = {"context": "Ann came.", "qas": list(questions)}
    return json.dumps({"version": "v2.0", "data": [{"title": "T", "paragraphs": [paragraph]}]})


def test_nested_squad_is_read(tmp_path: Path) -> None:
    path = tmp_path / "dev.json"
    ann = [{"text": "Ann", "answer_start": 0}] * 2
    path.write_text(
        squad(
            {"id": "1", "question": "Who?", "answers": ann},
            {"id": "2", "question": "Why?", "answers": [], "is_impossible": True},
        )
    )
    found = read_answers(path)
    assert [(text.id, text.title, text.text) for text in found.texts] == [("0_0", "T", "Ann came.")]
    assert [question.answer_any for question in found.questions] == [("Ann",), ()]
    assert [question.answerable for question in found.questions] == [True, False]


@pytest.mark.parametrize(
    "text",
    [
        "[]",
        '{"data": []}',
        '{"data": [1]}',
        squad({"id": "1", "question": "Who?"}),
        squad({"id": "1", "question": "Who?", "answers": ["Ann"]}),
    ],
    ids=["list", "empty", "number", "no answer", "bare answer"],
)
def test_what_is_not_squad_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "dev.json"
    path.write_text(text)
    with pytest.raises(DataFileError):
        read_answers(path)
