"""What a compressed bomb from an LLM endpoint costs in memory, measured in a process of its own."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

FAKE = Path(__file__).parents[1] / "fakes" / "llm_server.py"
MOST_MIB = 64
"""Growth allowed; the bomb alone unpacks to as much."""

PEAK = """
import re, sys
from pathlib import Path

def peak():
    # not getrusage: what it gives begins with the size of the process that was forked
    return int(re.search(r"VmHWM:\\s+(\\d+) kB", Path("/proc/self/status").read_text())[1]) / 1024
"""
CLIENT = (
    PEAK
    + """
from qa.llm import LLM, LLMConfig

llm = LLM(LLMConfig("m", sys.argv[1], ttft_s=20, gap_s=20, total_s=30))
llm.warm()
ask = [{"role": "user", "content": "?"}]
before = peak()
outcome = llm.complete(ask)
print(type(outcome).__name__, getattr(outcome, "code", ""), peak() - before)
"""
)
CARELESS = (
    PEAK
    + """
import httpx

before = peak()
body = httpx.post(sys.argv[1] + "/chat/completions", json={}).content
print("Read", "", peak() - before)
"""
)


@pytest.fixture(params=["gzip_bomb", "gzip_bomb_in_an_error"])
def bomb(request: pytest.FixtureRequest) -> Iterator[str]:
    """The address of an endpoint, in another process, that sends the bomb."""
    command = [sys.executable, str(FAKE), request.param]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        try:
            yield server.stdout.readline().strip()
        finally:
            server.terminate()


def grown(client: str, url: str) -> tuple[str, float]:
    """What came of the call, and by how many MiB the client's process grew at most."""
    done = subprocess.run([sys.executable, "-c", client, url], capture_output=True, text=True, check=True)
    kind, *_, mib = done.stdout.split()
    return kind, float(mib)


def test_a_bomb_is_turned_down_before_it_unpacks(bomb: str) -> None:
    kind, mib = grown(CLIENT, bomb)
    assert kind == "Unavailable"
    assert mib < MOST_MIB


def test_a_client_that_takes_it_would_grow(bomb: str) -> None:
    assert grown(CARELESS, bomb)[1] > MOST_MIB
