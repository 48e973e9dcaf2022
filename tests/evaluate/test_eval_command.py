"""`nutgraf eval` from its arguments to its exit code, over a service of the tests' own."""

import argparse
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from qa.evaluate.cli import add_arguments
from qa.evaluate.session import Options, evaluate_command
from qa.settings import Settings

METRICS = [
    *("hit@1", "hit@3", "hit@5", "hit@10", "mrr", "answer_accuracy", "citation_precision", "citation_recall"),
    *("refused_unanswerable", "refused_answerable", "quote_exact", "p50_ms", "p95_ms"),
]


@pytest.fixture
def parse() -> Callable[..., Options]:
    parser = argparse.ArgumentParser("nutgraf eval")
    add_arguments(parser)
    return lambda *args: Options.of(parser.parse_args([str(arg) for arg in args]))


@pytest.fixture
def run(parse, opener) -> Callable[..., int]:
    return lambda *args: evaluate_command(parse(*args), Settings(), opener)


def test_json_holds_the_contract(run, question_file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(question_file, "--json") == 0
    result = json.loads(capsys.readouterr().out)
    assert list(result["metrics"]) == METRICS
    assert list(result["by_kind"]["fact"]) == ["questions", *METRICS]
    wei = result["questions"][0]
    assert {"id", "kind", "right", "answer", "status", "citations", "rank", "ms"} <= wei.keys()
    assert (wei["id"], wei["right"], wei["rank"], wei["status"]) == ("wei", True, 1, "answered")
    assert wei["citations"][0]["cited_text"].startswith("Austin and Wei spoke for 45 minutes")


def test_without_json_the_tables_are_printed(
    run, question_file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(question_file) == 0
    captured = capsys.readouterr()
    assert "answer_accuracy" in captured.out
    assert captured.err == ""


def test_a_missed_floor_is_named_and_gives_one(
    run, question_file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(question_file, "--floor", "hit@5=1", "--floor", "answer_accuracy=.5") == 1
    assert capsys.readouterr().err == "nutgraf eval: answer_accuracy is 0.3333; the floor is 0.5\n"


def test_reached_floors_give_zero(run, question_file: Path) -> None:
    assert run(question_file, "--floor", "hit@3=1", "--floor", "refused_answerable=.5") == 0


def test_a_run_can_be_compared_with_itself(
    run, question_file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run(question_file, "--json")
    saved = tmp_path / "before.json"
    saved.write_text(capsys.readouterr().out)
    assert run(question_file, "--json", "--compare", saved) == 0
    comparison = json.loads(capsys.readouterr().out)["comparison"]
    assert (comparison["paired"], comparison["other"]) == (4, "before.json")
    assert comparison["metrics"]["answer_accuracy"]["difference"] == 0


def test_a_page_is_written(run, question_file: Path, tmp_path: Path) -> None:
    page = tmp_path / "report.html"
    assert run(question_file, "--html", page) == 0
    assert page.read_text().count("<svg") == 4


def test_a_page_that_cannot_be_written_gives_73_before_anything_is_asked(
    run, opener, question_file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(question_file, "--html", tmp_path / "none/report.html") == 73
    assert "its folder is not there" in capsys.readouterr().err
    assert opener.opened == []


@pytest.mark.parametrize("option", [(), ("--squad",), ("--beir",)], ids=["file", "squad", "beir"])
def test_a_missing_file_gives_66(
    run, tmp_path: Path, capsys: pytest.CaptureFixture[str], option: tuple[str, ...]
) -> None:
    assert run(*option, tmp_path / "none") == 66
    assert str(tmp_path / "none") in capsys.readouterr().err


def test_a_bad_file_gives_65_with_line_and_reason(
    run, opener, write_lines, capsys: pytest.CaptureFixture[str]
) -> None:
    path = write_lines("q.jsonl", {"id": "a", "question": "Why?", "answer_all": ["("]})
    assert run(path) == 65
    assert f"{path}, line 1: 'answer_all' holds '('" in capsys.readouterr().err
    assert opener.opened == []


def test_a_missing_run_to_compare_with_gives_66(run, question_file: Path, tmp_path: Path) -> None:
    assert run(question_file, "--compare", tmp_path / "none.json") == 66


def test_unknown_fields_are_told_beside_the_report(
    run, write_lines, capsys: pytest.CaptureFixture[str]
) -> None:
    path = write_lines("q.jsonl", {"id": "a", "question": "Why?", "answer_all": ["x"], "note": "n"})
    assert run(path, "--json") == 0
    captured = capsys.readouterr()
    assert "field 'note' is not known" in captured.err
    assert json.loads(captured.out)["questions"][0]["id"] == "a"


def test_the_service_is_closed_afterwards(run, opener, question_file: Path) -> None:
    run(question_file)
    ((_, writable, service),) = opener.opened
    assert (writable, service.closed) == (False, True)


def test_a_retrieval_set_is_indexed_and_searched(
    run, write_lines, capsys: pytest.CaptureFixture[str]
) -> None:
    write_lines("set/corpus.jsonl", {"_id": "a", "text": "Cats purr."}, {"_id": "b", "text": "Dogs bark."})
    write_lines("set/queries.jsonl", {"_id": "1", "text": "do dogs bark"})
    folder = write_lines("set/qrels.tsv").parent
    (folder / "qrels.tsv").write_text("1\tb\t1\n")
    assert run("--beir", folder, "--json", "--floor", "ndcg@10=1") == 0
    metrics = json.loads(capsys.readouterr().out)["metrics"]
    assert (metrics["ndcg@10"], metrics["recall@100"], metrics["mrr"]) == (1, 1, 1)
    assert "answer_accuracy" not in metrics


@pytest.fixture
def squad_file(write_lines) -> Path:
    write_lines(
        "xq/corpus.jsonl",
        {"_id": "a", "title": "Cats", "text": "Tom is a cat that purrs."},
        {"_id": "b", "title": "Bad", "text": "Rex\x00"},
    )
    return write_lines(
        "xq/qa.jsonl",
        {"id": 1, "question": "Which cat purrs?", "answers": ["Tom"], "context_ids": ["a"]},
        {"id": 2, "question": "Why?", "answers": [], "context_ids": [], "answerable": False},
    )


def test_an_answer_set_is_indexed_and_asked(
    run, squad_file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("--squad", squad_file, "--json") == 0
    captured = capsys.readouterr()
    metrics = json.loads(captured.out)["metrics"]
    assert (metrics["answer_accuracy"], metrics["citation_recall"], metrics["refused_unanswerable"]) == (
        1,
        1,
        1,
    )
    assert "1 texts were not indexed; the first, b.txt: binary" in captured.err


def test_a_kept_index_is_told_apart_by_its_set(run, opener, squad_file: Path, tmp_path: Path) -> None:
    run("--squad", squad_file, "--data-dir-cache", tmp_path / "cache", "--limit", "1")
    ((settings, _, service),) = opener.opened
    assert settings.data_dir.parent.parent == tmp_path / "cache"
    assert settings.data_dir.parent.name.startswith("qa-")
    assert len(service.asked) == 1


@pytest.mark.parametrize(
    "args",
    [(), ("q.jsonl", "--beir", "d"), ("q.jsonl", "--floor", "hit@4=1"), ("q.jsonl", "--limit", "0")],
    ids=["nothing", "two sources", "floor", "limit"],
)
def test_wrong_arguments_end_with_two(parse, args: tuple[str, ...]) -> None:
    with pytest.raises(SystemExit) as caught:
        parse(*args)
    assert caught.value.code == 2


def test_arguments_are_known_without_heavy_imports() -> None:
    code = "import sys, qa.evaluate.cli; print({'numpy', 'rich', 'qa.service'} & sys.modules.keys())"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


def test_a_page_that_turns_out_not_to_be_writable_gives_73_after_the_report(
    run, question_file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(question_file, "--html", tmp_path) == 73
    assert "answer_accuracy" in capsys.readouterr().out


def test_a_run_to_compare_with_must_be_utf8(run, question_file: Path, tmp_path: Path) -> None:
    path = tmp_path / "other.json"
    path.write_bytes(b"\xff")
    assert run(question_file, "--compare", path) == 65
