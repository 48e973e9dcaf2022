"""A real HTTP server over a scripted source, and the command line run in this process."""

import contextlib
import io
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest
import uvicorn
from scripted import ScriptedSource

from qa.api.app import app_of
from qa.api.state import State
from qa.cli.main import main
from qa.logs import Log
from qa.settings import Settings

Serve = Callable[..., str]


@dataclass(frozen=True, slots=True)
class Ran:
    """What a run of the command line left behind."""

    code: int
    out: str
    err: str


Run = Callable[..., Ran]


@contextlib.contextmanager
def served(source: ScriptedSource, settings: Settings) -> Iterator[str]:
    """The URL of the API over a source."""
    listener = socket.create_server(("127.0.0.1", 0))
    source.settings = settings.bound_to(listener.getsockname()[1])
    app = app_of(State(source.settings, Log(io.StringIO()), source))
    server = uvicorn.Server(uvicorn.Config(app, log_config=None, lifespan="off", timeout_graceful_shutdown=1))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    try:
        yield source.settings.public_base_url
    finally:
        server.should_exit = True
        thread.join(10)
        listener.close()


@pytest.fixture
def serve() -> Iterator[Serve]:
    """serve(source, **settings) starts a server and gives its URL."""
    with contextlib.ExitStack() as stack:
        yield lambda source, **more: stack.enter_context(served(source, Settings(**more)))


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Run:
    """run("ask", "How long?", stdin="") runs a command in this process."""

    def go(*words: str, stdin: str = "", **env: str) -> Ran:
        for name, value in env.items():
            monkeypatch.setenv(name, value)
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin.encode())))
        try:
            code = main(words)
        except SystemExit as stopped:
            code = int(stopped.code or 0)
        out, err = capsys.readouterr()
        return Ran(code, out, err)

    return go
