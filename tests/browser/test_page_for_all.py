"""By keyboard alone, with a screen reader, behind a key; stopping, disagreement and the evaluation view."""

import dataclasses
import http.server
import re
import threading

import fake_service
import pytest
import scripted
from axe_playwright_python.sync_playwright import Axe

from qa.settings import Secret
from qa.types import Sentence

KEY = "k" * 32


@pytest.fixture
def small(serve):
    """Serve a small service that answers by word overlap; it is given back with its address."""

    def start(**settings):
        service = fake_service.FakeService()
        service.settings = dataclasses.replace(service.settings, **settings)
        return serve(service), service

    return start


@pytest.fixture
def other_site():
    """Serve a page of another site: its address."""
    running = []

    def start(html):
        class Page(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                self.send_response(200)
                self.send_header("Content-Type", "text/html")
                self.end_headers()
                self.wfile.write(html.encode())

            def log_message(self, *_):
                """Nothing is printed."""

        running.append(http.server.ThreadingHTTPServer(("127.0.0.1", 0), Page))
        threading.Thread(target=running[-1].serve_forever, daemon=True).start()
        return f"http://localhost:{running[-1].server_port}"

    yield start
    for server in running:
        server.shutdown()
        server.server_close()


def violations(page):
    """What axe-core finds wrong on a page."""
    return Axe().run(page, options={"resultTypes": ["violations"]}).generate_snapshot()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_wrong(tab, small, ask, scheme):
    page = tab(color_scheme=scheme, reduced_motion="reduce")
    url, _ = small()
    page.goto(url)
    assert violations(page) == ""
    ask(page, "the call lasted how many minutes")
    ask(page, "zzz")
    assert violations(page) == ""
    page.click("#past")
    assert violations(page) == ""
    for path in ("/documents", "/evaluation", page.locator(".cite").first.get_attribute("href")):
        page.goto(url + path)
        page.locator("h1").wait_for()
        assert violations(page) == "", path


def test_axe_finds_nothing_wrong_on_a_phone_and_in_a_disagreement(tab, serve, ask):
    page = tab(width=390, height=800)
    page.goto(serve(scripted.ScriptedSource((scripted.disputed(), scripted.abstained()))))
    ask(page, "How long?")
    ask(page, "How wide?")
    page.locator(".cite").first.click()
    assert violations(page) == ""


def test_sources_that_disagree_stand_side_by_side_with_their_dates(tab, serve, ask):
    page = tab()
    page.goto(serve(scripted.ScriptedSource((scripted.disputed(),))))
    turn = ask(page, "How long?")
    sides = turn.locator(".sides li")
    assert [line.split("\n")[0][:10] for line in sides.all_inner_texts()] == ["45 minutes", "90 minutes"]
    assert sides.nth(0).inner_text().endswith("20 April 2022")
    assert sides.nth(1).inner_text().endswith("page 7 · 16 April 2024 · newest")
    assert "contradicted" in turn.locator(".verdict").inner_text()
    assert "The LLM did not answer" in turn.inner_text()


def test_a_label_stands_before_its_sentence_and_the_age_of_the_source_below(tab, serve, ask):
    page = tab()
    label = "Dong Jun, 16 April 2024: "
    text = f"{label}{scripted.QUOTE} [1]"
    sentence = Sentence(0, len(label), len(label) + len(scripted.QUOTE), "supported", 0.9, ("c1",))
    page.goto(serve(scripted.ScriptedSource((scripted.answer(text, sentences=(sentence,)),))))
    turn = ask(page, "How long?")
    assert turn.locator(".sentence .label").inner_text() == label.strip()
    assert turn.locator(".sentence .said").inner_text() == scripted.QUOTE
    assert "The source of this answer is of 20 April 2022, " in turn.inner_text()


def test_everything_can_be_done_by_keyboard(tab, small):
    page = tab()
    url, _ = small()
    page.goto(url)
    page.keyboard.type("the call lasted how many minutes")
    page.keyboard.press("Enter")
    page.locator(".cite").wait_for()
    for _ in range(30):
        page.keyboard.press("Shift+Tab")
        if page.evaluate("document.activeElement.className").startswith("cite"):
            break
    focused = "getComputedStyle(document.activeElement)"
    assert page.evaluate(f"{focused}.outlineStyle") == "solid"
    assert page.evaluate("document.activeElement.getAttribute('aria-describedby')") == page.locator(
        "#source mark"
    ).get_attribute("id")
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile("/documents/[0-9a-f]+.*#p2"))


def test_what_is_said_to_a_screen_reader(tab, small, ask):
    page = tab()
    url, _ = small()
    page.goto(url)
    turn = ask(page, "the call lasted how many minutes")
    assert turn.locator(".sentences").get_attribute("aria-live") == "polite"
    assert turn.locator(".pending").count() == 0
    assert page.locator("#said").inner_text() == "Answered: 1 sentence, 1 citation"
    roles = "all => all.map(one => one.tagName)"
    assert page.eval_on_selector_all("header, nav, main, aside", roles) == ["HEADER", "NAV", "MAIN", "ASIDE"]


@pytest.mark.parametrize("way", ["button", "Escape"])
def test_an_answer_can_be_stopped(tab, small, way):
    page = tab()
    url, service = small()
    page.goto(url)
    page.fill("#question", "wait for the call")
    page.press("#question", "Enter")
    page.locator("#stop").wait_for()
    page.click("#stop") if way == "button" else page.keyboard.press("Escape")
    page.get_by_text("Stopped.").wait_for()
    assert service.left.wait(5)
    assert page.locator("#submit").is_visible()
    assert page.evaluate("document.activeElement.id") == "question"


def test_what_goes_wrong_is_said_and_can_be_asked_again(tab, small):
    page = tab()
    url, _ = small()
    page.goto(url)
    page.fill("#question", "break the call")
    page.press("#question", "Enter")
    page.get_by_text("Something went wrong here").wait_for()
    assert page.locator("[role=alert]").count() == 1
    page.get_by_role("button", name="Ask again").click()
    page.get_by_text("Something went wrong here").wait_for()
    assert page.locator(".turn").count() == 1


def test_a_key_is_asked_for_once_and_stays_out_of_addresses(tab, small, ask):
    page = tab()
    url, _ = small(api_key=Secret(KEY))
    addresses = []
    page.on("request", lambda request: addresses.append(request.url))
    page.goto(url)
    for given in ("x" * 32, KEY):
        page.locator("dialog #key").fill(given)
        page.keyboard.press("Enter")
    page.get_by_text("2 documents").wait_for()
    ask(page, "the call lasted how many minutes").locator(".cite").click()
    page.locator("#p2 mark").wait_for()
    assert page.locator("#p2 mark").inner_text() == "The call lasted 45 minutes."
    page.goto(f"{url}/documents")
    page.locator("tbody tr").nth(1).wait_for()
    kept = "JSON.stringify([{...localStorage}, {...sessionStorage}, document.cookie])"
    assert KEY not in page.evaluate(kept)
    assert page.evaluate("document.cookie") == ""
    assert not [address for address in addresses if KEY in address]


def test_behind_a_key_a_document_is_shown_to_nobody_without_it(tab, small):
    page = tab()
    url, service = small(api_key=Secret(KEY))
    page.goto(f"{url}/documents/{service.documents('default')[0].id}#p2")
    assert "minutes" not in page.content()
    assert violations(page) == ""
    page.locator("#key").fill("x" * 32)
    page.keyboard.press("Enter")
    page.get_by_text("That is not the key").wait_for()
    page.locator("#key").fill(KEY)
    page.keyboard.press("Enter")
    page.get_by_text("The call lasted 45 minutes.").wait_for()
    assert page.locator(":target").get_attribute("id") == "p2"


@pytest.mark.parametrize("scripts", [True, False])
def test_once_signed_in_a_link_on_any_page_opens_the_document(tab, small, other_site, scripts):
    page = tab(java_script_enabled=scripts)
    url, service = small(api_key=Secret(KEY))
    address = f"{url}/documents/{service.documents('default')[0].id}?start=0&end=4#p2"
    page.goto(address)
    page.locator("#key").fill(KEY)
    page.keyboard.press("Enter")
    page.locator(":target").wait_for()
    page.goto(other_site(f'<a href="{address.replace("&", "&amp;")}">away</a>'))
    page.get_by_text("away").click()
    if not scripts:
        page.get_by_role("button", name="Go on: I am signed in").click()
    page.locator(":target").wait_for()
    assert page.url == address
    page.goto(f"{url}/session")
    page.get_by_role("button", name="Sign out").click()
    page.locator("#key").wait_for()
    page.goto(address)
    assert "minutes" not in page.content()


def test_the_last_evaluation_is_shown_in_a_sandbox(tab, small, tmp_path):
    page = tab()
    url, _ = small(data_dir=tmp_path)
    page.goto(f"{url}/evaluation")
    assert "nutgraf eval" in page.locator("pre").inner_text()
    report = (
        "<!doctype html><title>r</title><h1>hit@1 0.9</h1><script>top.ran('report')</script><img src=/livez>"
    )
    (tmp_path / "evaluation.html").write_text(report)
    page.reload()
    assert page.frame_locator("iframe").locator("h1").inner_text() == "hit@1 0.9"
    assert page.evaluate("document.querySelector('iframe').contentDocument") is None
    assert [event for event in page.ran if "report" in event] == []


def test_behind_a_key_the_evaluation_is_shown_as_without_one(tab, small, tmp_path):
    (tmp_path / "evaluation.html").write_text("<h1>hit@1 0.9</h1>")
    page = tab()
    url, _ = small(api_key=Secret(KEY), data_dir=tmp_path)
    page.goto(f"{url}/evaluation")
    page.locator("#key").fill(KEY)
    page.keyboard.press("Enter")
    assert page.frame_locator("iframe").locator("h1").inner_text() == "hit@1 0.9"


def test_before_the_index_is_open_the_page_says_so_and_then_counts(tab, small, serve):
    page = tab()
    url, service = small()
    service.is_ready = (False, ("indexing, 1 of 2 files",))
    documents, service.error = service.error, fake_service.NotFoundError("not yet")
    page.goto(url)
    page.get_by_text("indexing, 1 of 2 files").wait_for()
    service.is_ready, service.error = (True, ()), documents
    page.get_by_text("2 documents").wait_for()
    assert not page.get_by_text("indexing, 1 of 2 files").is_visible()
