"""CSV, JSON, e-mail, reStructuredText and subtitles."""

import csv
import io
import json
from typing import Any

import pytest
from documents import eml
from hypothesis import given, settings
from hypothesis import strategies as st
from parse_here import assert_sound, blocks, parsed, texts

from index.errors import RejectedError
from index.load import prepare

WORDS = st.text(st.characters(exclude_categories=["Cc", "Cs"]), max_size=40)


# --------------------------------------------------------------------------------------------------- CSV


def test_a_record_names_its_columns() -> None:
    found = parsed("Year,Cost\n2024,£4m\n2025,\n", "csv")
    assert texts(found, "row") == ["Year: 2024; Cost: £4m", "Year: 2025"]


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_the_delimiter_is_found(delimiter: str) -> None:
    rows = [["Name", "Note"], ["Aurora", "fast, new; big"], ["Borealis", "old | slow"]]
    out = io.StringIO()
    csv.writer(out, delimiter=delimiter).writerows(rows)
    assert texts(parsed(out.getvalue(), "csv"), "row")[0] == "Name: Aurora; Note: fast, new; big"


def test_a_record_stands_on_the_line_that_it_has_in_the_file() -> None:
    document, _ = prepare(b"Year,Cost\n2024,4\n2025,5\n", "a.csv")
    assert [p.line_start for p in document.paragraphs] == [1, 2, 3]


def test_a_table_without_names_has_none() -> None:
    assert texts(parsed("1,2\n3,4\n", "csv")) == ["1; 2", "3; 4"]


def test_a_date_in_the_first_record_is_not_the_documents() -> None:
    document, _ = prepare(b"Title,Date\nFerries,2024-05-17\n", "a.csv")
    assert (document.title, document.date) == ("", None)


@given(st.lists(st.lists(WORDS, max_size=4), max_size=10))
@settings(max_examples=100, deadline=None)
def test_any_table_gives_sound_blocks(rows: list[list[str]]) -> None:
    out = io.StringIO()
    csv.writer(out).writerows([["First", "Second"], *rows])
    assert_sound(parsed(out.getvalue(), "csv"))


# -------------------------------------------------------------------------------------------------- JSON


def test_a_record_is_a_paragraph_under_the_path_of_its_fields() -> None:
    found = parsed(json.dumps({"ships": [{"name": "Aurora", "built": 2024, "crew": ["Ann", "Bob"]}]}), "json")
    assert blocks(found) == [("row", "name: Aurora; built: 2024; crew: Ann, Bob")]
    assert found.blocks[0].headings == ("ships",)


def test_a_long_text_is_a_paragraph_by_itself() -> None:
    found = parsed(json.dumps({"id": 1, "body": {"text": "Many words. " * 30}}), "json")
    assert found.blocks[-1].headings == ("body", "text")
    assert found.text.endswith("Many words. Many words.")


def test_numbers_stay_as_they_are_written() -> None:
    assert (
        "1.50; b: 12345678901234567890123" in parsed('{"a": 1.50, "b": 12345678901234567890123}', "json").text
    )


def test_title_and_date_are_fields_of_those_names() -> None:
    found = parsed('{"title": "Ferry plan", "date": "2024-05-17T10:00:00", "text": "Words."}', "json")
    assert (found.title, found.date) == ("Ferry plan", "2024-05-17")


def test_each_line_of_json_lines_is_a_record_and_bad_ones_are_counted() -> None:
    found = parsed('{"a": 1, "b": 2}\nnot JSON\n\n{"a": 3, "b": 4}\n', "jsonl")
    assert texts(found) == ["a: 1; b: 2", "a: 3; b: 4"]
    assert found.notes == ("1 lines are not JSON and left out",)


VALUES: st.SearchStrategy[Any] = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), WORDS),
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(WORDS, inner, max_size=4)),
    max_leaves=20,
)


@given(VALUES)
@settings(max_examples=100, deadline=None)
def test_any_json_gives_sound_blocks(value: Any) -> None:
    assert_sound(parsed(json.dumps({"first": "Words.", "value": value}), "json"))


# ------------------------------------------------------------------------------------------------ e-mail


def test_the_headers_of_a_message_are_its_first_paragraph() -> None:
    document, _ = prepare(eml("Hello,\n\nthe budget is £4m.\n", Subject="Ferry budget über"), "a.eml")
    first, *rest = (document.text[p.start : p.end] for p in document.paragraphs)
    assert first.split("\n") == [
        "From: Ann <ann@example.org>",
        "To: bob@example.org",
        "Date: Fri, 17 May 2024 10:00:00 +0200",
        "Subject: Ferry budget über",
    ]
    assert rest == ["Hello,", "the budget is £4m."]
    assert (document.title, document.date) == ("Ferry budget über", "2024-05-17")


def test_messages_within_messages_are_read_two_deep() -> None:
    found = parsed(eml("Words.", nested=4), "eml")
    assert "level 2" in found.text
    assert "level 3" not in found.text
    assert "messages nested more than two deep are left out" in found.notes


def test_a_text_attachment_is_read_and_another_is_named() -> None:
    from email import message_from_bytes, policy

    message = message_from_bytes(eml("Words."), policy=policy.default)
    message.add_attachment("A note sent along.", filename="note.txt")
    message.add_attachment(b"\0\1", maintype="application", subtype="pdf", filename="plan.pdf")
    found = parsed(bytes(message), "eml")
    assert found.blocks[-1].headings == ("Attachment: note.txt",)
    assert found.notes == ("attachment not read: plan.pdf",)


def test_of_two_versions_of_one_text_the_plain_one_is_read() -> None:
    from email import message_from_bytes, policy

    message = message_from_bytes(eml("Plain words."), policy=policy.default)
    message.add_alternative("<p>Plain words.</p>", subtype="html")
    assert parsed(bytes(message), "eml").text.count("Plain words.") == 1


def test_a_message_of_html_gives_its_text() -> None:
    data = b"From: a@example.org\nSubject: Hi\nContent-Type: text/html\n\n<p>The budget is <b>four</b> million.</p>"
    assert "The budget is four million." in texts(parsed(data, "eml"))


@given(st.binary(max_size=200))
@settings(max_examples=80, deadline=None)
def test_any_body_of_a_message_gives_sound_blocks(body: bytes) -> None:
    assert_sound(parsed(b"From: a@example.org\nSubject: Words\nMIME-Version: 1.0\n" + body, "eml"))


# --------------------------------------------------------------------------------------- reStructuredText

RST = """
Harbour plan
============

:Date: 2024-05-17

First words *with* stress
on two lines.

Costs
-----

- one ferry
- two ferries

term
  what it means

::

  def f():
      return 1

====  ====
Year  Cost
====  ====
2024  £4m
====  ====
"""


def test_sections_lists_tables_and_code_of_rst() -> None:
    found = parsed(RST, "rst")
    assert blocks(found)[2:] == [
        ("text", "First words with stress\non two lines."), ("heading", "Costs"), ("list_item", "one ferry"),
        ("list_item", "two ferries"), ("list_item", "term: what it means"), ("text", "def f():\n    return 1"),
        ("row", "Year: 2024; Cost: £4m"),
    ]  # fmt: skip
    assert (found.title, found.date, found.blocks[-1].headings) == (
        "Harbour plan",
        "2024-05-17",
        ("Harbour plan", "Costs"),
    )


@pytest.mark.parametrize(
    "directive",
    [
        ".. include:: /etc/hostname",
        ".. raw:: html\n\n   <b>SECRET</b>",
        ".. csv-table::\n   :file: /etc/hostname",
    ],
)
def test_rst_reads_no_file_and_lets_nothing_raw_through(directive: str) -> None:
    assert texts(parsed(f"First words.\n\n{directive}\n\nLast words.\n", "rst")) == [
        "First words.",
        "Last words.",
    ]


@given(
    st.lists(
        st.one_of(WORDS, st.sampled_from(["====", "----", "- x", "  y", "", "::", ".. note::", "|a|", "+-+"]))
    )
)
@settings(max_examples=60, deadline=None)
def test_any_rst_gives_sound_blocks(lines: list[str]) -> None:
    try:
        found = parsed("\n".join(["First words.", "", *lines]), "rst")
    except RejectedError as rejected:
        assert rejected.reason in {"no_text", "empty"}
        return
    assert_sound(found)


# -------------------------------------------------------------------------------------------- subtitles

SRT = """1
00:00:01,000 --> 00:00:03,000
The <i>council</i> met

2
00:00:03,100 --> 00:00:05,500
on Friday.

3
00:01:05,000 --> 00:01:06,000
Later it rained.
"""


def test_cues_are_joined_until_a_pause_and_stand_under_their_time() -> None:
    found = parsed(SRT, "srt")
    assert [(b.headings, found.text[b.start : b.end]) for b in found.blocks] == [
        (("00:00:01–00:00:05",), "The council met\non Friday."), (("00:01:05–00:01:06",), "Later it rained."),
    ]  # fmt: skip


def test_another_voice_is_another_paragraph() -> None:
    cues = "WEBVTT\n\n00:01.000 --> 00:03.000\n<v Ann>Are we late?\n\n00:03.000 --> 00:05.000\n<v Bob>No.\n"
    assert texts(parsed(cues, "vtt")) == ["Ann: Are we late?", "Bob: No."]


def test_the_passage_of_joined_cues_is_one_line() -> None:
    _, passages = prepare(SRT.encode(), "talk.srt")
    assert passages[0].text == "The council met on Friday."


def test_what_is_no_subtitle_is_rejected() -> None:
    with pytest.raises(RejectedError, match=r"no_text|damaged"):
        prepare(b"Just some words and no times at all.", "talk.srt")


@given(st.lists(st.tuples(st.integers(0, 90_000), WORDS), max_size=12))
@settings(max_examples=60, deadline=None)
def test_any_cues_give_sound_blocks(cues: list[tuple[int, str]]) -> None:
    times = [
        (f"{s // 3600:02d}:{s // 60 % 60:02d}:{s % 60:02d}", text) for s, text in [(0, "First words."), *cues]
    ]
    body = "\n\n".join(f"{n}\n{at},000 --> {at},900\n{text}" for n, (at, text) in enumerate(times, 1))
    assert_sound(parsed(body, "srt"))
