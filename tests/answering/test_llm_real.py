"""The LLM adapter against a real server: llama.cpp with a small model, on loopback."""

import json
import threading

import pytest
from local_llm import CONTEXT, MODEL

from qa.llm import LLM, Complete, LLMConfig, Truncated, Unavailable

pytestmark = [pytest.mark.llm, pytest.mark.enable_socket, pytest.mark.timeout(180)]

ASK = [{"role": "user", "content": "What is the capital of France? Answer in one short sentence."}]


def llm(llm_url: str, **more: int) -> LLM:
    return LLM(LLMConfig(MODEL, llm_url, ttft_s=60, gap_s=60, total_s=120, **more))


def test_a_real_answer_is_complete_and_streamed(llm_url: str) -> None:
    pieces: list[str] = []
    outcome = llm(llm_url).complete(ASK, on_text=pieces.append)
    assert isinstance(outcome, Complete)
    assert "Paris" in outcome.text
    assert "".join(pieces) == outcome.text
    assert len(pieces) > 1
    assert outcome.usage["completion_tokens"] > 0


def test_the_same_question_gets_the_same_answer(llm_url: str) -> None:
    asked = llm(llm_url)
    assert asked.complete(ASK) == asked.complete(ASK)


def test_the_token_limit_truncates(llm_url: str) -> None:
    outcome = llm(llm_url, max_tokens=16).complete(
        [{"role": "user", "content": "Write a long story about the sea."}]
    )
    assert isinstance(outcome, Truncated)
    assert outcome.reason == "length"


def test_a_schema_shapes_the_answer(llm_url: str) -> None:
    schema = {
        "type": "object",
        "properties": {"city": {"type": "string", "maxLength": 30}},
        "required": ["city"],
        "additionalProperties": False,
    }
    outcome = llm(llm_url).complete(ASK, json_schema=schema)
    assert isinstance(outcome, Complete)
    assert set(json.loads(outcome.text)) == {"city"}


def test_a_prompt_beyond_the_context_is_an_overflow(llm_url: str) -> None:
    outcome = llm(llm_url).complete([{"role": "user", "content": "word " * (CONTEXT * 2)}])
    assert isinstance(outcome, Unavailable)
    assert outcome.code == "context_overflow"


def test_leaving_in_the_middle_frees_the_server_for_the_next_question(llm_url: str) -> None:
    cancelled = threading.Event()
    tale = [{"role": "user", "content": "Write a very long story about the sea."}]
    outcome = llm(llm_url, max_tokens=2000).complete(
        tale, on_text=lambda _: cancelled.set(), cancelled=cancelled
    )
    assert isinstance(outcome, Unavailable)
    assert outcome.code == "cancelled"
    assert isinstance(llm(llm_url).complete(ASK), Complete)
