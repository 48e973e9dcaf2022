import asyncio
import dataclasses
import io
import os
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import fake_service
import httpx
import pytest
import uvicorn

from qa.api.app import app_of
from qa.api.server import _config
from qa.api.state import State
from qa.logs import Log
from qa.service import Service
from qa.settings import Settings

ROOT = Path(__file__).parents[2]
KEY = "k" * 32


@pytest.fixture(scope="session")
def fake():
    """The module with the fake service."""
    return fake_service


@pytest.fixture(scope="session")
def real(tmp_path_factory):
    """The real service over the five articles of `seeds/`."""
    opened = Service.open(Settings(data_dir=tmp_path_factory.mktemp("data"), port=80), writable=True)
    opened.sync(ROOT / "seeds")
    yield opened
    opened.close()


@pytest.fixture
def settings():
    return Settings(port=80)


@pytest.fixture
def service(fake, settings):
    return fake.FakeService(settings)


@pytest.fixture
def log_lines():
    return io.StringIO()


@pytest.fixture
def state(service, log_lines):
    return State(service.settings, Log(log_lines, "debug"), service, heartbeat_s=0.2)


@pytest.fixture
def app(state):
    return app_of(state)


@pytest.fixture
def call(app):
    """Send one request to the app in process: call(method, path, **as httpx takes it)."""

    async def send(method, path, **options):
        transport = httpx.ASGITransport(app=app)
        async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
            return await client.request(method, path, **options)

    def run(method, path, **options):
        return asyncio.run(send(method, path, **options))

    return run


class Running:
    """A real server in a thread of this process, with the state it runs on; the listener is open all the while."""

    def __init__(self, state, listener):
        self.state = state
        self.server = uvicorn.Server(_config(state))
        self.thread = threading.Thread(target=self.server.run, args=([listener],), daemon=True)

    def __enter__(self):
        self.thread.start()
        while not self.server.started:
            time.sleep(0.01)
        self.port = self.server.servers[0].sockets[0].getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        return self

    def __exit__(self, *_):
        self.server.should_exit = True
        self.thread.join(10)


@pytest.fixture
def running():
    """Start servers in threads: running(service, **settings)."""
    started = []

    def start(service, log_lines=None, protocol=None, heartbeat_s=10.0):
        listener = socket.create_server(("127.0.0.1", 0))
        service.settings = service.settings.bound_to(listener.getsockname()[1])
        state = State(service.settings, Log(log_lines or io.StringIO()), service, heartbeat_s=heartbeat_s)
        run = Running(state, listener)
        if protocol is not None:
            run.server.config.http = protocol
        started.append(run)
        return run.__enter__()

    yield start
    for run in started:
        run.__exit__()


@pytest.fixture(scope="session")
def over(real):
    """Start a server over the index of `real` for the whole run: over(llm=LLM(...), api_key=...)."""
    started = []

    def start(llm=None, **settings):
        listener = socket.create_server(("127.0.0.1", 0))
        made = dataclasses.replace(real.settings, **settings).bound_to(listener.getsockname()[1])
        service = Service(made, real._index, llm)
        run = Running(State(made, Log(io.StringIO()), service), listener)
        started.append(run)
        return run.__enter__()

    yield start
    for run in started:
        run.__exit__()


class Program:
    """The fake service as a process of its own."""

    def __init__(self, **env):
        self.process = subprocess.Popen(
            [sys.executable, "-u", fake_service.__file__],
            env={"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), **env},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def ready(self):
        """The first line it prints."""
        return self.process.stdout.readline().strip()

    def url(self):
        return self.ready().rsplit(" ", 1)[1].rstrip("/")

    def end(self, timeout=20):
        """What it leaves: exit code, the rest of stdout, stderr."""
        out, err = self.process.communicate(timeout=timeout)
        return self.process.returncode, out, err


@pytest.fixture
def program():
    """Start programs: program(NUTGRAF_PORT="0")."""
    started = []

    def start(**env):
        run = Program(**{"NUTGRAF_PORT": "0", **env})
        started.append(run)
        return run

    yield start
    for run in started:
        if run.process.poll() is None:
            run.process.kill()
        run.process.communicate()


@pytest.fixture
def key():
    return KEY
