"""The OpenAI-compatible routes with an LLM behind them, well or failing."""

import openai
import pytest
from llm_server import USAGE, fake_llm

from qa.llm import LLM, LLMConfig

WEI = "How long did Austin's call with Wei last?"
SAYS = "Austin's call with Wei lasted about 45 minutes."
PATIENT = {"ttft_s": 10.0, "gap_s": 10.0, "total_s": 20.0}
SOON = {"silent": {**PATIENT, "ttft_s": 0.5}, "stall": {**PATIENT, "gap_s": 0.5}}
"""Short bounds where an endpoint lets one wait, and nowhere else: the others have to be heard on any machine."""


@pytest.fixture(scope="module")
def server(over):
    return over()


@pytest.fixture
def asked(server):
    """asked(mode, ...): the client's completion with an LLM that behaves so."""

    def ask(mode, text=SAYS, **options):
        with fake_llm(mode, text=text) as llm:
            server.state.service._llm = LLM(LLMConfig("m", llm.base_url, **SOON.get(mode, PATIENT)))
            with openai.OpenAI(base_url=f"{server.url}/v1", api_key="none", max_retries=0) as client:
                said = [{"role": "user", "content": WEI}]
                found = client.chat.completions.create(model="nutgraf", messages=said, **options)
                return list(found) if options.get("stream") else found

    return ask


def test_what_the_endpoint_counts_is_passed_on(asked):
    found = asked("good")
    assert found.choices[0].message.context["answerer"]["kind"] == "llm"
    assert found.usage.model_dump(exclude_none=True) == USAGE
    assert found.choices[0].message.annotations


def test_a_stream_counts_at_its_end(asked):
    *_, last = asked("good", stream=True, stream_options={"include_usage": True})
    assert last.usage.model_dump(exclude_none=True) == USAGE


def test_what_nobody_counted_is_not_made_up(asked):
    assert asked("good_without_usage").usage is None


def test_a_draft_that_is_thrown_away_has_been_paid_for(asked):
    found = asked("good", text="Austin flew to the Moon in 1969 with Napoleon.")
    assert "llm_unsupported" in found.choices[0].message.context["degraded"]
    assert found.usage.model_dump(exclude_none=True) == USAGE


@pytest.mark.parametrize(
    ("mode", "finish"),
    [("good", "stop"), ("length", "length"), ("no_finish_reason", "length"), ("stall", "length")],
)
def test_the_reason_of_the_end_is_the_true_one(asked, mode, finish):
    assert asked(mode).choices[0].finish_reason == finish


@pytest.mark.parametrize(
    "mode", ["status_500", "status_401", "html", "silent", "reset_at_once", "content_filter"]
)
@pytest.mark.parametrize("stream", [False, True], ids=["plain", "stream"])
def test_a_failing_endpoint_leaves_the_verbatim_answer(asked, mode, stream):
    found = asked(mode, stream=stream)
    choice = found[-1].choices[0] if stream else found.choices[0]
    message = choice.delta if stream else choice.message
    said = "".join(chunk.choices[0].delta.content or "" for chunk in found) if stream else message.content
    assert "45 minutes" in said
    assert message.annotations
    assert message.context["answerer"]["kind"] == "extractive"
    assert message.context["degraded"] != []
    assert choice.finish_reason == "stop"
