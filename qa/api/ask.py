"""POST /v1/query: the checked answer as one JSON object, or as it comes about."""

import threading
from typing import Any

from fastapi import APIRouter, Request

from qa import wire
from qa.api import sse
from qa.api.contract import JsonRoute, problems
from qa.api.errors import Problem
from qa.api.state import StateDep, request_id
from qa.api.streaming import EventStream, log_answer
from qa.api.work import attended
from qa.payload import answer_payload
from qa.types import Answer, Event

router = APIRouter(route_class=JsonRoute, tags=["answers"])

_EVENT_STREAM: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "The answer; with `stream`, the events `search`, `delta`, `citation`, `sentence`, "
        "`final` (the whole answer) and `done`, or `error`, with `heartbeat` in between.",
        "content": {sse.MEDIA_TYPE: {"schema": dict(sse.SCHEMA)}},
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
        return EventStream(state, question, request_id(request), _NamedEvents())
    cancelled = threading.Event()
    work = state.ask(question, cancelled)
    answer = await attended(work, request.receive, state.stopping, cancelled)
    log_answer(state, request_id(request), answer, stream=False)
    return wire.answer_out(answer)


class _NamedEvents:
    """The events as the contract names them."""

    def step(self, event: Event) -> bytes:
        # The last two are made in `end`, from the answer itself, whoever else announces them.
        return b"" if event.name in {"final", "done"} else sse.frame(event.name, event.data)

    def end(self, answer: Answer) -> bytes:
        return sse.frame("final", answer_payload(answer)) + sse.frame("done", {"id": answer.id})

    def fail(self, problem: Problem, asked_as: str) -> bytes:
        return sse.frame("error", problem.body(asked_as))
