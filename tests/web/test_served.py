"""A real server on loopback: streams, clients that leave, bodies that do not end, starting and stopping."""

import json
import signal
import socket
import threading
import time

import httpx
import pytest

from qa.api.gate import MAX_BODY
from qa.api.protocol import DeadlineProtocol
from qa.settings import Settings

WAIT = {"question": "wait for the call"}


@pytest.fixture
def service(fake):
    return fake.FakeService(Settings(port=0))


@pytest.fixture
def server(running, service):
    return running(service)


def _events(response):
    """(name, data) of each event of a stream."""
    name = None
    for line in response.iter_lines():
        if line.startswith("event: "):
            name = line.removeprefix("event: ")
        elif line.startswith("data: "):
            yield name, json.loads(line.removeprefix("data: "))


def _raw(server, data, timeout=10):
    """Send bytes; everything the server sends until it closes."""
    with socket.create_connection(("127.0.0.1", server.port), timeout=timeout) as client:
        client.sendall(data)
        got = b""
        while part := client.recv(65536):
            got += part
        return got


def _head(server, line="POST /v1/query", *headers):
    lines = [f"{line} HTTP/1.1", f"Host: 127.0.0.1:{server.port}", "Content-Type: application/json", *headers]
    return "\r\n".join(lines).encode() + b"\r\n\r\n"


def test_a_stream_gives_named_events_and_ends_with_the_whole_answer(server):
    body = {"question": "the call lasted how many minutes", "stream": True}
    plain = httpx.post(f"{server.url}/v1/query", json={**body, "stream": False}).json()
    with httpx.stream("POST", f"{server.url}/v1/query", json=body) as response:
        events = list(_events(response))
    assert response.headers["content-type"].startswith("text/event-stream")
    assert [name for name, _ in events] == ["search", "delta", "sentence", "final", "done"]
    assert events[-2][1] == plain
    assert events[-1][1] == {"id": plain["id"]}


def test_a_silent_stream_beats(running, service):
    server = running(service, heartbeat_s=0.05)
    with httpx.stream("POST", f"{server.url}/v1/query", json={**WAIT, "stream": True}) as response:
        events = _events(response)
        assert [next(events)[0] for _ in range(3)] == ["search", "heartbeat", "heartbeat"]


def test_an_error_in_mid_stream_is_an_event_without_its_message(server):
    body = {"question": "break canary", "stream": True}
    with httpx.stream("POST", f"{server.url}/v1/query", json=body) as response:
        events = list(_events(response))
    assert [name for name, _ in events] == ["search", "error"]
    assert events[1][1]["code"] == "internal"
    assert events[1][1]["request_id"] == response.headers["x-request-id"]
    assert "canary" not in str(events)


@pytest.mark.parametrize("question", ["odd", "endless"])
def test_a_step_that_is_not_json_ends_the_stream_with_an_error(server, question):
    body = {"question": f"{question} call", "stream": True}
    with httpx.stream("POST", f"{server.url}/v1/query", json=body) as response:
        name, data = list(_events(response))[-1]
    assert (name, data["code"]) == ("error", "internal")


@pytest.mark.parametrize("stream", [True, False], ids=["stream", "plain"])
def test_a_client_that_leaves_cancels_its_question(server, service, stream):
    body = json.dumps({**WAIT, "stream": stream}).encode()
    client = socket.create_connection(("127.0.0.1", server.port))
    client.sendall(_head(server, "POST /v1/query", f"Content-Length: {len(body)}") + body)
    assert service.entered.wait(5)
    client.close()
    assert service.left.wait(5)


def test_a_cancelled_question_gives_its_place_back(server, service):
    with httpx.stream("POST", f"{server.url}/v1/query", json={**WAIT, "stream": True}) as response:
        events = _events(response)
        next(events)  # held on to: a dropped generator would close the response
        assert server.state._asking == 1
    assert service.left.wait(5)
    deadline = time.monotonic() + 5
    while server.state._asking and time.monotonic() < deadline:
        time.sleep(0.01)
    assert server.state._asking == 0


def test_a_declared_body_over_the_cap_is_refused_unread(server):
    got = _raw(server, _head(server, "POST /v1/query", f"Content-Length: {MAX_BODY + 1}"))
    assert got.startswith(b"HTTP/1.1 413 ")
    assert b"connection: close" in got.lower()


@pytest.mark.parametrize("line", ["POST /v1/query", "POST /v1/search", "POST /v1/verify"])
def test_an_endless_body_is_refused_as_soon_as_the_cap_is_passed(server, service, line):
    chunk = b"10000\r\n" + b" " * 0x10000 + b"\r\n"
    sent = 0
    with socket.create_connection(("127.0.0.1", server.port), timeout=10) as client:
        client.sendall(_head(server, line, "Transfer-Encoding: chunked"))
        client.settimeout(0.05)
        got = b""
        while not got and sent < 64 * MAX_BODY:
            try:
                sent += client.send(chunk)
                got = client.recv(65536)
            except TimeoutError:
                continue
            except ConnectionError:
                break
    assert got.startswith(b"HTTP/1.1 413 ")
    assert sent < 8 * MAX_BODY
    assert not service.entered.is_set()


def test_a_body_of_exactly_the_cap_is_read(server):
    body = b'{"question": "x"' + b" " * (MAX_BODY - 17) + b"}"
    response = httpx.post(
        f"{server.url}/v1/query", content=body, headers={"content-type": "application/json"}
    )
    assert (len(body), response.status_code) == (MAX_BODY, 200)


def test_a_route_that_reads_no_body_does_not_read_one_either(server):
    got = _raw(server, _head(server, "GET /livez", "Transfer-Encoding: chunked") + b"5\r\nhello\r\n")
    assert got.startswith(b"HTTP/1.1 200 ")
    assert b"connection: close" in got.lower()


def test_both_lengths_at_once_are_refused(server):
    got = _raw(server, _head(server, "POST /v1/query", "Content-Length: 3", "Transfer-Encoding: chunked"))
    assert got.startswith(b"HTTP/1.1 400 ")


@pytest.mark.parametrize(
    "data",
    [b"nonsense\r\n\r\n", b"GET / HTTP/1.1\r\n\r\n", b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
     b"GET / HTTP/1.1\r\nHost: a\r\nX: " + b"y" * 70_000],
    ids=["no HTTP", "no host", "two hosts", "long head"],
)  # fmt: skip
def test_what_is_not_http_is_a_problem_too(server, data):
    head, _, body = _raw(server, data).partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 400 ")
    assert b"application/problem+json" in head
    assert b"content-security-policy" in head
    assert json.loads(body)["code"] == "bad_request"


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1:evil.com", "localhost.evil", "127.0.0.1"])
def test_a_rebound_name_is_refused(server, host):
    got = _raw(server, f"GET /v1/documents HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n".encode())
    assert got.startswith(b"HTTP/1.1 421 ")


def test_a_hundred_headers_are_enough(server):
    headers = [f"X-{n}: y" for n in range(101)]
    assert _raw(server, _head(server, "GET /livez", "Connection: close", *headers)).startswith(
        b"HTTP/1.1 431 "
    )


class Hasty(DeadlineProtocol):
    head_s = 0.3
    body_s = 0.3


@pytest.mark.parametrize(
    ("start", "trickle"),
    [(b"", b""), (b"GET /livez HTTP/1.1\r\n", b"X: y\r\n"), ("body", b" "), ("body", b"")],
    ids=["idle", "head trickles", "body trickles", "body stalls"],
)
def test_a_request_that_does_not_arrive_is_closed(running, service, start, trickle):
    server = running(service, protocol=Hasty)
    data = _head(server, "POST /v1/query", "Content-Length: 1000") if start == "body" else start
    with socket.create_connection(("127.0.0.1", server.port), timeout=0.02) as client:
        client.sendall(data)
        for _ in range(500):
            try:
                if trickle:
                    client.send(trickle)
                if client.recv(10) == b"":
                    break
            except TimeoutError:
                continue
            except ConnectionError:
                break
        else:
            pytest.fail("still open")
    assert not service.entered.is_set()


def test_an_answer_may_take_longer_than_a_request(running, service):
    server = running(service, protocol=Hasty, heartbeat_s=0.1)
    with httpx.stream("POST", f"{server.url}/v1/query", json={**WAIT, "stream": True}) as response:
        events = _events(response)
        assert [next(events)[0] for _ in range(9)].count("heartbeat") == 8


def test_one_connection_serves_many_requests(running, service):
    server = running(service, protocol=Hasty)
    with httpx.Client(base_url=server.url) as client:
        for _ in range(3):
            assert client.post("/v1/query", json={"question": "call"}).status_code == 200
            time.sleep(0.15)


def test_many_questions_at_once_are_each_answered(server):
    found = []

    def ask():
        found.append(httpx.post(f"{server.url}/v1/query", json={"question": "call"}, timeout=30).status_code)

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [200] * 8


def test_the_first_line_says_what_to_open_and_it_answers(program):
    run = program()
    line = run.ready()
    assert line.startswith("Nutgraf is ready: open http://127.0.0.1:")
    url = line.rsplit(" ", 1)[1]
    assert httpx.get(f"{url}readyz").json() == {"ready": True}
    assert "<h1" in httpx.get(url).text


def test_the_first_line_says_when_there_is_nothing_to_ask_yet(program):
    line = program(FAKE_REASON="nothing is indexed yet").ready()
    assert line.startswith("Nutgraf answers at http://127.0.0.1:")
    assert line.endswith("/, but nothing is indexed yet")


def test_it_lives_before_it_is_ready(program):
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    run = program(NUTGRAF_PORT=str(port), FAKE_OPEN_S="2")
    url = f"http://127.0.0.1:{port}"
    transport = httpx.HTTPTransport(retries=8)
    with httpx.Client(transport=transport, base_url=url) as client:
        assert client.get("/livez").status_code == 200
        early = client.get("/readyz")
        assert run.ready() == f"Nutgraf is ready: open {url}/"
        assert client.get("/readyz").status_code == 200
    assert early.json()["reasons"] == ["opening the index"]


@pytest.mark.parametrize("sig", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_streams_with_an_error_and_the_process_with_0(program, sig):
    run = program()
    url = run.url()
    with httpx.stream("POST", f"{url}/v1/query", json={**WAIT, "stream": True}, timeout=30) as response:
        events = _events(response)
        assert next(events)[0] == "search"
        run.process.send_signal(sig)
        last = list(events)
    assert [(name, data["code"]) for name, data in last] == [("error", "shutting_down")]
    code, out, err = run.end(timeout=10)
    assert (code, out) == (0, "")
    assert all(json.loads(line)["event"] for line in err.splitlines())


def test_a_plain_question_is_told_that_the_server_stops(program):
    run = program()
    url = run.url()
    found = []
    thread = threading.Thread(
        target=lambda: found.append(httpx.post(f"{url}/v1/query", json=WAIT, timeout=30))
    )
    thread.start()
    time.sleep(0.5)
    run.process.terminate()
    thread.join(10)
    assert (found[0].status_code, found[0].json()["code"]) == (503, "shutting_down")
    assert run.end(timeout=10)[0] == 0


def test_a_signal_during_the_first_indexing_ends_it(program, tmp_path):
    run = program(NUTGRAF_CORPUS=str(tmp_path), FAKE_SYNC_STEPS="100000")
    while '"indexing"' not in run.process.stderr.readline():
        pass
    run.process.terminate()
    assert run.end(timeout=10)[0] == 0


START = {
    "other address": (
        {"NUTGRAF_HOST": "0.0.0.0"},
        "NUTGRAF_HOST '0.0.0.0' is not loopback: set NUTGRAF_API_KEY",
    ),
    "IPv6 any": ({"NUTGRAF_HOST": "::"}, "is not loopback"),
    "blank key": ({"NUTGRAF_HOST": "0.0.0.0", "NUTGRAF_API_KEY": " "}, "is not loopback"),
    "short key": ({"NUTGRAF_HOST": "0.0.0.0", "NUTGRAF_API_KEY": "secret"}, "at least 16 characters"),
    "unknown name": (
        {"NUTGRAF_HOST": "no-such-host.invalid"},
        "NUTGRAF_HOST takes an address of this machine",
    ),
    "not ours": ({"NUTGRAF_HOST": "192.0.2.1", "NUTGRAF_API_KEY": "k" * 16}, "cannot be bound"),
    "no corpus": ({"NUTGRAF_CORPUS": "/nowhere/at/all"}, "NUTGRAF_CORPUS takes a folder"),
    "unknown setting": ({"NUTGRAF_PROT": "1"}, "did you mean NUTGRAF_PORT"),
    "bad port": ({"NUTGRAF_PORT": "http"}, "given: 'http'"),
}


@pytest.mark.parametrize(("env", "said"), START.values(), ids=START.keys())
def test_a_wrong_setting_ends_the_start_with_78_and_one_line(program, env, said):
    code, out, err = program(**env).end()
    assert (code, out, err.count("\n")) == (78, "", 1)
    assert said in err


def test_a_port_that_is_taken_ends_the_start_with_78_and_one_line(program):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        code, out, err = program(NUTGRAF_PORT=str(port)).end()
    assert (code, out) == (78, "")
    assert err == f"nutgraf: NUTGRAF_PORT: 127.0.0.1:{port} is taken by another program\n"


def test_another_address_is_served_with_a_key(program, key):
    run = program(NUTGRAF_HOST="0.0.0.0", NUTGRAF_API_KEY=key)
    url = run.url()
    assert httpx.get(f"{url}/livez").status_code == 200
    assert httpx.get(f"{url}/v1/documents").status_code == 401
    assert httpx.get(f"{url}/v1/documents", headers={"authorization": f"Bearer {key}"}).status_code == 200


def test_the_parts_of_a_response_do_not_wait_for_one_another(running, service):
    """With Nagle's algorithm each answer on a connection that is kept takes 40 ms more."""
    with httpx.Client(base_url=running(service).url) as client:
        times = []
        for _ in range(30):
            began = time.perf_counter()
            client.get("/livez")
            times.append(time.perf_counter() - began)
    assert sorted(times)[10] < 0.02
