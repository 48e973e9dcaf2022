"""One shape for every error, from each origin of errors; nothing of an exception's inside gets out."""

import pytest

import qa.errors  # noqa: F401 - so that its errors are among the subclasses
from index.errors import NotFoundError, NutgrafError, RejectedError
from qa.api.errors import TABLE, ApiError, problem_of
from qa.errors import QuestionError

CANARY = "canary /srv/secret/path SELECT * FROM key"
MEMBERS = {"type", "title", "status", "detail", "code", "request_id", "retryable"}


def _all_errors(kind=NutgrafError):
    for child in kind.__subclasses__():
        yield child
        yield from _all_errors(child)


def _make(kind):
    return kind("reason", CANARY) if issubclass(kind, RejectedError) else kind(CANARY)


# Those of the client and of `nutgraf eval` never pass through the API.
OURS = sorted({kind for kind in _all_errors() if kind.__module__ in {"index.errors", "qa.errors"}}, key=str)
SPOKEN = (NotFoundError, QuestionError, RejectedError)


def _assert_problem(response, status=None):
    body = response.json()
    assert response.headers["content-type"] == "application/problem+json"
    assert MEMBERS <= body.keys() <= MEMBERS | {"reasons"}
    assert body["status"] == response.status_code
    assert body["request_id"] == response.headers["x-request-id"]
    assert TABLE[body["code"]].status == response.status_code
    assert "Traceback" not in response.text
    assert status in {None, response.status_code}


@pytest.mark.parametrize("kind", OURS, ids=lambda kind: kind.__name__)
def test_every_error_of_the_project_has_a_row_that_agrees_with_it(kind):
    if kind.code == "invalid":
        return
    assert TABLE[kind.code].retryable == kind.retryable


@pytest.mark.parametrize("kind", OURS, ids=lambda kind: kind.__name__)
@pytest.mark.parametrize("stream", [False, True], ids=["plain", "stream"])
def test_every_error_of_the_service_becomes_a_problem_without_its_message(call, service, kind, stream):
    service.error = _make(kind)
    response = call("POST", "/v1/query", json={"question": "x", "stream": stream})
    _assert_problem(response)
    assert ("canary" in response.text) == issubclass(kind, SPOKEN)


@pytest.mark.parametrize(
    "error",
    [RuntimeError(CANARY), KeyError(CANARY), OSError(5, CANARY), MemoryError(), RecursionError(CANARY)],
    ids=lambda error: type(error).__name__,
)
@pytest.mark.parametrize(
    "request_",
    [
        ("POST", "/v1/query", {"question": "x"}),
        ("POST", "/v1/query", {"question": "x", "stream": True}),
        ("POST", "/v1/search", {"query": "x"}),
        ("POST", "/v1/verify", {"text": "x"}),
        ("GET", "/v1/documents", None),
        ("GET", "/documents/x", None),
    ],
)
def test_what_nobody_foresaw_is_a_plain_500(call, service, log_lines, error, request_):
    service.error = error
    method, path, body = request_
    response = call(method, path, json=body)
    _assert_problem(response, 500)
    assert "canary" not in response.text + log_lines.getvalue()
    assert type(error).__name__ in log_lines.getvalue()


def test_a_message_for_people_is_passed_on_without_control_characters(call, service):
    service.error = NotFoundError("no collection \x1b[31m'a\r\nb'" + "x" * 500)
    detail = call("POST", "/v1/search", json={"query": "x"}).json()["detail"]
    assert detail.startswith("no collection  [31m'a  b'")
    assert len(detail) == 300


@pytest.mark.parametrize(
    ("options", "status"),
    [
        ({"method": "GET", "path": "/v1/nope"}, 404),
        ({"method": "PATCH", "path": "/v1/query"}, 405),
        ({"method": "POST", "path": "/v1/query", "content": b"{"}, 415),
        ({"method": "POST", "path": "/v1/query", "json": {}}, 422),
        ({"method": "GET", "path": "/livez", "headers": {"host": "evil.example"}}, 421),
        ({"method": "GET", "path": "/livez", "headers": {"origin": "http://evil.example"}}, 403),
        ({"method": "POST", "path": "/v1/query", "headers": {"content-length": "9999999"}, "content": b"x"}, 413),
        ({"method": "GET", "path": "/livez", "headers": [(f"x-{n}", "y") for n in range(101)]}, 431),
        (
            {"method": "POST", "path": "/livez", "content": b"x",
             "headers": {"content-length": "1", "transfer-encoding": "chunked"}},
            400,
        ),
    ],
    ids=lambda value: str(value) if isinstance(value, int) else "",
)  # fmt: skip
def test_every_origin_of_errors_gives_the_same_shape(call, options, status):
    _assert_problem(call(**options), status)


@pytest.mark.parametrize(
    ("body", "detail"),
    [
        ({"question": "x", "top_k": 99}, "top_k: Input should be less than or equal to 50"),
        ({"question": "x", "colection": "canary"}, "colection: unknown field"),
        ({"question": "x" * 9000}, "question: String should have at most 8192 characters"),
        ({"question": "é" * 5000}, "question: must not be longer than 8192 bytes"),
        ({"question": "x", "filters": {"date_to": "2024-02-30"}}, "filters.date_to: must be a day such as 2024-04-16"),
        (
            {"question": "x", "history": [{"role": "canary", "content": ""}]},
            "history.0.role: Input should be 'user' or 'assistant'",
        ),
    ],
)  # fmt: skip
def test_an_invalid_field_is_named_with_what_it_takes_and_not_what_was_given(call, body, detail):
    response = call("POST", "/v1/query", json=body)
    assert response.json()["detail"] == detail
    assert "canary" not in response.text


def test_many_invalid_fields_are_counted_not_listed(call):
    detail = call("POST", "/v1/query", json={"question": "x", **dict.fromkeys("abcdef", 1)}).json()["detail"]
    assert detail.endswith("(and 3 more)")


def test_the_name_of_an_unknown_field_is_cut_and_escaped(call):
    detail = call("POST", "/v1/query", json={"question": "x", "\x1b[2J" + "y" * 99: 1}).json()["detail"]
    assert detail.startswith("\\x1b[2J")
    assert len(detail) < 70


def test_the_type_of_a_problem_is_an_anchor_of_the_reference(call):
    kind = call("GET", "/nope").json()["type"]
    assert kind == "/docs#error-no_route"
    assert f'id="{kind.split("#")[1]}"' in call("GET", "/docs").text


@pytest.mark.parametrize("code", TABLE)
def test_an_error_of_the_api_is_found_by_its_code(code):
    assert problem_of(ApiError(code)).row == TABLE[code]


def test_an_error_of_the_framework_with_an_unknown_status_is_internal():
    teapot = RuntimeError()
    teapot.status_code = 418
    assert problem_of(teapot).code == "internal"
