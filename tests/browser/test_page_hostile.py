"""Hostile texts in every field that holds text: no script runs, nothing is loaded, nothing leads elsewhere."""

import contextlib
import http.server
import threading

import hostile_markup
import pytest
from hostile_service import HostileService
from llm_server import FakeLLM
from markdown_it import MarkdownIt
from playwright.sync_api import Error

from qa.service import Service
from qa.settings import Settings

COUNTS = [60, pytest.param(500, marks=[pytest.mark.deep, pytest.mark.timeout(900)])]
FOREIGN = """
() => {
  const made = "script, img, svg, style, link, iframe, object, embed, base, meta, video, audio, details, xss, " +
    "marquee, math, form:not(#ask, [method=dialog])";
  const odd = (element) => [...element.attributes].some(({ name }) => /^on|^style$|^ping$/.test(name));
  const away = (link) => link.origin !== location.origin;
  return [
    ...document.body.querySelectorAll(made),
    ...[...document.body.querySelectorAll("*")].filter(odd),
    ...[...document.links].filter(away),
  ].map((element) => element.outerHTML.slice(0, 200));
}
"""


def assert_only_text(page):
    """No element or attribute that a text could have made, and no link that leads to another origin."""
    assert page.evaluate(FOREIGN) == []


@pytest.fixture
def hostile(serve, attacker):
    """Serve hostile texts: (address, texts)."""

    def start(count):
        texts = list(hostile_markup.payloads(attacker.url, count))
        return serve(HostileService(texts)), texts

    return start


@pytest.mark.parametrize("count", COUNTS)
def test_hostile_answers_are_text(tab, hostile, attacker, ask, count):
    page = tab()
    url, texts = hostile(count)
    page.goto(url)
    for number in range(count):
        shown = ask(page, f"ask {number}").locator(".said").inner_text()
        assert bool(shown.strip()) == bool(texts[number].strip())
        if number % 60 == 59:
            assert_only_text(page)
            page.click("#new")
    assert page.ran == []
    assert attacker.calls == []


def test_hostile_refusals_errors_and_history_are_text(tab, hostile, attacker, ask):
    page = tab()
    url, _ = hostile(60)
    page.goto(url)
    for number in range(0, 60, 2):
        ask(page, f"refuse {number}")
        ask(page, f"fail {number + 1}")
    assert_only_text(page)
    page.reload()
    assert page.locator(".turn").count() == 30
    page.click("#past")
    assert_only_text(page)
    assert page.ran == []
    assert attacker.calls == []


def test_hostile_questions_are_text(tab, hostile, attacker, ask):
    page = tab()
    url, texts = hostile(60)
    page.goto(url)
    for text in texts:
        ask(page, text)
    assert_only_text(page)
    page.reload()
    page.locator(".turn").last.wait_for()
    page.click("#past")
    assert_only_text(page)
    assert page.ran == []
    assert attacker.calls == []


@pytest.mark.parametrize("count", COUNTS)
def test_hostile_documents_are_text(tab, hostile, attacker, count):
    page = tab()
    url, _ = hostile(count)
    page.goto(f"{url}/documents")
    page.locator("tbody tr").nth(min(count, 100) - 1).wait_for()
    assert_only_text(page)
    for number in range(count):
        page.goto(f"{url}/documents/d{number}?start=1&end=9#p1")
        assert_only_text(page)
    assert page.ran == []
    assert attacker.calls == []


def test_hostile_file_names_are_text(tab, url, attacker):
    page = tab()
    page.goto(f"{url}/documents")
    names = [text.replace("/", "_").replace("\0", "") for text in hostile_markup.payloads(attacker.url)]
    files = [{"name": name, "mimeType": "text/plain", "buffer": b"\0"} for name in names]
    page.set_input_files("#files", files)
    page.locator("#uploads li").nth(len(names) - 1).wait_for()
    page.locator("#uploads progress").first.wait_for(state="detached", timeout=20_000)
    page.locator("#uploads [data-state=rejected]").nth(len(names) - 1).wait_for()
    assert_only_text(page)
    assert page.ran == []
    assert attacker.calls == []


def test_a_hostile_llm_and_hostile_documents_together_are_text(tab, serve, attacker, ask, tmp_path):
    texts = [text for text in hostile_markup.payloads(attacker.url) if "\n" not in text][:12]
    facts = [f"The lighthouse of Texel {text} is 45 metres high." for text in texts]
    with FakeLLM(("good",), " ".join(facts)) as llm:
        settings = Settings(data_dir=tmp_path, llm_base_url=llm.base_url, llm_model="fake-1")
        with Service.open(settings, writable=True) as service:
            service.create_collection("default")
            service.put("lighthouse.txt", "\n\n".join(facts).encode())
            page = tab()
            page.goto(serve(service))
            turn = ask(page, "How high is the lighthouse of Texel?")
            assert turn.locator(".sentence").count() > 0
            page.locator("#source .near").first.wait_for()
            assert_only_text(page)
    assert llm.requests != []
    assert page.ran == []
    assert attacker.calls == []


@pytest.fixture
def careless(attacker):
    """A page that renders the texts as Markdown and lets them do what they like."""
    texts = list(hostile_markup.payloads(attacker.url))
    markdown = MarkdownIt("commonmark", {"html": True})

    class Careless(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            number = self.path.strip("/")
            body = markdown.render(texts[int(number)]) if number.isdigit() else ""
            self.send_response(200)
            self.send_header("Content-Type", "text/html; charset=utf-8")
            self.end_headers()
            self.wfile.write(body.encode())

        def log_message(self, *_):
            """Nothing is printed."""

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Careless) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def test_control_a_careless_page_runs_and_loads_what_these_texts_hold(tab, careless, attacker):
    """Else the tests above would prove nothing."""
    page = tab()
    ran = loaded = 0
    for number in range(60):
        page.ran.clear()
        attacker.calls.clear()
        with contextlib.suppress(Error):  # some of them lead the page away at once
            page.goto(f"{careless}/{number}", wait_until="load", timeout=5_000)
        page.wait_for_timeout(30)
        ran += bool(page.ran)
        loaded += bool(attacker.calls)
    assert ran >= 15
    assert loaded >= 15
