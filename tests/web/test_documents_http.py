"""Documents over HTTP: stored, replaced, found, taken away; with the real service."""

import concurrent.futures
import contextlib
import socket
import subprocess
import threading
import time
from dataclasses import replace
from urllib.parse import quote

import httpx
import pytest

from index.walk import MAX_BYTES
from qa.api.protocol import DeadlineProtocol
from qa.api.server import open_service
from qa.api.state import MAX_HELD
from qa.service import Service
from qa.settings import Settings

BRIDGE = b"Bridge closed\n\nThe old bridge in Veldhaven was closed on 3 May 2021 after cracks were found.\n"
MARKET = b"Market\n\nThe weekly market moves to the station square in June.\n"
PUT = "/v1/documents/"


@pytest.fixture
def settings(tmp_path):
    return Settings(data_dir=tmp_path / "data", port=80, reranker="off")


@pytest.fixture(scope="module")
def shared(tmp_path_factory):
    with Service.open(
        Settings(data_dir=tmp_path_factory.mktemp("data"), port=80, reranker="off"), writable=True
    ) as opened:
        yield opened


@pytest.fixture
def service(shared):
    for name in shared.collections():
        shared.delete_collection(name)
    shared.settings = replace(shared.settings, port=80, public_base_url="")
    return shared


def texts(found):
    return [hit["text"] for hit in found.json()["hits"]]


def test_a_new_document_is_stored_and_described(call):
    response = call("PUT", f"{PUT}news/bridge.txt", content=BRIDGE)
    assert response.status_code == 201
    assert (response.json()["path"], response.json()["origin"]) == ("news/bridge.txt", "upload")
    assert response.headers["location"] == f"/v1/documents/{response.json()['id']}?collection=default"
    assert call("GET", response.headers["location"]).json() == response.json()


def test_the_same_document_again_changes_nothing(call, service):
    call("PUT", f"{PUT}a.txt", content=BRIDGE)
    before = service.status()["sequence"]
    response = call("PUT", f"{PUT}a.txt", content=BRIDGE)
    assert (response.status_code, response.content) == (204, b"")
    assert service.status()["sequence"] == before


def test_another_version_replaces_the_first(call):
    first = call("PUT", f"{PUT}a.txt", content=BRIDGE).json()
    second = call("PUT", f"{PUT}a.txt", content=MARKET)
    assert (second.status_code, second.json()["id"]) == (200, first["id"])
    assert second.json()["sha256"] != first["sha256"]
    assert not any(
        "Veldhaven" in text for text in texts(call("POST", "/v1/search", json={"query": "Veldhaven bridge"}))
    )


def test_a_document_is_found_as_soon_as_it_is_stored_and_not_once_it_is_deleted(call):
    info = call("PUT", f"{PUT}a.txt", content=BRIDGE).json()
    call("PUT", f"{PUT}b.txt", content=MARKET)
    asked = {"query": "Veldhaven bridge closed"}
    assert "Veldhaven" in texts(call("POST", "/v1/search", json=asked))[0]
    assert call("DELETE", f"/v1/documents/{info['id']}").status_code == 204
    assert not any("Veldhaven" in text for text in texts(call("POST", "/v1/search", json=asked)))
    assert call("GET", f"/v1/documents/{info['id']}").status_code == 404
    assert [item["path"] for item in call("GET", "/v1/documents").json()["documents"]] == ["b.txt"]


def test_what_is_not_there_cannot_be_deleted(call):
    call("PUT", f"{PUT}a.txt", content=BRIDGE)
    response = call("DELETE", f"/v1/documents/{'0' * 32}")
    assert (response.status_code, response.json()["code"]) == (404, "not_found")


def test_a_document_may_come_in_a_form(call):
    response = call("PUT", f"{PUT}a.txt", files={"file": ("../../etc/passwd", BRIDGE)})
    assert (response.status_code, response.json()["path"]) == (201, "a.txt")
    assert call("PUT", f"{PUT}a.txt", content=BRIDGE).status_code == 204


BAD_FORMS = {
    "two files": {"files": [("a", ("a.txt", BRIDGE)), ("b", ("b.txt", BRIDGE))]},
    "a field beside it": {"files": {"a": ("a.txt", BRIDGE)}, "data": {"name": "x"}},
    "no boundary": {"content": b"x", "headers": {"content-type": "multipart/form-data"}},
    "no part": {"content": b"--x--\r\n", "headers": {"content-type": "multipart/form-data; boundary=x"}},
    "no form": {"content": b"hello", "headers": {"content-type": "multipart/form-data; boundary=x"}},
    "cut": {
        "content": b'--x\r\nContent-Disposition: form-data; name="f"; filename="f"\r\n\r\nwords',
        "headers": {"content-type": "multipart/form-data; boundary=x"},
    },
    "long boundary": {
        "content": b"x",
        "headers": {"content-type": f"multipart/form-data; boundary={'x' * 5000}"},
    },
}


@pytest.mark.parametrize("sent", BAD_FORMS.values(), ids=BAD_FORMS)
def test_a_form_that_is_not_one_file_is_refused_and_nothing_stored(call, service, state, sent):
    response = call("PUT", f"{PUT}a.txt", **sent)
    assert (response.status_code, response.json()["code"]) == (400, "bad_form")
    assert service.collections() == []
    assert state.held == 0


@pytest.mark.parametrize(
    ("path", "data", "reason"),
    [
        ("a.txt", b"", "empty: "),
        ("a.txt", b" \n\n", "empty: "),
        ("a.txt", b"\x00\x01\x02" * 100, "not_text: "),
        ("a.exe", b"MZ", "unsupported: "),
        ("noextension", BRIDGE, "unsupported: "),
    ],
)
def test_a_file_that_is_no_document_is_refused_with_its_reason(call, service, path, data, reason):
    response = call("PUT", PUT + path, content=data)
    assert (response.status_code, response.json()["code"]) == (422, "rejected")
    assert response.json()["detail"].startswith(reason)
    assert service.collections() == []


@pytest.mark.parametrize("path", ["a%0Ab.txt", "a.txt%0A", "%0A", "a/%0A/b.txt", "a%0Db.txt"])
def test_a_line_break_in_a_path_is_an_invalid_path(call, service, path):
    response = call("PUT", PUT + path, content=BRIDGE)
    assert (response.status_code, response.json()["code"]) == (422, "invalid")
    assert service.collections() == []


def test_a_rejected_version_leaves_the_stored_one(call):
    info = call("PUT", f"{PUT}a.txt", content=BRIDGE).json()
    assert call("PUT", f"{PUT}a.txt", content=b"\x00" * 99).status_code == 422
    assert call("GET", f"/v1/documents/{info['id']}/text").content == BRIDGE


BAD_PATHS = [
    "../a.txt", "a/../../b.txt", "/etc/passwd", "a//b.txt", "./a.txt", "a/.", "..", "a\\b.txt", "..\\..\\a.txt",
        "a\x00.txt", "a\x1b[2J.txt", "a\u202etxt.exe", "a\u2028.txt", "x" * 1025, "é" * 513,
]  # fmt: skip


@pytest.mark.parametrize("path", BAD_PATHS, ids=lambda path: ascii(path)[:20])
def test_a_path_that_leads_elsewhere_or_hides_something_is_refused(call, service, path):
    response = call("PUT", PUT + quote(path, safe="").replace(".", "%2E"), content=BRIDGE)
    assert (response.status_code, response.json()["code"]) == (422, "invalid")
    assert response.json()["detail"].startswith("document_id: must ")
    assert service.collections() == []


def test_a_path_that_is_not_utf_8_is_refused(call):
    assert call("PUT", f"{PUT}caf%e9.txt", content=BRIDGE).status_code == 422


@pytest.mark.parametrize(
    "path", ["é/日本 語.txt", "a b+c%d.txt", "a?b#c.txt", ".hidden.txt", "paragraphs/1.txt"]
)
def test_a_path_is_kept_as_it_was_given(call, path):
    assert call("PUT", PUT + quote(path), content=BRIDGE).json()["path"] == path


def test_an_unknown_collection_is_not_made_by_chance(call, service):
    response = call("PUT", f"{PUT}a.txt?collection=other", content=BRIDGE)
    assert (response.status_code, response.json()["code"]) == (404, "not_found")
    assert service.collections() == []


def test_a_document_belongs_to_its_collection_only(call):
    call("POST", "/v1/collections", json={"name": "other"})
    info = call("PUT", f"{PUT}a.txt?collection=other", content=BRIDGE).json()
    call("PUT", f"{PUT}b.txt", content=MARKET)
    assert call("GET", f"/v1/documents/{info['id']}").status_code == 404
    assert call("DELETE", f"/v1/documents/{info['id']}").status_code == 404
    assert call("GET", f"/v1/documents/{info['id']}?collection=other").status_code == 200


def test_the_text_is_only_ever_saved(call):
    page = b"Title\n\n<script>alert(1)</script> words of a page\n"
    info = call("PUT", f"{PUT}news/p\u00e4ge.md", content=page).json()
    response = call("GET", f"/v1/documents/{info['id']}/text")
    assert response.content == page
    assert response.headers["content-type"] == "application/octet-stream"
    assert response.headers["content-security-policy"] == "sandbox"
    assert response.headers["x-content-type-options"] == "nosniff"
    assert response.headers["content-disposition"] == (
        "attachment; filename=\"document.txt\"; filename*=UTF-8''p%C3%A4ge.md"
    )
    assert call("GET", f"/v1/documents/{'0' * 32}/text").status_code == 404


# ------------------------------------------------------------------------------------------- collections


def test_a_collection_is_made_once(call):
    made = [call("POST", "/v1/collections", json={"name": "press-2024"}) for _ in range(2)]
    assert [response.status_code for response in made] == [201, 200]
    assert made[0].json() == made[1].json() == {"name": "press-2024"}
    assert call("GET", "/v1/collections").json() == {"collections": [{"name": "press-2024"}]}


@pytest.mark.parametrize("name", ["", "A", "-a", "a b", "../a", "a" * 65, "é", "a\n", 5, None])
def test_a_bad_name_makes_no_collection(call, service, name):
    assert call("POST", "/v1/collections", json={"name": name}).status_code == 422
    assert service.collections() == []


def test_a_collection_goes_with_all_its_documents(call, service):
    call("POST", "/v1/collections", json={"name": "other"})
    call("PUT", f"{PUT}a.txt?collection=other", content=BRIDGE)
    assert call("DELETE", "/v1/collections/other").status_code == 204
    assert call("DELETE", "/v1/collections/other").status_code == 404
    assert call("POST", "/v1/search", json={"query": "bridge", "collection": "other"}).status_code == 404
    assert service.check().documents == 0


# ------------------------------------------------------------------------------------------- limits


def test_a_document_of_just_the_limit_is_read_and_one_byte_more_is_not(call, state):
    assert call("PUT", f"{PUT}a.bin", content=b"\0" * MAX_BYTES).json()["code"] == "rejected"
    response = call("PUT", f"{PUT}a.bin", content=b"\0" * (MAX_BYTES + 1))
    assert (response.status_code, response.json()["code"]) == (413, "body_too_large")
    assert state.held == 0


def test_a_form_over_the_limit_is_refused(call, state):
    response = call("PUT", f"{PUT}a.bin", files={"file": ("a.bin", b"\0" * (MAX_BYTES + 1))})
    assert response.status_code == 413
    assert state.held == 0


def test_only_uploads_may_be_large(call):
    for method, path in [("POST", "/v1/search"), ("PUT", "/v1/collections"), ("POST", "/v1/documents/a.txt")]:
        assert call(method, path, content=b" " * 2_000_000).status_code == 413


def test_no_more_is_taken_than_there_is_room_for(call, state):
    state.held = MAX_HELD - 10
    response = call("PUT", f"{PUT}a.txt", content=BRIDGE)
    assert (response.status_code, response.json()["code"]) == (503, "overloaded")
    assert state.held == MAX_HELD - 10
    state.held = 0
    assert call("PUT", f"{PUT}a.txt", content=BRIDGE).status_code == 201
    assert state.held == 0


# ------------------------------------------------------------------------------------------- a real server


@pytest.fixture
def server(running, service):
    return running(service)


def test_one_document_sent_50_times_at_once_is_stored_once(server, service):
    with (
        httpx.Client(base_url=server.url, timeout=60) as client,
        concurrent.futures.ThreadPoolExecutor(50) as pool,
    ):
        sent = [pool.submit(client.put, f"{PUT}a.txt", content=BRIDGE) for _ in range(50)]
        statuses = sorted(done.result().status_code for done in sent)
    assert statuses == [201] + [204] * 49
    report = service.check()
    assert (report.ok, report.documents) == (True, 1)
    assert server.state.held == 0


class Rush:
    """Clients that store, find and delete their own documents, others that ask, and a check, all at once."""

    def __init__(self, url, service, turns):
        self.url, self.service, self.turns = url, service, turns
        self.errors = []
        self.over = threading.Event()

    def keep(self, number):
        with httpx.Client(base_url=self.url, timeout=60) as client:
            for turn in range(self.turns):
                words = f"Note {number}\n\nThe marker zebra{number} turn{turn} stands here.\n".encode()
                stored = client.put(f"{PUT}{number}.txt", content=words)
                found = client.post("/v1/search", json={"query": f"marker zebra{number}"})
                if {stored.status_code, found.status_code} - {200, 201}:
                    self.errors.append((stored.text, found.text))
                elif not any(f"zebra{number} turn{turn} " in hit["text"] for hit in found.json()["hits"]):
                    self.errors.append((number, turn, found.text))
                if turn % 4 == 3:
                    client.delete(f"/v1/documents/{stored.json()['id']}").raise_for_status()

    def ask(self):
        with httpx.Client(base_url=self.url, timeout=60) as client:
            while not self.over.is_set():
                answer = client.post("/v1/query", json={"question": "Where does the marker zebra1 stand?"})
                if answer.status_code != 200 and "no collection" not in answer.text:
                    self.errors.append(answer.text)

    def check(self):
        while not self.over.wait(0.2):
            self.errors.extend(self.service.check().problems)


def test_uploads_searches_questions_deletes_and_checks_at_once_fail_nowhere(server, service):
    rush = Rush(server.url, service, turns=12)
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        beside = [pool.submit(rush.ask), pool.submit(rush.check)]
        keeping = [pool.submit(rush.keep, number) for number in range(4)]
        concurrent.futures.wait(keeping)
        rush.over.set()
    for done in [*beside, *keeping]:
        done.result()
    assert rush.errors == []
    assert service.check().documents == 0


def test_a_client_that_leaves_in_mid_body_stores_nothing(server, service):
    head = f"PUT {PUT}a.txt HTTP/1.1\r\nHost: 127.0.0.1:{server.port}\r\nContent-Length: 5000\r\n\r\n"
    with socket.create_connection(("127.0.0.1", server.port)) as client:
        client.sendall(head.encode() + b"half of it")
    assert httpx.get(f"{server.url}/livez").status_code == 200
    assert service.collections() == []
    assert server.state.held == 0


class Hasty(DeadlineProtocol):
    body_s = 0.3
    bytes_per_s = 10_000


@pytest.mark.parametrize(("size", "waited_for"), [(100, False), (100_000, True)])
def test_a_large_upload_is_given_the_time_that_its_size_takes(running, service, size, waited_for):
    server = running(service, protocol=Hasty)
    head = f"PUT {PUT}a.xyz HTTP/1.1\r\nHost: 127.0.0.1:{server.port}\r\nContent-Length: {size}\r\n\r\n"
    with socket.create_connection(("127.0.0.1", server.port), timeout=10) as client:
        client.sendall(head.encode() + b"x" * (size // 2))
        time.sleep(1)
        got = b""
        with contextlib.suppress(OSError):
            client.sendall(b"x" * (size - size // 2))
            got = client.recv(100)
    assert got.startswith(b"HTTP/1.1 422") == waited_for


def test_a_page_of_another_site_can_store_and_delete_nothing(server, service):
    for headers in ({"Origin": "http://evil.example"}, {"Sec-Fetch-Site": "cross-site"}):
        for method, path in [("PUT", f"{PUT}a.txt"), ("DELETE", f"{PUT}x"), ("POST", "/v1/purge")]:
            assert (
                httpx.request(method, server.url + path, headers=headers, content=BRIDGE).status_code == 403
            )
    assert service.collections() == []


# ------------------------------------------------------------------------------------------- reading only


WRITES = [
    ("PUT", f"{PUT}b.txt", {"content": MARKET}),
    ("DELETE", f"{PUT}{'0' * 32}", {}),
    ("POST", "/v1/collections", {"json": {"name": "x"}}),
    ("DELETE", "/v1/collections/default", {}),
    ("POST", "/v1/index", {"json": {}}),
    ("POST", "/v1/purge", {}),
]


@pytest.fixture
def beside(settings):
    """A server's service that came second to a data folder."""
    with Service.open(settings, writable=True) as first:
        first.put("a.txt", BRIDGE)
        second = open_service(settings)
        yield first, second
        second.close()


def test_a_server_takes_the_data_folder_for_writing_when_it_can(settings):
    service = open_service(settings)
    assert service.writable
    service.close()


def test_a_server_that_came_second_reads_what_the_first_writes(beside):
    first, second = beside
    first.put("b.txt", MARKET)
    assert not second.writable
    assert [info.path for info in second.documents("default")] == ["a.txt", "b.txt"]


@pytest.mark.parametrize(("method", "path", "options"), WRITES)
def test_a_server_that_only_reads_says_so(beside, running, method, path, options):
    server = running(beside[1])
    response = httpx.request(method, server.url + path, **options)
    assert (response.status_code, response.json()["code"]) == (409, "read_only")
    assert "start the server anew" in response.json()["detail"]


# ---------------------------------------------------------------------------------------- the file itself


def test_the_file_of_a_synced_document_is_given_while_it_is_the_one_that_was_indexed(
    call, service, state, tmp_path
):
    folder = tmp_path / "corpus"
    (folder / "a").mkdir(parents=True)
    file = folder / "a" / "market é.html"
    file.write_bytes(b"<p>" + MARKET + b"</p>")
    service.sync(folder)
    state.settings = replace(state.settings, corpus=folder)
    (info,) = call("GET", "/v1/documents").json()["documents"]
    address = f"/v1/documents/{info['id']}/original"
    response = call("GET", address)
    assert (response.status_code, response.content) == (200, file.read_bytes())
    assert response.headers["content-type"] == "application/octet-stream"
    assert response.headers["content-disposition"].startswith("attachment; ")
    assert response.headers["content-disposition"].endswith("''market%20%C3%A9.html")
    assert response.headers["content-security-policy"] == "sandbox"
    file.write_bytes(b"<p>another</p>")
    assert call("GET", address).status_code == 404
    file.unlink()
    assert call("GET", address).status_code == 404


def test_a_link_in_place_of_the_file_is_not_followed(call, service, state, tmp_path):
    folder = tmp_path / "corpus"
    folder.mkdir()
    (folder / "a.txt").write_bytes(MARKET)
    service.sync(folder)
    state.settings = replace(state.settings, corpus=folder)
    (info,) = call("GET", "/v1/documents").json()["documents"]
    (folder / "a.txt").rename(tmp_path / "a.txt")
    (folder / "a.txt").symlink_to(tmp_path / "a.txt")
    assert call("GET", f"/v1/documents/{info['id']}/original").status_code == 404


def test_the_file_of_an_upload_is_given_byte_for_byte_until_it_is_deleted(call):
    file = b"<html><title>Market</title><script>alert(1)</script><p>" + MARKET + b"</p></html>"
    info = call("PUT", f"{PUT}a/market \u00e9.html", content=file).json()
    address = f"/v1/documents/{info['id']}/original"
    response = call("GET", address)
    assert (response.status_code, response.content) == (200, file)
    assert response.headers["content-type"] == "application/octet-stream"
    assert response.headers["content-disposition"].startswith("attachment; ")
    assert response.headers["content-disposition"].endswith("''market%20%C3%A9.html")
    assert response.headers["content-security-policy"] == "sandbox"
    assert response.headers["x-content-type-options"] == "nosniff"
    assert call("DELETE", f"/v1/documents/{info['id']}").status_code == 204
    assert call("GET", address).status_code == 404


def test_an_upload_in_a_form_keeps_the_file_and_not_the_form(call):
    info = call("PUT", f"{PUT}a.txt", files={"file": ("other.txt", BRIDGE)}).json()
    assert call("GET", f"/v1/documents/{info['id']}/original").content == BRIDGE


def test_an_upload_is_not_taken_for_the_file_that_has_its_path(call, state, tmp_path):
    (tmp_path / "a.txt").write_bytes(MARKET)
    state.settings = replace(state.settings, corpus=tmp_path)
    info = call("PUT", f"{PUT}a.txt", content=BRIDGE).json()
    assert call("GET", f"/v1/documents/{info['id']}/original").content == BRIDGE


def test_what_is_not_there_has_no_file(call):
    info = call("PUT", f"{PUT}a.txt", content=BRIDGE).json()
    call("POST", "/v1/collections", json={"name": "other"})
    for address in (f"{info['id']}/original?collection=other", f"{'0' * 32}/original"):
        response = call("GET", f"/v1/documents/{address}")
        assert (response.status_code, response.json()["code"]) == (404, "not_found")


def test_the_page_of_a_document_leads_to_its_file_while_that_is_at_hand(call, service, state, tmp_path):
    folder = tmp_path / "corpus"
    folder.mkdir()
    (folder / "a.txt").write_bytes(MARKET)
    service.sync(folder)
    synced = call("GET", "/v1/documents").json()["documents"][0]["id"]
    sent = call("PUT", f"{PUT}b.txt", content=BRIDGE).json()["id"]

    def leads(id_):
        return (
            f'href="/v1/documents/{id_}/original?collection=default"' in call("GET", f"/documents/{id_}").text
        )

    assert (leads(synced), leads(sent)) == (False, True)
    state.settings = replace(state.settings, corpus=folder)
    assert leads(synced)
    (folder / "a.txt").write_bytes(MARKET + b"more")
    assert not leads(synced)
    (folder / "a.txt").unlink()
    assert not leads(synced)


# ------------------------------------------------------------------------------------------- a full disk


@pytest.fixture
def small_disk(tmp_path):
    """A folder on a disk of its own, of 16 MB."""
    place = tmp_path / "disk"
    place.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=16m", "tmpfs", place]
    if subprocess.run(mount, check=False, capture_output=True).returncode:
        pytest.skip("mounting is not allowed here")
    yield place
    subprocess.run(["umount", "-l", place], check=True)


def test_a_full_disk_is_507_and_reading_goes_on_and_writing_again_with_space(small_disk, running):
    settings = Settings(data_dir=small_disk / "data", port=80, reranker="off")
    with Service.open(settings, writable=True) as service:
        server = running(service)
        with httpx.Client(base_url=server.url, timeout=60) as client:
            assert client.put(f"{PUT}a.txt", content=BRIDGE).status_code == 201
            filler = small_disk / "filler"
            with contextlib.suppress(OSError), filler.open("wb", buffering=0) as file:
                while file.write(b"\0" * 65536):
                    pass
            full = client.put(
                f"{PUT}b.txt", content=b"\n\n".join(b"words %d of a text" % n for n in range(900))
            )
            assert (full.status_code, full.json()["code"]) == (507, "disk_full")
            assert [item["path"] for item in client.get("/v1/documents").json()["documents"]] == ["a.txt"]
            assert client.post("/v1/search", json={"query": "bridge"}).json()["hits"]
            filler.unlink()
            assert client.put(f"{PUT}b.txt", content=MARKET).status_code == 201
        assert service.check().ok
