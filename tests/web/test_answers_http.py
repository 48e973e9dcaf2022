"""Records of answers over HTTP, behind the gate like every other route."""

import io
import json

import httpx
import pytest

from qa.api.app import create_app
from qa.logs import Log
from qa.payload import record_payload
from qa.service import Service
from qa.settings import Settings

QUESTION = {"question": "How long did Austin's call with Dong Jun last?"}


@pytest.fixture
def over_seeds(real):
    """The app over the real service."""
    return create_app(real, Log(io.StringIO()))


@pytest.fixture
def asked(over_seeds, call_app):
    return call_app(over_seeds, "POST", "/v1/query", json=QUESTION).json()


@pytest.fixture
def call_app():
    import asyncio

    async def send(app, method, path, **options):
        transport = httpx.ASGITransport(app=app)
        async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
            return await client.request(method, path, **options)

    return lambda app, method, path, **options: asyncio.run(send(app, method, path, **options))


def test_an_answer_can_be_looked_at_again(real, over_seeds, call_app, asked):
    response = call_app(over_seeds, "GET", f"/v1/answers/{asked['id']}")
    found = response.json()
    assert response.status_code == 200
    assert found == json.loads(json.dumps(record_payload(real.record(asked["id"]))))
    assert [item["sha256"] for item in found["citations"]] == [item["sha256"] for item in asked["citations"]]
    assert {item["state"] for item in found["citations"]} == {"current"}
    assert "Austin" not in response.text


def test_a_streamed_answer_is_recorded_too(real, over_seeds, call_app):
    text = call_app(over_seeds, "POST", "/v1/query", json={**QUESTION, "stream": True}).text
    final = next(line for line in text.splitlines() if line.startswith("data:") and '"answerer"' in line)
    id_ = json.loads(final.removeprefix("data:"))["id"]
    assert real.record(id_).status == "answered"


def test_a_record_can_be_let_go(over_seeds, call_app, asked):
    where = f"/v1/answers/{asked['id']}"
    assert call_app(over_seeds, "DELETE", where).status_code == 204
    for method in ("GET", "DELETE"):
        response = call_app(over_seeds, method, where)
        assert (response.status_code, response.json()["code"]) == (404, "not_found")
        assert response.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize("id_", ["ans_0", "..", "%00", "ans_" + "f" * 24, "';--"])
@pytest.mark.parametrize("method", ["GET", "DELETE"])
def test_an_unknown_id_is_not_found(over_seeds, call_app, method, id_):
    response = call_app(over_seeds, method, f"/v1/answers/{id_}")
    assert response.status_code == 404
    assert id_ not in response.json()["detail"]


@pytest.mark.parametrize("method", ["GET", "DELETE"])
def test_a_record_is_behind_the_key(real, call_app, asked, key, method, tmp_path):
    settings = Settings.from_env({"NUTGRAF_API_KEY": key, "NUTGRAF_DATA_DIR": str(real.settings.data_dir)})
    with Service.open(settings) as service:
        locked = create_app(service, Log(io.StringIO()))
        where = f"/v1/answers/{asked['id']}"
        assert call_app(locked, method, where, headers={"Host": "127.0.0.1:8000"}).status_code == 401
        allowed = {"Authorization": f"Bearer {key}", "Host": "127.0.0.1:8000"}
        assert call_app(locked, method, where, headers=allowed).status_code in {200, 204}
