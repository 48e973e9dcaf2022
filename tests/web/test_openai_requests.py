"""What the OpenAI-compatible routes take, leave without effect and refuse; and how they fail."""

import json
import socket
from pathlib import Path

import httpx
import openai
import pytest

from index.errors import StorageError
from qa.api.openai.asked import ChatIn, EmbeddingsIn, Ignored, ResponseIn
from qa.settings import Settings

ROOT = Path(__file__).parents[2]
ASK = {"role": "user", "content": "the call"}


def _chat(call, *messages, **more):
    return call(
        "POST", "/v1/chat/completions", json={"model": "nutgraf", "messages": list(messages) or [ASK], **more}
    )


def _respond(call, given="the call", **more):
    return call("POST", "/v1/responses", json={"model": "nutgraf", "input": given, **more})


def _ignored(kind):
    return {
        name
        for name, field in kind.model_fields.items()
        if field.description == Ignored.__metadata__[0].description
    }


ROLES = {
    "system": 200,
    "developer": 200,
    "user": 200,
    "assistant": 200,
    "tool": 422,
    "function": 422,
    "critic": 422,
    "System": 422,
    "": 422,
}


@pytest.mark.parametrize(("role", "status"), ROLES.items())
def test_the_table_of_roles(call, role, status):
    earlier = {"role": role, "content": "canary"}
    for response in (_chat(call, earlier, ASK), _respond(call, [earlier, ASK])):
        assert response.status_code == status
        assert status == 200 or "canary" not in response.text


REFUSED = {
    "n": 2, "tools": [{"type": "function", "function": {"name": "f"}}], "tool_choice": "required", "functions": [],
    "function_call": "auto", "logprobs": True, "top_logprobs": 3, "response_format": {"type": "json_object"},
    "modalities": ["audio"], "audio": {}, "prediction": {}, "web_search_options": {}, "colour": "red",
    "messages": [], "stream": "yes", "stream_options": {"x": 1},
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_what_would_change_the_answer_is_refused_by_name(call, name):
    response = _chat(call, **{name: REFUSED[name]})
    assert response.status_code == 422
    assert response.json()["error"]["param"].startswith(name)


RESPONSE_REFUSED = {
    "tools": [{"type": "file_search"}], "background": True, "conversation": "c", "previous_response_id": "r",
    "prompt": {"id": "p"}, "include": ["message.output_text.logprobs"], "text": {"format": {"type": "json_schema"}},
    "top_logprobs": 1, "colour": "red",
}  # fmt: skip


@pytest.mark.parametrize("name", RESPONSE_REFUSED)
def test_what_a_response_cannot_have_is_refused_by_name(call, name):
    response = _respond(call, **{name: RESPONSE_REFUSED[name]})
    assert response.status_code == 422
    assert response.json()["error"]["param"].startswith(name)


@pytest.mark.parametrize("value", [0, -1, 10**9, "x", None, [], {"a": 1}])
def test_what_is_ignored_is_ignored_whatever_it_is(call, value):
    plain = _chat(call).json()["choices"]
    assert _chat(call, **dict.fromkeys(_ignored(ChatIn), value)).json()["choices"] == plain
    assert _respond(call, **dict.fromkeys(_ignored(ResponseIn), value)).status_code == 200


def test_the_neutral_value_of_what_is_refused_is_taken(call):
    neutral = {
        "n": 1,
        "tools": [],
        "tool_choice": "auto",
        "logprobs": False,
        "response_format": {"type": "text"},
    }
    assert _chat(call, **neutral).status_code == 200


@pytest.mark.parametrize("kind", [ChatIn, ResponseIn, EmbeddingsIn])
def test_the_documentation_lists_what_is_ignored(kind):
    page = (ROOT / "docs/openai.md").read_text(encoding="utf-8")
    assert [name for name in _ignored(kind) if f"`{name}`" not in page] == []


MESSAGES = {
    "ends with an answer": [ASK, {"role": "assistant", "content": "x"}],
    "only instructions": [{"role": "system", "content": "x"}],
    "blank": [{"role": "user", "content": " \n"}],
    "nothing": [{"role": "user"}],
    "an image": [{"role": "user", "content": [{"type": "image_url", "image_url": {"url": "http://x"}}]}],
    "a call": [{"role": "assistant", "tool_calls": [{"id": "1"}]}, ASK],
    "too long": [{"role": "user", "content": "x" * 8193}],
    "too long in bytes": [{"role": "user", "content": "é" * 5000}],
    "a long turn": [{"role": "user", "content": "x" * 8193}, ASK],
    "too many": [ASK] * 1001,
}


@pytest.mark.parametrize("messages", MESSAGES.values(), ids=MESSAGES)
def test_a_conversation_that_is_no_question_is_refused(call, messages):
    response = _chat(call, *messages)
    assert response.status_code == 422
    assert response.json()["error"]["type"] == "invalid_request_error"


def test_a_long_conversation_goes_on(call):
    assert _chat(call, *([ASK, {"role": "assistant", "content": "yes"}] * 100), ASK).status_code == 200


def test_a_long_instruction_is_no_obstacle(call):
    assert _chat(call, {"role": "system", "content": "x" * 100_000}, ASK).status_code == 200


FAILURES = {
    "route": ("GET", "/v1/models/gpt-4o", {}, 404),
    "method": ("PUT", "/v1/models", {}, 405),
    "type": ("POST", "/v1/chat/completions", {"content": b"{}"}, 415),
    "json": ("POST", "/v1/responses", {"content": b"{", "headers": {"content-type": "application/json"}}, 400),
    "host": ("GET", "/v1/models", {"headers": {"host": "evil"}}, 421),
    "origin": ("POST", "/v1/embeddings", {"headers": {"origin": "http://evil"}}, 403),
    "size": ("POST", "/v1/vector_stores/default/search", {"headers": {"content-length": "9999999"}, "content": b"x"}, 413),
}  # fmt: skip


@pytest.mark.parametrize(("method", "path", "options", "status"), FAILURES.values(), ids=FAILURES)
def test_an_error_is_a_problem_and_an_openai_error_in_one(call, method, path, options, status):
    response = call(method, path, **options)
    body = response.json()
    assert (response.status_code, body["status"]) == (status, status)
    assert response.headers["content-type"] == "application/problem+json"
    assert body["error"] == {
        "message": body["detail"],
        "type": "invalid_request_error",
        "code": body["code"],
        "param": body["error"]["param"],
    }


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(("error", "status"), [(StorageError("canary"), 503), (RuntimeError("canary"), 500)])
def test_an_error_before_the_answer_is_no_stream(call, service, stream, error, status):
    service.collections = lambda: ["default"]
    service.error = error
    for response in (_chat(call, stream=stream), _respond(call, stream=stream)):
        assert (response.status_code, response.json()["error"]["type"]) == (status, "server_error")
        assert "canary" not in response.text


def test_other_routes_keep_their_plain_problem(call):
    assert "error" not in call("GET", "/v1/modelsx").json()
    assert "error" not in call("POST", "/v1/query", json={}).json()


@pytest.fixture
def server(running, fake):
    return running(fake.FakeService(Settings(port=0)), heartbeat_s=0.05)


@pytest.fixture
def client(server):
    with openai.OpenAI(base_url=f"{server.url}/v1", api_key="none", max_retries=0) as made:
        yield made


def test_an_error_in_mid_stream_is_raised_by_the_client(client):
    stream = client.chat.completions.create(
        model="nutgraf", messages=[{"role": "user", "content": "break canary"}], stream=True
    )
    with pytest.raises(openai.APIError) as caught:
        list(stream)
    assert (caught.value.code, "canary" in str(caught.value)) == ("internal", False)


def test_an_error_in_mid_response_is_told_and_ends_it(client):
    *_, error, failed = client.responses.create(model="nutgraf", input="break canary", stream=True)
    assert (error.type, error.code) == ("error", "internal")
    assert (failed.type, failed.response.status) == ("response.failed", "failed")
    assert "canary" not in str(failed)


@pytest.mark.parametrize("stream", [False, True], ids=["plain", "stream"])
@pytest.mark.parametrize("path", ["chat/completions", "responses"])
def test_a_client_that_leaves_cancels_its_question(server, path, stream):
    ask = {"messages": [{"role": "user", "content": "wait for it"}], "input": "wait for it"}
    ask.pop("messages" if path == "responses" else "input")
    body = json.dumps({"model": "nutgraf", "stream": stream, **ask}).encode()
    head = f"POST /v1/{path} HTTP/1.1\r\nHost: 127.0.0.1:{server.port}\r\nContent-Type: application/json\r\n"
    with socket.create_connection(("127.0.0.1", server.port)) as client:
        client.sendall(f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body)
        assert server.state.service.entered.wait(5)
    assert server.state.service.left.wait(5)


def test_a_silent_stream_sends_comments(server):
    body = {"model": "nutgraf", "stream": True, "messages": [{"role": "user", "content": "wait for it"}]}
    with httpx.stream("POST", f"{server.url}/v1/chat/completions", json=body) as response:
        lines = response.iter_lines()
        assert any(line.startswith(": ") for line in lines)


@pytest.mark.parametrize(
    "body",
    [
        {"input": []},
        {"input": [1, 2]},
        {"input": ""},
        {"input": ["x"] * 257},
    ],
)
def test_what_cannot_be_embedded_is_refused(call, body):
    response = call("POST", "/v1/embeddings", json={"model": "nutgraf", **body})
    assert (response.status_code, response.json()["error"]["param"][:5]) == (422, "input")
