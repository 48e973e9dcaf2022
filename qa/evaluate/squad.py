"""Question-answering sets: lines beside a corpus, or the nested JSON of SQuAD itself."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from qa.evaluate.corpus import CorpusText, file_name, read_corpus
from qa.evaluate.records import DataFileError, Record, parse_object, read_records, read_text
from qa.evaluate.types import EvalQuestion, Gold

KIND_FIELDS = ("kind", "question_type", "type")
GOLD_FIELDS = ("context_ids", "article_ids")
"""Where a question's gold texts are named; the first field that names texts of the corpus counts."""


@dataclass(frozen=True, slots=True)
class AnswerSet:
    """Questions with the texts they are asked of. A gold citation is one into a gold text, wherever."""

    texts: tuple[CorpusText, ...]
    questions: tuple[EvalQuestion, ...]


def read_answers(path: Path) -> AnswerSet:
    """Read a set: `.json` as SQuAD (1.1 or 2.0), anything else as lines with `corpus.jsonl` in the same folder.

    A question counts as right when one of its answers is contained in what was said.

    Raises:
        MissingFileError: a file cannot be opened.
        DataFileError: a file is not what it should be.
    """
    found = _nested(path) if path.suffix == ".json" else _lines(path)
    if not found.questions:
        raise DataFileError(path, "holds no question")
    return found


def _lines(path: Path) -> AnswerSet:
    records = list(read_records(path))
    texts = read_corpus(path.parent / "corpus.jsonl")
    known = {text.id for text in texts}
    return AnswerSet(tuple(texts), tuple(_line(record, known) for record in records))


def _line(record: Record, known: set[str]) -> EvalQuestion:
    answers = record.texts("answers")
    answerable = record.flag("answerable", default=bool(answers))
    if answerable and not answers:
        raise record.error("an answerable question needs 'answers'")
    named = ([str(item) for item in record.items(name)] for name in GOLD_FIELDS)
    gold = next((ids for ids in named if known.intersection(ids)), [])
    kind = next((record.text(name, "") for name in KIND_FIELDS if record.text(name, "")), "answers")
    return EvalQuestion(
        id=record.key("id"),
        kind=kind if answerable else "unanswerable",
        text=record.text("question"),
        answerable=answerable,
        answer_any=answers if answerable else (),
        cite_any=tuple(Gold(file_name(name)) for name in gold if name in known) if answerable else (),
    )


def _nested(path: Path) -> AnswerSet:
    texts: list[CorpusText] = []
    questions: list[EvalQuestion] = []
    articles = Record(path, None, parse_object(read_text(path), path)).items("data")
    for number, article in enumerate(_records(path, articles)):
        title = article.text("title", "")
        for place, paragraph in enumerate(_records(path, article.items("paragraphs"))):
            text = CorpusText(f"{number}_{place}", title, paragraph.text("context"))
            texts.append(text)
            questions.extend(
                _nested_question(item, text.id) for item in _records(path, paragraph.items("qas"))
            )
    return AnswerSet(tuple(texts), tuple(questions))


def _nested_question(record: Record, text_id: str) -> EvalQuestion:
    answerable = not record.flag("is_impossible", default=False)
    answers = tuple(dict.fromkeys(_answer(record, item) for item in record.items("answers")))
    if answerable and not answers:
        raise record.error(f"question {record.key('id')!r} needs 'answers'")
    return EvalQuestion(
        id=record.key("id"),
        kind="answers" if answerable else "unanswerable",
        text=record.text("question"),
        answerable=answerable,
        answer_any=answers if answerable else (),
        cite_any=(Gold(file_name(text_id)),) if answerable else (),
    )


def _answer(record: Record, item: object) -> str:
    if isinstance(item, Mapping) and isinstance(item.get("text"), str) and item["text"]:
        return str(item["text"])
    raise record.error("'answers' must be a list of objects with a 'text'")


def _records(path: Path, items: list[object]) -> Iterator[Record]:
    for item in items:
        if not isinstance(item, dict):
            raise DataFileError(path, "is not SQuAD: an article, paragraph or question is no object")
        yield Record(path, None, item)
