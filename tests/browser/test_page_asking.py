"""Asking in a browser: what a reader sees of an answer and of the paragraph behind it."""

import re
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from qa.api.page import shown as shown_by_server
from qa.types import Question

SEEDS = Path(__file__).parents[2] / "seeds"
WEI = "How long did Austin's call with Wei last?"


def cited(link):
    """The characters that a citation's address names, read from the file itself."""
    address = urlsplit(link.get_attribute("href"))
    text = (SEEDS / "004_540da07f2cd0b502.txt").read_text(encoding="utf-8")
    query = parse_qs(address.query)
    return text[int(query["start"][0]) : int(query["end"][0])]


def test_an_answer_comes_sentence_by_sentence_with_verdict_and_citation(tab, url, ask):
    page = tab()
    page.goto(url)
    assert page.evaluate("document.activeElement.id") == "question"
    sentence = ask(page, WEI).locator(".sentence").first
    assert "45 minutes" in sentence.inner_text()
    assert "supported" in sentence.locator(".verdict").inner_text()
    assert re.fullmatch(
        r"Citation 1: 004_.*, paragraph 14, line 25", sentence.locator(".cite").get_attribute("aria-label")
    )
    assert page.ran == []


def test_the_panel_highlights_the_very_characters_and_focus_and_hover_switch_them(tab, url, ask):
    page = tab()
    page.goto(url)
    turn = ask(page, "Why did Austin want to talk to Xu?")
    first, last = turn.locator(".cite").first, turn.locator(".cite").last
    page.locator("#source-context .near").first.wait_for()
    assert page.locator("#source mark").inner_text() == cited(first)
    assert "004_540da07f2cd0b502.txt · paragraph 8 · line 12" in page.locator("#source-where").inner_text()
    assert cited(first) != cited(last)
    last.focus()
    assert page.locator("#source mark").inner_text() == cited(last)
    first.hover()
    assert page.locator("#source mark").inner_text() == cited(first)


def test_a_citation_opens_the_document_at_its_paragraph(tab, url, ask):
    page = tab()
    page.goto(url)
    link = ask(page, WEI).locator(".cite").first
    words = cited(link)
    link.click()
    page.wait_for_url("**/documents/*#p14")
    assert page.locator(":target mark").inner_text() == words
    assert page.locator(":target").bounding_box()["y"] < 800
    page.go_back()
    assert "45 minutes" in page.locator(".sentence").first.inner_text()


def test_a_deep_link_needs_no_script(tab, url, ask):
    page = tab()
    page.goto(url)
    link = ask(page, WEI).locator(".cite").first
    words, address = cited(link), link.get_attribute("href")
    still = tab(java_script_enabled=False)
    still.goto(url + address)
    assert still.locator(":target mark").inner_text() == words
    still.goto(url + re.sub("sha256=[0-9a-f]+", "sha256=" + "0" * 16, address))
    assert still.locator("mark").count() == 0
    assert "has changed since" in still.locator(".note").inner_text()


def test_a_follow_up_shows_how_it_was_understood(tab, url, ask):
    page = tab()
    page.goto(url)
    ask(page, "How long did Austin's call with Dong Jun last?")
    turn = ask(page, "And the one with Wei?")
    assert "Wei" in turn.locator(".asked").inner_text()
    assert "45 minutes" in turn.locator(".sentences").inner_text()


def test_what_the_documents_do_not_say_is_not_answered(tab, url, ask):
    page = tab()
    page.goto(url)
    turn = ask(page, "Who is the Prime Minister of Japan?")
    assert "No answer in these documents" in turn.inner_text()
    assert turn.locator(".sentence").count() == 0
    assert turn.locator(".nearest li").count() == 3
    assert page.locator("#source mark").inner_text() != ""


def test_shift_enter_makes_a_line_and_enter_asks(tab, url):
    page = tab()
    page.goto(url)
    page.locator("#question").type("How long did Austin's call")
    page.keyboard.press("Shift+Enter")
    page.keyboard.type("with Wei last?")
    page.keyboard.press("Enter")
    assert page.locator(".question").inner_text() == "How long did Austin's call\nwith Wei last?"
    assert "45" in page.locator(".sentence").first.inner_text()


def test_an_answer_is_copied_with_footnotes(tab, url, ask):
    page = tab(permissions=["clipboard-read", "clipboard-write"])
    page.goto(url)
    turn = ask(page, WEI)
    turn.get_by_role("button", name="Copy with footnotes").click()
    turn.get_by_role("button", name="Copied").wait_for()
    copied = page.evaluate("navigator.clipboard.readText()")
    assert f"## {WEI}" in copied
    assert "[^1]: 004_540da07f2cd0b502.txt, paragraph 14, line 25" in copied
    assert f"    > {cited(turn.locator('.cite').first)}" in copied


def test_history_stays_in_this_browser_and_can_be_forgotten(tab, url, ask):
    page = tab()
    page.goto(url)
    ask(page, WEI)
    page.reload()
    assert "45 minutes" in page.locator(".sentence").first.inner_text()
    page.click("#new")
    assert page.locator(".turn").count() == 0
    page.click("#past")
    page.locator("#conversations").get_by_role("button", name=WEI, exact=True).click()
    assert "45 minutes" in page.locator(".sentence").first.inner_text()
    page.click("#past")
    page.click("#forget")
    assert page.evaluate("localStorage.length") == 0


def test_offsets_count_code_points_and_the_browser_does_too(tab, service, url, ask):
    text = "Words before 😀👩‍🚀𝒳.\n\n😀 𝒳𝒴 The zeppelin of Québec 👩‍🚀 weighed 4,242 tonnes. It was red 😀.\n"
    service.create_collection("astral")
    service.put("zeppelin.txt", text.encode(), collection="astral")
    page = tab()
    page.goto(url)
    page.select_option("#collection", "astral")
    link = ask(page, "How much did the zeppelin of Québec weigh?").locator(".cite").first
    query = parse_qs(urlsplit(link.get_attribute("href")).query)
    words = text[int(query["start"][0]) : int(query["end"][0])]
    assert "4,242 tonnes" in words
    page.locator("#source .near").first.wait_for()
    assert page.locator("#source mark").inner_text() == words
    link.click()
    assert page.locator(":target mark").inner_text() == words


def test_the_browser_and_the_server_show_text_alike(tab, url):
    page = tab()
    page.goto(url)
    points = [
        *range(0x300),
        *range(0x2000, 0x2070),
        *range(0xE0000, 0xE0100),
        *range(0x1F600, 0x1F610),
        0xFEFF,
    ]
    text = "".join(map(chr, points)) + "\r\n\r"
    module = page.locator("link[href$='/text.js']").get_attribute("href")
    shown = page.evaluate("async ([module, text]) => (await import(module)).visible(text)", [module, text])
    assert shown == shown_by_server(text)


def test_a_document_that_changed_is_not_marked_in_the_wrong_place(tab, service, url, ask):
    service.create_collection("changing")
    service.put("a.txt", b"The bridge at Arnhem is 598 metres long.\n", collection="changing")
    page = tab()
    page.goto(url)
    page.select_option("#collection", "changing")
    ask(page, "How long is the bridge at Arnhem?")
    service.put("a.txt", b"The tunnel of Arnhem is now 12 metres deep.\n", collection="changing")
    page.reload()
    page.locator("#source .note").wait_for()
    assert "has changed since this answer" in page.locator("#source .note").inner_text()
    service.delete_collection("changing")
    page.reload()
    page.locator("#source .note").wait_for()
    assert "no longer in the collection" in page.locator("#source .note").inner_text()


@pytest.mark.parametrize("width", [320, 768])
def test_nothing_is_cut_off_on_a_narrow_screen(tab, url, ask, width):
    page = tab(width=width, height=700)
    for path in ("/", "/documents", "/evaluation"):
        page.goto(url + path)
        page.wait_for_load_state("networkidle")
        assert page.evaluate("document.documentElement.scrollWidth") <= width, path
    page.goto(url)
    link = ask(page, WEI).locator(".cite").first
    link.click()
    assert page.locator("#source.open mark").inner_text() == cited(link)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.click("#source-close")
    assert not page.locator("#source").is_visible()
    link.click()
    page.click("#source-open")
    page.wait_for_url("**/documents/*#p14")
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_the_address_may_name_the_collection(tab, service, url):
    service.create_collection("named")
    try:
        page = tab()
        for view in ("/", "/documents"):
            page.goto(f"{url}{view}?collection=named")
            page.locator("#collection option").nth(1).wait_for(state="attached")
            assert page.input_value("#collection") == "named"
        page.goto(f"{url}/?collection=nowhere")
        page.locator("#collection option").nth(1).wait_for(state="attached")
        assert page.input_value("#collection") == "named", (
            "the last choice stands where there is no such collection"
        )
    finally:
        service.delete_collection("named")


def test_the_link_of_a_citation_opens_the_document_of_its_own_collection(tab, service, url):
    for name, words in (
        ("north", b"The mast of Lopik is 367 metres high.\n"),
        ("south", b"The mast of Lopik is 12 metres high.\n"),
    ):
        service.create_collection(name)
        service.put("mast.txt", words, collection=name)
    page = tab(java_script_enabled=False)
    for name, height in (("north", "367 metres"), ("south", "12 metres")):
        found = service.ask(Question("How high is the mast of Lopik?", collection=name))
        link = found.citations[0].url
        assert link.startswith(url)
        for address in (link, link.replace("#", f"?collection={name}#")):
            page.goto(address)
            assert height in page.locator(":target").inner_text()
        other = "south" if name == "north" else "north"
        page.goto(link.replace("#", f"?collection={other}#"))
        assert "Not here" in page.locator("h1").inner_text()
    for name in ("north", "south"):
        service.delete_collection(name)
