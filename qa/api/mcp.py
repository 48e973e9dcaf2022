"""POST /mcp: the tools over the Model Context Protocol's streamable HTTP, without sessions.

Every request stands for itself: there is no session to guess or to take over, and nothing is kept between two.
The SDK is loaded by the first request, in a thread, since it takes half a second.
"""

import asyncio
import threading
from dataclasses import dataclass
from functools import partial
from importlib import import_module
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import Response

from qa import wire
from qa.api.asgi import Message, Receive, Scope, Send
from qa.api.contract import JsonRoute
from qa.api.errors import problem_of
from qa.api.state import State, StateDep, request_id
from qa.api.streaming import log_answer
from qa.api.work import attended
from qa.logs import describe
from qa.mcp.tools import ArgumentsError, Place, Result, answered, explained, parsed, perform, question_of
from qa.mcp.wire import AskIn

router = APIRouter(route_class=JsonRoute)

PARTING_S = 1.0
"""How long a request that was given up may take to let go."""


@router.post("/mcp", include_in_schema=False)
async def mcp(where: Annotated[wire.CollectionQuery, Query()], request: Request, state: StateDep) -> Response:
    """One message of a client; `collection` in the address is where its tools look unless told otherwise."""
    place = Place(state.settings.public_base_url, where.collection)
    sdk = await run_in_threadpool(import_module, "qa.mcp.server")
    return _Exchange(_Caller(state, place, request_id(request)), sdk, await request.body())


@dataclass(frozen=True, slots=True)
class _Caller:
    """Does what one request's calls ask for, by the rules of every other route."""

    state: State
    place: Place
    asked_as: str

    async def call(self, cancelled: threading.Event, name: str, arguments: Any) -> Result:
        given = parsed(name, arguments)
        if not isinstance(given, AskIn):
            return await run_in_threadpool(perform, given, self.state, self.place)
        answer = await self.state.ask(question_of(given, self.place), cancelled)
        log_answer(self.state, self.asked_as, answer, stream=False)
        return answered(answer)

    def explain(self, error: Exception) -> tuple[str, str]:
        if isinstance(error, ArgumentsError):
            return explained(error)
        problem = problem_of(error)
        if problem.code == "internal":
            self.state.log.error("failed", request_id=self.asked_as, **describe(error))
        return problem.code, f"{problem.detail} (request_id {self.asked_as})"


class _Exchange(Response):
    """One request handed to the SDK, and given up when its client leaves or the server stops."""

    def __init__(self, caller: _Caller, sdk: Any, body: bytes) -> None:
        super().__init__()
        self._caller = caller
        self._sdk = sdk
        self._body: bytes | None = body
        self._sent = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, as JSON."""
        cancelled = threading.Event()
        work = asyncio.ensure_future(self._exchange(cancelled, scope, send))

        async def leaving() -> Message:
            message = await receive()
            if self._sent:  # the connection may close then; what is left to do is ours
                await asyncio.Event().wait()
            return message

        try:
            await attended(work, leaving, self._caller.state.stopping, cancelled)
        finally:
            work.cancel()
            await asyncio.wait({work}, timeout=PARTING_S)

    async def _exchange(self, cancelled: threading.Event, scope: Scope, send: Send) -> None:
        async def sending(message: Message) -> None:
            self._sent = message["type"] == "http.response.body" and not message.get("more_body", False)
            await send(message)

        tools = self._sdk.server(partial(self._caller.call, cancelled), self._caller.explain)
        await self._sdk.answer_http(tools, scope, self._whole, sending)

    async def _whole(self) -> Message:
        """The body that has arrived already; after it nothing more comes."""
        if self._body is None:
            await asyncio.Event().wait()
        body, self._body = self._body, None
        return {"type": "http.request", "body": body or b"", "more_body": False}
