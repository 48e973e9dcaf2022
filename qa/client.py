"""The Python client of a running server: `from qa import Client`.

Needs an HTTP library and nothing else: no model, no index and no web framework is imported.
"""

import contextlib
import threading
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Self
from urllib.parse import quote

import httpx

from index.types import DocumentInfo, Filters, SearchResult, StoredParagraph
from qa.exchange import (
    DEFAULT_URL,
    PAGE,
    CancelledError,
    EventReader,
    ServerError,
    connection,
    parsed,
    problem,
    shaped,
    told,
)
from qa.hangup import Guard, hanging_up
from qa.payload import filters_payload, question_payload
from qa.settings import Secret
from qa.types import Answer, Event, OnEvent, Question, Turn, Verified
from qa.unpack import (
    answer_from,
    collections_from,
    document_from,
    documents_from,
    paragraphs_from,
    search_from,
    verified_from,
)

__all__ = ["CancelledError", "Client", "ServerError"]


class Client:
    """Asks a running Nutgraf. Use it as a context manager, or close it. Safe to use from several threads.

    Every method raises ServerError, NotFoundError for what does not exist, InputError for what the server refuses.
    """

    def __init__(
        self, url: str = DEFAULT_URL, *, api_key: Secret | str | None = None, timeout_s: float = 120.0
    ) -> None:
        self.url = url.rstrip("/")
        self._connection = connection(self.url, api_key, timeout_s)
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
            return shaped(answer_from, self._post("/v1/query", question_payload(question)))
        answer: Answer | None = None
        for event in self.events(question, cancelled=cancelled):
            if on_event is not None:
                on_event(event)
            if event.name == "final":
                answer = shaped(answer_from, event.data)
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
                    reader = EventReader(response.status_code)
                    for line in response.iter_lines():
                        if event := reader.feed(line):
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
        return shaped(search_from, self._post("/v1/search", body))

    def verify(self, text: str, *, collection: str = "default") -> Verified:
        """A verdict and citations for each sentence of a text."""
        return shaped(verified_from, self._post("/v1/verify", {"text": text, "collection": collection}))

    def collections(self) -> list[str]:
        """The names of the collections."""
        return list(shaped(collections_from, self._get("/v1/collections", {})))

    def documents(self, collection: str = "default") -> list[DocumentInfo]:
        """All documents of a collection, by path."""
        found: list[DocumentInfo] = []
        while True:
            page = self._get("/v1/documents", {"collection": collection, "limit": PAGE, "offset": len(found)})
            more = shaped(documents_from, page)
            found.extend(more)
            if len(more) < PAGE:
                return found

    def document(self, collection: str, document_id: str) -> DocumentInfo:
        """One document without its text."""
        found = self._get(f"/v1/documents/{quote(document_id, safe='')}", {"collection": collection})
        return shaped(document_from, found)

    def paragraphs(self, collection: str, document_id: str) -> list[StoredParagraph]:
        """All paragraphs of a document in order, verbatim."""
        where = f"/v1/documents/{quote(document_id, safe='')}/paragraphs"
        return list(shaped(paragraphs_from, self._get(where, {"collection": collection})))

    def _get(self, path: str, query: Mapping[str, str | int]) -> object:
        with self._sent(self._http, "GET", path, params=dict(query)) as response:
            return parsed(response.read())

    def _post(self, path: str, body: Mapping[str, object]) -> object:
        with self._sent(self._http, "POST", path, json=dict(body)) as response:
            return parsed(response.read())

    def _alone(self) -> httpx.Client:
        """A client with a connection of its own, so that hanging up touches nothing else."""
        return httpx.Client(**self._connection)

    @contextlib.contextmanager
    def _sent(self, http: httpx.Client, method: str, path: str, **rest: Any) -> Iterator[httpx.Response]:
        """The response of a request, still to be read; what fails on the way or in reading is a ServerError."""
        with told(self.url), http.stream(method, path, **rest) as response:
            if response.status_code != 200:
                raise problem(parsed(response.read()), response.status_code)
            yield response
