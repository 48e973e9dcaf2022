"""One question asked in every way there is; what each way shows is brought into one form."""

import asyncio
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import httpx
from mcp import Client

Payload = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Shown:
    """What somebody who asked has before him: the native answer, the words, and how it says that it ended."""

    answer: Payload
    words: str
    ended: str
    """`whole`, `cut` or `filtered`, as the surface itself puts it."""


Surface = Callable[[str, str], Shown]
"""Ask the server at a URL a question."""

_CHAT_ENDS = {"stop": "whole", "length": "cut", "content_filter": "filtered"}
_RESPONSE_ENDS = {None: "whole", "max_output_tokens": "cut", "content_filter": "filtered"}


def _post(url: str, path: str, body: Payload) -> Any:
    response = httpx.post(url + path, json=body, timeout=30)
    assert response.status_code == 200, response.text
    return response.json()


def _stream(url: str, path: str, body: Payload) -> list[tuple[str, Any]]:
    """(name, data) of each event, of which chat names none."""
    events, name = [], ""
    with httpx.stream("POST", url + path, json={**body, "stream": True}, timeout=30) as response:
        assert response.status_code == 200
        for line in response.iter_lines():
            if line.startswith("event: "):
                name = line.removeprefix("event: ")
            elif line.startswith("data: ") and line != "data: [DONE]":
                events.append((name, json.loads(line.removeprefix("data: "))))
    return events


def _native_end(answer: Payload) -> str:
    if "llm_truncated" in answer["degraded"]:
        return "cut"
    told = answer["answerer"]["kind"] == "llm" and "llm_refused" in answer["degraded"]
    return "filtered" if told else "whole"


def ask_http(url: str, question: str) -> Shown:
    answer = _post(url, "/v1/query", {"question": question})
    return Shown(answer, answer["answer"], _native_end(answer))


def ask_sse(url: str, question: str) -> Shown:
    events = _stream(url, "/v1/query", {"question": question})
    assert [name for name, _ in events[-2:]] == ["final", "done"]
    answer = events[-2][1]
    words = "".join(data["text"] for name, data in events if name == "delta")
    return Shown(answer, words, _native_end(answer))


def _chat(question: str) -> Payload:
    return {"model": "nutgraf", "messages": [{"role": "user", "content": question}]}


def ask_chat(url: str, question: str) -> Shown:
    (choice,) = _post(url, "/v1/chat/completions", _chat(question))["choices"]
    message = choice["message"]
    return Shown(message["context"], message["content"], _CHAT_ENDS[choice["finish_reason"]])


def ask_chat_stream(url: str, question: str) -> Shown:
    choices = [data["choices"][0] for _, data in _stream(url, "/v1/chat/completions", _chat(question))]
    words = "".join(choice["delta"].get("content", "") for choice in choices)
    last = choices[-1]
    return Shown(last["delta"]["context"], words, _CHAT_ENDS[last["finish_reason"]])


def _response(response: Payload, words: str) -> Shown:
    message = next(item for item in response["output"] if item["type"] == "message")
    why = (response["incomplete_details"] or {}).get("reason")
    assert response["status"] == message["status"] == ("completed" if why is None else "incomplete")
    return Shown(message["context"], words, _RESPONSE_ENDS[why])


def ask_responses(url: str, question: str) -> Shown:
    response = _post(url, "/v1/responses", {"model": "nutgraf", "input": question})
    message = next(item for item in response["output"] if item["type"] == "message")
    return _response(response, message["content"][0]["text"])


def ask_responses_stream(url: str, question: str) -> Shown:
    events = _stream(url, "/v1/responses", {"model": "nutgraf", "input": question})
    words = "".join(data["delta"] for name, data in events if name == "response.output_text.delta")
    return _response(events[-1][1]["response"], words)


def ask_mcp(url: str, question: str) -> Shown:
    async def call() -> Any:
        async with Client(f"{url}/mcp", read_timeout_seconds=30) as client:
            return await client.call_tool("ask", {"question": question})

    result = asyncio.run(call())
    assert not result.is_error, result
    answer = result.structured_content
    text = result.content[0].text
    # the text of a tool is all that many clients show, so it has to say what the object says
    assert ("the LLM broke off before its end" in text) == ("llm_truncated" in answer["degraded"])
    assert ("Note: " in text) == bool(answer["degraded"])
    return Shown(answer, answer["answer"], _native_end(answer))


SERVED: Mapping[str, Surface] = {
    "http": ask_http,
    "sse": ask_sse,
    "chat": ask_chat,
    "chat_stream": ask_chat_stream,
    "responses": ask_responses,
    "responses_stream": ask_responses_stream,
    "mcp": ask_mcp,
}


def shown_by_command(code: int, out: str, err: str) -> Shown:
    """What `nutgraf ask --json` left behind."""
    assert (code, err) == (0, "")
    answer = json.loads(out)
    return Shown(answer, answer["answer"], _native_end(answer))
