import math
from collections.abc import Callable
from pathlib import Path

import pytest

from index.types import SearchResult
from qa.errors import QuestionError
from qa.evaluate.beir import (
    Query,
    RetrievalSet,
    evaluate_retrieval,
    ndcg,
    read_judgements,
    read_retrieval,
    retrieval_tallies,
)
from qa.evaluate.records import DataFileError, MissingFileError

Write = Callable[..., Path]


@pytest.fixture
def folder(write_lines: Write) -> Path:
    """Three texts and three queries, of which the last has no relevant text."""
    write_lines(
        "set/corpus.jsonl",
        {"_id": "d1", "title": "Cats", "text": "Cats purr at night."},
        {"_id": 2, "title": "", "text": "Dogs bark at night.\n\nDogs bark at day."},
        {"_id": "d/3", "title": "Empty", "text": ""},
    )
    write_lines("set/queries.jsonl", *({"_id": f"q{n}", "text": f"do {n} dogs bark"} for n in (1, 2, 3)))
    qrels = write_lines("set/qrels.tsv")
    qrels.write_text("query-id\tcorpus-id\tscore\nq1\t2\t2\nq1\td1\t1\nq2\td/3\t1\nq3\td1\t0\n")
    return qrels.parent


def test_queries_carry_the_grades_of_their_files(folder: Path) -> None:
    found = read_retrieval(folder)
    assert found.queries[0] == Query("q1", "do 1 dogs bark", {"2.txt": 2, "d1.txt": 1})
    assert [query.id for query in found.queries] == ["q1", "q2"]
    assert [text.id for text in found.texts] == ["d1", "2", "d/3"]


def test_judgements_may_lie_in_a_folder_of_their_own(folder: Path) -> None:
    (folder / "qrels").mkdir()
    (folder / "qrels.tsv").rename(folder / "qrels/test.tsv")
    assert isinstance(read_retrieval(folder), RetrievalSet)


def test_a_folder_without_judgements_is_refused(tmp_path: Path) -> None:
    with pytest.raises(MissingFileError, match=r"neither qrels\.tsv"):
        read_retrieval(tmp_path)


@pytest.mark.parametrize("line", ["q1 d1 1", "q1\td1", "q1\td1\thigh"], ids=["blanks", "short", "word"])
def test_a_bad_judgement_is_refused_with_its_line(tmp_path: Path, line: str) -> None:
    path = tmp_path / "qrels.tsv"
    path.write_text(f"query-id\tcorpus-id\tscore\n{line}\n")
    with pytest.raises(DataFileError) as caught:
        read_judgements(path)
    assert caught.value.line == 2


def test_queries_without_relevant_texts_are_no_set(folder: Path) -> None:
    (folder / "qrels.tsv").write_text("q9\td1\t1\n")
    with pytest.raises(DataFileError, match="holds no query"):
        read_retrieval(folder)


def test_ndcg_discounts_by_rank_and_weighs_by_grade() -> None:
    assert ndcg([2, 0, 1], [1, 2], 10) == pytest.approx((2 + 1 / 2) / (2 + 1 / math.log2(3)))
    assert ndcg([2, 1], [1, 2], 10) == 1
    assert ndcg([0] * 10 + [1], [1], 10) == 0
    assert ndcg([], [], 10) == 0


def test_recall_is_of_all_relevant_texts() -> None:
    ranked = [f"n{n}" for n in range(50)]
    tallies = retrieval_tallies([*ranked, "a"], {"a": 1, "b": 1, "n9": 1})
    assert tallies["recall@10"] == (pytest.approx(1 / 3), 1)
    assert tallies["recall@100"] == (pytest.approx(2 / 3), 1)
    assert tallies["mrr"] == (pytest.approx(1 / 10), 1)


def test_documents_rank_by_their_first_paragraph(service, folder: Path) -> None:
    service.files = {"2.txt": "Dogs bark at night.\n\nDogs bark at day.\n", "d1.txt": "Cats bark.\n"}
    evaluation = evaluate_retrieval(service, read_retrieval(folder).queries, title="set")
    first, second = evaluation.outcomes
    assert (first.rank, first.right, first.tallies["ndcg@10"]) == (1, True, (1, 1))
    assert (second.rank, second.right, second.status) == (None, False, "searched")
    assert evaluation.metrics["ndcg@10"] == 0.5


def test_a_document_of_many_paragraphs_does_not_hide_the_next(service) -> None:
    many = "\n\n".join(f"Dogs bark loud {n}." for n in range(150))
    service.files = {"a.txt": many + "\n", "b.txt": "Dogs sleep.\n"}
    query = Query("q", "dogs bark loud", {"b.txt": 1})
    (outcome,) = evaluate_retrieval(service, [query], title="set").outcomes
    assert outcome.rank == 2


def test_a_query_that_is_refused_finds_nothing(service) -> None:
    class Refusing(type(service)):
        def search(self, query: str, **options: object) -> SearchResult:
            if query == "long":
                raise QuestionError("too long")
            return super().search(query, **options)

    queries = [Query("a", "long", {"calls.txt": 1}), Query("b", "Austin Wei", {"calls.txt": 1})]
    outcomes = evaluate_retrieval(Refusing(service.files), queries, title="set").outcomes
    assert [outcome.error for outcome in outcomes] == ["invalid_question", ""]
    assert [outcome.tallies["recall@10"] for outcome in outcomes] == [(0, 1), (1, 1)]
