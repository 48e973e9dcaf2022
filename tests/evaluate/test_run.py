from collections.abc import Callable
from itertools import count
from pathlib import Path

import pytest

from index.errors import ModelError
from qa.errors import LLMTimeoutError, QuestionError
from qa.evaluate.questions import read_questions
from qa.evaluate.run import evaluate, spread
from qa.evaluate.types import Evaluation
from qa.types import Answer, Question, Turn


def raising(error: Exception) -> Callable[[Question], Answer]:
    def ask(question: Question) -> Answer:
        raise error

    return ask


@pytest.fixture
def run(service, question_file: Path) -> Callable[..., Evaluation]:
    def measure(**options: object) -> Evaluation:
        return evaluate(service, read_questions(question_file).questions, title="four", **options)

    return measure


def test_every_question_is_asked_for_ten_hits_with_its_history(run, service) -> None:
    run(collection="default")
    assert [question.top_k for question in service.asked] == [10] * 4
    assert service.asked[3].history == (Turn("user", "How long did Austin and Wei speak?"),)


def test_outcomes_keep_the_order_and_say_what_came_of_each(run) -> None:
    found = {outcome.id: (outcome.status, outcome.right, outcome.rank) for outcome in run().outcomes}
    assert found == {
        "wei": ("answered", True, 1),
        "monthly": ("answered", False, 2),
        "japan": ("abstained", True, None),
        "dong": ("abstained", False, 1),
    }


def test_the_figures_are_those_of_the_outcomes(run) -> None:
    metrics = run().metrics
    assert metrics["answer_accuracy"] == pytest.approx(1 / 3)
    assert metrics["refused_unanswerable"] == metrics["quote_exact"] == 1
    assert list(run().by_kind) == ["fact", "unanswerable", "which"]


def test_a_miss_shows_its_gold_paragraph(run) -> None:
    texts = {outcome.id: outcome.gold_texts for outcome in run().outcomes}
    assert texts["dong"] == {"calls.txt:6": "Austin and Dong spoke for 90 minutes in April."}
    assert texts["wei"] == {}


def test_time_is_that_of_asking(run) -> None:
    ticks = count()
    evaluation = run(clock=lambda: float(next(ticks)))
    assert [outcome.ms for outcome in evaluation.outcomes] == [1000.0] * 4


def test_progress_is_told_after_each_question(run) -> None:
    told: list[tuple[int, int]] = []
    run(progress=lambda done, total: told.append((done, total)))
    assert told == [(1, 4), (2, 4), (3, 4), (4, 4)]


@pytest.mark.parametrize(
    ("error", "code"),
    [(LLMTimeoutError("slow"), "llm_timeout"), (QuestionError("long"), "invalid_question")],
    ids=["llm", "question"],
)
def test_one_failed_question_does_not_lose_the_others(run, service, error: Exception, code: str) -> None:
    service.script = {"Who is premier of Japan?": raising(error)}
    statuses = [(outcome.status, outcome.error) for outcome in run().outcomes]
    assert statuses[2] == ("failed", code)
    assert len(statuses) == 4


def test_a_broken_index_ends_the_run(run, service) -> None:
    service.script = {"Who is premier of Japan?": raising(ModelError("gone"))}
    with pytest.raises(ModelError):
        run()


@pytest.mark.parametrize(("limit", "kept"), [(None, 10), (3, 3), (10, 10), (99, 10)])
def test_a_limit_takes_questions_from_all_over(limit: int | None, kept: int) -> None:
    taken = spread(list(range(10)), limit)
    assert len(taken) == kept
    assert list(taken) == sorted(set(taken))
    assert limit != 3 or list(taken) == [0, 3, 6]
