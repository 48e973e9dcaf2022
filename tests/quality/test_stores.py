"""The seeds' questions get the same answers and citations whichever store holds the vectors."""

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest

pytest.importorskip("pymilvus", reason="the extra `milvus` is not installed")
pytest.importorskip("milvus_lite", reason="milvus-lite is not installed")

from milvus_servers import COMMAND, lite, server

from qa.cli.main import main

ROOT = Path(__file__).parents[2]
QUESTIONS = ROOT / "tests" / "quality" / "seeds.jsonl"
long = pytest.mark.deep

Ask = Callable[[str, str], dict[str, object]]


@pytest.fixture
def ask(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], every: int
) -> Ask:
    """What `nutgraf eval` says of some of the questions, over an index of the seeds in a store."""
    some = tmp_path / "some.jsonl"
    some.write_text("\n".join(QUESTIONS.read_text().splitlines()[::every]) + "\n")

    def asked(name: str, store: str) -> dict[str, object]:
        monkeypatch.setenv("NUTGRAF_DATA_DIR", str(tmp_path / name))
        monkeypatch.setenv("NUTGRAF_STORE", store)
        assert main(["index", str(ROOT / "seeds"), "--json"]) == 0
        capsys.readouterr()
        assert main(["eval", str(some), "--json"]) == 0
        report = json.loads(capsys.readouterr().out)
        assert len(report["questions"]) == len(some.read_text().splitlines())
        return {question["id"]: said(question) for question in report["questions"]}

    return asked


def said(question: dict[str, object]) -> object:
    """Status, answer, where it is cited and which paragraphs were found, in order."""
    citations, hits = question["citations"], question["hits"]
    assert isinstance(citations, list)
    assert isinstance(hits, list)
    return (
        question["status"],
        question["answer"],
        [(c["path"], c["paragraph"], c["cited_text"]) for c in citations],
        [(hit["path"], hit["paragraph"]) for hit in hits],
    )


@pytest.mark.quality
@pytest.mark.timeout(900)
@pytest.mark.parametrize(
    ("every", "kind"),
    [(8, "lite"), pytest.param(1, "lite", marks=long), pytest.param(1, "server", marks=long)],
)
def test_answers_do_not_depend_on_the_store(ask: Ask, kind: str) -> None:
    if kind == "server" and not os.environ.get(COMMAND):
        pytest.skip(f"{COMMAND} names no command that starts a Milvus server")
    here = ask("here", "local")
    with (lite if kind == "lite" else server)() as uri:
        there = ask("there", f"milvus+{uri}")
    assert any(answer[0] == "answered" for answer in here.values())  # type: ignore[index]
    assert there == here
