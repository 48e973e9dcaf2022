"""Web pages: the main text with its headings, without furniture and without what is hidden."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from parse_here import assert_sound, blocks, parsed, texts

from index.errors import RejectedError
from index.load import prepare

PROSE = "The harbour council approved a budget of £4.2 million for new ferries on Friday."
NEWS = f"""<!doctype html><html><head><title>Ferry budget approved | Harbour Times</title>
<meta property="article:published_time" content="2024-05-17T10:00:00Z"></head><body>
<header><a href=/>Harbour Times</a><nav><ul><li><a href=1>News</a><li><a href=2>Sport</a></ul></nav></header>
<div class="cookie-banner">We use cookies. <button>OK</button></div>
<main><article><h1>Ferry budget approved</h1><p>{PROSE}</p><h2>Costs</h2><p>Each ferry costs £2 million.</p>
<h3>Fuel</h3><p>Fuel is extra.</p><h2>Related stories</h2><ul><li><a href=3>Tides rise again</a></ul></article></main>
<aside>Weather: rain</aside><footer>© 2024 Harbour Times</footer></body></html>"""


def page(body: str, head: str = "") -> str:
    return f"<!doctype html><html><head><meta charset=utf-8>{head}</head><body>{body}</body></html>"


def test_the_main_text_is_told_from_the_page_around_it() -> None:
    found = parsed(NEWS, "html")
    assert texts(found, "text") == [PROSE, "Each ferry costs £2 million.", "Fuel is extra."]
    assert {
        "News",
        "Sport",
        "We use cookies.",
        "Weather: rain",
        "Tides rise again",
        "Related stories",
    } <= set(texts(found, "boilerplate"))


def test_a_paragraph_stands_under_the_headings_above_it() -> None:
    found = parsed(NEWS, "html")
    paths = {found.text[b.start : b.end]: b.headings for b in found.blocks}
    assert paths["Fuel is extra."] == ("Ferry budget approved", "Costs", "Fuel")
    assert paths[PROSE] == ("Ferry budget approved",)


def test_title_and_date_come_from_the_page() -> None:
    document, _ = prepare(NEWS.encode(), "news.html")
    assert (document.title, document.date, document.media_type) == (
        "Ferry budget approved",
        "2024-05-17",
        "text/html",
    )


@pytest.mark.parametrize(
    "head",
    [
        '<meta name="date" content="2024-05-17">',
        '<meta itemprop="datePublished" content="2024-05-17T01:00">',
        '<script type="application/ld+json">{"@graph": [{"datePublished": "2024-05-17T08:00:00Z"}]}</script>',
    ],
)
def test_a_date_is_found_where_pages_put_it(head: str) -> None:
    assert parsed(page(f"<p>{PROSE}</p>", head), "html").date == "2024-05-17"


def test_a_site_name_is_no_part_of_a_title() -> None:
    assert (
        parsed(page(f"<p>{PROSE}</p>", "<title>Budget agreed - The Times</title>"), "html").title
        == "Budget agreed"
    )


@pytest.mark.parametrize(
    "attributes",
    [
        'style="display: none"', 'style="visibility:hidden"', 'style="opacity:0"', 'style="font-size: 0px"', "hidden",
        'style="color: white"', 'style="text-indent:-9999px"', 'style="height:0;overflow:hidden"', 'aria-hidden="true"',
        'class="gone"', 'id="away"', 'style="clip:rect(0,0,0,0)"', 'style="DISPLAY:NONE !important"',
    ],
)  # fmt: skip
@pytest.mark.parametrize("tag", ["p", "span", "div"])
def test_hidden_text_is_left_out_and_counted(attributes: str, tag: str) -> None:
    css = "<style>.gone, #away { display : none }</style>"
    found = parsed(page(f"<p>{PROSE}</p><{tag} {attributes}>two SECRETS</{tag}><p>The end.</p>", css), "html")
    assert texts(found) == [PROSE, "The end."]
    assert found.notes == ("2 words of hidden text left out",)


@pytest.mark.parametrize(
    "body",
    [
        '<div style="background:#036"><p style="color:white">Seen words.</p></div>',
        '<p class="print">Seen words.</p>',
        '<p style="opacity:0.9">Seen words.</p>',
        '<p style="font-size:0.8em">Seen words.</p>',
        '<div style="width:100%;height:12px">Seen words.</div>',
        "<details><summary>More</summary>Seen words.</details>",
    ],
)
def test_what_a_reader_sees_is_kept(body: str) -> None:
    css = "<style>@media print { .print { display: none } }</style>"
    assert "Seen words." in parsed(page(f"<p>{PROSE}</p>{body}", css), "html").text


def test_a_data_table_gives_rows_with_their_columns_named() -> None:
    table = "<table><tr><th>Year<th>Cost</tr><tr><td>2024<td>£4m</tr><tr><td>2025<td></tr></table>"
    assert texts(parsed(page(f"<p>{PROSE}</p>{table}"), "html"), "row") == [
        "Year: 2024; Cost: £4m",
        "Year: 2025",
    ]


def test_a_layout_table_gives_its_paragraphs() -> None:
    layout = f"<table><tr><td><p>{PROSE}</p><p>Second one.</p><div>Third</div></td><td><p>Side.</p></td></tr></table>"
    assert texts(parsed(page(layout), "html"), "row") == []


def test_two_line_breaks_end_a_paragraph_and_one_does_not() -> None:
    found = parsed(page("<div>One line<br>goes on here.<br><br>Another paragraph.</div>"), "html")
    assert texts(found) == ["One line\ngoes on here.", "Another paragraph."]


def test_code_keeps_its_indentation() -> None:
    assert (
        texts(parsed(page(f"<p>{PROSE}</p><pre>def f():\n    return 1</pre>"), "html"))[1]
        == "def f():\n    return 1"
    )


def test_list_items_are_paragraphs() -> None:
    found = parsed(page(f"<p>{PROSE}</p><ul><li>One <b>bold</b> item</li><li><p>Two items</p></ul>"), "html")
    assert texts(found, "list_item") == ["One bold item", "Two items"]


def test_a_page_of_links_only_is_not_lost() -> None:
    found = parsed(page("<ul><li><a href=1>Harbour rules</a><li><a href=2>Ferry times</a></ul>"), "html")
    assert texts(found, "list_item") == ["Harbour rules", "Ferry times"]


def test_a_declared_encoding_that_fits_is_believed() -> None:
    data = "<html><meta charset=windows-1251><p>Правительство объявило о новых мерах.".encode("cp1251")
    assert texts(parsed(data, "html")) == ["Правительство объявило о новых мерах."]


@pytest.mark.parametrize("body", ["", "<script>only()</script>", "<p hidden>Nothing seen</p>", "<img src=x>"])
def test_a_page_without_words_is_rejected(body: str) -> None:
    with pytest.raises(RejectedError, match=r"no_text|empty"):
        prepare(page(body).encode(), "page.html")


TAGS = [
    "p",
    "div",
    "li",
    "td",
    "h2",
    "span",
    "b",
    "pre",
    "nav",
    "a",
    "table",
    "tr",
    "article",
    "br",
    "section",
]
TREES = st.recursive(
    st.text(st.characters(exclude_categories=["Cc", "Cs"]), max_size=30),
    lambda inner: st.builds(
        lambda tag, parts: f"<{tag}>{''.join(parts)}</{tag}>",
        st.sampled_from(TAGS),
        st.lists(inner, max_size=4),
    ),
    max_leaves=25,
)


@given(TREES)
@settings(max_examples=150, deadline=None)
def test_any_page_gives_sound_blocks(body: str) -> None:
    assert_sound(parsed(page(f"<p>Words.</p>{body}").encode("utf-8", "replace"), "html"))


@given(st.binary(max_size=300))
@settings(max_examples=150, deadline=None)
def test_any_bytes_in_a_page_are_parsed_or_rejected(noise: bytes) -> None:
    try:
        found = parsed(b"<html><body><p>Some sound words here.</p>" + noise, "html")
    except RejectedError:
        return
    assert_sound(found)


def test_every_word_of_the_page_is_in_some_block() -> None:
    body = "<div>a1 <b>a2</b> a3<p>a4 <i>a5</i></p>a6<ul><li>a7<ul><li>a8</ul>a9</ul>a10</div>a11"
    assert " ".join(text for _, text in blocks(parsed(page(body), "html"))).split() == [
        f"a{n}" for n in range(1, 12)
    ]
