"""Word, PowerPoint, Excel and EPUB: headings, tables row by row, slides as pages, chapters in order."""

import io
import re
import zipfile
from collections.abc import Callable
from datetime import date, datetime
from typing import Any

import docx
import openpyxl
import pptx
import pytest
from documents import docx as plain_docx
from documents import epub
from documents import pptx as plain_pptx
from documents import xlsx as plain_xlsx
from hypothesis import given, settings
from hypothesis import strategies as st
from parse_here import assert_sound, blocks, parsed, texts

from index.errors import RejectedError
from index.load import prepare

WORDS = st.text(st.characters(exclude_categories=["Cc", "Cs", "Cn", "Co"]), max_size=40)


def saved(made: Any) -> bytes:
    out = io.BytesIO()
    made.save(out)
    return out.getvalue()


def word(fill: Callable[[Any], None]) -> bytes:
    made = docx.Document()
    fill(made)
    return saved(made)


def test_word_headings_make_the_path_of_what_follows() -> None:
    def fill(made: Any) -> None:
        made.add_heading("Harbour plan", 0)
        made.add_heading("Budget", 1)
        made.add_heading("Ships", 2)
        made.add_paragraph("Two ships are planned.")

    found = parsed(word(fill), "docx")
    assert found.title == "Harbour plan"
    assert found.blocks[-1].headings == ("Budget", "Ships")


def test_word_table_rows_name_their_columns() -> None:
    def fill(made: Any) -> None:
        table = made.add_table(2, 2)
        for place, text in enumerate(["Year", "Cost", "2024", "£4m"]):
            table.cell(place // 2, place % 2).text = text

    assert blocks(parsed(word(fill), "docx")) == [("row", "Year: 2024; Cost: £4m")]


def test_word_hidden_and_deleted_text_is_left_out_and_inserted_text_is_not() -> None:
    body = (
        "<w:p><w:r><w:t>Seen </w:t></w:r><w:r><w:rPr><w:vanish/></w:rPr><w:t>SECRET</w:t></w:r>"
        "<w:del><w:r><w:delText>GONE</w:delText></w:r></w:del><w:ins><w:r><w:t>and new.</w:t></w:r></w:ins></w:p>"
        "<w:sdt><w:sdtContent><w:p><w:r><w:t>In a control.</w:t></w:r></w:p></w:sdtContent></w:sdt>"
    )
    assert texts(parsed(plain_docx("", body=body), "docx")) == ["Seen and new.", "In a control."]


def test_word_list_items_are_told_apart() -> None:
    found = parsed(word(lambda made: made.add_paragraph("First thing", style="List Bullet")), "docx")
    assert blocks(found) == [("list_item", "First thing")]


def test_word_title_and_date_come_from_the_properties() -> None:
    def fill(made: Any) -> None:
        made.core_properties.title = "Ferry plan"
        made.core_properties.modified = datetime(2023, 4, 5)  # noqa: DTZ001 - as python-docx has it
        made.add_paragraph("The budget is four million.")

    document, _ = prepare(word(fill), "a.docx")
    assert (document.title, document.date) == ("Ferry plan", "2023-04-05")


def test_the_date_of_an_empty_template_is_not_believed() -> None:
    document, _ = prepare(word(lambda made: made.add_paragraph("Some words.")), "a.docx")
    assert document.date is None


def test_a_file_without_properties_has_neither_title_nor_date() -> None:
    """The libraries put in a title of their own and the present moment."""
    rows = '<row r="1"><c r="A1"><v>4</v></c></row>'
    slides = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(plain_pptx(["Two ships are planned."]))) as source,
        zipfile.ZipFile(slides, "w") as out,
    ):
        for name in source.namelist():
            if name != "docProps/core.xml":
                data = re.sub(rb"<[^<>]*core-properties[^<>]*/>", b"", source.read(name))
                out.writestr(name, data)
    for data, kind in (
        (plain_docx("Two ships are planned."), "docx"),
        (plain_xlsx(rows), "xlsx"),
        (slides.getvalue(), "pptx"),
    ):
        found = parsed(data, kind)
        assert (kind, found.title, found.created) == (kind, "", None)


def test_word_headings_are_known_by_their_styles_names_alone() -> None:
    """A document made by a program may lack the part that says what its styles are."""
    body = "".join(
        f'<w:p><w:pPr><w:pStyle w:val="{style}"/></w:pPr><w:r><w:t>{text}</w:t></w:r></w:p>'
        for style, text in (("Title", "Harbour plan"), ("Heading1", "Ships"), ("Body", "Two are planned."))
    )
    found = parsed(plain_docx("", body=body), "docx")
    assert (found.title, found.blocks[-1].headings) == ("Harbour plan", ("Ships",))


def test_slides_are_pages_under_their_titles() -> None:
    made = pptx.Presentation()
    for title, lines in (("Tides", "High at noon\nLow at six"), ("Costs", "Four million\nNo more")):
        slide = made.slides.add_slide(made.slide_layouts[1])
        slide.shapes.title.text, slide.placeholders[1].text = title, lines
    made.slides[0].notes_slide.notes_text_frame.text = "Say it slowly"
    found = parsed(saved(made), "pptx")
    assert [(b.page, b.headings) for b in found.blocks] == [
        (1, ()), (1, ("Tides",)), (1, ("Tides",)), (1, ("Tides", "Speaker notes")), (2, ()), (2, ("Costs",)), (2, ("Costs",)),
    ]  # fmt: skip


def test_hidden_slides_are_left_out_and_named() -> None:
    made = pptx.Presentation()
    for title in ("Seen", "SECRET"):
        made.slides.add_slide(made.slide_layouts[5]).shapes.title.text = title
    made.slides[1].element.set("show", "0")
    found = parsed(saved(made), "pptx")
    assert (found.text, found.notes) == ("Seen", ("slide 2 is hidden and left out",))


def test_slide_table_rows_name_their_columns() -> None:
    made = pptx.Presentation()
    table = made.slides.add_slide(made.slide_layouts[6]).shapes.add_table(2, 2, 0, 0, 999, 999).table
    for place, text in enumerate(["Year", "Cost", "2024", "£4m"]):
        table.cell(place // 2, place % 2).text = text
    assert blocks(parsed(saved(made), "pptx")) == [("row", "Year: 2024; Cost: £4m")]


def workbook(*sheets: tuple[str, list[list[Any]]]) -> Any:
    made = openpyxl.Workbook()
    made.remove(made.active)
    for name, rows in sheets:
        sheet = made.create_sheet(name)
        for row in rows:
            sheet.append(row)
    return made


def test_rows_of_sheets_are_paragraphs_under_the_name_of_the_sheet() -> None:
    rows = [["Year", "Cost", "When"], [2024, 4.5, date(2024, 5, 17)], [2025, None, "=A2+1"]]
    found = parsed(saved(workbook(("Budget", rows), ("Ships", [["Name"], ["Aurora"]]))), "xlsx")
    assert texts(found, "row") == [
        "Year: 2024; Cost: 4.5; When: 2024-05-17",
        "Year: 2025; When: =A2+1",
        "Name",
        "Aurora",
    ]
    assert [(b.page, b.headings) for b in found.blocks][-1] == (2, ("Ships",))


def test_hidden_sheets_are_left_out_and_named() -> None:
    made = workbook(("Seen", [["Aurora"]]), ("Away", [["SECRET"]]))
    made["Away"].sheet_state = "hidden"
    found = parsed(saved(made), "xlsx")
    assert (found.text, found.notes) == ("Aurora", ("sheet 'Away' is hidden and left out",))


def test_a_cell_far_from_the_others_is_read() -> None:
    made = workbook(("Budget", [["Year", "Cost"], [2024, 4]]))
    made["Budget"]["XFD900"] = "far away"
    assert texts(parsed(saved(made), "xlsx"), "row")[-1] == "far away"


def test_chapters_of_a_book_come_in_the_order_of_its_spine() -> None:
    chapters = {
        "z.xhtml": "<h1>One</h1><p>The sea was calm.</p>",
        "a.xhtml": "<h2>Two</h2><p>The sea was rough.</p>",
    }
    found = parsed(epub("", chapters=chapters), "epub")
    assert [(b.headings, found.text[b.start : b.end]) for b in found.blocks if b.kind == "text"] == [
        (("One",), "The sea was calm."), (("Two",), "The sea was rough."),
    ]  # fmt: skip
    assert (found.title, found.date) == ("Sea Tales", "1998-03-02")


def test_a_chapter_without_a_heading_is_called_as_the_contents_call_it() -> None:
    contents = b"""<ncx xmlns="http://www.daisy.org/z3986/2005/ncx/"><navMap><navPoint><navLabel><text>Storm</text>
    </navLabel><content src="c1.xhtml#start"/></navPoint></navMap></ncx>"""
    item = '<item id="toc" href="toc.ncx" media-type="application/x-dtbncx+xml"/>'
    book = epub(
        "", chapters={"c1.xhtml": "<p>The sea was calm.</p>"}, extra={"toc.ncx": contents}, items=item
    )
    assert parsed(book, "epub").blocks[0].headings == ("Storm",)


@pytest.mark.parametrize(
    "algorithm", ["http://www.w3.org/2001/04/xmlenc#aes128-cbc", "http://ns.adobe.com/pdf/enc#RC"]
)
def test_a_protected_book_is_rejected_and_one_with_scrambled_fonts_is_not(algorithm: str) -> None:
    rules = (
        f'<e xmlns:x="http://www.w3.org/2001/04/xmlenc#"><x:EncryptionMethod Algorithm="{algorithm}"/></e>'
    )
    book = epub("The sea was calm.", extra={"META-INF/encryption.xml": rules.encode()})
    if "aes" not in algorithm:
        assert "calm" in parsed(book, "epub").text
        return
    with pytest.raises(RejectedError, match="encrypted"):
        parsed(book, "epub")


@given(
    st.lists(
        st.tuples(st.sampled_from(["Normal", "Heading 1", "Heading 3", "List Bullet"]), WORDS), max_size=12
    )
)
@settings(max_examples=40, deadline=None)
def test_any_word_document_gives_sound_blocks(paragraphs: list[tuple[str, str]]) -> None:
    def fill(made: Any) -> None:
        made.add_paragraph("First.")
        for style, text in paragraphs:
            made.add_paragraph(text, style=style)

    assert_sound(parsed(word(fill), "docx"))


@given(
    st.lists(
        st.lists(st.one_of(st.none(), WORDS, st.integers(), st.floats(allow_nan=False)), max_size=5),
        max_size=8,
    )
)
@settings(max_examples=40, deadline=None)
def test_any_workbook_gives_sound_blocks(rows: list[list[Any]]) -> None:
    assert_sound(parsed(saved(workbook(("Sheet", [["First"], *rows]))), "xlsx"))


@given(st.lists(st.tuples(WORDS, WORDS), min_size=1, max_size=4))
@settings(max_examples=25, deadline=None)
def test_any_presentation_gives_sound_blocks(slides: list[tuple[str, str]]) -> None:
    made = pptx.Presentation()
    for title, text in [("First", "Words"), *slides]:
        slide = made.slides.add_slide(made.slide_layouts[1])
        slide.shapes.title.text, slide.placeholders[1].text = title, text
    assert_sound(parsed(saved(made), "pptx"))
