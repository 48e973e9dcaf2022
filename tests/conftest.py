"""What every test may rely on: no settings from the person's own shell, and (pytest-socket) no network but loopback."""

import fcntl
import gc
import os
import shutil
import subprocess
from collections.abc import Generator, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
from local_llm import NoWeightsError, local_llm, weights

ROOT = Path(__file__).parents[1]
OURS = ("NUTGRAF_", "OPENAI_")


LONG_S = 300
"""A test that is given as much begins early: at the end one core would wait for it."""


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Modules with long tests first; among them, and among the others, the order stays the random one."""
    limits = ((item.path, item.get_closest_marker("timeout")) for item in items)
    long = {path for path, limit in limits if limit is not None and limit.args[0] >= LONG_S}
    items.sort(key=lambda item: item.path not in long)


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    """Where processes share the tests, one marked `alone` waits for the others and they for it; limits count from then."""
    if "PYTEST_XDIST_WORKER" not in os.environ:
        return (yield)
    alone = item.get_closest_marker("alone") is not None
    with ExitStack() as stack:
        # whoever waits to be alone keeps the others from beginning
        with _locked(ROOT / "pyproject.toml", fcntl.LOCK_EX):
            stack.enter_context(_locked(Path(__file__), fcntl.LOCK_EX if alone else fcntl.LOCK_SH))
        return (yield)


@contextmanager
def _locked(path: Path, how: int) -> Iterator[None]:
    with path.open("rb") as file:
        fcntl.flock(file, how)
        yield
        fcntl.flock(file, fcntl.LOCK_UN)  # also where a child that was forked still has the file


def pytest_collection_finish() -> None:
    """What was collected stays to the end: a search for garbage need not go through it, and stop a server for it."""
    gc.collect()
    gc.freeze()


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
