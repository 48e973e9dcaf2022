"""A model from a file: answered by llama.cpp in a process that is ours, and gone when we are."""

import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from local_llm import NoWeightsError, weights

from qa.errors import LLMUnavailableError, SettingsError
from qa.llm import Complete, LLMConfig, Unavailable
from qa.local_llm import LlamaServer, LocalLLM, _environment, llm_of
from qa.settings import Secret, Settings

pytestmark = [pytest.mark.llm, pytest.mark.enable_socket, pytest.mark.timeout(180)]

ROOT = Path(__file__).resolve().parents[2]
ASK = [{"role": "user", "content": "What is the capital of France? Answer in one short sentence."}]
PARENT = """
import sys, threading, time
from pathlib import Path
from qa.local_llm import LlamaServer
server = LlamaServer(Path(sys.argv[1]), "m", context=512, threads=1)
def start():
    server.endpoint()
    print("up", flush=True)
threading.Thread(target=start, daemon=True).start()
while server.pid is None:
    time.sleep(0.001)
print(server.pid, flush=True)
time.sleep(60)
"""


@pytest.fixture(scope="module")
def gguf() -> Path:
    try:
        return weights()
    except NoWeightsError as error:
        pytest.skip(str(error))


@pytest.fixture(scope="module")
def llm(gguf: Path) -> Iterator[LocalLLM]:
    made = llm_of(Settings.from_env({"NUTGRAF_LLM_GGUF": str(gguf), "OPENAI_API_KEY": "sk-elsewhere"}))
    assert isinstance(made, LocalLLM)
    yield made
    made.close()


def gone(pid: int) -> bool:
    with_time_for_it = time.monotonic() + 5
    while time.monotonic() < with_time_for_it:
        if not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE:
            return True
        time.sleep(0.02)
    return False


def test_a_file_answers_like_an_endpoint(llm: LocalLLM, gguf: Path) -> None:
    pieces: list[str] = []
    outcome = llm.complete(ASK, on_text=pieces.append)
    assert isinstance(outcome, Complete)
    assert "Paris" in outcome.text
    assert len(pieces) > 1
    assert outcome.model == llm.config.model == gguf.stem


def test_it_counts_tokens_as_its_model_does(llm: LocalLLM) -> None:
    outcome = llm.complete(ASK)
    assert isinstance(outcome, Complete)
    own = llm.count_tokens(ASK[0]["content"])
    assert own is not None
    assert own <= outcome.usage["prompt_tokens"] <= own + 64, "the rest is the model's template"
    assert llm.count_tokens("") == 0
    assert llm.count_tokens("中文字" * 50) > 100


def test_it_is_reached_on_loopback_with_a_key_of_its_own(llm: LocalLLM) -> None:
    llm.warm()
    assert llm.config.base_url.startswith("http://127.0.0.1:")
    assert llm.config.api_key not in (None, Secret("sk-elsewhere"))
    with pytest.raises(urllib.error.HTTPError, match="401"):
        urllib.request.urlopen(f"{llm.config.base_url}/models", timeout=10)


def test_its_key_is_on_no_command_line_and_in_no_environment(llm: LocalLLM) -> None:
    llm.warm()
    process = psutil.Process(llm.server.pid)
    key = llm.config.api_key.reveal()
    assert key not in " ".join([*process.cmdline(), *process.environ().values()])


def test_its_threads_wait_without_spinning_and_it_gets_none_of_our_keys(monkeypatch) -> None:
    monkeypatch.setenv("NUTGRAF_API_KEY", "k" * 20)
    monkeypatch.setenv("OPENAI_API_KEY", "sk-elsewhere")
    given = _environment()
    assert given["OMP_WAIT_POLICY"] == "passive"
    assert not [name for name in given if name.startswith(("NUTGRAF_", "OPENAI_"))]


def test_a_process_that_died_is_started_again(llm: LocalLLM) -> None:
    llm.warm()
    before = llm.server.pid
    os.kill(before, signal.SIGKILL)
    while llm.server._child.poll() is None:
        time.sleep(0.01)
    assert isinstance(llm.complete(ASK), Complete)
    assert llm.server.pid != before


def test_closing_ends_the_process(gguf: Path) -> None:
    server = LlamaServer(gguf, "m", context=512, threads=1)
    server.endpoint()
    server.close()
    assert gone(server.pid)


@pytest.mark.parametrize("when", ["loading", "serving"])
def test_it_dies_with_a_parent_that_is_killed(gguf: Path, when: str) -> None:
    command = [sys.executable, "-c", PARENT, str(gguf)]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, text=True, env={"PYTHONPATH": str(ROOT)}
    ) as parent:
        pid = int(parent.stdout.readline())
        if when == "serving":
            assert parent.stdout.readline() == "up\n"
        else:
            # until the weights are mapped, which is the beginning of loading
            while not any(each.path == str(gguf) for each in psutil.Process(pid).memory_maps()):
                time.sleep(0.001)
        parent.kill()
        assert gone(pid)


def test_the_kernel_ends_it_whatever_it_does_when_the_other_side_of_its_input_closes() -> None:
    busy = "from qa.llama_worker import end_with_parent as end; end(); print('up', flush=True); 9 ** 9 ** 9"
    env = {"PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-c", busy]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=env) as child:
        assert child.stdout.readline() == b"up\n"
        child.stdin.close()
        assert child.wait(5) == -signal.SIGIO


@pytest.mark.parametrize(
    ("content", "words"), [(None, "No such file"), (b"MZ", "not a GGUF file"), (b"GGUF", "cannot serve")]
)
def test_a_file_that_is_no_model_is_told_in_words(tmp_path: Path, content: bytes | None, words: str) -> None:
    path = tmp_path / "m.gguf"
    if content is not None:
        path.write_bytes(content)
    llm = LocalLLM(LLMConfig("m"), LlamaServer(path, "m", context=512, threads=1))
    outcome = llm.complete(ASK)
    assert isinstance(outcome, Unavailable)
    assert words in outcome.detail
    assert llm.complete(ASK) == outcome
    llm.close()


def test_a_file_that_is_not_there_stops_the_program_like_any_wrong_setting(tmp_path: Path) -> None:
    settings = Settings.from_env({"NUTGRAF_LLM_GGUF": str(tmp_path / "m.gguf")})
    with pytest.raises(SettingsError, match=r"NUTGRAF_LLM_GGUF: .*No such file"):
        llm_of(settings)


def test_without_the_extra_it_says_what_to_install(monkeypatch, gguf: Path) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(LLMUnavailableError, match=r"pip install 'nutgraf\[local\]'"):
        LlamaServer(gguf, "m", context=512, threads=1).endpoint()
