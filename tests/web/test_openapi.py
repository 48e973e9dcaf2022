"""Requests made from the API's own schema; the schema is held to what it promises."""

import io
import json

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    negative_data_rejection,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
    unsupported_method,
)

from index.backup import backup, restore
from qa.api.app import create_app
from qa.logs import Log
from qa.service import Service
from qa.settings import Settings

CHECKS = (
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    negative_data_rejection,
    unsupported_method,
)


def test_the_schema_declares_what_goes_wrong(app):
    for path, item in app.openapi()["paths"].items():
        for operation in item.values():
            promised = {"401", "403", "421", "500"} | (
                {"400", "413", "415", "422"} if "requestBody" in operation else set()
            )
            assert promised <= operation["responses"].keys(), path


def test_every_problem_in_the_schema_is_problem_json(app):
    for item in app.openapi()["paths"].values():
        for operation in item.values():
            for status, response in operation["responses"].items():
                if not status.startswith("2"):
                    assert list(response["content"]) == ["application/problem+json"]


def test_a_stream_is_described_event_by_event(app):
    streams = [
        response["content"]["text/event-stream"]["schema"]
        for item in app.openapi()["paths"].values()
        for operation in item.values()
        for response in operation["responses"].values()
        if "text/event-stream" in response.get("content", {})
    ]
    assert len(streams) == 4
    assert all(stream["required"] == ["data"] for stream in streams)


def test_the_schema_is_served_as_made(app, call):
    assert call("GET", "/openapi.json").json() == json.loads(json.dumps(app.openapi()))


def test_the_same_schema_is_made_twice(app):
    assert app.openapi() is app.openapi()


@pytest.fixture
def schema(real, tmp_path):
    """Over a copy of the index: generated requests also write."""
    backup(real.settings.data_dir, tmp_path / "backup")
    restore(tmp_path / "backup", tmp_path / "data")
    with Service.open(Settings(data_dir=tmp_path / "data", port=80), writable=True) as service:
        app = create_app(service, Log(io.StringIO()))
        yield schemathesis.openapi.from_asgi("/openapi.json", app, headers={"Host": "127.0.0.1"})


LONG = [pytest.mark.deep, pytest.mark.timeout(1800)]
RUNS = [
    pytest.param(0, 1000, id="first"),
    # several runs: one of 20,000 would slow down under the memory of what it has already tried
    *(pytest.param(number, 2000, id=f"deep-{number}", marks=LONG) for number in range(1, 11)),
]


@pytest.mark.parametrize(("number", "count"), RUNS)
@pytest.mark.timeout(300)
def test_generated_requests_find_no_server_error_and_no_broken_promise(schema, number, count):
    sent = []
    modes = [schemathesis.GenerationMode.POSITIVE, schemathesis.GenerationMode.NEGATIVE]
    strategy = st.one_of(
        operation.ok().as_strategy(generation_mode=mode)
        for operation in schema.get_all_operations()
        for mode in modes
    )

    @seed(number)
    @settings(
        max_examples=count,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(strategy)
    def run(case):
        case.headers = {**(case.headers or {}), "Host": "127.0.0.1"}
        response = case.call()
        sent.append(response.status_code)
        case.validate_response(response, checks=list(CHECKS))
        if response.status_code >= 400:
            _assert_a_problem(response)

    run()
    assert len(sent) >= count
    assert {200, 404, 422} <= set(sent)
    assert max(sent) < 500


def _assert_a_problem(response):
    (kind,) = response.headers["content-type"]
    assert kind == "application/problem+json"
    assert response.json()["status"] == response.status_code
