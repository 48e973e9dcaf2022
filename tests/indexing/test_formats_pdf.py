"""PDF: pages, columns, headings, furniture, cut words; what nobody sees is left out."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from parse_here import assert_sound, parsed, texts
from pdf_maker import column, pdf, shown

from index.errors import RejectedError
from index.load import prepare

LEFT = [f"left line {n} goes on about tides and ships" for n in range(12)]
RIGHT = [f"right line {n} goes on about costs and rules" for n in range(12)]
BODY = ["The council approved a budget of four million", "for new ferries on Friday afternoon."]


def interleaved(left: list[str], right: list[str]) -> list[str]:
    """Two columns written line by line, as many programs do."""
    pairs = zip(left, right, strict=True)
    return [
        operator
        for n, (one, two) in enumerate(pairs)
        for operator in (shown(50, 700 - 12 * n, one), shown(310, 700 - 12 * n, two))
    ]


def words(text: str) -> str:
    return " ".join(text.split())


def test_two_columns_written_line_by_line_are_read_column_by_column() -> None:
    found = parsed(pdf([interleaved(LEFT, RIGHT)]), "pdf")
    assert words(found.text) == words(" ".join([*LEFT, *RIGHT]))


def test_a_line_over_both_columns_parts_them() -> None:
    bar = "A headline that runs across the whole width of both columns of this page here today"
    top = interleaved(LEFT[:6], RIGHT[:6])
    low = [
        op
        for n in range(6)
        for op in (shown(50, 580 - 12 * n, LEFT[6 + n]), shown(310, 580 - 12 * n, RIGHT[6 + n]))
    ]
    found = parsed(pdf([[*top, shown(50, 605, bar, size=12), *low]]), "pdf")
    order = [*LEFT[:6], *RIGHT[:6], bar, *LEFT[6:], *RIGHT[6:]]
    assert words(found.text) == words(" ".join(order))


def test_the_cells_of_a_table_stay_in_their_rows() -> None:
    cells = [
        ("Year", "Cost"),
        ("2022", "£1m"),
        ("2023", "£2m"),
        ("2024", "£3m"),
        ("2025", "£4m"),
        ("2026", "£5m"),
    ]
    page = [
        op
        for n, (a, b) in enumerate(cells)
        for op in (shown(50, 700 - 14 * n, a), shown(310, 700 - 14 * n, b))
    ]
    assert "2024 £3m" in words(parsed(pdf([page]), "pdf").text)


def test_each_paragraph_has_the_page_it_stands_on() -> None:
    pages = [
        [*column(50, 700, [f"Page {name} says something quite different."])]
        for name in ("one", "two", "three")
    ]
    document, _ = prepare(pdf(pages), "a.pdf")
    assert [(p.page, document.text[p.start : p.end].split()[1]) for p in document.paragraphs] == [
        (1, "one"), (2, "two"), (3, "three"),
    ]  # fmt: skip


def test_running_heads_and_page_numbers_are_furniture() -> None:
    pages = [
        [
            shown(50, 810, "Harbour Report 2024", size=8),
            *column(50, 700, BODY),
            shown(290, 30, f"Page {n} of 5", size=8),
        ]
        for n in range(1, 6)
    ]
    found = parsed(pdf(pages), "pdf")
    assert texts(found, "text") == ["\n".join(BODY)] * 5
    assert set(texts(found, "boilerplate")) == {
        "Harbour Report 2024",
        *(f"Page {n} of 5" for n in range(1, 6)),
    }


def test_numbered_headings_at_the_top_of_pages_are_no_furniture() -> None:
    pages = [
        [shown(50, 800, f"Chapter {n}", size=18, font="F2"), *column(50, 700, BODY)] for n in range(1, 5)
    ]
    found = parsed(pdf(pages), "pdf")
    assert texts(found, "heading") == [f"Chapter {n}" for n in range(1, 5)]
    assert found.blocks[-1].headings == ("Chapter 4",)


def test_headings_nest_by_their_size() -> None:
    page = [
        shown(50, 800, "Harbour plan", size=20, font="F2"),
        shown(50, 760, "Costs", size=14, font="F2"),
        *column(50, 735, BODY),
        shown(50, 680, "Fuel", font="F2"),
        *column(50, 660, ["Fuel is paid by the council and by nobody else."]),
    ]
    assert parsed(pdf([page]), "pdf").blocks[-1].headings == ("Harbour plan", "Costs", "Fuel")


def test_a_cut_word_is_whole_in_the_passage_and_cut_in_the_quote() -> None:
    lines = ["Engineers measured the sedi-", "mentation of a well-", "known harbour on Friday."]
    document, (passage,) = prepare(pdf([column(50, 700, lines)]), "a.pdf")
    assert passage.text == "Engineers measured the sedimentation of a well-known harbour on Friday."
    assert document.text[passage.start : passage.end] == "\n".join(lines)


def test_a_paragraph_ends_at_a_gap_at_an_indent_and_after_a_short_line() -> None:
    page = [
        *column(
            50,
            700,
            [
                "The debate was long. It went on until very late at",
                "night. Members then left the hall in silence, and then",
                "it rained.",
            ],
        ),
        *column(
            50,
            664,
            [
                "The next meeting will be held in the town hall again",
                "as it always was, said the clerk who keeps the",
            ],
        ),
        *column(62, 640, ["Nobody else spoke on that evening in May, which"]),
        *column(50, 628, ["was dry."]),
        *column(50, 596, ["A gap stands above this."]),
    ]
    found = texts(parsed(pdf([page]), "pdf"), "text")
    assert [text.split()[0] for text in found] == ["The", "The", "Nobody", "A"]


def test_list_items_are_paragraphs() -> None:
    page = column(
        50, 700, ["- Ferries cost two million pounds each", "- Fuel is not included in that sum", "  at all"]
    )
    assert texts(parsed(pdf([page]), "pdf"), "list_item")[0] == "- Ferries cost two million pounds each"


@pytest.mark.parametrize(
    "secret",
    [
        shown(50, 500, "SECRET order", before="3 Tr"),
        shown(50, 500, "SECRET order", before="1 1 1 rg"),
        shown(900, 500, "SECRET order"),
        shown(50, 500, "SECRET order", size=1),
    ],
    ids=["unpainted", "white", "off the page", "tiny"],
)
def test_text_that_nobody_sees_is_left_out_and_counted(secret: str) -> None:
    found = parsed(pdf([[*column(50, 700, BODY), secret]]), "pdf")
    assert texts(found) == ["\n".join(BODY)]
    assert found.notes == ("11 hidden characters left out",)


def test_white_text_on_a_dark_box_is_seen() -> None:
    box = ["0 0 .5 rg 40 490 300 30 re f", shown(50, 500, "White on blue is seen", before="1 1 1 rg")]
    assert "White on blue is seen" in parsed(pdf([[*column(50, 700, BODY), *box]]), "pdf").text


def test_white_text_on_a_white_box_is_not_seen() -> None:
    box = ["1 1 1 rg 40 490 300 30 re f", shown(50, 500, "White on white", before="1 1 1 rg")]
    assert "White on white" not in parsed(pdf([[*column(50, 700, BODY), *box]]), "pdf").text


def test_title_and_date_come_from_the_file_where_they_are_sound() -> None:
    sound = pdf([column(50, 700, BODY)], info="/Title (Ferry plan) /CreationDate (D:20240517120000Z)")
    odd = pdf([column(50, 700, BODY)], info="/Title (Microsoft Word - a.doc) /CreationDate (D:99999999)")
    first, _ = prepare(sound, "a.pdf")
    second, _ = prepare(odd, "b.pdf")
    assert (first.title, first.date) == ("Ferry plan", "2024-05-17")
    assert (second.title, second.date) == ("", None)


def test_a_date_in_the_text_goes_before_that_of_the_file() -> None:
    page = column(50, 700, ["Published: 3 March 2021", "", *BODY], leading=30)
    document, _ = prepare(pdf([page], info="/CreationDate (D:20240517)"), "a.pdf")
    assert document.date == "2021-03-03"


def test_pages_without_text_are_named() -> None:
    found = parsed(pdf([column(50, 700, BODY), [], []]), "pdf")
    assert found.notes == ("pages without text: 2, 3; reading pictures (OCR) is off",)


LINES = st.lists(
    st.tuples(
        st.integers(0, 560), st.integers(0, 830), st.sampled_from([6, 10, 10, 10, 18]),
        st.text("abc DEF.-1•\x95", min_size=1, max_size=25),
    ),
    min_size=1,
    max_size=40,
)  # fmt: skip


@given(st.lists(LINES, min_size=1, max_size=3))
@settings(max_examples=60, deadline=None)
def test_any_page_gives_sound_blocks(pages: list[list[tuple[int, int, int, str]]]) -> None:
    made = [
        [shown(x, y, words.replace("\x95", "*"), size=size) for x, y, size, words in page] for page in pages
    ]
    try:
        found = parsed(pdf(made), "pdf")
    except RejectedError as rejected:
        assert rejected.reason == "no_text"
        return
    assert_sound(found)
    assert [b.page for b in found.blocks] == sorted(b.page or 0 for b in found.blocks)
