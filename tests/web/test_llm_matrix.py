"""Every way an LLM endpoint can behave, seen from every way to ask: one table of outcomes, the same everywhere."""

import json
from collections.abc import Callable, Iterator, Mapping

import llm_server
import pytest
from llm_server import MODES, Exchange, FakeLLM, Mode, fake_llm, knows_no, redirect, retry_after
from remembering import Remembering
from surfaces import SERVED, Shown, shown_by_command

from qa.cli.main import main
from qa.llm import LLM, LLMConfig
from qa.service import Service
from qa.settings import Settings

QUESTION = "How long did Austin's call with Wei last?"
SAYS = "Austin's call with Wei lasted about 45 minutes."
NOWHERE = "http://127.0.0.1:1/v1"
QUICK = {"ttft_s": 0.4, "gap_s": 0.4, "total_s": 0.8}
PATIENT = {"ttft_s": 10.0, "gap_s": 10.0, "total_s": 20.0}


def as_asked(*, shape: str = "{}", cut: bool = False) -> Mode:
    """A draft in the schema that was sent along; `cut` off by the token limit within its second sentence."""

    def answer(x: Exchange) -> None:
        assert "response_format" in x.request.body
        said = [{"text": text, "source": "s1"} for text in (x.server.text, "Austin then sang for 17 hours.")]
        draft = json.dumps({"sentences": said if cut else said[:1]})
        x.head()
        x.words(shape.replace("{}", draft[: draft.index(" hours")] if cut else draft))
        x.end("length" if cut else "stop")

    return answer


OTHER_MODES: Mapping[str, Mode] = {
    "retry_after_1": retry_after("1"),
    "retry_after_an_hour": retry_after("3600"),
    "retry_after_a_date": retry_after("Wed, 21 Oct 2065 07:28:00 GMT"),
    "retry_after_negative": retry_after("-5"),
    "retry_after_nan": retry_after("NaN"),
    "busy_with_retry_after": retry_after("30", "503 Service Unavailable"),
    "redirect": redirect(NOWHERE),
    "schema": as_asked(),
    "schema_in_a_fence": as_asked(shape="```json\n{}\n```"),
    "schema_cut": as_asked(cut=True),
    "schema_unknown": knows_no("response_format"),
    "nobody_there": MODES["silent"],  # its address is NOWHERE
}
ALL: Mapping[str, Mode] = {**MODES, **OTHER_MODES}

WHOLE = {name for name in MODES if name.startswith("good")} | {
    "finish_then_silence",
    "text_after_finish",
    "done_twice",
    "schema",
    "schema_in_a_fence",
    "schema_unknown",
}
CUT = {
    "schema_cut",
    "length",
    "tool_calls",
    "no_finish_reason",
    "done_without_finish",
    "reset_in_the_middle",
    "cut_inside_json",
    "cut_inside_chunked",
    "error_event",
    "stall",
    "stall_with_comments",
}
REFUSED = {"content_filter", "refusal"}
TOO_LONG = {"status_413", "context_openai", "context_llama"}
OUTCOMES: Mapping[str, tuple[str, tuple[str, ...], str]] = {
    # kind of answerer, what the answer is without, how it ends
    **dict.fromkeys(ALL, ("extractive", ("llm",), "whole")),
    **dict.fromkeys(WHOLE, ("llm", (), "whole")),
    **dict.fromkeys(CUT, ("llm", ("llm_truncated",), "cut")),
    **dict.fromkeys(REFUSED, ("extractive", ("llm_refused",), "whole")),
    **dict.fromkeys(TOO_LONG, ("extractive", ("llm", "context_overflow"), "whole")),
}


def patience(mode: str) -> Mapping[str, float]:
    """Long where the endpoint has to be heard, however busy the machine is; short only where it lets one wait."""
    if mode in {"stall", "stall_with_comments"}:
        return {**PATIENT, "gap_s": QUICK["gap_s"]}
    return PATIENT if mode in WHOLE | CUT | REFUSED | TOO_LONG else QUICK


ALWAYS = ("http", "sse")
IN_TURN = ("chat", "chat_stream", "responses", "responses_stream", "mcp", "cli")


def cases() -> Iterator[object]:
    """Every mode over HTTP, SSE and one surface more; all the others belong to the long run."""
    for number, name in enumerate(ALL):
        now = {*ALWAYS, IN_TURN[number % len(IN_TURN)]}
        for surface in (*ALWAYS, *IN_TURN):
            marks = () if surface in now else (pytest.mark.deep,)
            yield pytest.param(name, surface, id=f"{name}-{surface}", marks=marks)


@pytest.fixture(scope="module")
def fake() -> Iterator[FakeLLM]:
    with fake_llm(text=SAYS) as server:
        yield server


@pytest.fixture(scope="module")
def server(over):
    running = over()
    running.state.service._index = Remembering(running.state.service._index)
    return running


@pytest.fixture(autouse=True)
def _soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("qa.llm.random.uniform", lambda _low, _high: 0.01)


@pytest.fixture
def asked(server, fake: FakeLLM, monkeypatch, capsys) -> Callable[[str, str], Shown]:
    """asked(mode, surface)"""

    def command(address: str, bounds: Mapping[str, float]) -> Shown:
        env = {
            "NUTGRAF_LLM_BASE_URL": address,
            "NUTGRAF_LLM_MODEL": "m",
            "NUTGRAF_DATA_DIR": str(server.state.settings.data_dir),
            **{f"NUTGRAF_LLM_{name.upper()}": str(seconds) for name, seconds in bounds.items()},
        }
        for name, value in env.items():
            monkeypatch.setenv(name, value)
        index = server.state.service._index

        def opened(settings: Settings, *, writable: bool = False) -> Service:
            service = Service(settings, index, LLM(LLMConfig.from_settings(settings)))
            service.close = lambda: None  # the index is the server's
            return service

        monkeypatch.setattr(Service, "open", opened)
        code = main(["ask", QUESTION, "--json"])
        out, err = capsys.readouterr()
        return shown_by_command(code, out, err)

    def ask(mode: str, surface: str) -> Shown:
        fake.script = (ALL[mode],)
        address = NOWHERE if mode == "nobody_there" else fake.base_url
        if surface == "cli":
            return command(address, patience(mode))
        # anew each time, so that no breaker remembers the case before
        server.state.service._llm = LLM(LLMConfig("m", address, **patience(mode)))
        return SERVED[surface](server.url, QUESTION)

    return ask


def test_the_table_has_enough_ways_to_fail() -> None:
    assert len(set(ALL) - WHOLE) >= 60
    assert set(ALL) >= WHOLE | CUT | REFUSED | TOO_LONG


@pytest.mark.parametrize(("mode", "surface"), tuple(cases()))
def test_an_endpoint_has_the_same_outcome_everywhere(asked, mode: str, surface: str) -> None:
    shown = asked(mode, surface)
    kind, without, ended = OUTCOMES[mode]
    answer = shown.answer
    assert (answer["answerer"]["kind"], tuple(answer["degraded"]), shown.ended) == (kind, without, ended)
    assert answer["status"] in {"answered", "partial"}
    assert "45 minutes" in shown.words
    # nothing was shown and then taken away, and every sentence stands on a citation
    assert shown.words == answer["answer"]
    assert all(sentence["citations"] for sentence in answer["sentences"])


def test_the_fake_has_no_mode_the_table_forgets() -> None:
    assert set(llm_server.MODES) <= set(OUTCOMES)
