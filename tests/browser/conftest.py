"""A real Chromium against a real server. Without a Chromium these tests are skipped, and say so."""

import io
import shutil
import socket
import threading
import time
from pathlib import Path

import pytest
import uvicorn
from playwright.sync_api import sync_playwright

from qa.api.server import _config
from qa.api.state import State
from qa.logs import Log
from qa.service import Service
from qa.settings import Settings

ROOT = Path(__file__).parents[2]
FLAGS = (
    "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking "
    "--disable-component-update --disable-sync"
).split()
WATCH = """
window.addEventListener("securitypolicyviolation", (event) => ran(`blocked ${event.violatedDirective}`));
window.addEventListener("error", (event) => ran(`error ${event.message}`));
"""


def pytest_collection_modifyitems(items):
    for item in items:
        if Path(item.fspath).parent == Path(__file__).parent:
            item.add_marker(pytest.mark.browser)


@pytest.fixture(scope="module")
def browser():
    """Chromium, driven by Playwright; for one module, since Playwright's event loop bars any other from the thread."""
    found = shutil.which("chromium") or shutil.which("chromium-browser")
    if found is None:
        pytest.skip("no Chromium: apt-get install chromium")
    with sync_playwright() as playwright:
        yield playwright.chromium.launch(executable_path=found, args=FLAGS)


@pytest.fixture
def tab(browser):
    """Open a page of its own: tab(width=1280, ...). What ran or was blocked in it is in its list `ran`."""
    opened = []

    def start(width=1280, height=800, **options):
        context = browser.new_context(viewport={"width": width, "height": height}, **options)
        opened.append(context)
        page = context.new_page()
        page.set_default_timeout(10_000)
        page.ran = []
        context.expose_function("ran", lambda what: page.ran.append(what))  # noqa: PLW0108 - Playwright marks it
        context.add_init_script(WATCH)
        page.on("dialog", lambda dialog: (page.ran.append(dialog.message), dialog.dismiss()))
        page.on("pageerror", lambda error: page.ran.append(str(error)))
        return page

    yield start
    for context in opened:
        context.close()


class Running:
    """A server in a thread of this process."""

    def __init__(self, service):
        listener = socket.create_server(("127.0.0.1", 0))
        port = listener.getsockname()[1]
        service.settings = service.settings.bound_to(port)
        self.url = f"http://127.0.0.1:{port}"
        self.state = State(service.settings, Log(io.StringIO()), service)
        self.server = uvicorn.Server(_config(self.state))
        self.thread = threading.Thread(target=self.server.run, args=([listener],), daemon=True)
        self.thread.start()
        while not self.server.started:
            time.sleep(0.01)

    def stop(self):
        self.server.should_exit = True
        self.thread.join(10)


@pytest.fixture(scope="session")
def service(tmp_path_factory):
    """The real service over the five articles of `seeds/`."""
    opened = Service.open(Settings(data_dir=tmp_path_factory.mktemp("data")), writable=True)
    opened.sync(ROOT / "seeds")
    opened.ready()
    yield opened
    opened.close()


@pytest.fixture
def serve():
    """Serve a service: its address."""
    running = []

    def start(service):
        running.append(Running(service))
        return running[-1].url

    yield start
    for each in running:
        each.stop()


@pytest.fixture
def url(service, serve):
    """Where the real service is served."""
    return serve(service)


@pytest.fixture
def ask():
    """Ask on a page and wait for the whole answer: its turn."""

    def run(page, question):
        page.fill("#question", question)
        page.press("#question", "Enter")
        turn = page.locator(".turn").last
        turn.locator(".foot, .note, .abstained").first.wait_for(state="attached")
        return turn

    return run


class Attacker:
    """A listener nobody may call: it counts connections, whatever they ask."""

    def __init__(self):
        self.calls = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        threading.Thread(target=self._listen, daemon=True).start()

    def _listen(self):
        while True:
            try:
                conn, _ = self._listener.accept()
            except OSError:
                return
            with conn:
                conn.settimeout(1)
                self.calls.append(conn.recv(4096).split(b"\r\n")[0])
                conn.sendall(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")

    def close(self):
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()


@pytest.fixture
def attacker():
    """The second loopback port."""
    listening = Attacker()
    yield listening
    listening.close()
