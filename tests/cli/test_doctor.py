"""`nutgraf doctor`: plain words for what is wrong, and exit 1 only for what does not work."""

import json
from pathlib import Path

import pytest
from llm_server import fake_llm

from qa.cli.doctor import HINTS

pytestmark = pytest.mark.enable_socket


def test_a_wrong_setting_is_named(run) -> None:
    done = run("doctor", NUTGRAF_PORT="x")
    assert done.code == 1
    assert done.out.startswith("wrong settings: NUTGRAF_PORT takes a whole number")


def test_a_fresh_machine_has_notes_and_nothing_wrong(run, tmp_path: Path) -> None:
    done = run("doctor", NUTGRAF_DATA_DIR=str(tmp_path / "none"))
    assert done.code == 0
    assert f"note  data folder: {tmp_path}/none is not there yet" in done.out
    assert "ok    LLM: none is set" in done.out


def test_json_has_each_part(run, tmp_path: Path) -> None:
    found = json.loads(run("doctor", "--json", NUTGRAF_DATA_DIR=str(tmp_path / "none")).out)
    assert found["ok"] is True
    assert [part["part"] for part in found["parts"]] == ["settings", "data folder", "LLM"]


@pytest.mark.parametrize(
    ("mode", "code"),
    [
        ("good", None),
        ("status_401", "llm_auth"),
        ("html", "llm_bad_response"),
        ("status_404", "llm_unavailable"),
    ],
)
def test_the_llm_is_asked_and_its_trouble_comes_with_a_hint(
    run, tmp_path: Path, mode: str, code: str | None
) -> None:
    with fake_llm(mode) as server:
        env = {"NUTGRAF_LLM_BASE_URL": server.base_url, "NUTGRAF_LLM_MODEL": "fake-1"}
        done = run("doctor", NUTGRAF_DATA_DIR=str(tmp_path / "none"), **env)
    assert done.code == (0 if code is None else 1)
    last = done.out.splitlines()[-1]
    assert last.endswith(f"({code}); {HINTS[code]}" if code else "/v1 answers")
