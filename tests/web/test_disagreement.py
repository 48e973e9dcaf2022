"""Sources that differ reach every surface with both citations: JSON, stream, OpenAI client, MCP and command line."""

import json

import disputes
import httpx
import openai
import pytest

from qa.mcp.tools import answered
from qa.render import answer_text
from qa.service import Service
from qa.settings import Settings
from qa.types import Question

SAID = "Sources differ: Twelve (herald.txt, 4 May 2024) and 14 (gazette.txt, 6 May 2024)."
BODY = {"question": disputes.INJURED}


@pytest.fixture(scope="module")
def disputed(tmp_path_factory):
    folder = tmp_path_factory.mktemp("disputes")
    with_data = Service.open(Settings(data_dir=folder / "data", port=80), writable=True)
    with_data.sync(disputes.write("fire", folder))
    yield with_data
    with_data.close()


@pytest.fixture
def url(disputed, running):
    return running(disputed).url


def holds(answer):
    """Check an answer of the contract: both values, both citations, and the words."""
    (conflict,) = answer["conflicts"]
    paths = {citation["id"]: citation["path"] for citation in answer["citations"]}
    assert conflict["values"] == ["Twelve", "14"]
    assert [paths[name] for name in conflict["citations"]] == ["herald.txt", "gazette.txt"]
    assert SAID in answer["answer"]
    last = answer["sentences"][-1]
    assert answer["answer"][last["start"] : last["end"]] == SAID
    assert last["citations"] == conflict["citations"]
    return True


def test_http_gives_the_conflict(url):
    assert holds(httpx.post(f"{url}/v1/query", json=BODY, timeout=60).json())


def test_a_stream_says_it_before_the_whole_answer(url):
    with httpx.stream("POST", f"{url}/v1/query", json={**BODY, "stream": True}, timeout=60) as response:
        lines = [line for line in response.iter_lines() if line.startswith(("event: ", "data: "))]
    names = [line.removeprefix("event: ") for line in lines[::2]]
    data = [json.loads(line.removeprefix("data: ")) for line in lines[1::2]]
    events = list(zip(names, data, strict=True))
    text = "".join(each["text"] for name, each in events if name == "delta")
    assert SAID in text
    assert holds(next(each for name, each in events if name == "final"))


def test_an_openai_client_gets_the_words_and_both_annotations(url):
    with openai.OpenAI(base_url=f"{url}/v1", api_key="none", max_retries=0) as client:
        message = (
            client.chat.completions.create(
                model="nutgraf", messages=[{"role": "user", "content": disputes.INJURED}]
            )
            .choices[0]
            .message
        )
    at = message.content.index(SAID) + len(SAID)
    marked = [a.url_citation for a in message.annotations if a.url_citation.start_index >= at]
    assert len({one.url for one in marked}) == 2
    assert holds(message.model_extra["context"])


def test_a_tool_and_the_command_line_tell_it(disputed):
    answer = disputed.ask(Question(disputes.INJURED))
    result = answered(answer)
    assert holds(result.payload)
    for text in (result.text, answer_text(answer)):
        assert SAID in text
        assert (
            f"Sources disagree: {disputes.INJURED[:-1]}: Twelve [2] (2024-05-04); 14 [3] (2024-05-06)" in text
        )
