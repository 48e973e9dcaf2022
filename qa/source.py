"""What answers: the index itself or a running server, and a question put to it in a thread of its own."""

import queue
import threading
from collections.abc import Iterator
from typing import Protocol

from index.types import Filters, SearchResult, StoredParagraph
from qa.types import Answer, Event, OnEvent, Question, Verified

TICK_S = 0.1


class Source(Protocol):
    """What answers: `qa.service.Service` over the index, or `qa.client.Client` of a running server."""

    def ask(
        self,
        question: Question,
        *,
        on_event: OnEvent | None = None,
        cancelled: threading.Event | None = None,
    ) -> Answer:
        """The checked answer."""

    def search(
        self, query: str, *, collection: str = "default", k: int = 8, filters: Filters = Filters()
    ) -> SearchResult:
        """The paragraphs found for a query."""

    def verify(self, text: str, *, collection: str = "default") -> Verified:
        """A verdict for each sentence."""

    def collections(self) -> list[str]:
        """The names of the collections."""

    def paragraphs(self, collection: str, document_id: str) -> list[StoredParagraph]:
        """All paragraphs of a document."""

    def close(self) -> None:
        """Let go of what is held."""


class Work:
    """A question being answered in a thread; what happens there comes out here."""

    def __init__(self, source: Source, question: Question) -> None:
        self._queue: queue.SimpleQueue[Event | Answer | Exception] = queue.SimpleQueue()
        self._cancelled = threading.Event()
        self._end: Answer | Exception | None = None
        self._thread = threading.Thread(target=self._run, args=(source, question), name="ask", daemon=True)

    def _run(self, source: Source, question: Question) -> None:
        try:
            self._queue.put(source.ask(question, on_event=self._queue.put, cancelled=self._cancelled))
        except Exception as error:  # noqa: BLE001 - the edge of a thread: raised again by `answer`
            self._queue.put(error)

    def events(self) -> Iterator[Event | None]:
        """Begin, and give each event as it happens; None while nothing does."""
        self._thread.start()
        while self._end is None:
            try:
                item = self._queue.get(timeout=TICK_S)
            except queue.Empty:
                yield None
                continue
            if isinstance(item, Event):
                yield item
            else:
                self._end = item

    def answer(self) -> Answer:
        """What it came to, once `events` has ended; raises what went wrong."""
        if isinstance(self._end, Answer):
            return self._end
        raise self._end or RuntimeError("the answer is not there yet")

    def cancel(self) -> None:
        """Give it up; the thread ends by itself."""
        self._cancelled.set()
