"""The LLM adapter against a server that speaks the protocol well, badly or not at all."""

import socket
import threading
from pathlib import Path

import pytest
from llm_server import MODES, TEXT, USAGE, Exchange, FakeLLM, fake_llm, knows_no, redirect, retry_after

from qa.breaker import FAILURES, PAUSE_S, Breaker
from qa.llm import LLM, Complete, LLMConfig, Outcome, Refused, Truncated, Unavailable
from qa.settings import Secret, Settings

pytestmark = pytest.mark.enable_socket

KEY = "sk-canary-0123456789"
ASK = [{"role": "user", "content": "How long did the call last? PROMPT-CANARY"}]

WHOLE = {name for name in MODES if name.startswith("good")} | {
    "finish_then_silence",
    "text_after_finish",
    "done_twice",
}
CUT_SHORT = {
    "length": "length",
    "tool_calls": "tool_calls",
    "no_finish_reason": "no_finish_reason",
    "done_without_finish": "no_finish_reason",
    "reset_in_the_middle": "cut",
    "cut_inside_json": "cut",
    "cut_inside_chunked": "cut",
    "error_event": "error",
}
REFUSED = {"content_filter", "refusal"}
LATE = {
    "silent",
    "silent_after_head",
    "head_in_drops",
    "comments_forever",
    "empty_deltas_forever",
    "stall",
    "stall_with_comments",
    "slow_forever",
}
CODES = {
    "error_event_first": "llm_unavailable",
    "error_in_200": "llm_unavailable",
    "closed_at_once": "llm_bad_response",
    "reset_at_once": "llm_unavailable",
    "status_401": "llm_auth",
    "status_403": "llm_auth",
    "status_404": "llm_unavailable",
    "status_413": "context_overflow",
    "context_openai": "context_overflow",
    "context_llama": "context_overflow",
    "status_429": "llm_rate_limited",
    "quota_spent": "llm_rate_limited",
    "status_500": "llm_unavailable",
    "status_503_html": "llm_unavailable",
    **dict.fromkeys(LATE, "llm_timeout"),
}
BAD = sorted(set(MODES) - WHOLE - set(CUT_SHORT) - REFUSED - set(CODES))


def llm_of(server: FakeLLM, **more: float) -> LLM:
    config = {"ttft_s": 5.0, "gap_s": 5.0, "total_s": 10.0, **more}
    return LLM(LLMConfig("fake-1", server.base_url, Secret(KEY), **config))


def ask(mode: str, **more: float) -> Outcome:
    with fake_llm(mode) as server:
        outcome = llm_of(server, **more).complete(ASK)
    assert KEY not in repr(outcome), "an outcome must never tell the key"
    assert "CANARY" not in repr(outcome), "an outcome must never tell the prompt"
    return outcome


def test_the_fake_hangs_up_on_a_client_that_left_in_the_middle_of_its_request() -> None:
    with fake_llm() as server, socket.create_connection(("127.0.0.1", server.port), 5) as client:
        client.sendall(b"POST /v1/chat/completions HTTP/1.1\r\nContent-Length: 100\r\n\r\n{")
        client.shutdown(socket.SHUT_WR)
        assert client.recv(1) == b""


@pytest.mark.parametrize("mode", sorted(WHOLE))
def test_a_whole_answer_is_complete(mode: str) -> None:
    outcome = ask(mode)
    assert isinstance(outcome, Complete)
    assert outcome.text.startswith(TEXT)
    assert "more" not in outcome.text


@pytest.mark.parametrize(("mode", "reason"), CUT_SHORT.items())
def test_a_text_that_ends_early_is_truncated_never_complete(mode: str, reason: str) -> None:
    outcome = ask(mode)
    assert isinstance(outcome, Truncated)
    assert (outcome.text.strip(), outcome.reason) == (TEXT, reason)


@pytest.mark.parametrize("mode", sorted(REFUSED))
def test_a_refusal_is_not_an_answer(mode: str) -> None:
    assert isinstance(ask(mode), Refused)


@pytest.mark.parametrize("mode", sorted(LATE))
def test_an_endpoint_that_is_too_slow_is_left(mode: str) -> None:
    with fake_llm(mode) as server:
        outcome = llm_of(server, ttft_s=0.6, gap_s=0.6, total_s=1.2).complete(ASK)
        assert isinstance(outcome, Unavailable)
        assert outcome.code == "llm_timeout"
        assert server.hung_up.wait(10)


@pytest.mark.parametrize("mode", sorted(set(CODES) - LATE))
def test_a_failure_has_its_own_code(mode: str) -> None:
    outcome = ask(mode)
    assert isinstance(outcome, Unavailable)
    assert outcome.code == CODES[mode]


@pytest.mark.parametrize("mode", BAD)
def test_what_is_not_the_protocol_is_a_bad_response(mode: str) -> None:
    outcome = ask(mode)
    assert isinstance(outcome, Unavailable)
    assert outcome.code == "llm_bad_response"


def test_the_fake_fails_in_enough_ways() -> None:
    assert len(set(MODES) - WHOLE) >= 50


def test_text_is_handed_on_as_it_comes_in_the_callers_thread() -> None:
    pieces: list[str] = []
    threads = set()

    def hear(text: str) -> None:
        pieces.append(text)
        threads.add(threading.current_thread())

    with fake_llm("good") as server:
        outcome = llm_of(server).complete(ASK, on_text=hear)
    assert len(pieces) > 3
    assert "".join(pieces) == outcome.text
    assert threads == {threading.current_thread()}


def test_usage_and_model_are_the_endpoints() -> None:
    outcome = ask("good")
    assert isinstance(outcome, Complete)
    assert (outcome.usage, outcome.model) == (USAGE, "fake-1")


def test_the_request_is_streamed_repeatable_and_uncompressed() -> None:
    with fake_llm("good") as server:
        llm_of(server).complete(ASK)
    (request,) = server.requests
    assert request.path == "/v1/chat/completions"
    assert request.headers["authorization"] == f"Bearer {KEY}"
    assert request.headers["accept-encoding"] == "identity"
    assert request.body == {
        "model": "fake-1",
        "messages": ASK,
        "stream": True,
        "temperature": 0,
        "max_tokens": 512,
        "stream_options": {"include_usage": True},
    }


def test_a_schema_is_sent_as_response_format() -> None:
    schema = {"type": "object"}
    with fake_llm("good") as server:
        llm_of(server).complete(ASK, json_schema=schema)
    sent = server.requests[0].body["response_format"]
    assert sent == {
        "type": "json_schema",
        "json_schema": {"name": "answer", "strict": True, "schema": schema},
    }


def test_parameters_an_endpoint_does_not_know_are_left_out_from_then_on() -> None:
    with fake_llm(knows_no("max_tokens", "temperature", "stream_options")) as server:
        llm = llm_of(server)
        assert isinstance(llm.complete(ASK), Complete)
        assert isinstance(llm.complete(ASK), Complete)
    assert len(server.requests) == 5
    assert server.requests[-1].body == {
        "model": "fake-1",
        "messages": ASK,
        "stream": True,
        "max_completion_tokens": 512,
    }


def test_a_schema_the_endpoint_does_not_know_is_done_without() -> None:
    with fake_llm(knows_no("response_format")) as server:
        assert isinstance(llm_of(server).complete(ASK, json_schema={}), Complete)


@pytest.mark.parametrize("first", ["status_500", "status_429", "reset_at_once", "error_event_first"])
def test_a_passing_failure_is_tried_once_more(first: str) -> None:
    with fake_llm(first, "good") as server:
        assert isinstance(llm_of(server).complete(ASK), Complete)
    assert len(server.requests) == 2


@pytest.mark.parametrize(
    "mode", ["status_401", "status_404", "quota_spent", "html", "context_openai", "status_400"]
)
def test_a_lasting_failure_is_not_tried_again(mode: str) -> None:
    with fake_llm(mode) as server:
        llm_of(server).complete(ASK)
    assert len(server.requests) == 1


def test_no_more_than_two_tries_are_made() -> None:
    with fake_llm("status_500") as server:
        llm_of(server).complete(ASK)
    assert len(server.requests) == 2


def test_nothing_is_tried_again_once_text_has_come() -> None:
    with fake_llm("reset_in_the_middle", "good") as server:
        assert isinstance(llm_of(server).complete(ASK), Truncated)
    assert len(server.requests) == 1


@pytest.mark.parametrize("value", ["0", "-5", "NaN", "soon", "Wed, 21 Oct 2015 07:28:00 GMT"])
def test_a_retry_after_that_is_now_or_makes_no_sense_delays_nothing(value: str) -> None:
    with fake_llm(retry_after(value), "good") as server:
        assert isinstance(llm_of(server).complete(ASK), Complete)


@pytest.mark.parametrize(("value", "seconds"), [("30", 30), ("3600", 60), ("1e400", None)])
def test_a_long_retry_after_is_passed_on_capped_instead_of_waited_for(
    value: str, seconds: float | None
) -> None:
    with fake_llm(retry_after(value)) as server:
        outcome = llm_of(server).complete(ASK)
    assert isinstance(outcome, Unavailable)
    assert outcome.retry_after == seconds


def test_a_redirect_to_another_origin_is_not_followed() -> None:
    with fake_llm("good") as other, fake_llm(redirect(f"{other.base_url}/chat/completions")) as server:
        outcome = llm_of(server).complete(ASK)
    assert isinstance(outcome, Unavailable)
    assert outcome.code == "llm_bad_response"
    assert other.requests == []


@pytest.mark.parametrize("mode", ["silent", "stall", "comments_forever", "slow_forever"])
def test_leaving_hangs_up(mode: str) -> None:
    cancelled = threading.Event()
    with fake_llm(mode) as server:
        threading.Timer(0.3, cancelled.set).start()
        outcome = llm_of(server).complete(ASK, cancelled=cancelled)
        assert isinstance(outcome, Unavailable)
        assert outcome.code == "cancelled"
        assert server.hung_up.wait(10)


def test_nothing_is_asked_for_a_caller_who_has_left() -> None:
    cancelled = threading.Event()
    cancelled.set()
    llm = LLM(LLMConfig("m", "http://127.0.0.1:1/v1"))
    llm._try = lambda _: pytest.fail("a connection was opened")
    outcome = llm.complete(ASK, cancelled=cancelled)
    assert isinstance(outcome, Unavailable)
    assert outcome.code == "cancelled"


def test_a_schema_is_done_without_where_a_400_blames_nothing() -> None:
    def picky(x: Exchange) -> None:
        if "response_format" in x.request.body:
            x.error("400 Bad Request", message="failed to parse grammar")
        else:
            MODES["good"](x)

    with fake_llm(picky) as server:
        llm = llm_of(server)
        assert isinstance(llm.complete(ASK, json_schema={}), Complete)
        assert isinstance(llm.complete(ASK, json_schema={}), Complete)
    assert len(server.requests) == 3
    assert "response_format" not in server.requests[-1].body
    assert "temperature" in server.requests[-1].body


def test_a_listener_that_fails_hangs_up_and_is_heard() -> None:
    def hear(_: str) -> None:
        raise LookupError("the reader is gone")

    with fake_llm("slow_forever") as server:
        with pytest.raises(LookupError):
            llm_of(server).complete(ASK, on_text=hear)
        assert server.hung_up.wait(10)


def test_calls_leave_no_thread_behind() -> None:
    before = {thread for thread in threading.enumerate() if thread.name == "llm"}
    for mode in ("good", "stall", "slow_forever", "html"):
        ask(mode, ttft_s=0.5, gap_s=0.5, total_s=0.7)
    for thread in set(threading.enumerate()) - before:
        if thread.name == "llm":
            thread.join(10)
            assert not thread.is_alive()


@pytest.mark.parametrize("url", ["http://127.0.0.1:1/v1", "http://no-such-host.invalid/v1"])
def test_an_endpoint_that_is_not_there_is_unavailable(url: str) -> None:
    outcome = LLM(LLMConfig("m", url)).complete(ASK)
    assert isinstance(outcome, Unavailable)
    assert (outcome.code, outcome.retryable) == ("llm_unavailable", True)


def test_tls_with_a_server_that_does_not_speak_it_is_unavailable() -> None:
    with fake_llm("good") as server:
        outcome = LLM(LLMConfig("m", server.base_url.replace("http:", "https:"))).complete(ASK)
    assert isinstance(outcome, Unavailable)
    assert outcome.code == "llm_unavailable"


def test_after_repeated_failures_the_endpoint_is_left_alone() -> None:
    with fake_llm("status_404") as server:
        llm = llm_of(server)
        for _ in range(FAILURES + 3):
            llm.complete(ASK)
        assert llm.resting
    assert len(server.requests) == FAILURES


def test_one_probe_closes_the_breaker_again() -> None:
    now = [0.0]
    with fake_llm(*["status_404"] * FAILURES, "good") as server:
        llm = LLM(LLMConfig("m", server.base_url), breaker=Breaker(lambda: now[0]))
        for _ in range(FAILURES):
            llm.complete(ASK)
        assert isinstance(llm.complete(ASK), Unavailable)
        now[0] += PAUSE_S
        assert isinstance(llm.complete(ASK), Complete)
        assert not llm.resting


def test_a_key_that_is_refused_does_not_open_the_breaker() -> None:
    with fake_llm("status_401") as server:
        llm = llm_of(server)
        for _ in range(FAILURES + 1):
            llm.complete(ASK)
        assert not llm.resting


@pytest.mark.parametrize(
    ("code", "name"),
    [
        ("llm_auth", "LLMAuthError"),
        ("llm_timeout", "LLMTimeoutError"),
        ("llm_unavailable", "LLMUnavailableError"),
        ("context_overflow", "LLMContextError"),
        ("cancelled", "LLMUnavailableError"),
    ],
)
def test_an_outcome_can_be_raised(code: str, name: str) -> None:
    assert type(Unavailable(code, "x").error()).__name__ == name


def test_the_configuration_comes_from_the_settings() -> None:
    env = {"NUTGRAF_LLM_BASE_URL": "http://h/v1", "NUTGRAF_LLM_MODEL": "m", "NUTGRAF_LLM_GAP_S": "3"}
    config = LLMConfig.from_settings(Settings.from_env(env))
    assert (config.base_url, config.model, config.gap_s) == ("http://h/v1", "m", 3.0)


def test_openai_is_not_imported_before_it_is_needed() -> None:
    source = Path(__file__).resolve().parents[2].joinpath("qa", "llm.py").read_text(encoding="utf-8")
    assert "\nimport openai" not in source
    assert "\nfrom openai" not in source
