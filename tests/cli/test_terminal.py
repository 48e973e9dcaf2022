"""The chat on a real (pseudo) terminal: prompt, spinner, colours, Ctrl-C, and nothing a document could make it do."""

import fcntl
import os
import pty
import select
import signal
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from scripted import QUOTE, ScriptedSource, answer

ROOT = Path(__file__).resolve().parents[2]
PROMPT = "\x1b[?2004h"  # it asks for pasted text to be marked once it takes input
WHERE_IS_THE_CURSOR = b"\x1b[6n"

pytestmark = pytest.mark.enable_socket


class Terminal:
    """A command with a terminal of its own."""

    def __init__(self, *words: str, **env: str) -> None:
        self.fd, theirs = pty.openpty()
        self.shown = b""
        self.looked_at = 0
        self.process = subprocess.Popen(
            [sys.executable, "-m", "qa", *words],
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            env={"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "TERM": "xterm-256color", **env},
            start_new_session=True,
        )
        os.close(theirs)

    def type(self, line: str) -> None:
        os.write(self.fd, line.encode() + b"\r")

    def until(self, text: str, seconds: float = 20) -> bytes:
        """What is shown since the last call, up to and with a text."""
        end = time.monotonic() + seconds
        while (found := self.shown.find(text.encode(), self.looked_at)) < 0:
            assert time.monotonic() < end, f"{text!r} is not in {self.shown[self.looked_at :]!r}"
            if select.select([self.fd], [], [], 0.1)[0]:
                read = os.read(self.fd, 65536)
                if WHERE_IS_THE_CURSOR in read:
                    os.write(self.fd, b"\x1b[20;1R")
                self.shown += read
        begin, self.looked_at = self.looked_at, found + len(text.encode())
        return self.shown[begin : self.looked_at]

    def resize(self, rows: int, columns: int) -> None:
        fcntl.ioctl(self.fd, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def close(self) -> None:
        self.process.kill()
        self.process.wait()
        os.close(self.fd)


@pytest.fixture
def chat(serve, tmp_path: Path) -> Iterator[object]:
    opened: list[Terminal] = []

    def start(source: ScriptedSource) -> Terminal:
        opened.append(Terminal("chat", "--url", serve(source), XDG_STATE_HOME=str(tmp_path)))
        opened[-1].until(PROMPT)
        return opened[-1]

    yield start
    for terminal in opened:
        terminal.close()


def test_a_question_is_answered_in_colour_with_its_citations(chat) -> None:
    terminal = chat(ScriptedSource([answer()], ["The call"]))
    terminal.type("How long?")
    shown = terminal.until("minutes.\r\n\r\n").decode()
    assert f"{QUOTE} \x1b[36m[1]\x1b[0m" in shown
    assert "\x1b[36m[1]\x1b[0m \x1b[1mnews/call.txt" in shown
    terminal.type("/quit")
    assert terminal.process.wait(20) == 0


def test_ctrl_c_stops_the_answer_and_not_the_chat(chat) -> None:
    source = ScriptedSource([answer()], waits=True)
    terminal = chat(source)
    terminal.type("How long?")
    terminal.until("searching")
    terminal.process.send_signal(signal.SIGINT)
    terminal.until("(stopped)")
    assert source.cancelled.wait(10)
    source.waits = False
    terminal.type("And now?")
    terminal.until("news/call.txt")


def test_questions_are_kept_for_the_arrow_keys_where_only_their_owner_reads(chat, tmp_path: Path) -> None:
    terminal = chat(ScriptedSource([answer(), answer()]))
    terminal.type("How long?")
    terminal.until("news/call.txt")
    kept = tmp_path / "nutgraf" / "chat_history"
    assert "+How long?" in kept.read_text()
    assert kept.stat().st_mode & 0o077 == 0


def test_words_stay_whole_at_the_edge(chat) -> None:
    terminal = chat(ScriptedSource([answer()], ["The call lasted ", "about 45 min"]))
    terminal.resize(24, 30)
    terminal.type("How long?")
    assert "The call lasted about 45\r\nminutes." in terminal.until("minutes.").decode()


@pytest.mark.parametrize(
    "keys", ["How long\\\rwas it?", "How long\x1b\rwas it?"], ids=["backslash", "Alt-Enter"]
)
def test_a_question_may_have_several_lines(chat, keys: str) -> None:
    source = ScriptedSource([answer()])
    terminal = chat(source)
    terminal.type(keys)
    terminal.until("news/call.txt")
    assert [question.text for question in source.asked] == ["How long\nwas it?"]


def test_pasted_lines_are_one_question(chat) -> None:
    source = ScriptedSource([answer()])
    terminal = chat(source)
    terminal.type("\x1b[200~How long\nwas it?\x1b[201~")
    terminal.until("news/call.txt")
    assert [question.text for question in source.asked] == ["How long\nwas it?"]


def test_the_arrow_brings_the_last_question_back_and_tab_completes_a_command(chat) -> None:
    source = ScriptedSource([answer(), answer()])
    terminal = chat(source)
    terminal.type("How long?")
    terminal.until("news/call.txt")
    terminal.until(PROMPT)
    terminal.type("\x1b[A")
    terminal.until("news/call.txt")
    assert [question.text for question in source.asked] == ["How long?", "How long?"]
    terminal.until(PROMPT)
    os.write(terminal.fd, b"/sou\t")
    terminal.until("rces")
    terminal.type("")
    terminal.until("news/call.txt")


def test_ask_shows_its_answer_on_a_terminal_while_it_comes(serve) -> None:
    source = ScriptedSource([answer()], ["The call"])
    terminal = Terminal("ask", "How long?", "--url", serve(source))
    assert f"{QUOTE} \x1b[36m[1]\x1b[0m" in terminal.until("minutes.\r\n\r\n").decode()
    assert terminal.process.wait(20) == 0
    terminal.close()


@pytest.mark.parametrize("words", [("search", "call"), ("verify", "It lasted.")])
def test_what_is_found_is_broken_between_words_too(serve, words: tuple[str, str]) -> None:
    terminal = Terminal(*words, "--url", serve(ScriptedSource()), COLUMNS="30")
    assert "    The call lasted about 45\r\n    minutes." in terminal.until("minutes.").decode()
    terminal.close()


ATTACKS = ["\x1b]52;c;cm0gLXJm\x07", "\x1b]8;;http://evil/\x1b\\x", "\x9b2J", "\x1b[2J\x1b[H", "safe\rEVIL"]


@pytest.mark.parametrize("cut", [1, 2, 5])
def test_an_escape_sequence_split_over_two_chunks_never_reaches_the_terminal(chat, cut: int) -> None:
    source = ScriptedSource()
    terminal = chat(source)
    for attack in ATTACKS:
        source.script, source.deltas = [answer(f"{attack} END")], [attack[:cut], attack[cut:]]
        terminal.type("How?")
        shown = terminal.until("END") + terminal.until(PROMPT)
        for sign in (attack, "\x07", "\x1b]", "\rEVIL", "\x9b", "\x1b[H"):
            assert sign.encode() not in shown
