"""From bytes to a document: kinds, encodings, places of paragraphs, cut words."""

import pytest
from documents import docx, eml, epub, pptx, xlsx
from hypothesis import given, settings
from hypothesis import strategies as st
from pdf_maker import column, pdf

from index.encoding import decoded
from index.errors import RejectedError
from index.hyphens import joiner
from index.load import prepare, supported
from index.visible import inert, visible

WORDS = "The harbour council approved a budget for new ferries on Friday."
CELLS = f'<row r="1"><c r="A1" t="inlineStr"><is><t>{WORDS}</t></is></c></row>'
ONE_OF_EACH = {
    "a.txt": WORDS.encode(),
    "a.md": f"# Plan\n\n{WORDS}".encode(),
    "a.html": f"<html><p>{WORDS}</p>".encode(),
    "a.pdf": pdf([column(50, 700, [WORDS])]),
    "a.docx": docx(WORDS),
    "a.docm": docx(WORDS, macro=True),
    "a.pptx": pptx([WORDS]),
    "a.xlsx": xlsx(CELLS),
    "a.epub": epub(WORDS),
    "a.csv": f"Note,Year\n{WORDS},2024\n".encode(),
    "a.tsv": f"Note\tYear\n{WORDS}\t2024\n".encode(),
    "a.eml": eml(WORDS),
    "a.json": f'{{"note": "{WORDS}"}}'.encode(),
    "a.jsonl": f'{{"note": "{WORDS}"}}\n'.encode(),
    "a.rst": f"Plan\n====\n\n{WORDS}\n".encode(),
    "a.srt": f"1\n00:00:01,000 --> 00:00:03,000\n{WORDS}\n".encode(),
    "a.vtt": f"WEBVTT\n\n00:01.000 --> 00:03.000\n{WORDS}\n".encode(),
}


@pytest.mark.parametrize("name", ONE_OF_EACH)
def test_every_kind_of_file_gives_citable_paragraphs(name: str) -> None:
    document, passages = prepare(ONE_OF_EACH[name], name)
    lines = document.text.split("\n")
    for number, paragraph in enumerate(document.paragraphs, start=1):
        text = document.text[paragraph.start : paragraph.end]
        assert paragraph.number == number
        assert text == text.strip() != ""
        assert "\n".join(lines[paragraph.line_start - 1 : paragraph.line_end]).strip() == text
    assert any(WORDS in passage.text for passage in passages)


def test_every_supported_extension_is_tried_above() -> None:
    aliases = {".text", ".markdown", ".htm", ".xhtml", ".pptm", ".xlsm", ".ndjson"}
    assert supported() == {f".{name.split('.')[1]}" for name in ONE_OF_EACH} | aliases


def test_an_extension_in_capitals_is_the_same() -> None:
    assert prepare(WORDS.encode(), "A.TXT")[0].text == WORDS


@pytest.mark.parametrize("name", ["a.exe", "a.svg", "a.zip", "README", "a.doc"])
def test_a_kind_that_cannot_be_read_is_named(name: str) -> None:
    with pytest.raises(RejectedError) as caught:
        prepare(WORDS.encode(), name)
    assert caught.value.reason == "unsupported"


def test_a_file_under_a_wrong_name_says_so_in_its_notes() -> None:
    document, _ = prepare(ONE_OF_EACH["a.docx"], "letter.pdf")
    assert document.media_type.endswith("wordprocessingml.document")
    assert document.notes == ("read as docx: that is what its first bytes say, not .pdf",)


@pytest.mark.parametrize(
    ("encoding", "text"),
    [
        ("cp1252", "L’élève a reçu “une note” très élevée après l’été — à l’école."),
        ("cp1251", "Правительство объявило о новых мерах поддержки судоходства."),
        ("koi8_r", "Правительство объявило о новых мерах поддержки судоходства."),
        ("cp1250", "Zażółć gęślą jaźń. Wczoraj rząd ogłosił nowe przepisy."),
        ("cp932", "政府は新しい港湾の計画を発表しました。十月から施行されます。"),
        ("euc_jp", "政府は新しい港湾の計画を発表しました。十月から施行されます。"),
        ("iso2022_jp", "政府は新しい港湾の計画を発表しました。十月から施行されます。"),
        ("gb18030", "政府宣布了新的港口计划，将于十月开始实施。市民对此表示欢迎。"),
        ("big5", "政府宣布了新的港口計劃，將於十月開始實施。市民對此表示歡迎。"),
        ("cp949", "정부는 새로운 항만 계획을 발표했습니다. 시월부터 시행될 예정입니다."),
        ("cp1253", "Η κυβέρνηση ανακοίνωσε νέα μέτρα για τη ναυτιλία."),
        ("utf-16", "Zażółć gęślą jaźń."),
        ("utf-16-le", "Plain words without a mark, naïve."),
        ("utf-8-sig", "Zażółć gęślą jaźń."),
        ("utf-32", "Zażółć gęślą jaźń."),
    ],
)
def test_text_is_read_in_the_encoding_it_was_written_in(encoding: str, text: str) -> None:
    assert decoded(text.encode(encoding))[0] == text


@given(st.text(st.characters(exclude_categories=["Cs", "Cc"])))
def test_utf8_is_read_as_it_is(text: str) -> None:
    if not any(map(str.isalnum, text)) or text.startswith("\ufeff") or "\ufffd" in text:
        return
    assert decoded(text.encode()) == (text, ())


@given(st.binary(max_size=400))
@settings(max_examples=300)
def test_any_bytes_are_read_or_rejected(data: bytes) -> None:
    try:
        text, _ = decoded(data)
    except RejectedError as rejected:
        assert rejected.reason in {"empty", "not_text"}
        return
    assert text.encode("utf-8").decode("utf-8") == text
    assert not set(text) & set("\0\x1b\x07\x9b")


@given(st.text())
def test_making_inert_keeps_every_place(text: str) -> None:
    assert len(inert(text)) == len(text)


@pytest.mark.parametrize(
    ("text", "seen"),
    [
        ("har\u200bbour", "harbour"),
        ("\u202etxt\u202c.exe", "txt.exe"),
        ("a\U000e0041\U000e0042b", "ab"),
        ("soft\u00adhyphen", "softhyphen"),
        ("e" + "\u0301" * 50, "e" + "\u0301" * 4),
        ("می\u200cخواهم", "می\u200cخواهم"),
        ("👩\u200d🚀", "👩\u200d🚀"),
        ("a\u200db", "ab"),
        ("plain", "plain"),
    ],
)
def test_what_nobody_sees_is_not_embedded(text: str, seen: str) -> None:
    assert visible(text) == seen


def test_the_quote_of_a_text_file_keeps_what_the_passage_leaves_out() -> None:
    text = "The har\u200bbour is open to every ferry."
    document, (passage,) = prepare(text.encode(), "a.txt")
    assert document.text == text
    assert passage.text == "The harbour is open to every ferry."


@pytest.mark.parametrize(
    ("text", "joined"),
    [
        ("hyphen-\nation", "hyphenation"),
        ("hyphen-\r\n  ation", "hyphenation"),
        ("well-\nknown", "well-known"),
        ("Anglo-\nSaxon", "Anglo-Saxon"),
        ("x-\nray", "x-ray"),
        ("co-op and co-\nop", "co-op and co-op"),
        ("resign and re-\nsign", "resign and resign"),
        ("pages 10-\n12", "pages 10-\n12"),
        ("a dash -\nhere", "a dash -\nhere"),
    ],
)
def test_words_cut_by_a_line_end_are_joined(text: str, joined: str) -> None:
    assert joiner(text)(text) == joined


def test_a_megabyte_of_anything_is_split_in_linear_time() -> None:
    for text in ("word " * 200_000, "a" * 1_000_000, "End. " * 200_000, "-\n" * 400_000, "x-\n" * 300_000):
        try:
            prepare(f"Words. {text}".encode(), "a.txt")
        except RejectedError as rejected:
            assert rejected.reason == "too_many_paragraphs"
