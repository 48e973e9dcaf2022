"""What every test may rely on: no settings from the person's own shell, and (pytest-socket) no network but loopback."""

import os
import shutil
import subprocess
from collections.abc import Iterator

import pytest
from local_llm import NoWeightsError, local_llm, weights

OURS = ("NUTGRAF_", "OPENAI_")


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith(OURS)]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")


@pytest.fixture(scope="session")
def strace() -> list[str]:
    """A command that makes system calls of the command after it fail, or kills it there."""
    program = shutil.which("strace")
    if (
        program is None
        or subprocess.run([program, "-qq", "true"], check=False, capture_output=True).returncode
    ):
        pytest.skip("strace cannot trace here")
    return [program, "-f", "-qq", "-o", os.devnull]


@pytest.fixture(scope="session")
def llm_url() -> Iterator[str]:
    """Base URL of a real LLM server with a very small model."""
    try:
        weights()
    except NoWeightsError as error:
        pytest.skip(str(error))
    with local_llm() as base_url:
        yield base_url
