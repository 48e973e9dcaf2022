"""The documents of a collection in a browser: adding, being answered from, deleting."""

from pathlib import Path

import pdf_maker
import pytest

LINES = (
    "The ferry to Vlieland leaves at 7:15 each morning.",
    "The crossing to Terschelling takes 95 minutes.",
)
FERRIES = pdf_maker.pdf([[pdf_maker.shown(72, 700, line)] for line in LINES])


@pytest.fixture
def page(tab, service, url):
    """The documents view, of a collection of its own."""
    service.create_collection("ferries")
    opened = tab()
    opened.goto(f"{url}/documents")
    opened.select_option("#collection", "ferries")
    opened.get_by_text("0 documents").wait_for()
    yield opened
    service.delete_collection("ferries")


def upload(page, name, data):
    """Choose one file, wait, and say what became of it."""
    page.set_input_files("#files", [{"name": name, "mimeType": "", "buffer": data}])
    row = page.locator("#uploads li[data-state]").first
    row.wait_for()
    return row.inner_text()


def test_a_pdf_is_answered_from_with_its_page_until_it_is_deleted(page, ask, url):
    assert "added" in upload(page, "ferries.pdf", FERRIES)
    page.get_by_role("link", name="ferries.pdf").wait_for()
    page.goto(url)
    page.select_option("#collection", "ferries")
    link = ask(page, "How long does the crossing to Terschelling take?").locator(".cite").first
    assert "page 2" in link.get_attribute("aria-label")
    assert "95 minutes" in page.locator("#source mark").inner_text()
    page.goto(f"{url}/documents")
    page.select_option("#collection", "ferries")
    page.get_by_role("button", name="Delete ferries.pdf").click()
    page.locator("#sure").get_by_role("button", name="Delete").click()
    page.get_by_text("0 documents").wait_for()
    page.goto(url)
    page.select_option("#collection", "ferries")
    turn = ask(page, "How long does the crossing to Terschelling take?")
    assert "No answer in these documents" in turn.inner_text()


def test_a_citation_into_a_pdf_opens_its_page_and_leads_to_the_original(page, ask, url):
    assert "added" in upload(page, "ferries.pdf", FERRIES)
    page.goto(url)
    page.select_option("#collection", "ferries")
    ask(page, "How long does the crossing to Terschelling take?").locator(".cite").first.click()
    page.wait_for_url("**/documents/*#p2")
    on_page = page.locator("section", has=page.get_by_role("heading", name="Page 2", exact=True))
    assert "95 minutes" in on_page.locator("mark").inner_text()
    first, second = (
        page.locator(f"#page{n} > h2").evaluate("(name) => getComputedStyle(name).backgroundColor")
        for n in (1, 2)
    )
    assert first != second
    with page.expect_download() as saving:
        on_page.get_by_role("link", name="original at page 2").click()
    assert saving.value.suggested_filename == "ferries.pdf"
    assert Path(saving.value.path()).read_bytes() == FERRIES
    assert page.ran == []


def test_an_original_is_saved_and_nothing_of_it_runs(page, url):
    script = "/OpenAction << /S /JavaScript /JS (app.alert\\(1\\)) >>"
    hostile = {
        "a.html": b"<title>Ferry</title><p>The ferry is red.</p><script>ran(1)</script>",
        "b.pdf": pdf_maker.pdf([[pdf_maker.shown(72, 700, LINES[0])]], catalog=script),
        "c.txt": b'<svg xmlns="http://www.w3.org/2000/svg" onload="ran(1)">The ferry is blue.</svg>',
    }
    for name, data in hostile.items():
        assert "added" in upload(page, name, data)
        page.reload()
        page.select_option("#collection", "ferries")
    links = page.locator("tbody a")
    links.nth(2).wait_for()
    addresses = [links.nth(n).get_attribute("href") for n in range(3)]
    for address, (name, data) in zip(addresses, hostile.items(), strict=True):
        page.goto(url + address)
        with page.expect_download() as saving:
            page.get_by_role("link", name="original file").click()
        assert saving.value.suggested_filename == name
        assert Path(saving.value.path()).read_bytes() == data
        assert page.url == url + address
    assert page.ran == []


def test_a_file_is_replaced_and_an_equal_one_left_alone(page):
    assert "added" in upload(page, "a.txt", b"The ferry is red.\n")
    page.reload()
    page.select_option("#collection", "ferries")
    assert "unchanged" in upload(page, "a.txt", b"The ferry is red.\n")
    page.reload()
    page.select_option("#collection", "ferries")
    assert "replaced" in upload(page, "a.txt", b"The ferry is blue.\n")
    assert page.locator("tbody tr").count() == 1


def test_a_rejected_file_says_why_and_the_others_are_taken(page):
    files = [("broken.pdf", b"%PDF-1.4 nothing"), ("empty.txt", b""), ("fine.txt", b"The ferry is green.\n")]
    page.set_input_files("#files", [{"name": name, "mimeType": "", "buffer": data} for name, data in files])
    page.locator("#uploads [data-state=done]").wait_for()
    rejected = page.locator("#uploads [data-state=rejected]")
    assert rejected.count() == 2
    assert all(len(said.split("rejected: ")[1]) > 5 for said in rejected.all_inner_texts())
    assert page.locator("tbody tr").count() == 1


def test_files_are_taken_by_dropping_them(page):
    page.evaluate(
        """() => {
          const transfer = new DataTransfer();
          transfer.items.add(new File(["The ferry is grey.\\n"], "dropped.txt"));
          document.dispatchEvent(new DragEvent("drop", { dataTransfer: transfer, cancelable: true, bubbles: true }));
        }"""
    )
    page.get_by_role("link", name="dropped.txt").wait_for()
    assert "added" in page.locator("#uploads li").inner_text()


def test_deleting_can_be_thought_better_of(page):
    upload(page, "a.txt", b"The ferry is red.\n")
    page.get_by_role("button", name="Delete a.txt").click()
    assert "a.txt will answer no more questions." in page.locator("#sure-what").inner_text()
    page.keyboard.press("Enter")
    page.locator("#sure").wait_for(state="hidden")
    assert page.locator("tbody tr").count() == 1
    assert page.ran == []


def test_a_collection_is_made_and_chosen_in_every_view(page, service, url):
    page.click("#create")
    page.fill("#fresh-name", "Not a name")
    page.keyboard.press("Enter")
    page.get_by_text("Not made: name:").wait_for()
    page.click("#create")
    page.fill("#fresh-name", "harbours")
    page.keyboard.press("Enter")
    page.get_by_text("0 documents").wait_for()
    assert page.input_value("#collection") == "harbours"
    page.goto(url)
    page.get_by_text("Nothing is indexed yet.").wait_for()
    assert page.input_value("#collection") == "harbours"
    service.delete_collection("harbours")


def test_what_a_collection_holds_is_counted(tab, url):
    page = tab()
    page.goto(f"{url}/documents")
    page.locator("tbody tr").nth(4).wait_for()
    said = page.locator("#holding").inner_text()
    assert said.startswith("5 documents · ")
    assert "paragraphs · last indexed " in said
