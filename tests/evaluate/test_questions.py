import json
from collections.abc import Callable
from pathlib import Path

import pytest

from qa.evaluate.questions import read_questions
from qa.evaluate.records import MAX_LINE_BYTES, DataFileError, MissingFileError
from qa.evaluate.types import Gold
from qa.types import Turn

GOOD = {"id": "a", "question": "Why?", "answer_all": ["x"]}


def test_a_question_is_read_with_every_field(write_lines: Callable[..., Path]) -> None:
    line = {
        **GOOD,
        "kind": "fact",
        "history": [{"role": "user", "content": "Who?"}],
        "answer_none": ["y"],
        "cite_any": [["a.txt", 3]],
        "answerable": True,
    }
    (question,) = read_questions(write_lines("q.jsonl", line)).questions
    assert (question.id, question.kind, question.text) == ("a", "fact", "Why?")
    assert question.history == (Turn("user", "Who?"),)
    assert question.cite_any == (Gold("a.txt", 3),)
    assert [pattern.pattern for pattern in (*question.answer_all, *question.answer_none)] == ["x", "y"]


def test_patterns_ignore_case(write_lines: Callable[..., Path]) -> None:
    (question,) = read_questions(write_lines("q.jsonl", GOOD)).questions
    assert question.answer_all[0].search("X")


def test_an_unanswerable_question_needs_no_answer(write_lines: Callable[..., Path]) -> None:
    (question,) = read_questions(
        write_lines("q.jsonl", {"id": 7, "question": "Why?", "answerable": False})
    ).questions
    assert (question.id, question.answerable, question.answer_all) == ("7", False, ())


def test_blank_lines_and_a_byte_order_mark_are_passed_over(tmp_path: Path) -> None:
    path = tmp_path / "q.jsonl"
    path.write_text("\n" + json.dumps(GOOD) + "\r\n\n", encoding="utf-8-sig")
    assert len(read_questions(path).questions) == 1


def test_unknown_fields_are_named_in_a_warning(write_lines: Callable[..., Path]) -> None:
    found = read_questions(write_lines("q.jsonl", {**GOOD, "answers_all": ["z"]}))
    assert found.warnings == ("field 'answers_all' is not known and was ignored (1 lines)",)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"id": None}, "'id' must be text"),
        ({"question": " "}, "'question' must be text"),
        ({"answerable": "yes"}, "'answerable' must be true or false"),
        ({"answer_all": "x"}, "'answer_all' must be a list"),
        ({"answer_all": [1]}, "'answer_all' must be a list of texts"),
        ({"answer_all": [""]}, "none of them empty"),
        ({"answer_all": ["("]}, "not a regular expression"),
        ({"answer_all": []}, "nothing can be checked"),
        ({"history": [{"role": "system", "content": "x"}]}, "'history' must be a list of"),
        ({"history": ["x"]}, "'history' must be a list of"),
        ({"cite_any": [["a.txt", 0]]}, "'cite_any' must be a list of [path, line]"),
        ({"cite_any": [["a.txt", True]]}, "'cite_any' must be a list of [path, line]"),
        ({"cite_any": [["a.txt"]]}, "'cite_any' must be a list of [path, line]"),
        ({"question": "\ud800"}, "half a character"),
        ({"id": "first"}, "already that of line 1"),
    ],
    ids=lambda value: str(value)[:40].encode("ascii", "replace").decode() if isinstance(value, str) else None,
)
def test_a_bad_question_is_refused_with_its_line(
    write_lines: Callable[..., Path], change: dict[str, object], reason: str
) -> None:
    path = write_lines("q.jsonl", {**GOOD, "id": "first"}, {**GOOD, **change})
    with pytest.raises(DataFileError) as caught:
        read_questions(path)
    assert caught.value.line == 2
    assert reason in str(caught.value)
    assert str(caught.value).startswith(f"{path}, line 2: ")


@pytest.mark.parametrize(
    ("data", "line", "reason"),
    [
        (b"{", 1, "not JSON"),
        (b"[]", 1, "must be a JSON object"),
        (b'{"id": "\xff"}', 1, "not UTF-8"),
        (b"[" * 100_000, 1, "not JSON"),
        (b'{"id": ' + b"9" * 5000 + b"}", 1, "not JSON"),
        (b"", None, "holds no question"),
    ],
    ids=["cut", "list", "bytes", "deep", "number", "empty"],
)
def test_a_broken_file_is_refused(tmp_path: Path, data: bytes, line: int | None, reason: str) -> None:
    path = tmp_path / "q.jsonl"
    path.write_bytes(data)
    with pytest.raises(DataFileError) as caught:
        read_questions(path)
    assert (caught.value.line, caught.value.exit_code) == (line, 65)
    assert reason in caught.value.reason


def test_a_missing_file_is_told_apart(tmp_path: Path) -> None:
    with pytest.raises(MissingFileError) as caught:
        read_questions(tmp_path / "none.jsonl")
    assert caught.value.exit_code == 66
    assert "no such file" in str(caught.value)


def test_a_line_without_end_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "q.jsonl"
    path.write_bytes(b" " * (MAX_LINE_BYTES + 1))
    with pytest.raises(DataFileError, match="line 1: longer than"):
        read_questions(path)
