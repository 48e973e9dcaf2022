"""The LlamaIndex retriever within the real library, which has an environment of its own: it brings 240 MB along."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from scripted import QUOTE, ScriptedSource, hit, hit_metadata

from index.types import Filters, SearchResult
from qa.settings import Secret

pytestmark = [pytest.mark.enable_socket, pytest.mark.deep, pytest.mark.timeout(120)]

ROOT = Path(__file__).resolve().parents[2]
PYTHON = Path(sys.prefix) / "llamaindex" / "bin" / "python"
KEY = "k" * 32


class Searched(ScriptedSource):
    def search(
        self, query: str, *, collection: str = "default", k: int = 8, filters: Filters = Filters()
    ) -> SearchResult:
        self.script = (*self.script, (query, collection, k, filters))
        return SearchResult((hit(),))


@pytest.mark.skipif(not PYTHON.exists(), reason="LlamaIndex is installed by `make deep`")
def test_a_node_cites_its_source_to_the_character_whichever_way_it_is_asked_for(serve) -> None:
    source = Searched()
    url = serve(source, api_key=Secret(KEY))
    command = [str(PYTHON), str(ROOT / "tests/fakes/ask_llamaindex.py"), url, KEY]
    done = subprocess.run(
        command, env={"PYTHONPATH": str(ROOT)}, capture_output=True, text=True, timeout=100, check=False
    )
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    (node,) = told["nodes"]
    assert node["metadata"] == hit_metadata(url, "other")
    assert (node["id"], node["text"], node["score"], node["source"]) == ("d1#p3", QUOTE, 0.5, "d1")
    assert node["characters"] == [40, 73]
    assert "path: news/call.txt" in node["for_llm"]
    assert "sha256" not in node["for_llm"]
    assert told["async"] == told["engine"] == told["nodes"]
    assert set(source.script) == {("How long?", "other", 3, Filters(path="news/*"))}
    assert "cannot be reached" in told["failure"]
    assert not told["key_shown"]
