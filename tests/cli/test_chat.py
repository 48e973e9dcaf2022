"""The conversation: what it shows, what it keeps, and that it goes on after trouble."""

import io
import os
import re
import signal
import socket
import threading
import unicodedata
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scripted import QUOTE, ScriptedSource, abstained, age_note, answer, citation, disputed, paragraphs

from index.errors import NotFoundError
from index.types import StoredParagraph
from qa.chat import HELP, KEPT_TURNS, Chat, whole_lines
from qa.chat_screen import Screen
from qa.cli.screen import openable, screen_of
from qa.footnotes import markdown
from qa.render import Style
from qa.types import Turn

SOURCES = f"[1] news/call.txt, paragraph 3, line 5 (2022-04-20)\n    {QUOTE}"


def talk(source: ScriptedSource, *lines: str) -> tuple[str, Chat]:
    out = io.StringIO()
    chat = Chat(source, Screen(out))
    chat.run(iter(lines))
    return out.getvalue(), chat


def test_an_answer_is_followed_by_its_citations() -> None:
    shown, _ = talk(ScriptedSource([answer()]), "How long?")
    assert shown == f"{QUOTE} [1]\n\n{SOURCES}\n\n{age_note()}\n\n"


@pytest.mark.parametrize(
    "deltas",
    [[f"{QUOTE} [1]"], list(f"{QUOTE} [1]"), ["The call", " lasted"]],
    ids=["whole", "by character", "only its beginning"],
)
def test_a_streamed_answer_ends_up_the_same(deltas: list[str]) -> None:
    shown, _ = talk(ScriptedSource([answer()], deltas), "How long?")
    assert shown == f"{QUOTE} [1]\n\n{SOURCES}\n\n{age_note()}\n\n"


def test_a_stream_that_differs_from_the_answer_is_followed_by_the_answer() -> None:
    shown, _ = talk(ScriptedSource([answer()], ["Something else."]), "How long?")
    assert shown.startswith(f"Something else.\n{QUOTE} [1]\n\n[1] ")


def test_an_escape_split_over_two_pieces_is_neutralised() -> None:
    hostile = answer("\x1b]52;c;AAAA\x07 [1]")
    shown, _ = talk(ScriptedSource([hostile], ["\x1b", "]52;c;AA", "AA\x07 [1]"]), "How?")
    assert "\x1b" not in shown
    assert "\x07" not in shown


def test_no_answer_says_why() -> None:
    shown, _ = talk(ScriptedSource([abstained()]), "Who?")
    assert shown.startswith("No answer: the paragraphs that come nearest")
    assert SOURCES in shown


def test_notes_stand_under_the_citations() -> None:
    shown, _ = talk(ScriptedSource([disputed()]), "How long?")
    notes = shown.rstrip().split("\n")[-3:]
    assert notes[1].endswith("sentences are quoted.")
    assert "16 April 2024, " in notes[2]


def test_a_follow_up_brings_the_history() -> None:
    source = ScriptedSource([answer(), abstained(), answer()])
    talk(source, "How long?", "And who?", "Why?")
    assert source.asked[0].history == ()
    assert source.asked[2].history == (
        Turn("user", "How long?"),
        Turn("assistant", QUOTE),
        Turn("user", "And who?"),
        Turn("assistant", "I found no answer to this in the documents."),
    )


def test_history_stays_bounded() -> None:
    source = ScriptedSource([answer()] * 30)
    talk(source, *[f"Question {n}?" for n in range(30)])
    assert len(source.asked[-1].history) == KEPT_TURNS


def test_a_failure_is_told_and_the_chat_goes_on() -> None:
    source = ScriptedSource([NotFoundError("no such collection"), answer()])
    shown, chat = talk(source, "One?", "Two?")
    assert shown.startswith("Not done: no such collection\n\n")
    assert len(chat.answers) == 1
    assert source.asked[1].history == ()


def test_sources_are_shown_again() -> None:
    shown, _ = talk(ScriptedSource([answer()]), "How long?", "/sources")
    assert shown.count(SOURCES) == 2


@pytest.mark.parametrize("number", ["1", "[1]"])
def test_a_citation_is_shown_as_a_paragraph_between_its_neighbours(number: str) -> None:
    shown, _ = talk(ScriptedSource([answer()]), "How long?", f"/show {number}")
    tail = shown.split(SOURCES)[1]
    assert [
        word for word in ("Paragraph 1.", "Paragraph 2.", QUOTE, "Paragraph 5.") if word not in tail
    ] == []
    assert "Paragraph 6." not in tail


@pytest.mark.parametrize("number", ["", "2", "x", "\x1b[2J"])
def test_a_citation_that_is_not_there_is_named_with_those_that_are(number: str) -> None:
    shown, _ = talk(ScriptedSource([answer()]), "How long?", f"/show {number}")
    assert "it has: 1" in shown
    assert "\x1b" not in shown


@pytest.mark.parametrize("command", ["/sources", "/show 1", "/open 1"])
def test_there_is_nothing_to_show_before_the_first_answer(command: str) -> None:
    assert talk(ScriptedSource(), command)[0] == "There is no answer yet.\n\n"


def test_a_link_is_opened_or_named() -> None:
    shown, _ = talk(ScriptedSource([answer()]), "How long?", "/open 1")
    assert "Read it at http://127.0.0.1:8000/documents/d1#p3" in shown


@pytest.mark.parametrize("url", ["file:///etc/passwd", "javascript:alert(1)", "/documents/d1"])
def test_only_web_addresses_are_opened(url: str) -> None:
    opened: list[str] = []
    screen = Screen(io.StringIO(), browse=lambda link: bool(opened.append(link)))
    Chat(ScriptedSource([answer(citations=(citation(url=url),))]), screen).run(iter(["How?", "/open 1"]))
    assert opened == []


@given(st.lists(st.text(st.characters(max_codepoint=0x2070), max_size=8), max_size=6), st.integers(30, 40))
def test_however_an_answer_is_cut_it_can_make_the_terminal_do_nothing(pieces: list[str], width: int) -> None:
    out = io.StringIO()
    screen = Screen(out, Style(ansi=True), width=lambda: width)
    text = "".join(pieces)
    Chat(ScriptedSource([answer(text, citations=(citation(cited_text=text),))], pieces), screen).run(
        iter(["How?"])
    )
    ours = re.sub(r"\x1b\[\d+m", "", out.getvalue())
    assert not [sign for sign in ours if unicodedata.category(sign) == "Cc" and sign not in "\n\t"]
    assert not {"\u202e", "\u2066", "\u200f"} & set(ours)


@pytest.mark.enable_socket
def test_a_link_is_opened_while_its_server_listens_and_there_is_a_window(monkeypatch) -> None:
    opened: list[str] = []
    monkeypatch.setattr("webbrowser.open", lambda url: not opened.append(url))
    monkeypatch.setattr("qa.cli.screen.is_terminal", lambda stream: True)
    for name in ("WAYLAND_DISPLAY", "BROWSER", "DISPLAY"):
        monkeypatch.delenv(name, raising=False)
    with socket.create_server(("127.0.0.1", 0)) as server:
        base = f"http://127.0.0.1:{server.getsockname()[1]}"
        browse = screen_of(base).browse
        without_window = browse(f"{base}/documents/d1#p3")
        monkeypatch.setenv("DISPLAY", ":0")
        assert (without_window, browse(f"{base}/documents/d1#p3")) == (False, True)
    assert not browse(f"{base}/documents/d2")
    assert opened == [f"{base}/documents/d1#p3"]


@pytest.mark.parametrize(
    "url",
    [
        "http://evil.example/documents/d1",
        "http://127.0.0.1:8000@evil.example/",
        "https://127.0.0.1:8000/documents/d1",
        "http://127.0.0.1:8001/documents/d1",
        "http://127.0.0.1:8000/a b",
        "http://127.0.0.1:8000/\x1b[2J",
        "http://127.0.0.1:8000/'$(id)`",
        "http://127.0.0.1:99999/",
        "http://[/",
        "-http://127.0.0.1:8000/",
    ],
)
def test_a_link_to_anywhere_but_the_server_asked_is_not_openable(url: str) -> None:
    assert not openable(url, "http://127.0.0.1:8000")


def test_a_link_to_the_server_asked_is_openable() -> None:
    assert openable("http://127.0.0.1:8000/documents/d1?start=4&end=9#p3", "http://127.0.0.1:8000/")


def test_a_citation_of_an_earlier_collection_is_still_found_there() -> None:
    class TwoCollections(ScriptedSource):
        def paragraphs(self, collection: str, document_id: str) -> list[StoredParagraph]:
            return paragraphs() if collection == "default" else []

    shown, _ = talk(TwoCollections([answer()]), "How long?", "/collection other", "/show 1")
    assert "Paragraph 5." in shown


def test_ctrl_c_in_a_command_does_not_end_the_chat() -> None:
    class Interrupted(ScriptedSource):
        def collections(self) -> list[str]:
            raise KeyboardInterrupt

    shown, chat = talk(Interrupted([answer()]), "/collection", "How long?")
    assert shown.startswith("(stopped)\n\n")
    assert len(chat.answers) == 1


def test_another_collection_begins_a_new_conversation() -> None:
    source = ScriptedSource([answer(), answer()])
    shown, _ = talk(source, "One?", "/collection other", "Two?")
    assert "A new conversation about other." in shown
    assert (source.asked[1].collection, source.asked[1].history) == ("other", ())


def test_collections_are_listed_and_unknown_ones_refused() -> None:
    assert talk(ScriptedSource(), "/collection")[0] == "* default\n  other\n\n"
    assert "There is no collection nope" in talk(ScriptedSource(), "/collection nope")[0]


def test_a_conversation_is_saved_with_footnotes(tmp_path: Path) -> None:
    path = tmp_path / "talk.md"
    talk(ScriptedSource([answer(), answer()]), "How long?", "Again?", f"/save {path}")
    text = path.read_text(encoding="utf-8")
    assert f"## How long?\n\n{QUOTE} [^1-1]" in text
    assert f"[^2-1]: news/call.txt, paragraph 3, line 5 (2022-04-20)\n\n    > {QUOTE}" in text


def test_saving_never_writes_over_a_file(tmp_path: Path) -> None:
    path = tmp_path / "kept.md"
    path.write_text("kept")
    shown, _ = talk(ScriptedSource([answer()]), "How long?", f"/save {path}", "/save")
    assert path.read_text() == "kept"
    assert "Not done:" in shown
    assert "Name a file: /save FILE" in shown


def test_markdown_of_a_refused_question_says_so() -> None:
    assert "No answer in the documents." in markdown([("Who?", abstained())])


def test_markdown_of_a_document_is_shown_and_not_obeyed() -> None:
    hostile = "![x](http://evil/a) <img src=x> [a](b) \x1b[2J"
    text = markdown([("<b>Who?", answer(f"{hostile} [1]", citations=(citation(cited_text=hostile),)))])
    assert [sign for sign in ("![", " <img", "[a](", "## <b>", "\x1b") if sign in text] == []
    assert r"!\[x\](http://evil/a) \<img src=x\>" in text
    assert "[^1-1]" in text


def test_help_and_unknown_commands() -> None:
    shown, _ = talk(ScriptedSource(), "/help", "/wat \x1b", "")
    assert shown == f"{HELP}\n\n/wat is not a command; /help lists them.\n\n"


@pytest.mark.parametrize("word", ["/quit", "/exit", "/q"])
def test_quitting_leaves_the_rest_unread(word: str) -> None:
    source = ScriptedSource([answer()])
    talk(source, word, "How long?")
    assert source.asked == []


def test_a_line_that_ends_with_a_backslash_goes_on() -> None:
    source = ScriptedSource([answer()])
    talk(source, "How long\\\n", "was the call?\n")
    assert source.asked[0].text == "How long\nwas the call?"


@given(st.lists(st.text(st.characters(exclude_characters="\\\r\n"))))
def test_lines_without_a_backslash_come_through(lines: list[str]) -> None:
    assert list(whole_lines(iter(lines))) == lines


def test_ctrl_c_stops_the_answer_and_not_the_chat() -> None:
    source = ScriptedSource([answer(), answer()], waits=True)

    def interrupt() -> None:
        source.entered.wait(10)
        source.waits = False
        os.kill(os.getpid(), signal.SIGINT)

    threading.Thread(target=interrupt).start()
    shown, chat = talk(source, "How long?", "And now?")
    assert shown.startswith("(stopped)\n\n")
    assert source.cancelled.wait(10)
    assert [question for question, _ in chat.answers] == ["And now?"]
