"""The parser's process: what it may not do, and what becomes of it when it dies, hangs or lies."""

import json
import socket
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import psutil
import pytest
from documents import docx

from index import jail
from index.errors import RejectedError
from index.formats.build import Block, Parsed
from index.formats.wire import PARAGRAPH_KINDS, packed, unpacked
from index.load import prepare
from index.types import ParagraphKind

if TYPE_CHECKING:
    from collections.abc import Callable

ROOT = str(Path(jail.__file__).resolve().parent.parent)
FOLDERS = jail.command("html", ".html")[jail.command("html", ".html").index(ROOT) :]

BEHIND_WALLS = """
import os, sys, json
sys.path[:0] = sys.argv[1:]
from index.jail_walls import Limits, build
from index.jail_worker import readable
walls = build(Limits(cpu=2), readable(sys.argv[1:]))
def tried(act):
    try:
        return repr(act())
    except BaseException as error:
        return type(error).__name__
"""


def behind_walls(code: str) -> dict[str, str]:
    """What a process says that has built its walls, and then tried something."""
    ended = jail.run([sys.executable, *jail._PYTHON, BEHIND_WALLS + code, *FOLDERS], b"", seconds=20)
    assert ended.status == 0, ended
    return dict(json.loads(ended.output))


@pytest.fixture(scope="module")
def walls() -> list[str]:
    return list(behind_walls("print(json.dumps({'walls': walls}))")["walls"])


@pytest.fixture
def landlock(walls: list[str]) -> None:
    if "landlock" not in walls:
        pytest.skip("this kernel has no Landlock")


@pytest.fixture
def seccomp(walls: list[str]) -> None:
    if "seccomp" not in walls:
        pytest.skip("this kernel has no seccomp, or its system calls are not known")


@pytest.mark.parametrize(
    "act",
    [
        "open('/etc/shadow').read()",
        "open('/etc/passwd').read()",
        "os.listdir('/')",
        "os.listdir('/proc/self/fd')",
        f"open({str(Path(ROOT) / 'pyproject.toml')!r}).read()",
        "os.rmdir('/tmp')",
        "os.mkdir('/tmp/nutgraf-escaped')",
    ],
)
def test_a_parser_sees_no_file_but_its_own_code(landlock: None, act: str) -> None:
    assert behind_walls(f"print(json.dumps({{'got': tried(lambda: {act})}}))")["got"] == "PermissionError"


@pytest.mark.parametrize("act", ["os.fork()", "os.execv('/bin/true', ['true'])", "os.kill(os.getppid(), 0)"])
def test_a_parser_starts_and_touches_no_process(seccomp: None, act: str) -> None:
    assert behind_walls(f"print(json.dumps({{'got': tried(lambda: {act})}}))")["got"] == "PermissionError"


def test_a_parser_reaches_no_address() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        act = f"__import__('socket').create_connection(('127.0.0.1', {server.getsockname()[1]}), 2)"
        got = behind_walls(f"print(json.dumps({{'got': tried(lambda: {act})}}))")["got"]
        server.settimeout(0.1)
        with pytest.raises(TimeoutError):
            server.accept()
    assert got in {"PermissionError", "OSError", "ConnectionRefusedError"}


def test_a_parser_writes_no_file(tmp_path: Path) -> None:
    target = tmp_path / "escaped"
    act = f"os.write(os.open({str(target)!r}, os.O_CREAT | os.O_WRONLY), b'x')"
    assert behind_walls(f"print(json.dumps({{'got': tried(lambda: {act})}}))")["got"] in {
        "PermissionError",
        "OSError",
    }
    assert not target.exists() or target.read_bytes() == b""


def test_a_parser_gets_no_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-canary")
    # Python itself may set the encoding of the C locale
    assert set(behind_walls("print(json.dumps({'got': list(os.environ)}))")["got"]) <= {"LC_CTYPE"}


def test_a_parser_gets_no_more_memory_than_its_limit() -> None:
    assert (
        behind_walls("print(json.dumps({'got': tried(lambda: bytearray(2 << 30))}))")["got"] == "MemoryError"
    )


def test_a_parser_that_computes_on_is_ended_by_its_limit() -> None:
    code = BEHIND_WALLS + "while True: pass"
    ended = jail.run([sys.executable, *jail._PYTHON, code, *FOLDERS], b"", seconds=30)
    assert ended.status < 0
    assert not ended.late


def script(monkeypatch: pytest.MonkeyPatch, code: str) -> None:
    """Let another program stand in for the parser's process."""
    monkeypatch.setattr(jail, "command", lambda kind, extension: [sys.executable, "-I", "-S", "-c", code])


def answer(**fields: object) -> str:
    parsed = packed(Parsed("Words.", (Block(0, 6, "text", None, ()),), "html"))
    return json.dumps({"parsed": parsed | fields})


def test_a_parser_that_dies_twice_is_tried_a_third_time(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    count = tmp_path / "count"
    code = f"""
with open({str(count)!r}, 'a') as file: file.write('x')
import os
if len(open({str(count)!r}).read()) < 3: os.kill(os.getpid(), 9)
print({answer()!r})
"""
    script(monkeypatch, code)
    assert jail.parse(b"<p>", "html", ".html").text == "Words."
    assert count.read_text() == "xxx"


def test_a_parser_that_always_dies_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    script(monkeypatch, "import os; os.kill(os.getpid(), 11)")
    with pytest.raises(RejectedError, match="parser_crashed"):
        jail.parse(b"<p>", "html", ".html")


def test_a_parser_that_hangs_is_killed_once_and_not_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jail, "_WALL_SECONDS", 0.5)
    script(monkeypatch, "import time; time.sleep(60)")
    started = time.monotonic()
    with pytest.raises(RejectedError, match="parse_limit"):
        jail.parse(b"<p>" * 1_000_000, "html", ".html")
    assert time.monotonic() - started < 30


def test_a_parser_that_closes_its_output_and_lives_on_is_killed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jail, "_WALL_SECONDS", 0.5)
    script(monkeypatch, "import os, time; os.close(1); time.sleep(60)")
    with pytest.raises(RejectedError, match="parse_limit"):
        jail.parse(b"<p>", "html", ".html")


def test_a_parser_that_reads_nothing_does_not_hold_up_its_parent(monkeypatch: pytest.MonkeyPatch) -> None:
    script(monkeypatch, f"import os; os.close(0); print({answer()!r})")
    assert jail.parse(b"<p>" * 1_000_000, "html", ".html").text == "Words."


def test_output_without_end_is_cut_off() -> None:
    ended = jail.run([sys.executable, "-c", "while True: print('x' * 9999)"], b"", seconds=30, most=1_000_000)
    assert ended.late
    assert ended.output == b""


@pytest.mark.parametrize(
    "written",
    [
        "",
        "not JSON",
        "[]",
        "{}",
        '"rejected"',
        '{"rejected": {"reason": "made up", "detail": ""}}',
        '{"rejected": {"reason": ["damaged"], "detail": ""}}',
        answer(text=7),
        answer(kind="exe"),
        answer(date="yesterday"),
        answer(headings=[["x" * 5000]], blocks=[[0, 6, 0, 0, 0]]),
        *(
            answer(blocks=[block])
            for block in ([0, 7, 0, 0, 0], [0, 0, 0, 0, 0], [-1, 3, 0, 0, 0], [0, 6, 9, 0, 0])
        ),
        *(
            answer(blocks=[block])
            for block in ([0, 6, 0, 0, 5], [0, 6, 0, 0], ["0", 6, 0, 0, 0], [0.0, 6, 0, 0, 0])
        ),
        answer(blocks=[[0, 4, 0, 0, 0], [3, 6, 0, 0, 0]]),
        answer(text="Words ", blocks=[[0, 6, 0, 0, 0]]),
        "[" * 100_000,
    ],
)
def test_an_answer_that_does_not_fit_is_not_believed(monkeypatch: pytest.MonkeyPatch, written: str) -> None:
    script(
        monkeypatch,
        f"import sys; sys.stdin.buffer.read(); print({written[:200]!r} + {written[200:]!r}, end='')",
    )
    with pytest.raises(RejectedError, match="parser_crashed"):
        jail.parse(b"<p>", "html", ".html")


def test_a_parsed_file_comes_back_as_it_was() -> None:
    blocks = (Block(0, 3, "heading", 1, ()), Block(5, 8, "row", 2, ("One", "Two")))
    parsed = Parsed("One\n\nTwo", blocks, "pdf", "One", "2024-05-17", None, ("a note",))
    assert unpacked(json.loads(json.dumps(packed(parsed)))) == parsed


def test_each_file_has_a_process_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[list[str]] = []
    real: Callable[..., jail.Ended] = jail.run

    def watched(arguments: list[str], data: bytes, *, seconds: float) -> jail.Ended:
        seen.append(arguments)
        return real(arguments, data, seconds=seconds)

    monkeypatch.setattr(jail, "run", watched)
    for _ in range(2):
        prepare(b"<p>The harbour is open to every ferry today.</p>", "page.html")
    assert len(seen) == 2


def test_a_rejected_file_leaves_no_process_behind() -> None:
    with pytest.raises(RejectedError):
        prepare(docx("x")[:300], "cut.docx")
    commands = [child.cmdline() for child in psutil.Process().children()]
    assert [command for command in commands if any("jail_worker" in word for word in command)] == []


def test_kinds_of_paragraph_are_those_of_the_vocabulary() -> None:
    assert ParagraphKind.__args__ == PARAGRAPH_KINDS  # type: ignore[attr-defined]
