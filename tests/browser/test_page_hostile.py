"""Hostile texts in every field that holds text: no script runs, nothing is loaded, nothing leads elsewhere."""

import contextlib
import http.server
import threading

import hostile_markup
import pytest
from fake_service import FakeService
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
    page.locator(".turn").nth(29).wait_for()
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
def site():
    """Serve other people's pages: site([html, ...]) gives an address; page N is at /N."""
    running = []

    def start(pages):
        class Page(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                number = self.path.strip("/")
                self.send_response(200)
                self.send_header("Content-Type", "text/html; charset=utf-8")
                self.end_headers()
                self.wfile.write(pages[int(number)].encode() if number.isdigit() else b"")

            def log_message(self, *_):
                """Nothing is printed."""

        running.append(http.server.ThreadingHTTPServer(("127.0.0.1", 0), Page))
        threading.Thread(target=running[-1].serve_forever, daemon=True).start()
        return f"http://127.0.0.1:{running[-1].server_port}"

    yield start
    for server in running:
        server.shutdown()
        server.server_close()


@pytest.fixture
def careless(site, attacker):
    """A page that renders the texts as Markdown and lets them do what they like."""
    markdown = MarkdownIt("commonmark", {"html": True})
    return site([markdown.render(text) for text in hostile_markup.payloads(attacker.url)])


INTRUDER = """
<iframe src="{url}/"></iframe> <img src="{url}/static/x/icon.svg"> <script src="{url}/v1/documents"></script>
<script>
  const body = JSON.stringify({question: "the call"});
  const headers = {"Content-Type": "application/json"};
  const tries = [
    fetch("{url}/v1/documents"),
    fetch("{url}/v1/query", {method: "POST", headers, body}),
    fetch("{url}/v1/query", {method: "POST", mode: "no-cors", body}).then((response) => response.text()),
    fetch("{url}/v1/documents/d", {method: "DELETE"}),
  ];
  Promise.allSettled(tries).then((all) => document.body.append(JSON.stringify(all.map((one) => one.value || ""))));
</script>
"""


def test_a_page_on_another_port_reaches_nothing(tab, serve, site):
    service = FakeService()
    address = site([INTRUDER.replace("{url}", serve(service))])
    page = tab()
    page.goto(f"{address}/0")
    page.get_by_text('["","","",""]').wait_for()
    assert page.frames[1].url == "chrome-error://chromewebdata/"
    assert not service.entered.is_set()


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
