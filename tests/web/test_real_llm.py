"""A real LLM behind every way to ask: whatever a small model writes, what is shown is cited to the letter."""

import pytest
from local_llm import MODEL
from remembering import Remembering
from surfaces import SERVED

from qa.llm import LLM, LLMConfig

pytestmark = [pytest.mark.llm, pytest.mark.timeout(180)]

QUESTION = "How long did Austin's call with Wei last?"


@pytest.fixture(scope="module", params=[True, False], ids=["schema", "plain"])
def server(over, llm_url: str, request: pytest.FixtureRequest):
    structured = bool(request.param)
    running = over(
        LLM(LLMConfig(MODEL, llm_url, ttft_s=60, gap_s=60, total_s=120, max_tokens=40, structured=structured))
    )
    running.state.service._index = Remembering(running.state.service._index)
    return running


@pytest.mark.parametrize("surface", SERVED)
def test_every_way_to_ask_shows_only_what_is_cited(server, real, surface: str) -> None:
    shown = SERVED[surface](server.url, QUESTION)
    answer = shown.answer
    # so small a model may run on until it is cut off with nothing of use ("llm"); that it was asked must show
    assert answer["usage"]["completion_tokens"] > 0, "the endpoint answered"
    assert answer["status"] in {"answered", "partial"}
    assert answer["citations"]
    for cited in answer["citations"]:
        text = real.text("default", cited["document_id"])
        assert text[cited["start_char_index"] : cited["end_char_index"]] == cited["cited_text"]
    assert shown.words == answer["answer"]
