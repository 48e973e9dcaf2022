"""The Python client for asyncio: `from qa import AsyncClient`."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any, Self
from urllib.parse import quote

import httpx

from index.types import DocumentInfo, Filters, SearchResult, StoredParagraph
from qa.exchange import DEFAULT_URL, PAGE, EventReader, ServerError, connection, parsed, problem, shaped, told
from qa.payload import filters_payload, question_payload
from qa.settings import Secret
from qa.types import Answer, Event, Question, Turn, Verified
from qa.unpack import (
    answer_from,
    collections_from,
    document_from,
    documents_from,
    paragraphs_from,
    search_from,
    verified_from,
)


class AsyncClient:
    """Asks a running Nutgraf within an event loop. Use it as an async context manager, or close it.

    Methods and exceptions are those of `Client`; cancelling the task that waits hangs up.
    """

    def __init__(
        self, url: str = DEFAULT_URL, *, api_key: Secret | str | None = None, timeout_s: float = 120.0
    ) -> None:
        self.url = url.rstrip("/")
        self._http = httpx.AsyncClient(**connection(self.url, api_key, timeout_s))

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def close(self) -> None:
        """Let the connections go."""
        await self._http.aclose()

    async def ask(
        self, question: Question | str, *, collection: str = "default", history: Sequence[Turn] = ()
    ) -> Answer:
        """The checked answer. `collection` and `history` go with a plain string; a `Question` brings its own."""
        if isinstance(question, str):
            question = Question(question, collection=collection, history=tuple(history))
        return shaped(answer_from, await self._post("/v1/query", question_payload(question)))

    async def events(self, question: Question | str) -> AsyncIterator[Event]:
        """The steps of an answer as they come, `final` with the whole of it; an `error` event is raised."""
        asked = Question(question) if isinstance(question, str) else question
        body = question_payload(asked) | {"stream": True}
        whole = False
        async with self._sent("POST", "/v1/query", json=body) as response:
            reader = EventReader(response.status_code)
            async for line in response.aiter_lines():
                if event := reader.feed(line):
                    whole = whole or event.name == "final"
                    yield event
        if not whole:
            raise ServerError("the answer broke off", code="cut", retryable=True)

    async def search(
        self, query: str, *, collection: str = "default", k: int = 8, filters: Filters = Filters()
    ) -> SearchResult:
        """The paragraphs found for a query, best first; no LLM takes part."""
        body = {"query": query, "collection": collection, "top_k": k, "filters": filters_payload(filters)}
        return shaped(search_from, await self._post("/v1/search", body))

    async def verify(self, text: str, *, collection: str = "default") -> Verified:
        """A verdict and citations for each sentence of a text."""
        body = {"text": text, "collection": collection}
        return shaped(verified_from, await self._post("/v1/verify", body))

    async def collections(self) -> list[str]:
        """The names of the collections."""
        return list(shaped(collections_from, await self._get("/v1/collections", {})))

    async def documents(self, collection: str = "default") -> list[DocumentInfo]:
        """All documents of a collection, by path."""
        found: list[DocumentInfo] = []
        while True:
            page = await self._get(
                "/v1/documents", {"collection": collection, "limit": PAGE, "offset": len(found)}
            )
            more = shaped(documents_from, page)
            found.extend(more)
            if len(more) < PAGE:
                return found

    async def document(self, collection: str, document_id: str) -> DocumentInfo:
        """One document without its text."""
        where = f"/v1/documents/{quote(document_id, safe='')}"
        return shaped(document_from, await self._get(where, {"collection": collection}))

    async def paragraphs(self, collection: str, document_id: str) -> list[StoredParagraph]:
        """All paragraphs of a document in order, verbatim."""
        where = f"/v1/documents/{quote(document_id, safe='')}/paragraphs"
        return list(shaped(paragraphs_from, await self._get(where, {"collection": collection})))

    async def _get(self, path: str, query: Mapping[str, str | int]) -> object:
        async with self._sent("GET", path, params=dict(query)) as response:
            return parsed(await response.aread())

    async def _post(self, path: str, body: Mapping[str, object]) -> object:
        async with self._sent("POST", path, json=dict(body)) as response:
            return parsed(await response.aread())

    @asynccontextmanager
    async def _sent(self, method: str, path: str, **rest: Any) -> AsyncIterator[httpx.Response]:
        with told(self.url):
            async with self._http.stream(method, path, **rest) as response:
                if response.status_code != 200:
                    raise problem(parsed(await response.aread()), response.status_code)
                yield response
