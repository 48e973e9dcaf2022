"""An answer as a stream: each step as it happens, told in the words of whichever API was asked."""

import asyncio
import threading
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any, Protocol

from fastapi.responses import Response

from qa.api import sse
from qa.api.asgi import Receive, Scope, Send, gone
from qa.api.errors import ApiError, Problem, problem_of
from qa.api.state import State
from qa.logs import describe
from qa.types import Answer, Event, Question


class Teller(Protocol):
    """Puts an answer's steps into server-sent events. A value that is not JSON raises TypeError or ValueError."""

    def step(self, event: Event) -> bytes:
        """What to send for a step; may be nothing."""
        ...

    def end(self, answer: Answer) -> bytes:
        """The end of a stream that went well."""
        ...

    def fail(self, problem: Problem, asked_as: str) -> bytes:
        """The end of a stream that did not."""
        ...


@dataclass(frozen=True, slots=True)
class _Ended:
    """The last thing in a stream's queue: the answer, or what went wrong instead."""

    answer: Answer | None
    error: BaseException | None


class EventStream(Response):
    """The events of one answer. An error before the first event is still an ordinary problem response."""

    media_type = sse.MEDIA_TYPE

    def __init__(self, state: State, question: Question, asked_as: str, teller: Teller) -> None:
        super().__init__(headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"})
        del self.headers["content-length"]
        self._state = state
        self._question = question
        self._request_id = asked_as
        self._teller = teller
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
            try:
                chunk = self._teller.step(item)
            except (
                TypeError,
                ValueError,
            ) as error:  # not JSON: our own fault, and no reason to break off unsaid
                item = _Ended(None, error)
                break
            if chunk:
                yield chunk
            item = await self._next()
        yield self._last(item)

    def _last(self, item: _Ended) -> bytes:
        error = item.error or ApiError("internal")
        if item.answer is not None:
            try:
                end = self._teller.end(item.answer)
            except (TypeError, ValueError) as fault:
                error = fault
            else:
                log_answer(self._state, self._request_id, item.answer, stream=True)
                return end
        problem = problem_of(error)
        self._state.log.warning(
            "asked", request_id=self._request_id, code=problem.code, stream=True, **describe(error)
        )
        return self._teller.fail(problem, self._request_id)


def log_answer(state: State, asked_as: str, answer: Answer, *, stream: bool) -> None:
    """One line of the log about an answer, without a word of it."""
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
