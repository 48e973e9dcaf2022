from collections.abc import Callable
from io import StringIO

import pytest

from qa.evaluate.compare import Comparison, Difference
from qa.evaluate.floors import Floor
from qa.evaluate.run import summed_up
from qa.evaluate.table import print_report, progress_bar
from qa.evaluate.types import Outcome
from qa.evaluate.words import change, faults, figure, visible

Make = Callable[..., Outcome]


class Terminal(StringIO):
    def isatty(self) -> bool:
        return True


def printed(outcomes: list[Outcome], **options: object) -> str:
    out = StringIO()
    print_report(summed_up("set.jsonl", outcomes, 1.5), out, **options)
    return out.getvalue()


def test_the_table_names_each_metric_with_its_value(make_outcome: Make) -> None:
    text = printed([make_outcome(rank=2), make_outcome(right=False, rank=1)])
    rows = {line.split()[0]: line.split()[-1] for line in text.splitlines() if line.split()}
    assert (rows["hit@1"], rows["mrr"], rows["answer_accuracy"]) == ("0.500", "0.750", "0.500")
    assert rows["refused_unanswerable"] == "–"


def test_kinds_are_shown_when_there_are_several(make_outcome: Make) -> None:
    assert "kind" not in printed([make_outcome(citations=(), gold=())])
    assert "second" in printed([make_outcome(kind="first"), make_outcome(kind="second")])


def test_misses_are_listed_with_what_is_wrong(make_outcome: Make) -> None:
    text = printed([make_outcome("a-1", right=False, question="Which one?")])
    assert "a-1" in text
    assert "wrong answer; no citation at a gold line" in text


def test_many_misses_are_counted(make_outcome: Make) -> None:
    assert "and 5 more misses" in printed([make_outcome(str(n), right=False) for n in range(45)])


def test_floors_say_whether_they_hold(make_outcome: Make) -> None:
    text = printed([make_outcome(rank=1)], floors=[Floor("hit@1", 0.5), Floor("citation_recall", 0.9)])
    assert "0.500 ok" in text
    assert "0.900 missed" in text


def test_a_comparison_shows_the_interval(make_outcome: Make) -> None:
    differences = (Difference("mrr", 0.5, 0.4, 0.05, 0.15),)
    comparison = Comparison("other.json", 1, differences, ("a",), (), ("b",), (), {})
    text = printed([make_outcome("a")], comparison=comparison)
    assert "+0.100  [+0.050, +0.150]" in text
    assert "now right: a; now wrong: none; 1 in one run only" in text


def test_nothing_but_plain_text_reaches_a_pipe(make_outcome: Make) -> None:
    text = printed([make_outcome("\x1b]52;c;x\x07", kind="[bold]k[/bold]", right=False)])
    assert not any(ord(character) < 32 and character != "\n" for character in text)
    assert "[bold]k[/bold]" in text


def test_a_terminal_gets_a_progress_bar_and_a_pipe_none() -> None:
    terminal, pipe = Terminal(), StringIO()
    for stream in (terminal, pipe):
        with progress_bar(stream, "Asking") as progress:
            progress(1, 2)
    assert "Asking" in terminal.getvalue()
    assert pipe.getvalue() == ""


@pytest.mark.parametrize(
    ("changes", "found"),
    [
        ({"gold": ()}, ()),
        ({"status": "abstained", "right": False}, ("refused",)),
        ({"status": "abstained", "answerable": False}, ()),
        ({"answerable": False, "right": False}, ("answered the unanswerable",)),
        ({"right": False, "gold": ()}, ("wrong answer",)),
        ({}, ("no citation at a gold line",)),
        ({"status": "failed", "right": False, "error": "llm_timeout"}, ("failed: llm_timeout",)),
        ({"status": "searched", "right": False}, ("nothing relevant in the first ten",)),
        ({"status": "searched"}, ()),
    ],
)
def test_faults_are_worded(make_outcome: Make, changes: dict[str, object], found: tuple[str, ...]) -> None:
    assert faults(make_outcome(**changes)) == found


def test_figures_are_worded() -> None:
    assert [
        figure("mrr", 0.12345),
        figure("p50_ms", 3.14),
        figure("p95_ms", 1234.5),
        figure("mrr", None),
    ] == [
        "0.123",
        "3.1 ms",
        "1,234 ms",
        "–",
    ]
    assert [change("mrr", 0.1), change("p50_ms", -20.04)] == ["+0.100", "-20.0 ms"]


def test_text_on_one_line_is_cut_at_its_limit() -> None:
    assert visible("a\n b\x00c", 4) == "a b…"


def test_how_well_confidence_separates_is_told_where_it_can_be(make_outcome: Make) -> None:
    silent = make_outcome(answerable=False, status="abstained", confidence=0.1)
    assert "AUC 1.000" in printed([make_outcome(confidence=0.9), silent])
    assert "AUC" not in printed([make_outcome()])
