"""What chat and responses share: the question in a conversation, answered whole or as a stream."""

import threading
import time
from collections.abc import Mapping, Sequence
from typing import Any, Literal, cast

from fastapi import Request

from index.errors import NotFoundError
from qa.api import sse
from qa.api.errors import ApiError
from qa.api.openai.asked import conversation
from qa.api.openai.naming import collection_of
from qa.api.state import State, request_id
from qa.api.streaming import log_answer
from qa.api.work import attended
from qa.types import Answer, Question, Turn

STREAMED: Mapping[int | str, dict[str, Any]] = {
    200: {
        "description": "The answer; with `stream`, server-sent events that end with `data: [DONE]`.",
        "content": {sse.MEDIA_TYPE: {"schema": dict(sse.SCHEMA)}},
    }
}
FAILURES = (400, 404, 413, 415, 422, 502, 503, 504)


def question_of(model: str, said: Sequence[tuple[str, str]], state: State) -> Question:
    """The question that a conversation ends with. Instructions of the client are not passed on.

    Raises:
        ApiError: there is no such model.
    """
    text, history = conversation(list(said))
    turns = tuple(Turn(cast("Literal['user', 'assistant']", role), words) for role, words in history)
    return Question(text, collection=known(model, state), history=turns)


def known(model: str, state: State) -> str:
    """The collection of a model.

    Raises:
        ApiError: there is no such model.
    """
    collection = collection_of(model)
    try:
        names = state.collections()
    except NotFoundError:  # nothing is indexed yet
        names = ()
    if collection not in names:
        raise ApiError("model_not_found")
    return collection


async def answered(question: Question, request: Request, state: State) -> Answer:
    """The whole answer; a client that leaves stops the work."""
    cancelled = threading.Event()
    work = state.ask(question, cancelled)
    answer = await attended(work, request.receive, state.stopping, cancelled)
    log_answer(state, request_id(request), answer, stream=False)
    return answer


def now() -> int:
    """Seconds since 1970, as the protocol dates its objects."""
    return int(time.time())
