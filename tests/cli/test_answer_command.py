"""`nutgraf answer`: an answer looked at again, from the command line."""

import json
import re
import shutil
from pathlib import Path

import pytest

BRIDGE = "Bridge\n\nThe old bridge in Veldhaven was closed on 3 May 2021.\n\nIt was rebuilt later.\n"
QUESTION = "When was the old bridge in Veldhaven closed?"

pytestmark = pytest.mark.enable_socket


@pytest.fixture
def env(run, tmp_path: Path) -> dict[str, str]:
    (tmp_path / "corpus").mkdir()
    (tmp_path / "corpus" / "bridge.txt").write_text(BRIDGE)
    env = {"NUTGRAF_DATA_DIR": str(tmp_path / "data"), "NUTGRAF_RERANKER": "off"}
    assert run("index", str(tmp_path / "corpus"), **env).code == 0
    return env


def asked(run, env: dict[str, str]) -> dict[str, object]:
    return json.loads(run("ask", "--json", QUESTION, **env).out)


def test_an_answer_is_shown_with_the_state_of_its_sources(run, env, tmp_path):
    id_ = asked(run, env)["id"]
    shown = run("answer", id_, **env)
    assert (shown.code, shown.err) == (0, "")
    assert re.search(r"^\[1\] bridge\.txt, paragraph 2, line 3: current$", shown.out, re.MULTILINE)
    assert "Veldhaven" not in shown.out
    (tmp_path / "corpus" / "bridge.txt").write_text(BRIDGE.replace("2021", "2020"))
    run("index", str(tmp_path / "corpus"), **env)
    assert "paragraph 2, line 3: superseded" in run("answer", id_, **env).out


def test_words_are_shown_where_they_are_kept(run, env):
    id_ = asked(run, env | {"NUTGRAF_RECORD_TEXT": "on"})["id"]
    shown = run("answer", id_, **env).out
    assert f"question  {QUESTION}" in shown
    assert "    The old bridge in Veldhaven was closed on 3 May 2021." in shown


def test_json_holds_the_whole_record(run, env):
    answer = asked(run, env)
    found = json.loads(run("answer", "--json", answer["id"], **env).out)
    assert [hit["path"] for hit in found["hits"]] == [hit["path"] for hit in answer["hits"]]
    assert found["citations"][0]["state"] == "current"
    assert found["timings_ms"] == answer["timings_ms"]


def test_an_answer_that_is_not_known_is_named(run, env):
    shown = run("answer", "ans_0", **env)
    assert (shown.code, shown.out) == (66, "")
    assert "no record" in shown.err


def test_a_backup_holds_no_record(run, env, tmp_path):
    id_ = asked(run, env)["id"]
    run("backup", str(tmp_path / "backup"), **env)
    other = env | {"NUTGRAF_DATA_DIR": str(tmp_path / "restored")}
    assert run("restore", str(tmp_path / "backup"), **other).code == 0
    assert run("answer", id_, **other).code == 66


def test_an_evaluation_records_nothing(run, env, tmp_path):
    line = {"id": "a", "kind": "fact", "question": QUESTION, "answer_all": ["2021"], "answerable": True}
    (tmp_path / "questions.jsonl").write_text(json.dumps(line) + "\n")
    assert run("eval", str(tmp_path / "questions.jsonl"), **env).code == 0
    assert not list((tmp_path / "data").glob("answers.db*"))
    shutil.rmtree(tmp_path / "data")
