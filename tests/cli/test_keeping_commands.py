"""`nutgraf index --watch`, `remove`, `backup`, `restore`, `migrate` and `purge`: the real thing on a few files."""

import json
import os
import queue
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from qa.service import Service
from qa.settings import Settings

ROOT = Path(__file__).resolve().parents[2]
BRIDGE = "Bridge\n\nThe old bridge in Veldhaven was closed on 3 May 2021.\n"
MARKET = "Market\n\nThe weekly market moves to the station square in June.\n"

pytestmark = [pytest.mark.enable_socket, pytest.mark.timeout(120)]


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    folder = tmp_path / "corpus"
    folder.mkdir()
    (folder / "bridge.txt").write_text(BRIDGE)
    (folder / "market.txt").write_text(MARKET)
    return folder


@pytest.fixture
def indexed(run, corpus: Path, tmp_path: Path) -> dict[str, str]:
    env = {"NUTGRAF_DATA_DIR": str(tmp_path / "data"), "NUTGRAF_RERANKER": "off"}
    assert run("index", str(corpus), **env).code == 0
    return env


def documents(run, env: dict[str, str]) -> int:
    report = json.loads(run("check", "--json", **env).out)
    assert report["ok"]
    return report["documents"]


# ------------------------------------------------------------------------------------------- warnings


def test_a_damaged_snapshot_is_told_in_words_and_the_answer_is_right(run, indexed: dict[str, str]) -> None:
    (snapshot,) = (Path(indexed["NUTGRAF_DATA_DIR"]) / "snapshots").glob("*.dense")
    snapshot.write_bytes(snapshot.read_bytes()[:-9])
    done = run("search", "bridge", "-k", "1", **indexed)
    assert "The old bridge in Veldhaven" in done.out
    assert done.err.startswith(f"nutgraf: warning: snapshot_rejected: {snapshot.name}, ")
    assert done.err.count("\n") == 1


# ------------------------------------------------------------------------------------------- remove


def test_a_document_is_removed_by_its_path(run, indexed: dict[str, str]) -> None:
    done = run("remove", "bridge.txt", **indexed)
    assert (done.code, done.out) == (0, "1 removed\n")
    assert documents(run, indexed) == 1


def test_what_is_not_there_is_named_and_the_rest_removed(run, indexed: dict[str, str]) -> None:
    done = run("remove", "nope.txt", "market.txt", "market.txt", "--json", **indexed)
    assert done.code == 66
    assert json.loads(done.out) == {"removed": ["market.txt"], "missing": ["nope.txt"]}
    assert done.err == "nutgraf: nope.txt: no such document\n"


@pytest.mark.parametrize("words", [["remove", "a.txt"], ["purge"], ["backup", "b"], ["check"]], ids=" ".join)
def test_without_an_index_nothing_is_made(run, tmp_path: Path, words: list[str]) -> None:
    done = run(*words, NUTGRAF_DATA_DIR=str(tmp_path / "none"))
    assert done.code == 66
    assert list(tmp_path.iterdir()) == []


# ------------------------------------------------------------------------------------------- backup and restore


def test_an_index_is_backed_up_and_restored(run, indexed: dict[str, str], tmp_path: Path) -> None:
    kept = json.loads(run("backup", str(tmp_path / "kept"), "--json", **indexed).out)
    assert (kept["documents"], kept["collections"], len(kept["sha256"])) == (2, ["default"], 64)
    env = {**indexed, "NUTGRAF_DATA_DIR": str(tmp_path / "new")}
    restored = json.loads(run("restore", str(tmp_path / "kept"), "--json", **env).out)
    assert restored == kept
    assert documents(run, env) == 2
    assert json.loads(run("search", "Veldhaven", "--json", **env).out)["hits"][0]["path"] == "bridge.txt"


def test_a_restored_index_is_not_embedded_again(
    run, corpus: Path, indexed: dict[str, str], tmp_path: Path
) -> None:
    run("backup", str(tmp_path / "kept"), **indexed)
    env = {**indexed, "NUTGRAF_DATA_DIR": str(tmp_path / "new")}
    run("restore", str(tmp_path / "kept"), **env)
    report = json.loads(run("index", str(corpus), "--json", **env).out)
    assert (report["unchanged"], report["passages"]) == (2, 0)


def test_a_backup_is_made_while_another_process_holds_the_index(
    run, indexed: dict[str, str], tmp_path: Path
) -> None:
    with Service.open(Settings.from_env(indexed), writable=True) as service:
        service.put("more.txt", MARKET.encode())
        assert run("backup", str(tmp_path / "kept"), **indexed).code == 0
    assert (
        run("restore", str(tmp_path / "kept"), NUTGRAF_DATA_DIR=str(tmp_path / "new")).out
        == f"3 documents restored into {tmp_path / 'new'}\n"
    )


def test_nothing_is_overwritten(run, indexed: dict[str, str], tmp_path: Path) -> None:
    assert run("backup", str(tmp_path / "kept"), **indexed).code == 0
    again = run("backup", str(tmp_path / "kept"), **indexed)
    over = run("restore", str(tmp_path / "kept"), **indexed)
    assert (again.code, over.code) == (2, 2)
    assert ("exists already" in again.err, "not empty" in over.err) == (True, True)
    assert documents(run, indexed) == 2


def test_a_damaged_backup_exits_65_and_restores_nothing(run, indexed: dict[str, str], tmp_path: Path) -> None:
    run("backup", str(tmp_path / "kept"), **indexed)
    with (tmp_path / "kept" / "catalog.db").open("r+b") as file:
        file.seek(9000)
        file.write(b"\xff")
    env = {**indexed, "NUTGRAF_DATA_DIR": str(tmp_path / "new")}
    done = run("restore", str(tmp_path / "kept"), **env)
    assert (done.code, done.out) == (65, "")
    assert "SHA-256" in done.err
    assert run("search", "bridge", **env).code == 66


def test_a_folder_that_is_no_backup_exits_66(run, corpus: Path, tmp_path: Path) -> None:
    for folder in (corpus, tmp_path / "nope"):
        assert run("restore", str(folder), NUTGRAF_DATA_DIR=str(tmp_path / "new")).code == 66


# ------------------------------------------------------------------------------------------- purge


def test_a_purge_leaves_no_byte_of_a_removed_document(run, indexed: dict[str, str]) -> None:
    run("remove", "bridge.txt", **indexed)
    report = json.loads(run("purge", "--json", **indexed).out)
    assert 0 < report["bytes_after"] <= report["bytes_before"]
    files = [path for path in Path(indexed["NUTGRAF_DATA_DIR"]).rglob("*") if path.is_file()]
    assert files
    assert not any(b"veldhaven" in path.read_bytes().lower() for path in files)
    assert documents(run, indexed) == 1


@pytest.mark.parametrize("words", [["purge"], ["remove", "bridge.txt"], ["restore", "x"], ["index", "."]])
def test_a_command_that_writes_beside_a_server_exits_75_and_says_how(
    run, indexed: dict[str, str], tmp_path: Path, words: list[str]
) -> None:
    if words[0] == "restore":
        run("backup", str(tmp_path / "kept"), **indexed)
        words = ["restore", str(tmp_path / "kept")]
    with Service.open(Settings.from_env(indexed), writable=True):
        done = run(*words, **indexed)
    assert done.code == 75
    assert f"held by pid {os.getpid()}" in done.err
    assert "PUT /v1/documents/PATH" in done.err or words[0] == "restore"


# ------------------------------------------------------------------------------------------- watch


class Program:
    """`nutgraf` in a process of its own, its output read line by line."""

    def __init__(self, *words: str, **env: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "qa", *words],
            env={"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), **env},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self._lines: queue.Queue[str] = queue.Queue()
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self._lines.put(line)

    def report(self) -> dict[str, object]:
        return json.loads(self._lines.get(timeout=60))

    def end(self, by: signal.Signals) -> tuple[int, str]:
        self.process.send_signal(by)
        code = self.process.wait(30)
        assert self.process.stderr is not None
        return code, self.process.stderr.read()

    def close(self) -> None:
        self.process.kill()
        self._reader.join(10)
        with self.process:  # closes its streams
            pass


@pytest.fixture
def watching(corpus: Path, tmp_path: Path) -> Iterator[Program]:
    env = {"NUTGRAF_DATA_DIR": str(tmp_path / "data"), "NUTGRAF_RERANKER": "off"}
    program = Program("index", str(corpus), "--watch", "--json", **env)
    yield program
    program.close()


@pytest.mark.parametrize("by", [signal.SIGINT, signal.SIGTERM])
def test_a_watched_folder_is_followed_until_a_signal(
    run, watching: Program, corpus: Path, tmp_path: Path, by: signal.Signals
) -> None:
    assert watching.report()["added"] == 2
    (corpus / "note.txt").write_text("Note\n\nA note about the harbour.\n")
    (corpus / "broken.txt").write_bytes(b"\x00\x01" * 99)
    assert watching.report()["added"] == 1
    (corpus / "note.txt").rename(corpus / "renamed.txt")
    moved = watching.report()
    assert (moved["moved"], moved["passages"]) == (1, 0)
    (corpus / "bridge.txt").unlink()
    assert watching.report()["removed"] == 1
    code, err = watching.end(by)
    assert code == 0
    assert [line for line in err.splitlines() if "broken.txt" in line] == err.splitlines()
    assert len(err.splitlines()) == 1
    assert documents(run, {"NUTGRAF_DATA_DIR": str(tmp_path / "data")}) == 2


def test_a_watched_folder_that_goes_exits_66(watching: Program, corpus: Path, tmp_path: Path) -> None:
    assert watching.report()["added"] == 2
    corpus.rename(tmp_path / "elsewhere")
    assert watching.process.wait(30) == 66


# ------------------------------------------------------------------------------------------------------- migrate


def test_vectors_go_to_milvus_and_a_question_is_answered_from_there(
    run, indexed: dict[str, str], tmp_path: Path
) -> None:
    pytest.importorskip("pymilvus", reason="the extra `milvus` is not installed")
    pytest.importorskip("milvus_lite", reason="milvus-lite is not installed")
    store = f"milvus+lite:{tmp_path / 'milvus.db'}"
    moved = json.loads(run("migrate", "--to", store, "--json", **indexed).out)
    assert moved["equal"]
    assert [(each["collection"], each["top10"], each["problems"]) for each in moved["collections"]] == [
        ("default", 1.0, [])
    ]
    asked = [
        run("search", "bridge", "--json", **indexed, **more).out for more in ({}, {"NUTGRAF_STORE": store})
    ]
    assert json.loads(asked[0])["hits"] == json.loads(asked[1])["hits"]
    assert run("check", **indexed, NUTGRAF_STORE=store).code == 0
    assert run("migrate", "--to", "local", **indexed).code == 0


def test_a_store_that_is_none_is_a_usage_error(run, indexed: dict[str, str]) -> None:
    wrong = run("migrate", "--to", "milvus", **indexed)
    assert (wrong.code, "milvus+http://HOST:PORT" in wrong.err) == (2, True)


def test_a_server_that_does_not_answer_exits_69(run, indexed: dict[str, str]) -> None:
    pytest.importorskip("pymilvus", reason="the extra `milvus` is not installed")
    assert run("migrate", "--to", "milvus+http://127.0.0.1:1", **indexed).code == 69
