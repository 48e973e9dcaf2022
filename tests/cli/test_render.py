"""Text for people: what it shows, and that no document can make a terminal obey."""

import json
import unicodedata
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scripted import QUOTE, abstained, answer, citation, disputed, document, hit, paragraphs

from index.types import CheckReport, Paragraph, Skipped, StoredParagraph, SyncReport
from qa.age import age_of
from qa.payload import answer_payload
from qa.render import (
    DEGRADED,
    PLAIN,
    REASONS,
    Neutraliser,
    Style,
    answer_text,
    check_text,
    hits_text,
    json_text,
    one_line,
    paragraph_text,
    status_text,
    sync_text,
    verified_text,
    visible,
)
from qa.types import Sentence, Verified

ATTACKS = [
    "\x1b]52;c;cm0gLXJm\x07",
    "\x1b]8;;http://evil/\x1b\\click\x1b]8;;\x1b\\",
    "\x1b[2J\x1b[H",
    "\x9b31m",
    "safe\rEVIL",
    "bell\x07",
    "back\x08\x08",
    "\u202egnp.exe",
    "\u2066hidden\u2069",
]
ANSI = Style(ansi=True)
texts = st.text(st.characters() | st.sampled_from("\x1b\r\n\t\x07\x9b[]\\\u202e"))


def obeyed(text: str) -> set[str]:
    """Characters in a text that a terminal acts on."""
    return {
        c
        for c in text
        if unicodedata.category(c) in ("Cc", "Cs") or c in "\u202a\u202b\u202d\u202e\u2066\u2067"
    } - {
        "\n",
        "\t",
    }


@pytest.mark.parametrize("attack", ATTACKS)
def test_an_escape_sequence_becomes_visible(attack: str) -> None:
    assert obeyed(visible(attack)) == set()


@pytest.mark.parametrize("attack", ATTACKS)
@pytest.mark.parametrize("show", [answer_text, json_text], ids=["text", "json"])
def test_no_part_of_an_answer_reaches_the_terminal_as_a_command(attack: str, show: object) -> None:
    hostile = answer(
        attack,
        answer_plain=attack,
        citations=(citation(path=attack, title=attack, date=attack, cited_text=attack, url=attack),),
        degraded=(attack,),
    )
    shown = json_text(answer_payload(hostile)) if show is json_text else answer_text(hostile)
    assert obeyed(shown) == set()


@given(texts)
def test_nothing_a_terminal_obeys_is_left(text: str) -> None:
    assert obeyed(visible(text)) == set()


@given(st.lists(texts, max_size=6))
def test_a_stream_reads_like_the_whole_however_it_is_cut(chunks: list[str]) -> None:
    stream = Neutraliser()
    shown = "".join(stream.feed(chunk) for chunk in chunks) + stream.end()
    assert shown == visible("".join(chunks))


@given(texts)
def test_json_parses_back_to_the_same_text(text: str) -> None:
    line = json_text({"text": text})
    assert json.loads(line) == {"text": text}
    assert obeyed(line) == set()
    assert "\n" not in line


def test_ordinary_text_is_left_as_it_is() -> None:
    text = "Grüße, 北京 😀\n\tA – “quote”"
    assert visible(text) == text
    assert visible("a\r\nb") == "a\nb"


@given(texts)
def test_one_line_is_one_line(text: str) -> None:
    assert len(one_line(text).split("\n")) == 1


def test_an_answer_shows_text_address_and_quote() -> None:
    shown = f"{QUOTE} [1]\n\n[1] news/call.txt, paragraph 3, line 5\n    {QUOTE}"
    assert answer_text(answer(citations=(citation(date=None),))) == shown


@pytest.mark.parametrize(
    ("dates", "said"),
    [
        (("2022-04-20",), "the source of this answer is of 20 April 2022, 2 years old."),
        (
            ("2022-04-20", "2023-05-02"),
            "the newest dated source of this answer is of 2 May 2023, 1 year old.",
        ),
        (("2022-04-20", None), "the newest dated source of this answer is of 20 April 2022, 2 years old."),
        (("2023-05-03",), ""),
        (("2022-04-20", "2024-05-01"), ""),
        ((None,), ""),
        (("no day",), ""),
        ((), ""),
    ],
)
def test_an_answer_that_rests_on_old_documents_says_how_old(dates: tuple[str | None, ...], said: str) -> None:
    cited = [citation(n, date=day, document_id=f"d{n}") for n, day in enumerate(dates, 1)]
    assert age_of(cited, date(2024, 5, 2)) == said


def test_the_age_is_noted_below_the_sources() -> None:
    assert "\n\nNote: the source of this answer is of 20 April 2022, " in answer_text(answer())


def test_pages_and_ranges_of_lines_are_part_of_an_address() -> None:
    assert "[2] news/call.txt, paragraph 3, lines 5-6, page 7 (2024-04-16)" in answer_text(disputed())


def test_a_verdict_that_is_not_support_stands_beside_its_citation() -> None:
    assert "(2024-04-16) (contradicted)\n" in answer_text(disputed())
    assert "(supported)" not in answer_text(disputed())


def test_disagreeing_sources_are_named_with_their_dates() -> None:
    expected = (
        "Sources disagree: length of the call: 45 minutes [1] (2022-04-20); 90 minutes [2] (2024-04-16)"
    )
    assert expected in answer_text(disputed())


def test_a_partial_or_degraded_answer_says_so() -> None:
    shown = answer_text(disputed())
    assert "Partial: what the documents do not support was left out." in shown
    assert f"Note: {DEGRADED['llm']}." in shown


@pytest.mark.parametrize("reason", REASONS)
def test_an_abstention_says_why_in_plain_words(reason: str) -> None:
    base = abstained()
    shown = answer_text(answer("", citations=(), abstention=type(base.abstention)(reason)))
    assert shown == f"No answer: {REASONS[reason]}"


def test_an_abstention_shows_what_came_nearest() -> None:
    assert (
        f"Nearest paragraphs:\n\n[1] news/call.txt, paragraph 3, line 5 (2022-04-20)\n    {QUOTE}"
        in answer_text(abstained())
    )


def test_colours_come_only_when_asked_for() -> None:
    assert "\x1b" not in answer_text(disputed()) + hits_text([hit()]) + paragraph_text(paragraphs(), 3)
    assert "\x1b[36m[1]\x1b[0m" in answer_text(answer(), ANSI)


def test_hits_are_ranked_with_their_address() -> None:
    assert hits_text([hit()]).startswith(
        "1. news/call.txt, paragraph 3, lines 5-6 (2022-04-20) score 0.500\n    The"
    )
    assert hits_text([]) == "Nothing found."


def test_a_verified_text_has_a_verdict_for_each_sentence() -> None:
    sentences = (
        Sentence(0, 0, 1, "supported", 1.0, ("c1",), "True."),
        Sentence(1, 1, 2, "unsupported", 0.0, (), "False."),
    )
    lines = verified_text(Verified(sentences, (citation(),))).splitlines()
    assert lines[:3] == ["supported    True. [1]", "unsupported  False.", ""]


def test_a_paragraph_is_shown_between_its_neighbours() -> None:
    shown = paragraph_text(paragraphs()[1:5], 3)
    assert f"   3  {QUOTE}" in shown
    assert "   2  Paragraph 2." in shown
    assert "news/call.txt, line 3 (2022-04-20)" in shown


def test_reports_fit_on_a_line() -> None:
    report = SyncReport(added=5, skipped=(Skipped("a.bin", "not_text"),), passages=61, seconds=1.26)
    assert sync_text(report) == "5 added, 1 skipped; 61 passages in 1.3 s"
    assert sync_text(SyncReport()) == "no document; 0 passages in 0.0 s"


def test_a_check_lists_its_problems() -> None:
    report = CheckReport(ok=False, documents=1, paragraphs=2, passages=3, problems=("bad\x1b row",))
    assert check_text(report) == "problems: 1 documents, 2 paragraphs, 3 passages\n- bad␛ row"


def test_a_status_is_one_line_for_each_thing_known() -> None:
    status = {
        "ready": True,
        "parts": {"dense": None, "names": ["a", "b"]},
        "sets": [{"name": "x", "size": 2}],
    }
    lines = ["ready: yes", "parts.dense: none", "parts.names: a, b", "sets.x.size: 2"]
    assert status_text(status).splitlines() == lines


def test_the_cited_part_of_a_paragraph_is_set_off() -> None:
    stored = StoredParagraph(document(), Paragraph(3, 5, 5, 40, 60), "Before. The words. End", "0" * 64)
    assert "Before. \x1b[1mThe words.\x1b[0m End" in paragraph_text([stored], 3, Style(ansi=True), (48, 58))
    assert "Before. The words. End" in paragraph_text([stored], 3, PLAIN, (48, 58))
    assert "6  \x1b" not in paragraph_text([stored], 3, Style(ansi=True), (0, 99))
