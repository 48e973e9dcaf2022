"""Preparing the next files while the current ones are embedded and committed; what comes out keeps its order."""

import os
import threading
from collections import deque
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

from index import jail
from index.errors import RejectedError
from index.types import Document, Passage
from index.walk import FileSkipped, Found

Prepared = tuple[Document, tuple[Passage, ...]]
Prepare = Callable[[bytes, str], Prepared]
"""Turns the bytes of a file into a document and its passages. Raises RejectedError."""

MOST_FILES = 64
"""Files read ahead: as many as two processes parse while one batch is embedded."""

MOST_BYTES = 64 * 1024 * 1024
"""Bytes of files read ahead, and about as many of what was made of them; beyond it only one file more each."""

_WORKERS = max(1, min(4, os.cpu_count() or 1))
_PASSAGE_BYTES = 400
"""About what a passage takes beside its text."""


@dataclass(frozen=True, slots=True)
class Read:
    """A file as it was read: its bytes where it has to be prepared, or why it was not read."""

    found: Found
    digest: str = ""
    data: bytes | None = None
    skipped: FileSkipped | None = None


def in_order(prepare: Prepare, reads: Iterable[Read]) -> Generator[tuple[Read, Callable[[], Prepared]]]:
    """Each file in turn, with a call that gives what was prepared of it, or raises what preparing raised.

    Closing the generator ends what is still being prepared.
    """
    pool = _Pool(prepare)
    waiting: deque[tuple[Read, Callable[[], Prepared]]] = deque()
    held = 0
    try:
        for read in reads:
            waiting.append((read, _nothing if read.data is None else pool.begin(read.data, read.found.path)))
            held += len(read.data or b"")
            while waiting and (waiting[0][0].data is None or len(waiting) > MOST_FILES or held > MOST_BYTES):
                held -= len(waiting[0][0].data or b"")
                yield waiting.popleft()
        while waiting:
            yield waiting.popleft()
    finally:
        pool.close()


def _nothing() -> Prepared:
    raise AssertionError("a file that was not read has nothing to prepare")


class _Pool:
    """Threads that each wait for one parser process. They hold back while too much of what they made is not taken."""

    def __init__(self, prepare: Prepare) -> None:
        self._prepare = prepare
        self._ended = threading.Event()
        self._threads = ThreadPoolExecutor(
            _WORKERS, "prepare", initializer=jail.end_with, initargs=(self._ended,)
        )
        self._change = threading.Condition()
        self._begun = 0
        self._wanted = -1
        self._held = 0

    def begin(self, data: bytes, path: str) -> Callable[[], Prepared]:
        """Have a file prepared; the call that is given back waits for it. Calls come in the order of beginning."""
        number = self._begun
        self._begun += 1
        future = self._threads.submit(self._run, number, data, path)
        return lambda: self._taken(number, future)

    def close(self) -> None:
        """End every parser process and wait for the threads."""
        with self._change:
            self._ended.set()
            self._change.notify_all()
        self._threads.shutdown(cancel_futures=True)

    def _run(self, number: int, data: bytes, path: str) -> Prepared:
        with self._change:
            # the one that is waited for goes on in any case, or nothing would ever be taken
            self._change.wait_for(
                lambda: self._held <= MOST_BYTES or number <= self._wanted or self._ended.is_set()
            )
        if self._ended.is_set():
            raise RejectedError("parser_crashed", "ended before its turn")
        prepared = self._prepare(data, path)
        with self._change:
            self._held += _size(prepared)
        return prepared

    def _taken(self, number: int, future: Future[Prepared]) -> Prepared:
        with self._change:
            self._wanted = number
            self._change.notify_all()
        prepared = future.result()
        with self._change:
            self._held -= _size(prepared)
            self._change.notify_all()
        return prepared


def _size(prepared: Prepared) -> int:
    document, passages = prepared
    return 2 * len(document.text) + _PASSAGE_BYTES * len(passages)
