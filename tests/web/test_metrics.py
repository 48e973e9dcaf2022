"""What monitoring reads: counts and times by words of ours, and nothing of what was asked."""

import dataclasses
import json

import pytest
from prometheus_client.parser import text_string_to_metric_families

from qa.api.app import create_app
from qa.api.metrics import STAGES
from qa.settings import Secret
from qa.types import Abstention, AnswererInfo, Sentence, Verified

CANARY = "zanzibar"


@pytest.fixture
def read(call):
    """read(): every sample, by its name and labels."""

    def go():
        response = call("GET", "/metrics")
        assert response.headers["content-type"].startswith("text/plain; version=")
        return samples(response.text)

    return go


def samples(text):
    return {
        (sample.name, *sorted(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def test_requests_are_counted_by_template_method_and_status(call, read):
    call("GET", "/v1/documents/one?collection=default")
    call("GET", "/v1/documents/two")
    call("GET", f"/{CANARY}")
    call("BREW", "/livez")
    call("GET", "/livez", headers={"host": CANARY})
    found = read()
    name = "nutgraf_requests_total"
    by_template = ("route", "/v1/documents/{document_id}")
    assert found[name, ("method", "GET"), by_template, ("status", "404")] == 2
    assert found[name, ("method", "GET"), ("route", "none"), ("status", "404")] == 1
    assert found[name, ("method", "GET"), ("route", "none"), ("status", "421")] == 1
    assert any(("method", "other") in key for key in found)
    assert found["nutgraf_request_seconds_count", by_template] == 2


def test_no_label_or_name_comes_from_outside(call, read, service):
    call("POST", "/v1/query", json={"question": f"How long was the call, {CANARY}?"})
    call("POST", "/v1/query", json={"question": "call", "collection": CANARY})
    call("POST", "/v1/search", json={"query": CANARY})
    call("PUT", f"/v1/documents/{CANARY}.txt", content=CANARY)
    call(CANARY.upper(), f"/v1/jobs/{CANARY}", headers={"x-request-id": CANARY * 2})
    text = call("GET", "/metrics").text
    assert CANARY not in text.lower()
    for path in ("call.txt", "visit.md", "default"):
        assert path not in text


def test_answers_are_counted_by_what_came_of_them(call, read):
    call("POST", "/v1/query", json={"question": "How long was the call?"})
    call("POST", "/v1/query", json={"question": "How long was the visit?"})
    call("POST", "/v1/query", json={"question": "xyzzy"})
    call("POST", "/v1/query", json={"question": "call", "collection": "none"})
    call("POST", "/v1/verify", json={"text": "The call lasted."})
    found = read()
    name = "nutgraf_answers_total"
    assert found[name, ("reason", ""), ("status", "answered")] == 2
    assert found[name, ("reason", "no_evidence"), ("status", "abstained")] == 1
    assert found[name, ("reason", "not_found"), ("status", "failed")] == 1
    assert found["nutgraf_verdicts_total", ("of", "answer"), ("verdict", "supported")] == 2
    assert found["nutgraf_verdicts_total", ("of", "text"), ("verdict", "unsupported")] == 1
    assert found["nutgraf_questions_in_progress",] == 0


def test_a_streamed_answer_counts_as_well(call, state):
    call("POST", "/v1/query", json={"question": "How long was the call?", "stream": True})
    found = samples(state.metrics.text().decode())
    assert found["nutgraf_answers_total", ("reason", ""), ("status", "answered")] == 1


@pytest.fixture
def answer(service):
    from qa.types import Question

    return service.ask(Question("How long was the call?"))


@pytest.mark.parametrize(
    ("degraded", "outcome"),
    [
        ((), "complete"),
        (("llm",), "unavailable"),
        (("llm_refused",), "refused"),
        (("rerank", "llm_truncated"), "truncated"),
        (("llm", "llm_unsupported"), "unsupported"),
        (("llm", "context_overflow"), "too_long"),
    ],
)
def test_what_came_of_asking_the_llm_is_counted(state, answer, degraded, outcome):
    made = dataclasses.replace(
        answer,
        answerer=AnswererInfo("llm", CANARY),
        degraded=degraded,
        timings_ms={"llm": 1200.0, "total": 1300.0, CANARY: 1.0},
        usage={"prompt_tokens": 100, "completion_tokens": 7, CANARY: 1},
    )
    state.metrics.answered(made)
    text = state.metrics.text().decode()
    found = samples(text)
    assert found["nutgraf_llm_calls_total", ("outcome", outcome)] == 1
    assert found["nutgraf_llm_tokens_total", ("kind", "prompt")] == 100
    assert found["nutgraf_llm_tokens_total", ("kind", "completion")] == 7
    assert found["nutgraf_stage_seconds_sum", ("stage", "llm")] == 1.2
    for part in degraded:
        assert found["nutgraf_degraded_total", ("part", part)] == 1
    assert CANARY not in text


def test_a_part_nobody_named_is_other(state, answer):
    state.metrics.answered(dataclasses.replace(answer, degraded=(CANARY,)))
    assert ("nutgraf_degraded_total", ("part", "other")) in samples(state.metrics.text().decode())


def test_refusals_and_verdicts_have_their_own_words(state, answer):
    refused = dataclasses.replace(answer, status="abstained", abstention=Abstention("low_confidence"))
    state.metrics.answered(refused)
    state.metrics.verified(Verified((Sentence(0, 0, 1, "contradicted", 0.1, ()),), ()))
    found = samples(state.metrics.text().decode())
    assert found["nutgraf_answers_total", ("reason", "low_confidence"), ("status", "abstained")] == 1
    assert found["nutgraf_verdicts_total", ("of", "text"), ("verdict", "contradicted")] == 1


def test_jobs_and_holdings_are_read_when_asked_for(read, state):
    found = read()
    assert found["nutgraf_jobs", ("state", "queued")] == found["nutgraf_jobs", ("state", "running")] == 0
    assert found["nutgraf_collections",] == 1
    assert found["nutgraf_documents",] == 2
    assert found["nutgraf_passages",] == 5
    assert found["nutgraf_index_changes_total",] == 7
    assert found["nutgraf_last_indexed_timestamp_seconds",] == 1713312000
    assert found["nutgraf_ready",] == 1


def test_a_job_that_runs_is_counted(state):
    import threading

    go = threading.Event()
    entered = threading.Event()

    def work(_):
        entered.set()
        go.wait(5)
        return {}

    state.jobs.submit("index", "default", work)
    state.jobs.submit("purge", "", work)
    assert entered.wait(5)
    try:
        assert state.jobs.counts() == (1, 1)
    finally:
        go.set()


def test_before_the_index_is_open_the_rest_is_there(read, state):
    state._service = None
    found = read()
    assert found["nutgraf_ready",] == 0
    assert ("nutgraf_documents",) not in found


def test_the_real_index_is_counted_and_its_stages_timed(real):
    import asyncio

    import httpx

    app = create_app(real)

    async def run():
        transport = httpx.ASGITransport(app=app)
        async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
            await client.post("/v1/query", json={"question": "How long did the call with Dong Jun last?"})
            return (await client.get("/metrics")).text

    found = samples(asyncio.run(run()))
    status = real.status()["collections"]
    assert found["nutgraf_documents",] == sum(item["documents"] for item in status) == 5
    assert found["nutgraf_passages",] == sum(item["passages"] for item in status)
    timed = {dict(key[1:])["stage"] for key in found if key[0] == "nutgraf_stage_seconds_count"}
    assert timed == set(STAGES) - {"llm"}


def test_the_key_guards_it(service):
    import asyncio

    import httpx

    service.settings = dataclasses.replace(service.settings, api_key=Secret("k" * 32))

    async def run(headers):
        transport = httpx.ASGITransport(app=create_app(service))
        async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
            return (await client.get("/metrics", headers=headers)).status_code

    assert asyncio.run(run({})) == 401
    assert asyncio.run(run({"authorization": "Bearer " + "k" * 32})) == 200


def test_two_apps_count_apart(state, service):
    other = create_app(service).state.nutgraf
    state.metrics.failed("internal")
    assert b"internal" not in other.metrics.text()


def test_the_line_of_a_request_in_the_log_is_as_before(call, log_lines):
    call("GET", "/metrics")
    (line,) = [json.loads(line) for line in log_lines.getvalue().splitlines()]
    assert set(line) == {"time", "level", "event", "request_id", "method", "route", "status", "ms"}
    assert line["route"] == "/metrics"
