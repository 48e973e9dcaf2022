"""A server over an index in Milvus, whose Milvus goes away and comes back."""

import httpx
import pytest

pytest.importorskip("pymilvus", reason="the extra `milvus` is not installed")
pytest.importorskip("milvus_lite", reason="milvus-lite is not installed")

from milvus_servers import Cable, lite

from qa.service import Service
from qa.settings import Settings

BRIDGE = b"The old bridge\n\nThe bridge was opened on 4 May 1921 by the mayor of the town."


@pytest.mark.timeout(120)
def test_while_milvus_is_away_a_search_is_503_and_it_recovers_without_a_restart(
    tmp_path, running, monkeypatch
):
    monkeypatch.setattr("index.milvus._PAUSE_S", 0.0)
    with lite() as uri:
        cable = Cable(uri)
        settings = Settings(data_dir=tmp_path / "data", port=80, reranker="off", store=f"milvus+{cable.uri}")
        with (
            Service.open(settings, writable=True) as service,
            httpx.Client(base_url=running(service).url, timeout=60) as client,
        ):
            assert client.put("/v1/documents/a.txt", content=BRIDGE).status_code == 201
            found = client.post("/v1/search", json={"query": "bridge"}).json()
            assert found["hits"][0]["scores"]["dense"] > 0
            cable.pull()
            for path, body in (("search", {"query": "bridge"}), ("query", {"question": "Which bridge?"})):
                away = client.post(f"/v1/{path}", json=body)
                assert (away.status_code, away.json()["code"]) == (503, "store_unavailable")
                assert (away.json()["retryable"], away.headers["retry-after"]) == (True, "2")
            written = client.put("/v1/documents/b.txt", content=BRIDGE)
            assert (written.status_code, written.json()["code"]) == (503, "store_unavailable")
            assert client.get("/v1/documents").json()["documents"][0]["path"] == "a.txt"
            cable.put_back()
            again = client.post("/v1/search", json={"query": "bridge"}).json()
            assert (again["hits"], again["degraded"]) == (found["hits"], found["degraded"])
            assert client.put("/v1/documents/b.txt", content=BRIDGE).status_code == 201
        cable.pull()
