"""Traces, read by a collector on loopback: where time went, and no word of what was asked."""

import dataclasses
import io
import json
import os
import subprocess
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import httpx
import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from qa.api.state import State
from qa.api.traces import Traces
from qa.api.tracing import traces_of
from qa.errors import SettingsError
from qa.logs import Log
from qa.settings import Settings

ROOT = Path(__file__).parents[2]
PARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
CANARY = "zanzibar"


class Collector:
    """Takes what an exporter sends, as bytes."""

    def __init__(self):
        self.bodies = []
        collector = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                collector.path = self.path
                collector.bodies.append(self.rfile.read(int(self.headers["content-length"])))
                self.send_response(200)
                self.send_header("content-length", "0")
                self.end_headers()

            def log_message(self, *_):
                """Nothing on the terminal."""

        self.server = HTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def spans(self):
        """Every span that came, plain."""
        return [
            span
            for body in self.bodies
            for resource in ExportTraceServiceRequest.FromString(body).resource_spans
            for scope in resource.scope_spans
            for span in scope.spans
        ]


@pytest.fixture
def collector(monkeypatch):
    made = Collector()
    # the exporter's own library would see compression and proxies in the environment
    for name in [name for name in os.environ if name.startswith("OTEL_")]:
        monkeypatch.delenv(name)
    yield made
    made.server.shutdown()
    made.server.server_close()


@pytest.fixture
def traced(running, real, collector):
    before = real.settings
    real.settings = dataclasses.replace(before, otlp_endpoint=collector.url)
    lines = io.StringIO()
    site = running(real, log_lines=lines)
    site.lines = lines
    yield site
    real.settings = before


def sent_after(site, requests):
    """Have everything sent, once this many requests are over: a response may arrive before its span ends."""
    until = time.monotonic() + 5
    while site.lines.getvalue().count('"request",') < requests and time.monotonic() < until:
        time.sleep(0.01)
    site.state.traces.close()


def attributes(span):
    return {item.key: item.value for item in span.attributes}


def test_an_answer_is_drawn_with_its_stages_beneath_the_callers_span(traced, collector):
    body = {"question": f"How long did the call with Dong Jun last, {CANARY}?"}
    httpx.post(f"{traced.url}/v1/query", json=body, headers={"traceparent": PARENT, "x-request-id": CANARY})
    sent_after(traced, 1)
    assert collector.path == "/v1/traces"
    spans = {span.name: span for span in collector.spans()}
    assert {"request", "ask", "search", "embed", "retrieve", "rerank", "read", "sentences"} <= set(spans)
    assert {span.trace_id.hex() for span in spans.values()} == {PARENT.split("-")[1]}
    assert spans["request"].parent_span_id.hex() == PARENT.split("-")[2]
    for inner, outer in [
        ("ask", "request"),
        ("search", "ask"),
        ("rerank", "search"),
        ("read", "search"),
        ("sentences", "ask"),
    ]:
        assert spans[inner].parent_span_id == spans[outer].span_id
        assert spans[outer].start_time_unix_nano <= spans[inner].start_time_unix_nano
        assert spans[inner].end_time_unix_nano <= spans[outer].end_time_unix_nano + 10_000_000
    assert attributes(spans["request"])["http.route"].string_value == "/v1/query"
    assert attributes(spans["request"])["http.response.status_code"].int_value == 200


def test_searching_and_verifying_have_spans_and_no_span_holds_text(traced, collector):
    httpx.post(f"{traced.url}/v1/search", json={"query": f"Dong Jun {CANARY}"})
    httpx.post(f"{traced.url}/v1/verify", json={"text": f"Austin called Dong Jun {CANARY}."})
    httpx.post(f"{traced.url}/v1/query", json={"question": CANARY, "collection": CANARY})
    httpx.get(f"{traced.url}/{CANARY}")
    sent_after(traced, 4)
    names = [span.name for span in collector.spans()]
    assert sorted(set(names)) == ["embed", "read", "request", "rerank", "retrieve", "search", "verify"]
    assert names.count("request") == 4
    sent = b"".join(collector.bodies).lower()
    for word in (CANARY, "austin", "jun", ".txt", "default", str(ROOT)):
        assert word.lower().encode() not in sent


def test_without_a_collector_nothing_of_it_is_loaded():
    ours = "('opentelemetry.sdk', 'opentelemetry.exporter', 'google.protobuf')"  # FastAPI loads the mere API
    code = f"import sys, qa.api.server; sys.exit(any(name.startswith({ours}) for name in sys.modules))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
    state = State(Settings(), Log(io.StringIO()))
    assert type(state.traces) is Traces


def test_without_the_extra_the_log_says_so_and_the_server_runs(monkeypatch):
    monkeypatch.setitem(sys.modules, "opentelemetry.sdk.trace", None)
    monkeypatch.delitem(sys.modules, "qa.api.otlp", raising=False)
    lines = io.StringIO()
    made = traces_of(Settings(otlp_endpoint="http://127.0.0.1:1"), Log(lines))
    assert type(made) is Traces
    assert json.loads(lines.getvalue())["event"] == "not_traced"


def test_the_setting_is_an_address():
    assert Settings.from_env({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:4318"}).otlp_endpoint
    with pytest.raises(SettingsError, match="OTLP_ENDPOINT"):
        Settings.from_env({"OTEL_EXPORTER_OTLP_ENDPOINT": "4318"})


def test_a_collector_that_is_gone_holds_nothing_up(program):
    run = program(OTEL_EXPORTER_OTLP_ENDPOINT="http://127.0.0.1:1")
    url = run.url()
    assert httpx.get(f"{url}/livez").status_code == 200
    began = time.monotonic()
    run.process.terminate()
    code, _, err = run.end()
    assert code == 0
    assert time.monotonic() - began < 6
    assert "Traceback" not in err
