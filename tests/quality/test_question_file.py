"""The question file is well formed, and each answer it asks for stands on the lines it names."""

import json
import re
from collections import Counter
from itertools import groupby
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
SEEDS = ROOT / "seeds"
QUESTION_FILE = Path(__file__).with_name("seeds.jsonl")
FIELDS = {"id", "kind", "question", "answer_all", "answer_none", "cite_any", "answerable"}
FEWEST = {
    "fact": 15,
    "disambiguation": 10,
    "follow_up": 8,
    "multi_source": 8,
    "list": 3,
    "time": 3,
    "unanswerable": 22,
}
SPREAD_KINDS = {"multi_source", "list"}  # the answer may be spread over several gold lines

Row = dict[str, Any]


def _rows() -> list[Row]:
    return [json.loads(line) for line in QUESTION_FILE.read_text("utf-8").splitlines()]


def _gold_texts(row: Row) -> list[str]:
    # Split on "\n" only: line numbers of a citation count line feeds, not every Unicode line break.
    return [(SEEDS / path).read_text("utf-8").split("\n")[line - 1] for path, line in row["cite_any"]]


def _found(pattern: str, text: str) -> bool:
    return re.search(pattern, text, re.IGNORECASE) is not None


ROWS = _rows()
ANSWERABLE = [row for row in ROWS if row["answerable"]]
UNANSWERABLE = [row for row in ROWS if not row["answerable"]]

each_row = pytest.mark.parametrize("row", ROWS, ids=lambda row: row["id"])
each_answerable = pytest.mark.parametrize("row", ANSWERABLE, ids=lambda row: row["id"])


def test_ids_are_unique() -> None:
    assert [name for name, n in Counter(row["id"] for row in ROWS).items() if n > 1] == []


def test_no_question_is_asked_twice() -> None:
    asked = Counter((row["question"].lower(), json.dumps(row.get("history"))) for row in ROWS)
    assert [question for question, n in asked.items() if n > 1] == []


def test_every_kind_is_there_often_enough() -> None:
    counts = Counter(row["kind"] for row in ROWS)
    assert set(counts) == set(FEWEST)
    assert {kind: counts[kind] for kind, fewest in FEWEST.items() if counts[kind] < fewest} == {}
    assert len(ROWS) >= 80


@each_row
def test_row_has_the_fields_of_the_format(row: Row) -> None:
    assert row.keys() - {"history"} == FIELDS
    assert row["question"].strip()
    assert row["answerable"] is (row["kind"] != "unanswerable")


@each_row
def test_patterns_compile(row: Row) -> None:
    for pattern in [*row["answer_all"], *row["answer_none"]]:
        assert re.compile(pattern, re.IGNORECASE).search("") is None, "matches an empty answer"


@each_row
def test_history_takes_turns_and_ends_with_an_answer(row: Row) -> None:
    roles = [turn["role"] for turn in row.get("history", [])]
    assert len(list(groupby(roles))) == len(roles), "the same speaker twice in a row"
    assert roles == [] or (roles[0], roles[-1]) == ("user", "assistant")
    assert row["kind"] != "follow_up" or roles


@pytest.mark.parametrize("row", UNANSWERABLE, ids=lambda row: row["id"])
def test_unanswerable_asks_for_no_answer_and_no_citation(row: Row) -> None:
    assert (row["answer_all"], row["answer_none"], row["cite_any"]) == ([], [], [])


@each_answerable
def test_gold_lines_exist_and_are_not_blank(row: Row) -> None:
    assert row["answer_all"]
    assert row["cite_any"]
    assert all(text.strip() for text in _gold_texts(row))


@each_answerable
def test_gold_lines_hold_the_answer(row: Row) -> None:
    texts = _gold_texts(row)
    for pattern in row["answer_all"]:
        assert any(_found(pattern, text) for text in texts), pattern
    if row["kind"] not in SPREAD_KINDS:
        assert any(all(_found(pattern, text) for pattern in row["answer_all"]) for text in texts)


@each_answerable
def test_every_gold_line_supports_part_of_the_answer(row: Row) -> None:
    for (path, line), text in zip(row["cite_any"], _gold_texts(row), strict=True):
        assert any(_found(pattern, text) for pattern in row["answer_all"]), f"{path}:{line}"


@each_answerable
def test_a_quoted_gold_line_is_never_called_wrong(row: Row) -> None:
    for text in _gold_texts(row):
        assert [pattern for pattern in row["answer_none"] if _found(pattern, text)] == []


@pytest.mark.parametrize(
    "row", [row for row in ROWS if row["kind"] == "multi_source"], ids=lambda row: row["id"]
)
def test_multi_source_names_two_files_at_least(row: Row) -> None:
    assert len({path for path, _ in row["cite_any"]}) >= 2
