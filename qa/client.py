"""The Python client of a running server: `from qa import Client`.

Needs an HTTP library and nothing else: no model, no index and no web framework is imported.
"""

import contextlib
import json
import ssl
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, Self, TypeVar, get_args, get_type_hints
from urllib.parse import quote

import httpx

from index.errors import InputError, NotFoundError, NutgrafError
from index.types import DocumentInfo, Filters, SearchResult, StoredParagraph
from qa.errors import QuestionError
from qa.hangup import CallAbortedError, Guard, hanging_up
from qa.payload import filters_payload, question_payload
from qa.settings import Secret
from qa.types import Answer, Event, OnEvent, Question, Turn, Verified
from qa.unpack import (
    ShapeError,
    answer_from,
    collections_from,
    document_from,
    documents_from,
    paragraphs_from,
    search_from,
    verified_from,
)

T = TypeVar("T")

DEFAULT_URL = "http://127.0.0.1:8000"
PAGE = 200
EVENT_NAMES: tuple[Any, ...] = get_args(get_type_hints(Event)["name"])


class ServerError(NutgrafError):
    """The server, or the way to it, failed. `code` is the server's; `status` its HTTP status, 0 without one."""

    code = "server"

    def __init__(
        self, detail: str, *, code: str = "unreachable", status: int = 0, retryable: bool = False
    ) -> None:
        super().__init__(detail)
        self.reason = code
        self.status = status
        self.again = retryable


class CancelledError(NutgrafError):
    """The caller gave the question up."""

    code = "cancelled"


class Client:
    """Asks a running Nutgraf. Use it as a context manager, or close it. Safe to use from several threads.

    Every method raises ServerError, NotFoundError for what does not exist, InputError for what the server refuses.
    """

    def __init__(
        self, url: str = DEFAULT_URL, *, api_key: Secret | str | None = None, timeout_s: float = 120.0
    ) -> None:
        key = api_key.reveal() if isinstance(api_key, Secret) else api_key
        self.url = url.rstrip("/")
        self._headers = {"Authorization": f"Bearer {key}"} if key else {}
        self._timeout = httpx.Timeout(timeout_s, connect=10.0)
        # loading the trust store takes 0.1 s and more, and plain HTTP needs none
        secure = self.url.lower().startswith("https:")
        self._tls = httpx.create_ssl_context() if secure else ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        self._http = self._alone()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Let the connections go."""
        self._http.close()

    def ask(
        self,
        question: Question | str,
        *,
        on_event: OnEvent | None = None,
        cancelled: threading.Event | None = None,
        collection: str = "default",
        history: Sequence[Turn] = (),
    ) -> Answer:
        """The checked answer. `on_event` hears each step as it comes; setting `cancelled` hangs up.

        `collection` and `history` go with a plain string; a `Question` brings its own.

        Raises:
            CancelledError: `cancelled` was set.
        """
        if isinstance(question, str):
            question = Question(question, collection=collection, history=tuple(history))
        if on_event is None and cancelled is None:
            return _shaped(answer_from, self._post("/v1/query", question_payload(question)))
        answer: Answer | None = None
        for event in self.events(question, cancelled=cancelled):
            if on_event is not None:
                on_event(event)
            if event.name == "final":
                answer = _shaped(answer_from, event.data)
        if answer is None:
            raise ServerError("the answer broke off", code="cut", retryable=True)
        return answer

    def events(self, question: Question, *, cancelled: threading.Event | None = None) -> Iterator[Event]:
        """The steps of an answer as they come, `final` with the whole of it; an `error` event is raised.

        Raises:
            CancelledError: `cancelled` was set.
        """
        body = question_payload(question) | {"stream": True}
        guard = Guard()
        try:
            with hanging_up(guard, cancelled), self._alone() as http:
                sent = self._sent(http, "POST", "/v1/query", json=body, extensions={"trace": guard.trace})
                with sent as response:
                    for event in _events(response.iter_lines()):
                        if event.name == "error":
                            raise _problem(event.data, response.status_code)
                        yield event
        except ServerError:
            if cancelled is not None and cancelled.is_set():
                raise CancelledError("given up") from None
            raise

    def search(
        self, query: str, *, collection: str = "default", k: int = 8, filters: Filters = Filters()
    ) -> SearchResult:
        """The paragraphs found for a query, best first; no LLM takes part."""
        body = {"query": query, "collection": collection, "top_k": k, "filters": filters_payload(filters)}
        return _shaped(search_from, self._post("/v1/search", body))

    def verify(self, text: str, *, collection: str = "default") -> Verified:
        """A verdict and citations for each sentence of a text."""
        return _shaped(verified_from, self._post("/v1/verify", {"text": text, "collection": collection}))

    def collections(self) -> list[str]:
        """The names of the collections."""
        return list(_shaped(collections_from, self._get("/v1/collections", {})))

    def documents(self, collection: str = "default") -> list[DocumentInfo]:
        """All documents of a collection, by path."""
        found: list[DocumentInfo] = []
        while True:
            page = self._get("/v1/documents", {"collection": collection, "limit": PAGE, "offset": len(found)})
            more = _shaped(documents_from, page)
            found.extend(more)
            if len(more) < PAGE:
                return found

    def document(self, collection: str, document_id: str) -> DocumentInfo:
        """One document without its text."""
        found = self._get(f"/v1/documents/{quote(document_id, safe='')}", {"collection": collection})
        return _shaped(document_from, found)

    def paragraphs(self, collection: str, document_id: str) -> list[StoredParagraph]:
        """All paragraphs of a document in order, verbatim."""
        where = f"/v1/documents/{quote(document_id, safe='')}/paragraphs"
        return list(_shaped(paragraphs_from, self._get(where, {"collection": collection})))

    def _get(self, path: str, query: Mapping[str, str | int]) -> object:
        with self._sent(self._http, "GET", path, params=dict(query)) as response:
            return _json(response.read())

    def _post(self, path: str, body: Mapping[str, object]) -> object:
        with self._sent(self._http, "POST", path, json=dict(body)) as response:
            return _json(response.read())

    def _alone(self) -> httpx.Client:
        """A client with a connection of its own, so that hanging up touches nothing else."""
        return httpx.Client(
            base_url=self.url,
            headers=self._headers,
            timeout=self._timeout,
            verify=self._tls,
            follow_redirects=False,
            # a key meant for this server must not travel through a proxy that the environment names
            trust_env=False,
        )

    @contextlib.contextmanager
    def _sent(self, http: httpx.Client, method: str, path: str, **rest: Any) -> Iterator[httpx.Response]:
        """The response of a request, still to be read; what fails on the way or in reading is a ServerError."""
        try:
            with http.stream(method, path, **rest) as response:
                if response.status_code != 200:
                    raise _problem(_json(response.read()), response.status_code)
                yield response
        except httpx.TimeoutException:
            raise ServerError(f"{self.url} did not answer in time", code="timeout", retryable=True) from None
        except (httpx.HTTPError, httpx.StreamError, httpx.InvalidURL, CallAbortedError, OSError) as error:
            detail = f"{self.url} cannot be reached ({type(error).__name__})"
            raise ServerError(detail, retryable=True) from None


def _events(lines: Iterable[str]) -> Iterator[Event]:
    name, data = "", list[str]()
    for line in lines:
        field, _, value = line.partition(":")
        if field == "event":
            name = value.strip()
        elif field == "data":
            data.append(value.removeprefix(" "))
        elif not line:
            known = next((each for each in EVENT_NAMES if each == name), None)
            if data and known is not None:
                yield Event(known, _object(_json("\n".join(data))))
            name, data = "", []


def _json(text: str | bytes) -> object:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def _object(value: object) -> Mapping[str, object]:
    if not isinstance(value, dict):
        raise ServerError("the server sent something else than an answer", code="bad_response")
    return value


def _shaped(make: Callable[[object], T], value: object) -> T:
    try:
        return make(value)
    except ShapeError as error:
        detail = f"the server sent something else than asked for ({error})"
        raise ServerError(detail, code="bad_response") from None


def _problem(value: object, status: int) -> NutgrafError:
    """The exception for a problem object, of a response or an `error` event."""
    problem = value if isinstance(value, dict) else {}
    detail = str(problem.get("detail") or problem.get("title") or f"the server answered {status}")
    code = str(problem.get("code") or "")
    given = problem.get("status")
    status = given if isinstance(given, int) else status
    if code == "not_found":
        return NotFoundError(detail)
    if status in (400, 413, 422):
        return QuestionError(detail) if code == "invalid_question" else InputError(detail)
    again = problem.get("retryable") is True
    return ServerError(detail, code=code or "bad_response", status=status, retryable=again)
