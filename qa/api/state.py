"""What the routes share: the service once it is open, the log, and the wish to stop."""

import asyncio
import contextlib
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal, Protocol, TypeVar, cast

from fastapi import Depends, Request

from index.errors import NutgrafError
from index.types import DocumentInfo, Filters, Holdings, Progress, SearchResult, StoredParagraph, SyncReport
from qa.api.errors import ApiError, problem_of
from qa.api.metrics import Metrics, Moment
from qa.api.session import Sessions
from qa.api.tracing import traces_of
from qa.api.work import in_thread
from qa.jobs import Jobs
from qa.logs import Log
from qa.record import Record
from qa.settings import Settings
from qa.types import Answer, Embedded, OnEvent, Question, Verified

T = TypeVar("T")

MAX_ASKING = 32
"""Questions at once, waiting ones included; more are refused at once rather than piled up."""


MAX_HELD = 256 * 1024 * 1024
"""Bytes of uploaded documents in memory at once; more are refused at once rather than piled up."""


class Backend(Protocol):
    """What the API needs of `qa.service.Service`."""

    @property
    def settings(self) -> Settings:
        """What it was opened with."""
        ...

    def search(self, query: str, *, collection: str, k: int, filters: Filters) -> SearchResult:
        """Hits for a query."""
        ...

    def ask(
        self, question: Question, *, on_event: OnEvent | None, cancelled: threading.Event | None
    ) -> Answer:
        """A checked answer; `on_event` is called from the thread that asks."""
        ...

    def record(self, answer_id: str) -> Record:
        """What is kept of an answer. Raises NotFoundError."""
        ...

    def forget(self, answer_id: str) -> None:
        """Let go of the record of an answer. Raises NotFoundError."""
        ...

    def verify(self, text: str, *, collection: str) -> Verified:
        """Verdicts for a text."""
        ...

    @property
    def embedding_model(self) -> str:
        """Name of the index's embedding model; empty without one."""
        ...

    def embed(self, texts: Sequence[str], *, as_queries: bool, cancelled: threading.Event | None) -> Embedded:
        """Vectors of texts. Raises ModelError."""
        ...

    def collections(self) -> Sequence[str]:
        """Names of the collections."""
        ...

    def holdings(self) -> Holdings:
        """How much the index holds."""
        ...

    def documents(self, collection: str) -> Sequence[DocumentInfo]:
        """Documents by path. Raises NotFoundError."""
        ...

    def document(self, collection: str, document_id: str) -> DocumentInfo:
        """One document. Raises NotFoundError."""
        ...

    def paragraphs(self, collection: str, document_id: str) -> Sequence[StoredParagraph]:
        """Paragraphs in order. Raises NotFoundError."""
        ...

    def ready(self) -> tuple[bool, tuple[str, ...]]:
        """Whether questions can be answered, and if not, why."""
        ...

    def text(self, collection: str, document_id: str) -> str:
        """The whole stored text of a document. Raises NotFoundError."""
        ...

    def has_original(self, collection: str, document_id: str) -> bool:
        """Whether the file of a document is kept. Raises NotFoundError."""
        ...

    def original(self, collection: str, document_id: str) -> bytes | None:
        """The file of a document, where it is kept. Raises NotFoundError."""
        ...

    @property
    def writable(self) -> bool:
        """Whether this process may change the index."""
        ...

    def put(self, path: str, data: bytes, *, collection: str) -> Literal["added", "changed", "unchanged"]:
        """Store an uploaded document. Raises RejectedError."""
        ...

    def find(self, collection: str, path: str) -> DocumentInfo | None:
        """The document at a path, or None."""
        ...

    def remove(self, collection: str, document_id: str) -> None:
        """Take a document away. Raises NotFoundError."""
        ...

    def create_collection(self, name: str) -> bool:
        """Make a collection; False when it is there already."""
        ...

    def delete_collection(self, name: str) -> None:
        """Take a collection away. Raises NotFoundError."""
        ...

    def sync(self, root: Path, *, collection: str = "default", progress: Progress | None) -> SyncReport:
        """Index what changed in a folder."""
        ...

    def purge(self) -> None:
        """Leave no byte of what was deleted in the data folder."""
        ...


class State:
    """Shared by all requests of one app. The service may come later than the app: until then routes say so."""

    def __init__(
        self, settings: Settings, log: Log, service: Backend | None = None, *, heartbeat_s: float = 10.0
    ) -> None:
        self.settings = settings
        self.log = log
        self.heartbeat_s = heartbeat_s
        self.stopping = asyncio.Event()
        self.jobs = Jobs()
        self.held = 0
        self.starting: str | None = None if service is not None else "starting"
        self._service = service
        self._asking = 0
        self.sessions = Sessions(settings)
        self.metrics = Metrics(self._moment)
        self.traces = traces_of(settings, log)

    @property
    def service(self) -> Backend:
        """The open service.

        Raises:
            ApiError: it is not open yet.
        """
        if self._service is None:
            raise ApiError("starting")
        return self._service

    @property
    def writer(self) -> Backend:
        """The open service, where it may change the index.

        Raises:
            ApiError: it is not open yet, reads only, or the server is shutting down.
        """
        service = self.service
        if self.stopping.is_set():
            raise ApiError("shutting_down")
        if not service.writable:
            raise ApiError("read_only")
        return service

    def hold(self, size: int) -> None:
        """Take room in memory for bytes of a body; give it back with a negative size.

        Raises:
            ApiError: the bodies at hand take all the room there is.
        """
        if size > 0 and self.held + size > MAX_HELD:
            raise ApiError("overloaded")
        self.held += size

    def opened(self, service: Backend) -> None:
        """Let routes use the service; `starting` still says why the server is not ready."""
        self._service = service

    def ready(self) -> tuple[bool, tuple[str, ...]]:
        """Whether questions can be answered, and if not, why."""
        if self.stopping.is_set():
            return False, ("shutting down",)
        if self._service is None or self.starting is not None:
            return False, (self.starting or "starting",)
        return self._service.ready()

    def ask(
        self, question: Question, cancelled: threading.Event, on_event: OnEvent | None = None
    ) -> "asyncio.Future[Answer]":
        """Begin to answer in a thread; the question keeps its place until the service is really done with it.

        Raises:
            ApiError: the service is not open, every place is taken, or the server is shutting down.
        """
        service = self.service
        work = self.work(lambda: service.ask(question, on_event=on_event, cancelled=cancelled))
        here, began = self.traces.here(), time.time_ns()
        work.add_done_callback(lambda done: self._tell(done, here, began))
        return work

    def work(self, call: Callable[[], T]) -> "asyncio.Future[T]":
        """Begin a call in a thread, in one of the places for questions.

        Raises:
            ApiError: every place is taken, or the server is shutting down.
        """
        if self.stopping.is_set():
            raise ApiError("shutting_down")
        if self._asking >= MAX_ASKING:
            raise ApiError("overloaded")
        self._asking += 1
        work = in_thread(call)
        work.add_done_callback(self._leave)
        return work

    def search(self, query: str, *, collection: str, k: int, filters: Filters) -> SearchResult:
        """Hits for a query. Raises ApiError while the service is not open, and what it raises."""
        began = time.time_ns()
        result = self.service.search(query, collection=collection, k=k, filters=filters)
        self.metrics.searched(result)
        self.traces.searched(began, result)
        return result

    def verify(self, text: str, *, collection: str) -> Verified:
        """Verdicts for a text. Raises as `search`."""
        began = time.time_ns()
        verified = self.service.verify(text, collection=collection)
        self.metrics.verified(verified)
        self.traces.verified(began, verified)
        return verified

    def collections(self) -> Sequence[str]:
        """Names of the collections. Raises as `search`."""
        return self.service.collections()

    def paragraphs(self, collection: str, document_id: str) -> Sequence[StoredParagraph]:
        """Paragraphs of a document. Raises as `search`, and NotFoundError."""
        return self.service.paragraphs(collection, document_id)

    def _leave(self, work: "asyncio.Future[Any]") -> None:
        self._asking -= 1
        if not work.cancelled():
            work.exception()  # looked at, so that asyncio does not print it when nobody waits any more

    def _tell(self, work: "asyncio.Future[Answer]", here: object, began: int) -> None:
        if work.cancelled():
            return
        error = work.exception()
        if error is None:
            self.metrics.answered(work.result())
            self.traces.answered(here, began, work.result())
        else:
            self.metrics.failed(problem_of(error).code)

    def _moment(self) -> Moment:
        queued, running = self.jobs.counts()
        holdings = None
        if self._service is not None:
            with contextlib.suppress(NutgrafError):  # what cannot be read is left out; /readyz says why
                holdings = self._service.holdings()
        ready = self._service is not None and self.starting is None and not self.stopping.is_set()
        return Moment(ready, self._asking, self.held, queued, running, holdings)


def _state(request: Request) -> State:
    return cast("State", request.app.state.nutgraf)


StateDep = Annotated[State, Depends(_state)]


def request_id(request: Request) -> str:
    """The id that the gate gave to this request."""
    return str(request.scope.get("state", {}).get("request_id", ""))
