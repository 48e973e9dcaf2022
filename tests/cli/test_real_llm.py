"""The command line with a real LLM behind it: whatever a small model writes, what is shown is cited to the letter."""

import json
from pathlib import Path

import pytest
from local_llm import MODEL, NoWeightsError, weights

pytestmark = [pytest.mark.llm, pytest.mark.enable_socket, pytest.mark.timeout(180)]

TEXT = (
    "Bridge closed\n\n"
    "The old bridge in Veldhaven was closed on 3 May 2021 after cracks were found in two of its piers.\n\n"
    "Repairing the bridge is expected to cost 12 million euros, the mayor said.\n"
)

BOUNDS = {"NUTGRAF_LLM_TTFT_S": "60", "NUTGRAF_LLM_GAP_S": "60", "NUTGRAF_LLM_MAX_TOKENS": "64"}
ASKED = "so small a model may run on until it is cut off with nothing of use; that it was asked must show"


@pytest.mark.parametrize(
    "question", ["When was the bridge in Veldhaven closed?", "What will repairing the bridge cost?"]
)
def test_every_citation_of_an_answer_is_the_files_own_text(
    run, tmp_path: Path, llm_url: str, question: str
) -> None:
    corpus = tmp_path / "corpus"
    corpus.mkdir()
    (corpus / "bridge.txt").write_text(TEXT)
    data = {"NUTGRAF_DATA_DIR": str(tmp_path / "data")}
    llm = {"NUTGRAF_LLM_BASE_URL": llm_url, "NUTGRAF_LLM_MODEL": MODEL}
    run("index", str(corpus), **data)
    done = run("ask", question, "--json", **data, **llm, **BOUNDS)
    given = json.loads(done.out)
    assert (done.code, done.err) == (0, "")
    assert given["usage"]["completion_tokens"] > 0, ASKED
    assert given["citations"]
    for cited in given["citations"]:
        assert cited["cited_text"] == TEXT[cited["start_char_index"] : cited["end_char_index"]]


def test_a_model_from_a_file_drafts_and_the_doctor_knows_it(run, tmp_path: Path) -> None:
    try:
        gguf = str(weights())
    except NoWeightsError as error:
        pytest.skip(str(error))
    (tmp_path / "corpus").mkdir()
    (tmp_path / "corpus" / "bridge.txt").write_text(TEXT)
    env = {"NUTGRAF_DATA_DIR": str(tmp_path / "data"), "NUTGRAF_LLM_GGUF": gguf, **BOUNDS}
    run("index", str(tmp_path / "corpus"), **env)
    given = json.loads(run("ask", "--json", "When was the bridge in Veldhaven closed?", **env).out)
    assert given["usage"]["completion_tokens"] > 0, ASKED
    assert f"ok    LLM: {Path(gguf).stem} at {gguf} answers" in run("doctor", **env).out
