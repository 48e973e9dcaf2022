"""POST /v1/query: the checked answer as one JSON object, or as it comes about."""

import asyncio
import threading
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import Response

from qa import wire
from qa.api import sse
from qa.api.asgi import Receive, Scope, Send, gone
from qa.api.contract import JsonRoute, problems
from qa.api.errors import ApiError, problem_of
from qa.api.state import State, StateDep, request_id
from qa.api.work import attended
from qa.logs import describe
from qa.payload import answer_payload
from qa.types import Answer, Event, Question

router = APIRouter(route_class=JsonRoute, tags=["answers"])

_EVENT_STREAM: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "The answer; with `stream`, the events `search`, `delta`, `citation`, `sentence`, "
        "`final` (the whole answer) and `done`, or `error`, with `heartbeat` in between.",
        "content": {sse.MEDIA_TYPE: {"schema": {"type": "string"}}},
    }
}


@router.post(
    "/v1/query",
    response_model=wire.AnswerOut,
    responses=_EVENT_STREAM | problems(400, 404, 413, 415, 422, 502, 503, 504),
    summary="Ask the corpus; every sentence of the answer is cited to file and paragraph",
)
async def query(body: wire.QueryRequest, request: Request, state: StateDep) -> Any:
    """Answer a question. Nothing is answered that the corpus does not support."""
    question = body.to_question()
    if body.stream:
        return EventStream(state, question, request_id(request))
    cancelled = threading.Event()
    work = state.ask(question, cancelled)
    answer = await attended(work, request.receive, state.stopping, cancelled)
    log_answer(state, request_id(request), answer, stream=False)
    return wire.answer_out(answer)


@dataclass(frozen=True, slots=True)
class _Ended:
    """The last thing in a stream's queue: the answer, or what went wrong instead."""

    answer: Answer | None
    error: BaseException | None


class EventStream(Response):
    """The events of one answer. An error before the first event is still an ordinary problem response."""

    media_type = sse.MEDIA_TYPE

    def __init__(self, state: State, question: Question, asked_as: str) -> None:
        super().__init__(headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"})
        del self.headers["content-length"]
        self._state = state
        self._question = question
        self._request_id = asked_as
        self._cancelled = threading.Event()
        self._queue: asyncio.Queue[Event | _Ended] = asyncio.Queue()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002 - ASGI's
        """Answer, and send each event as it happens."""
        watchers = self._start(receive)
        try:
            item = await self._next()
            if isinstance(item, _Ended) and item.error is not None:
                raise item.error
            await send({"type": "http.response.start", "status": 200, "headers": self.raw_headers})
            async for chunk in self._frames(item):
                await send({"type": "http.response.body", "body": chunk, "more_body": True})
            await send({"type": "http.response.body", "body": b"", "more_body": False})
        finally:
            self._cancelled.set()
            for watcher in watchers:
                watcher.cancel()

    def _start(self, receive: Receive) -> list["asyncio.Future[Any]"]:
        loop = asyncio.get_running_loop()

        def on_event(event: Event) -> None:
            if not self._cancelled.is_set():
                loop.call_soon_threadsafe(self._queue.put_nowait, event)

        work = self._state.ask(self._question, self._cancelled, on_event)
        work.add_done_callback(lambda done: self._end(done.exception(), done))
        left = asyncio.ensure_future(gone(receive))
        stop = asyncio.ensure_future(self._state.stopping.wait())
        left.add_done_callback(lambda done: self._interrupt(done, "client_gone"))
        stop.add_done_callback(lambda done: self._interrupt(done, "shutting_down"))
        return [left, stop]

    def _interrupt(self, watcher: "asyncio.Future[Any]", code: str) -> None:
        if not watcher.cancelled():
            self._end(ApiError(code))

    def _end(self, error: BaseException | None, work: "asyncio.Future[Answer] | None" = None) -> None:
        self._cancelled.set()
        answer = work.result() if work is not None and error is None else None
        self._queue.put_nowait(_Ended(answer, error))

    async def _next(self) -> Event | _Ended:
        try:
            return await asyncio.wait_for(self._queue.get(), self._state.heartbeat_s)
        except TimeoutError:
            return Event("heartbeat", {})

    async def _frames(self, item: Event | _Ended) -> AsyncIterator[bytes]:
        while isinstance(item, Event):
            # The last two are made here, from the answer itself, whoever else announces them.
            chunk = b"" if item.name in {"final", "done"} else self._framed(item)
            if isinstance(chunk, Exception):
                item = _Ended(None, chunk)
                break
            if chunk:
                yield chunk
            item = await self._next()
        for last in self._last(item):
            yield sse.frame(last.name, last.data)

    @staticmethod
    def _framed(event: Event) -> bytes | Exception:
        try:
            return sse.frame(event.name, event.data)
        except (TypeError, ValueError) as error:  # not JSON: our own fault, and no reason to break off unsaid
            return error

    def _last(self, item: _Ended) -> list[Event]:
        if item.answer is not None:
            final = Event("final", answer_payload(item.answer))
            fault = self._framed(final)
            if isinstance(fault, bytes):
                log_answer(self._state, self._request_id, item.answer, stream=True)
                return [final, Event("done", {"id": item.answer.id})]
            item = _Ended(None, fault)
        error = item.error or ApiError("internal")
        problem = problem_of(error)
        self._state.log.warning(
            "asked", request_id=self._request_id, code=problem.code, stream=True, **describe(error)
        )
        return [Event("error", problem.body(self._request_id))]


def log_answer(state: State, asked_as: str, answer: Answer, *, stream: bool) -> None:
    """Write an answer's line in the log."""
    state.log.info(
        "asked",
        request_id=asked_as,
        id=answer.id,
        outcome=answer.status,
        answerer=answer.answerer.kind,
        sentences=len(answer.sentences),
        citations=len(answer.citations),
        hits=len(answer.hits),
        degraded=answer.degraded,
        timings_ms=answer.timings_ms,
        stream=stream,
    )
