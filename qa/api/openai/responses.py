"""POST /v1/responses."""

from typing import Any, cast

from fastapi import APIRouter, Request

from qa.api import sse
from qa.api.contract import JsonRoute, problems
from qa.api.errors import Problem
from qa.api.openai import told
from qa.api.openai.asked import ResponseIn
from qa.api.openai.asking import FAILURES, STREAMED, answered, now, question_of
from qa.api.openai.objects import ResponseOut
from qa.api.state import StateDep, request_id
from qa.api.streaming import EventStream
from qa.payload import Payload
from qa.types import Answer, Event

router = APIRouter(route_class=JsonRoute)


@router.post(
    "/v1/responses",
    response_model=ResponseOut,
    responses=dict(STREAMED) | problems(*FAILURES, openai=True),
    summary="Ask the corpus; a file search and a message whose citations are annotations",
)
async def responses(body: ResponseIn, request: Request, state: StateDep) -> Any:
    """Answer the last message of the input. Nothing is stored: there is no response to come back to."""
    question = question_of(body.model, body.said, state)
    made = _Made(told.response(told.new_id("resp"), now(), body.model), with_results=bool(body.include))
    if body.stream:
        return EventStream(state, question, request_id(request), _Events(made))
    return made.whole(await answered(question, request, state))


class _Made:
    """One response, with the ids of its two items."""

    def __init__(self, begun: Payload, *, with_results: bool) -> None:
        self.begun = begun
        self.search_id = told.new_id("fs")
        self.message_id = told.new_id("msg")
        self._with_results = with_results

    def search(self, answer: Answer) -> Payload:
        hits = answer.hits if self._with_results else None
        return told.search_call(self.search_id, [answer.query.standalone], hits)

    def message(self, answer: Answer) -> Payload:
        return told.output_message(answer, self.message_id)

    def whole(self, answer: Answer) -> Payload:
        return told.ended(self.begun, answer, [self.search(answer), self.message(answer)])


class _Events:
    """An answer as the events of a response: a search, then a message that grows."""

    def __init__(self, made: _Made) -> None:
        self._made = made
        self._number = 0
        self._begun = False
        self._text = {"item_id": made.message_id, "output_index": 1, "content_index": 0}

    def step(self, event: Event) -> bytes:
        if event.name == "heartbeat":
            return sse.BEAT
        if event.name == "search":
            return self._begin([str(event.data.get("query", ""))])
        if event.name == "delta":
            return self._begin([]) + self._delta(cast("str", event.data["text"]))
        return b""

    def end(self, answer: Answer) -> bytes:
        part, message = told.text_part(answer), self._made.message(answer)
        sent = self._begin([answer.query.standalone])
        if answer.abstention is not None:  # nothing was said of an answer that is withheld
            sent += self._delta(told.text_of(answer))
        for number, found in enumerate(told.placed(answer)):
            added = {"annotation_index": number, "annotation": told.file_annotation(found)}
            sent += self._event("output_text.annotation.added", self._text | added)
        sent += self._event("output_text.done", self._text | {"text": part["text"], "logprobs": []})
        sent += self._event("content_part.done", self._text | {"part": part})
        sent += self._event("output_item.done", {"output_index": 1, "item": message})
        whole = self._made.whole(answer)
        return sent + self._event(str(whole["status"]), {"response": whole}) + sse.DONE

    def fail(self, problem: Problem, asked_as: str) -> bytes:
        said: Payload = {"code": problem.code, "message": problem.detail, "param": problem.param}
        error = self._named("error", said | {"request_id": asked_as})
        reason = {"code": "server_error", "message": problem.detail}
        failed = self._made.begun | {"status": "failed", "error": reason}
        return error + self._event("failed", {"response": failed}) + sse.DONE

    def _begin(self, queries: list[str]) -> bytes:
        if self._begun:
            return b""
        self._begun = True
        made = self._made
        searched = told.search_call(made.search_id, queries, None)
        search = {"item_id": made.search_id, "output_index": 0}
        empty = {"type": "message", "id": made.message_id, "role": "assistant", "content": []}
        part = {"type": "output_text", "text": "", "annotations": [], "logprobs": []}
        events: tuple[tuple[str, Payload], ...] = (
            ("created", {"response": made.begun}),
            ("in_progress", {"response": made.begun}),
            ("output_item.added", {"output_index": 0, "item": searched | {"status": "in_progress"}}),
            ("file_search_call.in_progress", dict(search)),
            ("file_search_call.searching", dict(search)),
            ("file_search_call.completed", dict(search)),
            ("output_item.done", {"output_index": 0, "item": searched}),
            ("output_item.added", {"output_index": 1, "item": empty | {"status": "in_progress"}}),
            ("content_part.added", self._text | {"part": part}),
        )
        return b"".join(self._event(name, data) for name, data in events)

    def _delta(self, text: str) -> bytes:
        return self._event("output_text.delta", self._text | {"delta": text, "logprobs": []})

    def _event(self, name: str, data: Payload) -> bytes:
        return self._named(f"response.{name}", data)

    def _named(self, kind: str, data: Payload) -> bytes:
        numbered = {"type": kind, "sequence_number": self._number} | data
        self._number += 1
        return b"event: " + kind.encode() + b"\n" + sse.unnamed(numbered)
