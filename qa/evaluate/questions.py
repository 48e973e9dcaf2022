"""Question files: one JSON object a line, checked before anything is asked."""

import re
from collections import Counter
from pathlib import Path
from typing import Literal, cast

from qa.evaluate.records import DataFileError, Record, read_records
from qa.evaluate.types import EvalQuestion, Gold, QuestionSet
from qa.types import Turn

FIELDS = frozenset(
    ("id", "kind", "question", "history", "answer_all", "answer_none", "cite_any", "answerable")
)
DEFAULT_KIND = "general"


def read_questions(path: Path) -> QuestionSet:
    """Read and check a question file.

    Raises:
        MissingFileError: the file cannot be opened.
        DataFileError: a line is not a question, an id comes twice, or there is no question at all.
    """
    questions: list[EvalQuestion] = []
    first_line: dict[str, int | None] = {}
    unknown: Counter[str] = Counter()
    for record in read_records(path):
        question = _question(record)
        if question.id in first_line:
            raise record.error(f"the id {question.id!r} is already that of line {first_line[question.id]}")
        first_line[question.id] = record.line
        unknown.update(record.fields.keys() - FIELDS)
        questions.append(question)
    if not questions:
        raise DataFileError(path, "holds no question")
    warnings = (
        f"field {name!r} is not known and was ignored ({n} lines)" for name, n in sorted(unknown.items())
    )
    return QuestionSet(tuple(questions), tuple(warnings))


def _question(record: Record) -> EvalQuestion:
    answerable = record.flag("answerable", default=True)
    question = EvalQuestion(
        id=record.key("id"),
        kind=record.text("kind", DEFAULT_KIND),
        text=record.text("question"),
        history=tuple(_turn(record, value) for value in record.items("history")),
        answerable=answerable,
        answer_all=_patterns(record, "answer_all"),
        answer_none=_patterns(record, "answer_none"),
        cite_any=tuple(_gold(record, value) for value in record.items("cite_any")),
    )
    if answerable and not question.answer_all and not question.cite_any:
        raise record.error(
            "an answerable question needs 'answer_all' or 'cite_any', or nothing can be checked"
        )
    return question


def _turn(record: Record, value: object) -> Turn:
    if isinstance(value, dict):
        role, content = value.get("role"), value.get("content")
        if role in {"user", "assistant"} and isinstance(content, str) and content.strip():
            return Turn(cast("Literal['user', 'assistant']", role), content)
    raise record.error('\'history\' must be a list of {"role": "user" or "assistant", "content": text}')


def _gold(record: Record, value: object) -> Gold:
    if isinstance(value, list) and len(value) == 2:
        path, line = value
        if isinstance(path, str) and path and type(line) is int and line >= 1:
            return Gold(path, line)
    raise record.error("'cite_any' must be a list of [path, line], lines counted from 1")


def _patterns(record: Record, name: str) -> tuple[re.Pattern[str], ...]:
    patterns: list[re.Pattern[str]] = []
    for text in record.texts(name):
        try:
            patterns.append(re.compile(text, re.IGNORECASE))
        except (re.error, RecursionError, OverflowError) as error:
            raise record.error(f"{name!r} holds {text!r}, not a regular expression: {error}") from error
    return tuple(patterns)
