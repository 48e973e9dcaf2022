"""Long work: jobs by themselves, and over HTTP with the real service."""

import json
import threading
import time

import httpx
import pytest

from index.errors import NotFoundError, StorageError
from qa.jobs import KEPT_S, MAX_KEPT, MAX_WAITING, Jobs, QueueFullError, StoppedError
from qa.service import Service
from qa.settings import Settings


def ended(jobs, id_, within=10.0):
    """The job once it is over."""
    deadline = time.monotonic() + within
    while not (job := jobs.get(id_)).over:
        assert time.monotonic() < deadline, job
        time.sleep(0.005)
    return job


class Clock:
    now = 0.0

    def __call__(self):
        return self.now


@pytest.fixture
def jobs():
    made = Jobs()
    yield made
    made.stop()


@pytest.fixture
def gate():
    """Work that waits for `gate.open()`, and tells when it has begun."""

    class Gate:
        begun, opened = threading.Event(), threading.Event()

        def work(self, report):
            report(1, 2)
            self.begun.set()
            while not self.opened.wait(0.01):
                report(1, 2)
            return {"done": True}

    made = Gate()
    yield made
    made.opened.set()


# ------------------------------------------------------------------------------------------- by themselves


def test_a_job_goes_from_queued_to_done_with_its_result(jobs, gate):
    job = jobs.submit("index", "default", gate.work)
    assert (job.state, job.started_at) == ("queued", None)
    assert gate.begun.wait(5)
    assert jobs.get(job.id).state == "running"
    gate.opened.set()
    over = ended(jobs, job.id)
    assert (over.state, over.result, over.done, over.total) == ("done", {"done": True}, 1, 2)
    assert job.created_at <= over.started_at <= over.ended_at


def test_a_job_that_fails_keeps_its_error_and_the_next_one_runs(jobs):
    def work(_):
        raise StorageError("the disk")

    failed = jobs.submit("index", "default", work)
    assert str(ended(jobs, failed.id).error) == "the disk"
    assert ended(jobs, jobs.submit("index", "default", lambda _: {}).id).state == "done"


def test_jobs_run_one_after_another_in_their_order(jobs, gate):
    order = []
    jobs.submit("index", "default", gate.work)
    ids = [jobs.submit("index", name, lambda _, name=name: order.append(name) or {}).id for name in "abc"]
    gate.opened.set()
    assert all(ended(jobs, id_).state == "done" for id_ in ids)
    assert order == ["a", "b", "c"]


def test_a_job_that_waits_already_is_given_back(jobs, gate):
    running = jobs.submit("index", "default", gate.work)
    assert gate.begun.wait(5)
    waiting = jobs.submit("index", "default", gate.work)
    assert waiting.id != running.id
    assert {jobs.submit("index", "default", gate.work).id for _ in range(50)} == {waiting.id}
    assert jobs.submit("index", "other", gate.work).id != waiting.id


def test_the_queue_is_bounded(jobs, gate):
    jobs.submit("index", "first", gate.work)
    assert gate.begun.wait(5)
    for number in range(MAX_WAITING):
        jobs.submit("index", str(number), gate.work)
    with pytest.raises(QueueFullError):
        jobs.submit("index", "one more", gate.work)


def test_an_unknown_job_is_not_found(jobs):
    with pytest.raises(NotFoundError):
        jobs.get("job_0")


def test_the_oldest_of_too_many_jobs_is_forgotten(jobs):
    ids = [jobs.submit("index", "default", lambda _: {}).id]
    for _ in range(MAX_KEPT + 1):
        ended(jobs, ids[-1])
        ids.append(jobs.submit("index", "default", lambda _: {}).id)
    ended(jobs, ids[-1])
    with pytest.raises(NotFoundError):
        jobs.get(ids[0])
    assert jobs.get(ids[5]).over


def test_a_job_that_was_over_long_ago_is_forgotten():
    clock = Clock()
    jobs = Jobs(clock)
    job = jobs.submit("index", "default", lambda _: {})
    ended(jobs, job.id)
    clock.now = KEPT_S - 1
    assert jobs.get(job.id).over
    clock.now = KEPT_S + 1
    with pytest.raises(NotFoundError):
        jobs.get(job.id)


def test_stopping_ends_what_runs_and_takes_nothing_new(jobs, gate):
    running = jobs.submit("index", "default", gate.work)
    assert gate.begun.wait(5)
    jobs.stop()
    assert isinstance(ended(jobs, running.id).error, StoppedError)
    with pytest.raises(QueueFullError):
        jobs.submit("index", "default", gate.work)


# ------------------------------------------------------------------------------------------- over HTTP


@pytest.fixture
def corpus(tmp_path):
    folder = tmp_path / "corpus"
    folder.mkdir()
    (folder / "bridge.txt").write_text("Bridge\n\nThe old bridge in Veldhaven was closed on 3 May 2021.\n")
    (folder / "market.txt").write_text("Market\n\nThe weekly market moves to the station square in June.\n")
    (folder / "broken.txt").write_bytes(b"\x00\x01" * 99)
    return folder


@pytest.fixture
def service(tmp_path, corpus):
    settings = Settings(data_dir=tmp_path / "data", corpus=corpus, port=80, reranker="off")
    with Service.open(settings, writable=True) as opened:
        yield opened


@pytest.fixture
def server(running, service):
    return running(service, heartbeat_s=0.05)


def events(url):
    """(name, data) of every event until the stream ends."""
    with httpx.stream("GET", url, timeout=30) as response:
        assert response.headers["content-type"].startswith("text/event-stream")
        lines = list(response.iter_lines())
    return [
        (name.removeprefix("event: "), json.loads(data.removeprefix("data: ")))
        for name, data in zip(lines[::3], lines[1::3], strict=True)
    ]


def test_the_folder_is_indexed_by_a_job_that_can_be_followed(server, service):
    begun = httpx.post(f"{server.url}/v1/index", json={})
    assert (begun.status_code, begun.json()["kind"], begun.json()["collection"]) == (202, "index", "default")
    assert begun.headers["location"] == f"/v1/jobs/{begun.json()['id']}"
    followed = events(f"{server.url}{begun.headers['location']}/events")
    assert {name for name, _ in followed[:-1]} <= {"progress", "heartbeat"}
    name, last = followed[-1]
    assert (name, last["state"], last["progress"]) == ("done", "done", {"done": 3, "total": 3})
    assert last["result"]["added"] == 2
    assert [skipped["path"] for skipped in last["result"]["skipped"]] == ["broken.txt"]
    assert httpx.get(f"{server.url}{begun.headers['location']}").json() == last
    assert [info.path for info in service.documents("default")] == ["bridge.txt", "market.txt"]


def test_another_collection_can_hold_the_folder_too(server, service):
    id_ = httpx.post(f"{server.url}/v1/index", json={"collection": "copy"}).json()["id"]
    assert ended(server.state.jobs, id_).state == "done"
    assert service.collections() == ["copy"]


def test_a_job_that_fails_says_why_like_any_other_error(server, corpus):
    for file in corpus.iterdir():
        file.unlink()
    id_ = httpx.post(f"{server.url}/v1/index", json={}).json()["id"]
    name, last = events(f"{server.url}/v1/jobs/{id_}/events")[-1]
    assert (name, last["state"], last["result"]) == ("done", "failed", None)
    assert (last["error"]["code"], last["error"]["status"]) == ("missing_folder", 422)
    assert str(corpus) not in json.dumps(last)


def test_without_a_folder_there_is_nothing_to_index(call, state):
    state.settings = Settings(port=80)
    response = call("POST", "/v1/index", json={})
    assert (response.status_code, response.json()["code"]) == (409, "no_corpus")


@pytest.mark.parametrize(
    "body", [{"collection": "A b"}, {"colection": "x"}, {"path": "/etc"}, [], {"collection": 5}]
)
def test_a_request_for_anything_else_is_refused(call, body):
    assert call("POST", "/v1/index", json=body).status_code == 422


@pytest.mark.parametrize("path", ["/v1/jobs/job_0", "/v1/jobs/job_0/events"])
def test_an_unknown_job_is_404(call, path):
    response = call("GET", path)
    assert (response.status_code, response.json()["code"]) == (404, "not_found")


def test_a_stream_ends_with_an_error_when_the_server_stops(server, gate):
    id_ = server.state.jobs.submit("index", "slow", gate.work).id
    assert gate.begun.wait(5)
    seen = []
    with httpx.stream("GET", f"{server.url}/v1/jobs/{id_}/events", timeout=30) as response:
        for line in response.iter_lines():
            seen.append(line)
            if line.startswith("event: progress") and not server.server.should_exit:
                server.state.stopping.set()
                server.server.should_exit = True
    assert json.loads(seen[-2].removeprefix("data: "))["code"] == "shutting_down"


def test_a_follower_that_leaves_leaves_the_job_alone(server, gate):
    id_ = server.state.jobs.submit("index", "slow", gate.work).id
    assert gate.begun.wait(5)
    with httpx.stream("GET", f"{server.url}/v1/jobs/{id_}/events", timeout=30) as response:
        next(response.iter_lines())
    gate.opened.set()
    assert ended(server.state.jobs, id_).state == "done"


def test_deleted_text_can_be_purged_while_serving(server, service, tmp_path):
    words = b"Secret\n\nThe zqxjungfrau was paid in dinars.\n"
    with httpx.Client(base_url=server.url, timeout=30) as client:
        info = client.put("/v1/documents/secret.txt", content=words).json()
        client.put("/v1/documents/kept.txt", content=b"Kept\n\nThe market moves in June.\n")
        client.delete(f"/v1/documents/{info['id']}")
        id_ = client.post("/v1/purge").json()["id"]
        assert ended(server.state.jobs, id_).state == "done"
        assert client.post("/v1/search", json={"query": "market"}).json()["hits"]
    files = [path.read_bytes().lower() for path in (tmp_path / "data").rglob("*") if path.is_file()]
    assert not any(b"zqxjungfrau" in file for file in files)
