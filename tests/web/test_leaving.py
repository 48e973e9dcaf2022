"""Clients that leave at any moment, over each way to ask: the endpoint is hung up on at once and nothing is left."""

import asyncio
import gc
import json
import random
import re
import select
import socket
import struct
import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import psutil
import pytest
from llm_server import Exchange, FakeLLM, chunk, fake_llm
from remembering import Remembering

from qa.llm import LLM, LLMConfig

LONGEST_S = 0.5
"""From the client's leaving to the end of what it had asked for."""
AT_ONCE = 4
WAITS_S = 0.4
"""The latest a client leaves."""
ANSWER = "Austin's call with Wei lasted about 45 minutes. "

COUNTS = [200, pytest.param(1000, marks=[pytest.mark.deep, pytest.mark.timeout(900)])]
NUMBER = re.compile(r"call number ([0-9]+)")


def _chat(question: str, *, stream: bool) -> dict[str, object]:
    return {"model": "nutgraf", "messages": [{"role": "user", "content": question}], "stream": stream}


def _tool(question: str) -> dict[str, object]:
    call = {"name": "ask", "arguments": {"question": question}}
    return {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": call}


WAYS = {
    "plain": ("/v1/query", lambda question: {"question": question}),
    "sse": ("/v1/query", lambda question: {"question": question, "stream": True}),
    "chat": ("/v1/chat/completions", lambda question: _chat(question, stream=False)),
    "chat_stream": ("/v1/chat/completions", lambda question: _chat(question, stream=True)),
    "responses_stream": (
        "/v1/responses",
        lambda question: {"model": "nutgraf", "input": question, "stream": True},
    ),
    "mcp": ("/mcp", _tool),
}


class Upstream:
    """What the endpoint sees: for each question when its connection opened, and when it was hung up on."""

    def __init__(self) -> None:
        self.opened: dict[int, float] = {}
        self.ended: dict[int, float] = {}

    def __call__(self, x: Exchange) -> None:
        number = int(NUMBER.findall(json.dumps(x.request.body))[-1])
        self.opened[number] = time.monotonic()
        try:
            self._speak(x, number)
        except OSError:
            pass  # hung up on while it was writing
        finally:
            self.ended[number] = time.monotonic()

    def _speak(self, x: Exchange, number: int) -> None:
        """Silence, a head and silence, or an answer without an end."""
        if number % 3:
            x.head()
        pause = 0.02 if number % 3 == 1 else 60.0
        while not x.server.stopped.is_set():
            if pause < 1:
                x.event(chunk({"content": ANSWER}))
            readable, _, _ = select.select([x.conn], [], [], pause)
            if readable and not x.conn.recv(1024):
                return


@pytest.fixture(scope="module")
def upstream() -> Upstream:
    return Upstream()


@pytest.fixture(scope="module")
def fake(upstream: Upstream) -> Iterator[FakeLLM]:
    with fake_llm(upstream) as server:
        yield server


@pytest.fixture(scope="module")
def server(over, fake: FakeLLM):
    running = over(LLM(LLMConfig("m", fake.base_url)))
    service = running.state.service
    service._index = Remembering(service._index, same=lambda query: NUMBER.sub("call", query))
    return running


def leave(port: int, way: str, number: int, stay_s: float) -> float:
    """Ask, stay for a while, and go: half with a reset. The moment of leaving."""
    path, body = WAYS[way]
    data = json.dumps(body(f"How long did Austin's call number {number} with Wei last?")).encode()
    lines = [
        f"POST {path} HTTP/1.1",
        f"Host: 127.0.0.1:{port}",
        "Content-Type: application/json",
        "Accept: application/json, text/event-stream",
        f"Content-Length: {len(data)}",
    ]
    with socket.create_connection(("127.0.0.1", port)) as client:
        client.sendall("\r\n".join(lines).encode() + b"\r\n\r\n" + data)
        time.sleep(stay_s)
        if number % 2:
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        return time.monotonic()


def left_behind(server, fake: FakeLLM) -> Counter[str]:
    """Tasks of the server's loop, threads of ours, and open connections to the server or the endpoint."""
    loop = server.server.servers[0].get_loop()
    tasks = asyncio.run_coroutine_threadsafe(_tasks(), loop).result(10)
    threads = [t.name for t in threading.enumerate() if t.name in {"llm", "nutgraf-ask", "hang-up"}]
    ports = {server.port, fake.port}
    sockets = [
        "socket"
        for found in psutil.Process().net_connections("tcp")
        if found.status in {"ESTABLISHED", "CLOSE_WAIT"} and {found.laddr.port, found.raddr.port} & ports
    ]
    return Counter([*tasks, *threads, *sockets])


async def _tasks() -> list[str]:
    return [str(task.get_coro()) for task in asyncio.all_tasks() if task is not asyncio.current_task()]


@pytest.mark.alone
@pytest.mark.timeout(120)
@pytest.mark.parametrize("count", COUNTS)
def test_leaving_ends_the_spending_and_leaves_nothing_behind(
    server, fake: FakeLLM, upstream: Upstream, count: int
) -> None:
    dice = random.Random(count)
    leave(server.port, "mcp", 10**6, 3.0)  # loads the SDK and the models, and fills the index's memory
    _settle(server, fake)
    upstream.opened.clear()
    upstream.ended.clear()
    before = sum(left_behind(server, fake).values())
    # what thousands of other tests left in this process is no part of the server, and a search for garbage in it
    # stops every thread
    gc.collect()
    gc.freeze()
    plan = [(dice.choice(list(WAYS)), number, dice.uniform(0, WAITS_S)) for number in range(count)]
    with ThreadPoolExecutor(AT_ONCE) as clients:
        left = list(clients.map(lambda each: leave(server.port, *each), plan))
    _settle(server, fake)
    late = {
        number: round(ended - left[number], 3)
        for number, ended in upstream.ended.items()
        if ended - left[number] > LONGEST_S
    }
    print(f"{count} left, {len(upstream.opened)} after the endpoint was asked; late: {late}")
    assert upstream.opened.keys() == upstream.ended.keys()
    assert len(upstream.opened) > count / 3, "most of them left before anything had begun"
    assert late == {}
    assert sum(left_behind(server, fake).values()) <= before, left_behind(server, fake)
    assert server.state._asking == 0


def _settle(server, fake: FakeLLM) -> None:
    """Wait until nothing of a request is left, as long as that may take."""
    deadline = time.monotonic() + 5
    while time.monotonic() < deadline:
        found = left_behind(server, fake)
        if server.state._asking == 0 and not {"llm", "nutgraf-ask", "socket"} & found.keys():
            return
        time.sleep(0.05)
