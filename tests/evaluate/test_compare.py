import json
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from qa.evaluate.compare import Comparison, Difference, compare, read_run
from qa.evaluate.payload import evaluation_payload
from qa.evaluate.records import DataFileError
from qa.evaluate.run import summed_up
from qa.evaluate.types import Outcome

Make = Callable[..., Outcome]


@pytest.fixture
def against(tmp_path: Path) -> Callable[..., Comparison]:
    """Saves the second run, reads it back and compares the first with it."""

    def run(ours: Sequence[Outcome], theirs: Sequence[Outcome], **options: int) -> Comparison:
        path = tmp_path / "other.json"
        path.write_text(json.dumps(evaluation_payload(summed_up("t", theirs, 1.0))))
        return compare(ours, read_run(path), "other", **options)

    return run


def named(comparison: Comparison, metric: str) -> Difference:
    return next(item for item in comparison.differences if item.metric == metric)


def test_equal_runs_differ_by_nothing(make_outcome: Make, against) -> None:
    run = [make_outcome(str(n), right=n % 3 > 0, rank=n % 4 or None) for n in range(40)]
    comparison = against(run, run)
    assert {(item.change, item.low, item.high) for item in comparison.differences} == {(0, 0, 0)}
    assert comparison.gained == comparison.lost == ()


def test_a_clear_gain_leaves_zero_out(make_outcome: Make, against) -> None:
    ours = [make_outcome(str(n)) for n in range(40)]
    theirs = [make_outcome(str(n), right=n >= 20) for n in range(40)]
    accuracy = named(against(ours, theirs), "answer_accuracy")
    assert (accuracy.ours, accuracy.theirs, accuracy.change) == (1.0, 0.5, 0.5)
    assert 0.3 < accuracy.low < 0.5 < accuracy.high < 0.7
    assert accuracy.clear


def test_one_changed_question_of_forty_is_not_clear(make_outcome: Make, against) -> None:
    ours = [make_outcome(str(n)) for n in range(40)]
    theirs = [make_outcome(str(n), right=n > 0) for n in range(40)]
    comparison = against(ours, theirs)
    assert not named(comparison, "answer_accuracy").clear
    assert (comparison.gained, comparison.lost) == (("0",), ())


def test_the_same_seed_gives_the_same_interval(make_outcome: Make, against) -> None:
    ours = [make_outcome(str(n), ms=float(n)) for n in range(30)]
    theirs = [make_outcome(str(n), right=n % 2 > 0, ms=float(n * n)) for n in range(30)]
    assert against(ours, theirs).differences == against(ours, theirs).differences
    assert against(ours, theirs).differences != against(ours, theirs, seed=2).differences


def test_times_are_compared_too(make_outcome: Make, against) -> None:
    ours = [make_outcome(str(n), ms=10.0) for n in range(10)]
    theirs = [make_outcome(str(n), ms=30.0) for n in range(10)]
    time = named(against(ours, theirs), "p95_ms")
    assert (time.change, time.low, time.high) == (-20, -20, -20)


def test_only_questions_of_both_runs_with_one_wording_are_paired(make_outcome: Make, against) -> None:
    ours = [make_outcome("a"), make_outcome("b"), make_outcome("c", question="new words?")]
    comparison = against(ours, [make_outcome("a"), make_outcome("c"), make_outcome("d")])
    assert comparison.paired == 1
    assert (comparison.only_here, comparison.only_there) == (("b", "c"), ("c", "d"))


def test_runs_without_shared_questions_have_no_differences(make_outcome: Make, against) -> None:
    assert against([make_outcome("a")], [make_outcome("b")]).differences == ()


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("[]", "must be a JSON object"),
        ('{"metrics": {}}', "it has no 'questions'"),
        ('{"questions": [1]}', "question 1 is not an object"),
        ('{"questions": [{"id": "a"}]}', "not a run saved with --json"),
        (
            '{"questions": [{"id": "a", "question": "?", "ms": 1, "tallies": {"mrr": [1]}}]}',
            "[numerator, denominator]",
        ),
    ],
    ids=["list", "other file", "number", "no tallies", "bad tally"],
)
def test_a_file_that_is_no_run_is_refused(tmp_path: Path, text: str, reason: str) -> None:
    path = tmp_path / "other.json"
    path.write_text(text)
    with pytest.raises(DataFileError) as caught:
        read_run(path)
    assert reason in str(caught.value)
