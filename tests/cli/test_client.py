"""The Python client against a real server, and against servers that are not what they should be."""

import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
from scripted import ScriptedSource, abstained, answer, citation, disputed, document, hit, paragraphs

from index.errors import InputError, NotFoundError
from qa import Client
from qa.client import CancelledError, ServerError
from qa.errors import QuestionError
from qa.settings import Secret
from qa.types import Event, Question, Turn

pytestmark = pytest.mark.enable_socket

KEY = "k" * 32


@pytest.mark.parametrize(
    "given", [answer(), abstained(), disputed()], ids=["answered", "abstained", "disputed"]
)
def test_an_answer_arrives_as_it_was_given(serve, given) -> None:
    with Client(serve(ScriptedSource([given]))) as client:
        assert client.ask("How long?") == given


def test_history_and_collection_go_with_a_plain_question(serve) -> None:
    source = ScriptedSource([answer()])
    turns = (Turn("user", "Hi"), Turn("assistant", "Hello"))
    with Client(serve(source)) as client:
        client.ask("How long?", history=turns, collection="other")
    assert source.asked == [Question("How long?", "other", turns)]


def test_a_streamed_answer_tells_its_steps(serve) -> None:
    events: list[Event] = []
    with Client(serve(ScriptedSource([answer()], ["The call", " lasted"]))) as client:
        assert client.ask("How long?", on_event=events.append) == answer()
    assert [event.name for event in events] == ["search", "delta", "delta", "final", "done"]
    assert [event.data["text"] for event in events[1:3]] == ["The call", " lasted"]


def test_leaving_ends_the_question_at_the_server(serve) -> None:
    source, cancelled = ScriptedSource([answer()], waits=True), threading.Event()
    threading.Thread(target=lambda: source.entered.wait(10) and cancelled.set()).start()
    with Client(serve(source)) as client, pytest.raises(CancelledError):
        client.ask("How long?", cancelled=cancelled)
    assert source.cancelled.wait(10)


def test_an_error_in_the_stream_is_raised(serve) -> None:
    source = ScriptedSource([NotFoundError("no such collection")], ["The"])
    with Client(serve(source)) as client, pytest.raises(NotFoundError, match="no such collection"):
        client.ask("How long?", on_event=lambda _: None)


def test_search_and_verify(serve) -> None:
    with Client(serve(ScriptedSource())) as client:
        assert client.search("call", k=3).hits == (hit(),)
        checked = client.verify("It lasted.")
    assert checked.citations == (citation(),)
    assert checked.sentences[0].text == "It lasted."


def test_what_is_stored_can_be_read_page_by_page(serve) -> None:
    with Client(serve(ScriptedSource())) as client:
        assert client.collections() == ["default", "other"]
        assert [d.path for d in client.documents()] == [f"{n:04}.txt" for n in range(450)]
        assert client.document("default", "d1") == document()
        assert client.paragraphs("default", "d1") == paragraphs()


def test_what_is_not_there_is_not_found(serve) -> None:
    with Client(serve(ScriptedSource())) as client, pytest.raises(NotFoundError):
        client.paragraphs("default", "d2")


@pytest.mark.parametrize("text", ["", " ", "x" * 9000])
def test_a_question_out_of_bounds_is_refused(serve, text: str) -> None:
    with Client(serve(ScriptedSource([answer()]))) as client, pytest.raises(InputError):
        client.ask(text)


def test_a_refused_question_is_a_question_error(serve) -> None:
    with Client(serve(ScriptedSource([QuestionError("too long")]))) as client, pytest.raises(QuestionError):
        client.ask("How long?")


@pytest.mark.parametrize("key", [KEY, Secret(KEY)], ids=["text", "secret"])
def test_a_key_opens_a_server_that_needs_one(serve, key: str | Secret) -> None:
    url = serve(ScriptedSource(), api_key=Secret(KEY))
    with Client(url, api_key=key) as client:
        assert client.collections() == ["default", "other"]


def test_without_its_key_a_server_says_so(serve) -> None:
    with Client(serve(ScriptedSource(), api_key=Secret(KEY))) as client, pytest.raises(ServerError) as caught:
        client.collections()
    assert (caught.value.status, caught.value.reason) == (401, "unauthorized")


def test_a_server_that_is_not_there_is_unreachable() -> None:
    with Client("http://127.0.0.1:1") as client, pytest.raises(ServerError, match="cannot be reached"):
        client.collections()


class Odd(BaseHTTPRequestHandler):
    """Answers everything with the body of its server, whatever was asked."""

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(self.server.status)
        self.end_headers()
        self.wfile.write(self.server.body)

    do_GET = do_POST  # noqa: N815 - the library's name

    def log_message(self, *_: object) -> None:
        """Nothing."""


@pytest.fixture
def odd():
    servers = []

    def start(body: bytes, status: int = 200) -> str:
        server = HTTPServer(("127.0.0.1", 0), Odd)
        server.body, server.status = body, status
        servers.append(server)
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        return f"http://127.0.0.1:{server.server_port}"

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


ODD = [b"", b"<html>", b"[]", b"null", b'{"answer": 7}', b"\xff\xfe", b"[" * 100_000]


@pytest.mark.parametrize("body", ODD, ids=range(len(ODD)))
@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
def test_a_server_of_another_kind_is_an_error_never_an_answer(odd, body: bytes, stream: bool) -> None:
    listener = (lambda _: None) if stream else None
    with Client(odd(body)) as client, pytest.raises(ServerError):
        client.ask("How long?", on_event=listener)


@pytest.mark.parametrize("status", [204, 301, 307, 404, 500, 502])
def test_a_status_without_a_problem_object_is_still_an_error(odd, status: int) -> None:
    with Client(odd(b"<html>oops</html>", status)) as client, pytest.raises(ServerError) as caught:
        client.verify("x")
    assert caught.value.status == status


@pytest.mark.parametrize(
    "events", [b"event: delta\ndata: {\n\n", b"event: final\ndata: []\n\n", b"event: done\ndata: {}\n\n"]
)
def test_a_stream_that_breaks_off_or_makes_no_sense_is_an_error(odd, events: bytes) -> None:
    with Client(odd(events)) as client, pytest.raises(ServerError):
        client.ask("How long?", on_event=lambda _: None)


def test_the_client_loads_no_model_no_index_and_no_web_framework() -> None:
    heavy = "'torch', 'faiss', 'fastapi', 'numpy', 'pydantic', 'openai', 'onnxruntime'"
    code = f"import sys; from qa import Client; print([m for m in ({heavy}) if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
