"""The LLM adapter against a real model: what a scripted endpoint cannot show."""

import threading
from collections.abc import Iterator

import pytest
from local_llm import ALIAS, CONTEXT_TOKENS, serving, small_weights

from qa.llm import LLM, Complete, LLMConfig, Truncated, Unavailable

pytestmark = [pytest.mark.llm, pytest.mark.timeout(180), pytest.mark.xdist_group("local_llm")]

ASK = [
    {"role": "system", "content": "Answer in one short sentence."},
    {"role": "user", "content": "The call lasted 45 minutes. How long did the call last?"},
]
STORY = [{"role": "user", "content": "Tell a very long story about a lighthouse."}]


@pytest.fixture(scope="module")
def base_url() -> Iterator[str]:
    with serving(small_weights()) as url:
        yield url


def config(base_url: str, max_tokens: int = 48) -> LLMConfig:
    return LLMConfig(ALIAS, base_url, ttft_s=60, gap_s=60, total_s=120, max_tokens=max_tokens)


def test_a_draft_arrives_whole_and_as_it_is_written(base_url: str) -> None:
    heard: list[str] = []
    outcome = LLM(config(base_url)).complete(ASK, on_text=heard.append)
    assert isinstance(outcome, Complete), outcome
    assert "45" in outcome.text
    assert "".join(heard) == outcome.text
    assert len(heard) > 1


def test_a_draft_that_hits_the_limit_is_called_truncated(base_url: str) -> None:
    outcome = LLM(config(base_url, max_tokens=16)).complete(STORY)
    assert isinstance(outcome, Truncated), outcome


def test_a_prompt_beyond_the_context_is_named_so(base_url: str) -> None:
    words = "evidence " * (2 * CONTEXT_TOKENS)
    outcome = LLM(config(base_url)).complete([{"role": "user", "content": words}])
    assert isinstance(outcome, Unavailable), outcome
    assert outcome.code == "context_overflow"


def test_the_caller_can_leave_in_the_middle(base_url: str) -> None:
    leaving = threading.Event()
    outcome = LLM(config(base_url, max_tokens=512)).complete(
        STORY,
        on_text=lambda _: leaving.set(),
        cancelled=leaving,
    )
    assert isinstance(outcome, Unavailable), outcome
    assert outcome.code == "cancelled"
