"""The API over the real service and the five articles of `seeds/`: what a person who types `make run` gets."""

import asyncio
import hashlib
import os
import signal
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from qa.api.app import create_app

ROOT = Path(__file__).parents[2]
SEEDS = ROOT / "seeds"
WEI = {"question": "How long did Austin's call with Wei last?"}


@pytest.fixture
def ask(real):
    """Send one request to the real service in process."""
    app = create_app(real)

    async def send(method, path, **options):
        transport = httpx.ASGITransport(app=app)
        async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
            return await client.request(method, path, **options)

    return lambda *args, **options: asyncio.run(send(*args, **options))


def test_an_answer_is_cited_to_file_line_and_characters(ask):
    answer = ask("POST", "/v1/query", json=WEI).json()
    cited = answer["citations"][0]
    text = (SEEDS / "004_540da07f2cd0b502.txt").read_text(encoding="utf-8")
    assert (answer["status"], cited["path"]) == ("answered", "004_540da07f2cd0b502.txt")
    assert cited["line_start"] == cited["line_end"] == 25
    assert text[cited["start_char_index"] : cited["end_char_index"]] == cited["cited_text"]
    assert cited["sha256"] == hashlib.sha256(cited["cited_text"].encode()).hexdigest()


def test_a_question_the_corpus_cannot_answer_is_abstained(ask):
    answer = ask("POST", "/v1/query", json={"question": "Who is the Prime Minister of Japan?"}).json()
    assert answer["status"] == "abstained"
    assert answer["citations"] == []
    assert answer["abstention"]["nearest"] != []


def test_a_citation_leads_to_its_paragraph_and_its_page(ask):
    cited = ask("POST", "/v1/query", json=WEI).json()["citations"][0]
    where = f"/v1/documents/{cited['document_id']}/paragraphs/{cited['paragraph']}"
    paragraph = ask("GET", where).json()
    assert cited["cited_text"] in paragraph["text"]
    assert cited["url"] == paragraph["url"]
    page, _, anchor = cited["url"].partition("#")
    assert f'id="{anchor}"' in ask("GET", page).text


def test_every_paragraph_of_every_document_is_the_files_own_text(ask):
    documents = ask("GET", "/v1/documents").json()
    assert documents["total"] == 5
    for document in documents["documents"]:
        text = (SEEDS / document["path"]).read_text(encoding="utf-8")
        paragraphs = ask("GET", f"/v1/documents/{document['id']}/paragraphs").json()["paragraphs"]
        assert [item["paragraph"] for item in paragraphs] == list(range(1, document["paragraphs"] + 1))
        for item in paragraphs:
            assert text[item["start_char_index"] : item["end_char_index"]] == item["text"]


def test_search_is_narrowed_by_path_and_date(ask):
    def paths(**filters):
        body = {"query": "Austin call", "filters": filters}
        return {hit["path"] for hit in ask("POST", "/v1/search", json=body).json()["hits"]}

    assert paths(path="002_*") == {"002_299be7cca7e03bb1.txt"}
    assert paths(path="nothing*") == set()
    assert "004_540da07f2cd0b502.txt" not in paths(date_from="2023-01-01")


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", "/v1/query", {"question": "x", "collection": "other"}),
        ("POST", "/v1/query", {"question": "x", "collection": "other", "stream": True}),
        ("POST", "/v1/search", {"query": "x", "collection": "other"}),
        ("POST", "/v1/verify", {"text": "x", "collection": "other"}),
        ("GET", "/v1/documents?collection=other", None),
        ("GET", "/v1/documents/nope", None),
        ("GET", "/v1/documents/nope/paragraphs", None),
        ("GET", "/documents/nope", None),
    ],
)
def test_what_the_real_service_does_not_hold_is_404(ask, method, path, body):
    response = ask(method, path, json=body)
    assert (response.status_code, response.json()["code"]) == (404, "not_found")


def test_a_stream_shows_the_search_before_the_answer_and_ends_with_all_of_it(ask):
    text = ask("POST", "/v1/query", json={**WEI, "stream": True}).text
    names = [line.removeprefix("event: ") for line in text.splitlines() if line.startswith("event: ")]
    assert names[0] == "search"
    assert names[-2:] == ["final", "done"]
    assert {"citation", "sentence"} <= set(names)


def test_verify_tells_what_the_corpus_says_from_what_it_does_not(ask):
    text = (
        "The call between Austin and Wei lasted 45 minutes.\nThe call between Austin and Wei lasted 3 hours."
    )
    first, second = ask("POST", "/v1/verify", json={"text": text}).json()["sentences"]
    assert (first["verdict"], bool(first["citations"])) == ("supported", True)
    assert second["verdict"] != "supported"


def test_the_command_serves_the_seeds_until_it_is_told_to_stop(tmp_path):
    env = {"PATH": os.environ["PATH"], "NUTGRAF_DATA_DIR": str(tmp_path), "NUTGRAF_CORPUS": str(SEEDS)}
    command = [sys.executable, "-m", "qa", "serve", "--port", "0"]
    with subprocess.Popen(
        command, cwd=ROOT, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as run:
        line = run.stdout.readline().strip()
        assert line.startswith("Nutgraf is ready: open http://127.0.0.1:")
        url = line.rsplit(" ", 1)[1]
        answer = httpx.post(f"{url}v1/query", json=WEI, timeout=30).json()
        run.send_signal(signal.SIGTERM)
        out, err = run.communicate(timeout=15)
    assert "45" in answer["answer"]
    assert (run.returncode, out) == (0, "")
    assert "Austin" not in err
