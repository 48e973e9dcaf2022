"""POST /v1/chat/completions."""

from typing import Any

from fastapi import APIRouter, Request

from qa.api import sse
from qa.api.contract import JsonRoute, problems
from qa.api.errors import Problem
from qa.api.openai import told
from qa.api.openai.asked import ChatIn
from qa.api.openai.asking import FAILURES, STREAMED, answered, now, question_of
from qa.api.openai.objects import ChatOut
from qa.api.state import StateDep, request_id
from qa.api.streaming import EventStream
from qa.payload import Payload, answer_payload
from qa.types import Answer, Event

router = APIRouter(route_class=JsonRoute)


@router.post(
    "/v1/chat/completions",
    response_model=ChatOut,
    responses=dict(STREAMED) | problems(*FAILURES, openai=True),
    summary="Ask the corpus as a chat",
)
async def chat_completions(body: ChatIn, request: Request, state: StateDep) -> Any:
    """Answer the last message of a conversation; `message.context` holds the native answer."""
    question = question_of(body.model, body.said, state)
    id_, created = told.new_id("chatcmpl"), now()
    if body.stream:
        counts = body.stream_options is not None and bool(body.stream_options.include_usage)
        teller = _Chunks(id_, created, body.model, counts=counts)
        return EventStream(state, question, request_id(request), teller)
    return told.completion(await answered(question, request, state), id_, created, body.model)


class _Chunks:
    """An answer as chunks of a chat completion; the citations come with the last one that has a choice."""

    def __init__(self, id_: str, created: int, model: str, *, counts: bool) -> None:
        self._head: Payload = {
            "id": id_,
            "object": "chat.completion.chunk",
            "created": created,
            "model": model,
        }
        self._counts = counts
        self._begun = False

    def step(self, event: Event) -> bytes:
        if event.name == "heartbeat":
            return sse.BEAT
        if event.name == "search":
            return self._begin()
        if event.name == "delta":
            return self._begin() + self._delta({"content": event.data["text"]})
        return b""

    def end(self, answer: Answer) -> bytes:
        # Nothing was said of an answer that is withheld.
        words = b"" if answer.abstention is None else self._delta({"content": told.text_of(answer)})
        annotations = [told.url_annotation(found) for found in told.placed(answer)]
        last: Payload = {"annotations": annotations, "context": answer_payload(answer)}
        chunks = self._begin() + words + self._delta(last, told.finish_reason(answer))
        if self._counts:
            chunks += sse.unnamed(self._head | {"choices": [], "usage": told.usage(answer)})
        return chunks + sse.DONE

    def fail(self, problem: Problem, asked_as: str) -> bytes:
        return sse.unnamed(problem.body(asked_as) | {"error": problem.openai_error()}) + sse.DONE

    def _begin(self) -> bytes:
        if self._begun:
            return b""
        self._begun = True
        return self._delta({"role": "assistant", "content": ""})

    def _delta(self, delta: Payload, finish: str | None = None) -> bytes:
        choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}
        usage: Payload = {"usage": None} if self._counts else {}
        return sse.unnamed(self._head | {"choices": [choice]} | usage)
