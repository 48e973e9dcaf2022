"""The page as it is served: its files, its policies, and the pages that run no script."""

import dataclasses
import gzip
import hashlib
import re
from importlib.resources import files
from pathlib import Path

import pytest

from index.types import DocumentInfo, Paragraph, StoredParagraph
from qa.api import page
from qa.api.app import app_of
from qa.api.site import MEDIA_TYPES, SIGN_IN_POLICY, Site
from qa.api.state import State
from qa.settings import Secret

WEB = Path(str(files("qa") / "web"))
VIEWS = ["/", "/documents", "/evaluation"]
SCRIPTS = sorted(WEB.glob("*.js"))
SINKS = re.compile(
    r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|DOMParser|createContextualFragment|setHTML|\beval\(|new Function"
    r"|srcdoc|import\(|https?://|setAttribute\(\s*[\"']on|\.on[a-z]+ ?=[^=]"
)


def strict(policy):
    """A policy as a mapping from directive to sources."""
    return {name: sources for name, _, sources in (part.strip().partition(" ") for part in policy.split(";"))}


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.name)
def test_no_script_has_a_way_from_text_to_markup_or_another_origin(script):
    assert SINKS.findall(script.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize(
    "sink",
    ["a.innerHTML = b", "eval(x)", "x.onclick = y", "fetch('https://x')", 'el.setAttribute("onload", x)'],
)
def test_the_rule_sees_a_sink(sink):
    assert SINKS.search(sink)


def test_the_list_of_files_is_the_folder():
    served = {path.name for path in WEB.iterdir() if path.suffix != ".html"}
    assert served == set(MEDIA_TYPES)


def test_all_of_it_is_under_100_kb():
    whole = [path.read_bytes() for path in WEB.iterdir()]
    assert sum(map(len, whole)) < 100_000
    assert sum(len(gzip.compress(body)) for body in whole) < 35_000


@pytest.mark.parametrize("view", VIEWS)
def test_a_view_takes_nothing_but_our_own_files(call, view):
    response = call("GET", view)
    policy = strict(response.headers["content-security-policy"])
    assert policy["default-src"] == policy["base-uri"] == policy["frame-ancestors"] == "'none'"
    assert (
        policy["script-src"] == policy["style-src"] == policy["connect-src"] == policy["img-src"] == "'self'"
    )
    assert (policy["require-trusted-types-for"], policy["trusted-types"]) == ("'script'", "'none'")
    assert not re.search(
        r"<style|<script(?! type=\"module\" src=\"/static/)|\son[a-z]+=|\sstyle=", response.text
    )
    assert not re.search(r"(?:src|href)=\"(?!/|#)", response.text)


@pytest.mark.parametrize("view", VIEWS)
def test_every_file_that_a_view_names_is_served_for_good(call, view):
    text = call("GET", view).text
    named = re.findall(r"\"(/static/[^\"]+)\"", text)
    assert len(named) >= 2
    for address in named:
        response = call("GET", address)
        assert response.status_code == 200, address
        assert response.headers["cache-control"] == "public, max-age=31536000, immutable"
        assert response.headers["x-content-type-options"] == "nosniff"
        assert response.headers["content-type"] == MEDIA_TYPES[address.rsplit("/", 1)[1]]


def test_every_module_is_named_before_it_is_imported(call):
    for view, script in (("/", "ask.js"), ("/documents", "documents.js")):
        preloaded = set(
            re.findall(r"modulepreload\" href=\"/static/[0-9a-f]+/([a-z]+\.js)", call("GET", view).text)
        )
        needed, open_ = set(), {script}
        while open_:
            name = open_.pop()
            imported = set(re.findall(r"from \"\./([a-z]+\.js)\"", (WEB / name).read_text(encoding="utf-8")))
            open_ |= imported - needed
            needed |= imported
        assert preloaded == needed


def test_a_files_address_changes_with_any_of_them():
    site = Site.load()
    whole = b"".join(
        name.encode() + b"\0" + (WEB / name).read_bytes() + b"\0" for name in sorted(MEDIA_TYPES)
    )
    assert site.address("app.css") == f"/static/{hashlib.sha256(whole).hexdigest()[:16]}/app.css"


@pytest.mark.parametrize(
    "name", ["index.html", "reader.html", "../page.py", "..%2fpage.py", "app.css/", "APP.CSS", "py.typed", ""]
)
def test_no_other_file_can_be_named(call, name):
    release = Site.load().release
    response = call("GET", f"/static/{release}/{name}")
    assert (response.status_code, response.json()["code"]) == (404, "no_route")
    assert response.headers["cache-control"] == "no-store"


@pytest.mark.parametrize(
    ("accepted", "packed"),
    [("gzip, br", True), ("br;q=1, gzip;q=0.5", True), ("gzip;q=0", False), ("br", False), ("", False)],
)
def test_files_are_packed_for_those_who_take_it(call, accepted, packed):
    response = call("GET", Site.load().address("app.css"), headers={"accept-encoding": accepted})
    assert (response.headers.get("content-encoding") == "gzip") == packed
    assert response.headers["vary"] == "Accept-Encoding"
    assert response.content == (WEB / "app.css").read_bytes()


def test_another_release_is_not_served_under_this_address(call):
    assert call("GET", f"/static/{'0' * 16}/app.css").status_code == 404


def document(text, number=1, **more):
    values = {"id": "d1", "path": "a/b.txt", "title": "", "date": None, "media_type": "text/plain", "sha256": "", "size": 1,
              "paragraphs": 1, "passages": 1, "indexed_at": ""}  # fmt: skip
    info = DocumentInfo(**{**values, **more})
    return info, [StoredParagraph(info, Paragraph(number, 3, 4, 10, 10 + len(text)), text, "")]


def test_characters_are_marked_by_code_points():
    html = page.document(*document("😀 a & b <c>"), page.Span(12, 17))
    assert "😀 <mark>a &amp; b</mark> &lt;c&gt;" in html


@pytest.mark.parametrize("span", [(0, 5), (10, 10), (15, 12), (900, 1000), (21, 21)])
def test_a_span_outside_marks_nothing(span):
    assert "<mark" not in page.document(*document("some words."), page.Span(*span))


def test_a_span_is_cut_to_the_paragraph():
    assert "<mark>some words.</mark>" in page.document(*document("some words."), page.Span(0, 10**20))


def test_only_the_words_that_were_cited_are_marked():
    digest = hashlib.sha256(b"words").hexdigest()[:16]
    assert "<mark>words</mark>" in page.document(*document("some words."), page.Span(15, 20, digest))
    changed = page.document(*document("some other words."), page.Span(15, 20, digest))
    assert "<mark" not in changed
    assert "has changed since" in changed


def test_control_characters_of_a_document_can_be_seen():
    info, paragraphs = document(
        "a\u202eb\x1b[2Jc\U000e0041d\u200fe\x9b", title="\u202efdp.exe", path="x\u2066y"
    )
    html = page.document(info, paragraphs)
    assert "a\\u202eb␛[2Jcd\u200fe\\x9b" in html
    assert "\\u202efdp.exe" in html
    assert "x\\u2066y" in html


def test_a_paragraph_says_where_it_stands():
    html = page.document(*document("words", number=7))
    assert '<p id="p7"' in html
    assert 'title="lines 3–4" aria-label="Paragraph 7">7</a>' in html


def paged(*pages, media_type="application/pdf"):
    """A document with one paragraph on each of these pages."""
    info, _ = document("words", id="d1", media_type=media_type)
    numbered = enumerate(pages, 1)
    return info, [StoredParagraph(info, Paragraph(n, n, n, 0, 5, page=at), "words", "") for n, at in numbered]


def test_paragraphs_stand_on_their_pages():
    html = page.document(*paged(1, 1, 3))
    assert html.count("<section") == html.count("</section>") == 2
    assert (
        '<section class="page" id="page1" aria-labelledby="page1-name"><h2 id="page1-name">Page 1</h2>'
        in html
    )
    assert html.index('id="page1"') < html.index('id="p2"') < html.index('id="page3"') < html.index('id="p3"')


def test_a_document_without_pages_has_no_sections():
    assert "<section" not in page.document(*paged(None, None))


def test_each_page_of_a_pdf_leads_to_the_original_at_that_page():
    html = page.document(*paged(1, 3), original="/v1/documents/d1/original?collection=a")
    assert '<a href="/v1/documents/d1/original?collection=a">original file</a>' in html
    assert '<a href="/v1/documents/d1/original?collection=a#page=3">original at page 3</a>' in html


def test_slides_lead_to_the_whole_file():
    html = page.document(*paged(1, 3, media_type="application/vnd.ms-powerpoint"), original="/o")
    assert '<a href="/o">original file</a>' in html
    assert "#page=" not in html


def test_the_page_of_a_document_runs_no_script(call):
    first = call("GET", "/v1/documents").json()["documents"][0]["id"]
    response = call("GET", f"/documents/{first}?start=0&end=4")
    assert "script-src" not in strict(response.headers["content-security-policy"])
    assert "<mark>Call</mark>" in response.text
    assert "<script" not in response.text


@pytest.mark.parametrize("query", ["start=-1&end=2", "start=x", "sha256=zz", "colour=red", "collection="])
def test_a_document_link_takes_only_what_it_knows(call, query):
    first = call("GET", "/v1/documents").json()["documents"][0]["id"]
    assert call("GET", f"/documents/{first}?{query}").status_code == 422


def test_a_stretch_of_paragraphs_can_be_asked_for(call):
    first = call("GET", "/v1/documents").json()["documents"][0]["id"]

    def numbers(query):
        found = call("GET", f"/v1/documents/{first}/paragraphs?{query}").json()["paragraphs"]
        return [item["paragraph"] for item in found]

    assert numbers("first=2&last=2") == [2]
    assert numbers("first=2") == [2, 3]
    assert numbers("last=9") == [1, 2, 3]
    assert numbers("first=3&last=1") == []
    assert call("GET", f"/v1/documents/{first}/paragraphs?first=0").status_code == 422


def test_a_person_who_follows_a_link_to_a_document_that_is_gone_gets_a_page(call):
    response = call("GET", "/documents/gone", headers={"accept": "text/html,*/*"})
    assert response.status_code == 404
    assert "no longer in the collection" in response.text
    assert call("GET", "/documents/gone").json()["code"] == "not_found"


@pytest.fixture
def locked(call, app, service, key):
    """The app with a key: every request has to bring it."""
    settings = dataclasses.replace(service.settings, api_key=Secret(key))
    service.settings = settings
    inner = app_of(State(settings, app.state.nutgraf.log, service))
    app.state.nutgraf = inner.state.nutgraf
    app.middleware_stack = inner.build_middleware_stack()
    return call


def test_behind_a_key_a_browser_gets_a_page_that_asks_for_it_and_holds_nothing(locked, service):
    first = service.documents("default")[0].id
    there = locked("GET", f"/documents/{first}", headers={"accept": "text/html"})
    elsewhere = locked("GET", "/documents/nope", headers={"accept": "text/html"})
    assert (there.status_code, there.headers["www-authenticate"]) == (401, "Bearer")
    assert there.text == elsewhere.text
    assert there.headers["content-security-policy"] == SIGN_IN_POLICY
    assert locked("GET", f"/documents/{first}").headers["content-type"] == "application/problem+json"


def test_behind_a_key_no_view_says_anything_of_the_corpus(locked, call):
    for view in VIEWS:
        response = locked("GET", view, headers={"accept": "text/html"})
        assert response.status_code == (401 if view == "/evaluation" else 200)
        assert "call.txt" not in response.text


def test_a_report_is_shown_once_it_is_stored_and_in_a_sandbox(state, call, tmp_path):
    state.settings = dataclasses.replace(state.settings, data_dir=tmp_path)
    assert call("GET", "/evaluation/report").status_code == 404
    assert "nutgraf eval" in call("GET", "/evaluation").text
    (tmp_path / "evaluation.html").write_bytes(b"<h1>hit@1</h1>")
    assert '<iframe src="/evaluation/report" sandbox' in call("GET", "/evaluation").text
    response = call("GET", "/evaluation/report")
    policy = strict(response.headers["content-security-policy"])
    assert (response.text, policy["sandbox"], policy["default-src"]) == ("<h1>hit@1</h1>", "", "'none'")
    assert policy["frame-ancestors"] == "'self'"
    assert "script-src" not in policy
