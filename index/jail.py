"""Parsing a stranger's file in a process of its own that may read nothing, reach nobody and use little."""

import json
import os
import selectors
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from contextvars import ContextVar
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from index.errors import RejectedError
from index.formats.build import Parsed
from index.formats.wire import unpacked
from index.visible import inert

REASONS: Final = frozenset({
    "archive_limits", "damaged", "empty", "encrypted", "no_text", "not_text", "parse_limit", "parser_crashed",
    "too_large", "too_many_paragraphs", "unsupported", "xml_entities",
})  # fmt: skip
_WALL_SECONDS = 120.0
"""More than twice the seconds of processor: parsers share the cores with each other and the embedder."""
_TRIES = 3
MOST_OUTPUT = 200 * 1024 * 1024
"""Bytes: the most text there may be, four bytes a character, with the places of its paragraphs."""
_PIPE = 1 << 16
_LOOK_S = 0.1
"""How long an ended run may go unnoticed."""
# -I: no environment, no user site; -S: no .pth files to run; -B: nothing is written
_PYTHON = ("-I", "-S", "-B", "-c")
_START = (
    "import sys; sys.path[:0] = sys.argv[3:];"
    "from index.jail_worker import main; main(*sys.argv[1:3], sys.argv[3:])"
)


_ended: ContextVar[threading.Event | None] = ContextVar("ended", default=None)


def end_with(event: threading.Event) -> None:
    """From now on, end each parse of this thread as soon as the event is set, as rejected."""
    _ended.set(event)


@dataclass(frozen=True, slots=True)
class Ended:
    """How a child process ended: its exit status (negative: the signal), what it wrote, whether time ran out."""

    status: int
    output: bytes
    late: bool = False


def parse(data: bytes, kind: str, extension: str) -> Parsed:
    """Parse bytes as a kind of file (a name from `KINDS`, or `zip`) in a fresh process.

    A process that dies is tried twice more: it may have been killed for another's sake.

    Raises:
        RejectedError: with any of REASONS.
    """
    ended = Ended(0, b"")
    for _ in range(_TRIES):
        ended = run(command(kind, extension), data, seconds=_WALL_SECONDS)
        if ended.late or ended.status == -signal.SIGXCPU:
            raise RejectedError("parse_limit", "more time than a parse may take")
        if ended.status == 0 and ended.output:
            return checked(ended.output)
    raise RejectedError("parser_crashed", f"the parser ended with status {ended.status}")


def command(kind: str, extension: str) -> list[str]:
    """The command line of a parser process. `-I` forgets where packages are, so it is told."""
    root = str(Path(__file__).resolve().parent.parent)
    folders = [path for path in sys.path if Path(path).name in {"site-packages", "dist-packages"}]
    return [sys.executable, *_PYTHON, _START, kind, extension, root, *folders]


def run(arguments: Sequence[str], data: bytes, *, seconds: float, most: int = MOST_OUTPUT) -> Ended:
    """Run a process on some input with an empty environment; it is killed when its time or its output runs over."""
    with subprocess.Popen(  # noqa: S603 - the command is ours
        list(arguments),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,  # libraries print what a file holds
        env={},
        cwd="/",
        start_new_session=True,
        bufsize=0,
    ) as child:
        try:
            deadline = time.monotonic() + seconds
            output = _exchanged(child, data, deadline, most)
            child.wait(max(0.0, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            return Ended(-signal.SIGKILL, b"", late=True)
        finally:
            child.kill()
    return Ended(child.returncode, output)


def _exchanged(child: subprocess.Popen[bytes], data: bytes, deadline: float, most: int) -> bytes:
    """Feed a process and read what it writes, until it writes no more. Raises TimeoutExpired."""
    assert child.stdin is not None
    assert child.stdout is not None
    rest, output, ended = memoryview(data), bytearray(), _ended.get()
    with selectors.DefaultSelector() as pipes:
        pipes.register(child.stdout, selectors.EVENT_READ)
        pipes.register(child.stdin, selectors.EVENT_WRITE)
        os.set_blocking(child.stdin.fileno(), False)
        while child.stdout in (waiting := {key.fileobj for key in pipes.get_map().values()}):
            left = deadline - time.monotonic()
            ready = pipes.select(max(0.0, min(left, _LOOK_S)))
            if (not ready and left <= 0) or len(output) > most or (ended is not None and ended.is_set()):
                raise subprocess.TimeoutExpired(child.args, 0)
            for key, _ in ready:
                if key.fileobj is child.stdout:
                    chunk = os.read(key.fd, _PIPE)
                    output += chunk
                    if not chunk:
                        pipes.unregister(child.stdout)
                elif child.stdin in waiting:
                    rest = _fed(key.fd, rest)
                    if not rest:
                        pipes.unregister(child.stdin)
                        child.stdin.close()
    return bytes(output)


def _fed(pipe: int, rest: memoryview) -> memoryview:
    """What is left to write; nothing when nobody reads it any more."""
    try:
        return rest[os.write(pipe, rest[:_PIPE]) :]
    except BlockingIOError:
        return rest
    except BrokenPipeError:
        return rest[:0]


def checked(output: bytes) -> Parsed:
    """What a parser process wrote, as a value: trusted only as far as it fits the schema.

    Raises:
        RejectedError: the reason that the process gave, or `parser_crashed` where it wrote something else.
    """
    try:
        answer = json.loads(output)
        if "rejected" not in answer:
            return unpacked(answer["parsed"])
        rejected = _rejection(answer["rejected"])
    except (ValueError, TypeError, LookupError, RecursionError) as error:
        raise RejectedError("parser_crashed", "the parser wrote what no parser writes") from error
    raise rejected


def _rejection(fields: Mapping[str, object]) -> RejectedError:
    reason, detail = fields["reason"], fields["detail"]
    if not isinstance(reason, str) or reason not in REASONS or not isinstance(detail, str):
        raise ValueError("not a known reason")
    return RejectedError(reason, inert(detail[:300]))
