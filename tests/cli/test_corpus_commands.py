"""`nutgraf index`, `check`, `status` and questions to the index itself: the real thing on a few files."""

import json
import os
import pty
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from llm_server import fake_llm

from index.types import SyncReport
from qa.payload import check_payload, sync_payload
from qa.service import Service
from qa.settings import Settings

ROOT = Path(__file__).resolve().parents[2]
BRIDGE = "The old bridge in Veldhaven was closed on 3 May 2021 after cracks were found in two of its piers."
COST = "Repairing the bridge is expected to cost 12 million euros, the mayor said."

pytestmark = [pytest.mark.enable_socket, pytest.mark.timeout(120)]


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    folder = tmp_path / "corpus"
    folder.mkdir()
    (folder / "bridge.txt").write_text(f"Bridge closed\n\n{BRIDGE}\n\n{COST}\n")
    (folder / "market.txt").write_text("Market\n\nThe weekly market moves to the station square in June.\n")
    return folder


@pytest.fixture
def indexed(run, corpus: Path, tmp_path: Path) -> dict[str, str]:
    env = {"NUTGRAF_DATA_DIR": str(tmp_path / "data"), "NUTGRAF_RERANKER": "off"}
    assert run("index", str(corpus), **env).code == 0
    return env


def test_indexing_says_what_it_did_and_a_second_run_does_nothing(run, corpus: Path, tmp_path: Path) -> None:
    env = {"NUTGRAF_DATA_DIR": str(tmp_path / "data")}
    first, second = run("index", str(corpus), **env), run("index", str(corpus), "--json", **env)
    assert (first.code, first.err) == (0, "")
    assert first.out.startswith("2 added; ")
    report = json.loads(second.out)
    assert (report["added"], report["unchanged"], report["passages"]) == (0, 2, 0)
    assert list(report) == list(sync_payload(SyncReport()))


def test_a_file_that_cannot_be_read_is_named_and_its_neighbours_are_indexed(
    run, corpus: Path, tmp_path: Path
) -> None:
    (corpus / "broken.txt").write_bytes(b"\x00\x01\x02" * 100)
    done = run("index", str(corpus), NUTGRAF_DATA_DIR=str(tmp_path / "data"))
    assert done.code == 0
    assert done.err.startswith("nutgraf: skipped broken.txt: ")
    assert done.err.count("\n") == 1


@pytest.mark.parametrize("content", [None, b"\x00\x01\x02" * 100], ids=["empty", "only binary"])
def test_a_folder_without_a_document_exits_65_and_names_it(
    run, tmp_path: Path, content: bytes | None
) -> None:
    folder = tmp_path / "corpus"
    folder.mkdir()
    if content:
        (folder / "a.txt").write_bytes(content)
    done = run("index", str(folder), NUTGRAF_DATA_DIR=str(tmp_path / "data"))
    assert done.code == 65
    assert f"nutgraf: {folder}: " in done.err


def test_the_folder_can_come_from_the_settings(run, corpus: Path, tmp_path: Path) -> None:
    done = run("index", NUTGRAF_CORPUS=str(corpus), NUTGRAF_DATA_DIR=str(tmp_path / "data"))
    assert done.out.startswith("2 added; ")


def test_a_second_writer_is_told_to_wait(run, corpus: Path, indexed: dict[str, str]) -> None:
    with Service.open(Settings.from_env(indexed), writable=True):
        done = run("index", str(corpus), **indexed)
        assert run("search", "bridge", **indexed).code == 0
    assert done.code == 75
    assert done.err.count("\n") == 1


def test_the_index_is_checked_and_described(run, indexed: dict[str, str]) -> None:
    done = run("check", "--json", **indexed)
    assert done.code == 0
    with Service.open(Settings.from_env(indexed)) as service:
        assert json.loads(done.out) == check_payload(service.check())
    assert "collections.default.documents: 2" in run("status", **indexed).out
    assert json.loads(run("status", "--json", **indexed).out)["collections"][0]["name"] == "default"
    assert "ok    index: default with 2 documents" in run("doctor", **indexed).out


def test_a_damaged_index_is_reported_with_exit_1(run, indexed: dict[str, str]) -> None:
    (snapshot,) = Path(indexed["NUTGRAF_DATA_DIR"]).rglob("*.dense")
    snapshot.write_bytes(b"x" * 100)
    done = run("check", **indexed)
    assert done.code == 1
    assert done.out.startswith("problems: 2 documents")


def test_a_question_is_answered_with_the_sentence_and_its_place(run, indexed: dict[str, str]) -> None:
    done = run("ask", "When was the bridge in Veldhaven closed?", "--json", **indexed)
    given = json.loads(done.out)
    assert done.code == 0
    cited = given["citations"][0]
    assert (cited["path"], cited["cited_text"], cited["line_start"]) == ("bridge.txt", BRIDGE, 3)


def test_a_filter_that_leaves_nothing_leaves_no_answer(run, indexed: dict[str, str]) -> None:
    done = run("ask", "When was the bridge in Veldhaven closed?", "--path", "*.md", **indexed)
    assert done.code == 3
    assert done.out.startswith("No answer: ")


def test_an_unknown_collection_is_named(run, indexed: dict[str, str]) -> None:
    done = run("search", "bridge", "--collection", "nope", **indexed)
    assert done.code == 66
    assert done.err.count("\n") == 1


@pytest.mark.parametrize(
    "mode", ["status_500", "html", "reset_at_once", "content_filter", "not_http", "gzip_bomb"]
)
def test_whatever_the_llm_does_an_answer_comes_from_the_documents(
    run, indexed: dict[str, str], mode: str
) -> None:
    with fake_llm(mode) as server:
        llm = {"NUTGRAF_LLM_BASE_URL": server.base_url, "NUTGRAF_LLM_MODEL": "fake-1"}
        done = run("ask", "When was the bridge in Veldhaven closed?", "--json", **indexed, **llm)
    given = json.loads(done.out)
    assert done.code == 0
    assert given["answerer"]["kind"] == "extractive"
    assert [name for name in given["degraded"] if name.startswith("llm")]
    assert given["citations"][0]["cited_text"] == BRIDGE


def test_chat_answers_from_the_index_through_a_pipe(run, indexed: dict[str, str]) -> None:
    done = run("chat", stdin="When was the bridge in Veldhaven closed?\n/show 1\n", **indexed)
    assert done.code == 0
    assert f"{BRIDGE} [1]" in done.out
    assert COST in done.out


def test_on_a_terminal_indexing_shows_a_bar_with_rate_and_time_left(corpus: Path, tmp_path: Path) -> None:
    mine, theirs = pty.openpty()
    shown = bytearray()

    def watch() -> None:
        while True:
            try:
                shown.extend(os.read(mine, 65536))
            except OSError:
                return

    threading.Thread(target=watch, daemon=True).start()
    env = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(ROOT),
        "TERM": "xterm",
        "NUTGRAF_DATA_DIR": str(tmp_path / "d"),
    }
    command = [sys.executable, "-m", "qa", "index", str(corpus), "--json"]
    done = subprocess.run(command, env=env, stderr=theirs, stdout=subprocess.PIPE, check=True)
    os.close(theirs)
    assert json.loads(done.stdout)["added"] == 2
    assert b"Indexing" in shown
    assert b"files/s" in shown
