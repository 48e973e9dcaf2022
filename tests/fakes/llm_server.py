"""A scripted LLM endpoint on loopback that speaks HTTP and the OpenAI protocol, well or in one of many wrong ways.

Raw sockets, so that it can also break HTTP itself. In a test: `with FakeLLM("good") as llm: ...llm.base_url...`;
as a program: `python llm_server.py MODE` prints its base URL and serves until it is stopped.
"""

import contextlib
import gzip
import json
import socket
import struct
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Self

TEXT = "The call lasted about 45 minutes."
MODEL = "fake-1"
USAGE = {"prompt_tokens": 11, "completion_tokens": 7, "total_tokens": 18}


@dataclass(frozen=True, slots=True)
class Request:
    """What a client sent."""

    path: str
    headers: Mapping[str, str]
    body: Mapping[str, object]


@dataclass(slots=True)
class Exchange:
    """One connection: what was asked, and the ways to answer."""

    conn: socket.socket
    request: Request
    server: "FakeLLM"

    def send(self, data: bytes) -> None:
        """Raw bytes."""
        self.conn.sendall(data)

    def head(self, status: str = "200 OK", kind: str = "text/event-stream", *more: str) -> None:
        """Status line and headers of a body that ends with the connection."""
        lines = [f"HTTP/1.1 {status}", f"Content-Type: {kind}", "Connection: close", *more]
        self.send("\r\n".join([*lines, "", ""]).encode())

    def event(self, data: object, end: str = "\n\n") -> None:
        """One server-sent event."""
        text = data if isinstance(data, str) else json.dumps(data)
        self.send(f"data: {text}{end}".encode())

    def delta(self, text: str | None = None, finish: str | None = None, **more: object) -> None:
        """One chunk of a streamed completion."""
        delta = {"content": text, **more} if text is not None else dict(more)
        self.event(chunk(delta, finish))

    def words(self, text: str | None = None) -> None:
        """The text, a word at a time."""
        for word in (text or self.server.text).split(" "):
            self.delta(word + " ")

    def end(self, finish: str = "stop") -> None:
        """The usual end of a stream."""
        self.delta(finish=finish)
        self.event(
            {"id": "c", "object": "chat.completion.chunk", "model": MODEL, "choices": [], "usage": USAGE}
        )
        self.event("[DONE]")

    def reset(self) -> None:
        """Close so that the client's next read fails."""
        self.conn.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

    def forever(self, data: bytes, pause_s: float = 0.02) -> None:
        """Send the same bytes until the client hangs up."""
        while not self.server.stopped.is_set():
            self.send(data)
            time.sleep(pause_s)

    def wait_for_hang_up(self) -> None:
        """Send nothing more; return once the client is gone."""
        while not self.server.stopped.is_set():
            self.conn.settimeout(0.1)
            with contextlib.suppress(TimeoutError):
                if not self.conn.recv(1024):
                    raise ConnectionResetError

    def json(self, value: object, status: str = "200 OK", *more: str) -> None:
        """A JSON body."""
        self.head(status, "application/json", *more)
        self.send(json.dumps(value).encode())

    def error(self, status: str, *more: str, code: str = "", message: str = "", param: str = "") -> None:
        """An error as OpenAI words it."""
        error = {
            "message": message or "no",
            "type": "fake_error",
            "code": code or None,
            "param": param or None,
        }
        self.json({"error": error}, status, *more)


def chunk(delta: object, finish: str | None = None) -> dict[str, object]:
    """A `chat.completion.chunk`."""
    choice = {"index": 0, "delta": delta, "finish_reason": finish}
    return {"id": "c", "object": "chat.completion.chunk", "created": 1, "model": MODEL, "choices": [choice]}


def completion(message: object, finish: str | None = "stop") -> dict[str, object]:
    """A `chat.completion`."""
    choice = {"index": 0, "message": message, "finish_reason": finish}
    return {"id": "c", "object": "chat.completion", "model": MODEL, "choices": [choice], "usage": USAGE}


Mode = Callable[[Exchange], None]
MODES: dict[str, Mode] = {}


def mode(function: Mode) -> Mode:
    """Make a function a mode under its name."""
    MODES[function.__name__] = function
    return function


# ------------------------------------------------------------------------------------------- as it should be


@mode
def good(x: Exchange) -> None:
    x.head()
    x.delta(role="assistant", content=None)
    x.words()
    x.end()


@mode
def good_without_usage(x: Exchange) -> None:
    x.head()
    x.words()
    x.delta(finish="stop")
    x.event("[DONE]")


@mode
def good_without_done(x: Exchange) -> None:
    x.head()
    x.words()
    x.delta(finish="stop")


@mode
def good_plain_json(x: Exchange) -> None:
    x.json(completion({"role": "assistant", "content": x.server.text}))


@mode
def good_byte_by_byte(x: Exchange) -> None:
    x.head()
    x.conn.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    data = json.dumps(chunk({"content": x.server.text + " ·—😀"}), ensure_ascii=False)
    for byte in f": hi\r\n\r\nevent: x\r\ndata: {data}\r\n\r\n".encode():
        x.send(bytes([byte]))
    x.end()


@mode
def good_with_comments(x: Exchange) -> None:
    x.head()
    for word in x.server.text.split(" "):
        x.send(b": OPENROUTER PROCESSING\n\n")
        x.delta(word + " ")
    x.end()


@mode
def good_in_parts(x: Exchange) -> None:
    x.head()
    x.event(chunk({"content": [{"type": "text", "text": x.server.text}]}))
    x.end()


@mode
def good_after_thinking(x: Exchange) -> None:
    x.head()
    for _ in range(4):
        x.delta(reasoning_content="hm")
        time.sleep(0.1)
    x.words()
    x.end()


@mode
def finish_then_silence(x: Exchange) -> None:
    x.head()
    x.words()
    x.delta(finish="stop")
    x.wait_for_hang_up()


@mode
def text_after_finish(x: Exchange) -> None:
    x.head()
    x.words()
    x.delta(finish="stop")
    x.delta("and more")
    x.event("[DONE]")


@mode
def done_twice(x: Exchange) -> None:
    good(x)
    x.event("[DONE]")


# ------------------------------------------------------------------------------------- ends that are not whole


@mode
def length(x: Exchange) -> None:
    x.head()
    x.words()
    x.end("length")


@mode
def content_filter(x: Exchange) -> None:
    x.head()
    x.delta("I")
    x.end("content_filter")


@mode
def refusal(x: Exchange) -> None:
    x.head()
    x.delta(refusal="I cannot help with that.")
    x.end()


@mode
def tool_calls(x: Exchange) -> None:
    x.head()
    x.words()
    x.end("tool_calls")


@mode
def no_finish_reason(x: Exchange) -> None:
    x.head()
    x.words()


@mode
def done_without_finish(x: Exchange) -> None:
    x.head()
    x.words()
    x.event("[DONE]")


@mode
def reset_in_the_middle(x: Exchange) -> None:
    x.head()
    x.words()
    time.sleep(0.1)
    x.reset()


@mode
def cut_inside_json(x: Exchange) -> None:
    x.head()
    x.words()
    x.send(b'data: {"id": "c", "choi')


@mode
def cut_inside_chunked(x: Exchange) -> None:
    x.head("200 OK", "text/event-stream", "Transfer-Encoding: chunked")
    data = f"data: {json.dumps(chunk({'content': x.server.text}))}\n\n".encode()
    x.send(b"%x\r\n%s\r\n" % (len(data), data))
    x.send(b"ff\r\ndata: ")


@mode
def error_event(x: Exchange) -> None:
    x.head()
    x.words()
    x.event({"error": {"message": "overloaded", "type": "server_error", "code": None}})


# ------------------------------------------------------------------------------------------ nothing of use


@mode
def error_event_first(x: Exchange) -> None:
    x.head()
    x.event({"error": {"message": "boom", "type": "server_error"}})


@mode
def error_in_200(x: Exchange) -> None:
    x.json({"error": {"message": "boom", "type": "server_error"}})


@mode
def done_first(x: Exchange) -> None:
    x.head()
    x.event("[DONE]")
    good(x)


@mode
def html(x: Exchange) -> None:
    x.head("200 OK", "text/html")
    x.send(b"<!doctype html><html><body>Sign in to the Wi-Fi</body></html>")


@mode
def empty_body(x: Exchange) -> None:
    x.head()


@mode
def blank_body(x: Exchange) -> None:
    x.head()
    x.send(b"\n\n  \n")


@mode
def plain_text(x: Exchange) -> None:
    x.head("200 OK", "text/plain")
    x.send(b"upstream connect error")


@mode
def bad_json(x: Exchange) -> None:
    x.head("200 OK", "application/json")
    x.send(b'{"choices": [')


@mode
def bad_json_event(x: Exchange) -> None:
    x.head()
    x.event("{not json}")
    x.end()


@mode
def json_list(x: Exchange) -> None:
    x.json([1, 2])


@mode
def json_number_event(x: Exchange) -> None:
    x.head()
    x.event("17")
    x.end()


@mode
def choices_empty(x: Exchange) -> None:
    x.json({**completion(None), "choices": []})


@mode
def choices_null(x: Exchange) -> None:
    x.head()
    x.event({**chunk({}), "choices": None})
    x.event("[DONE]")


@mode
def choices_text(x: Exchange) -> None:
    x.head()
    x.event({**chunk({}), "choices": "none"})


@mode
def content_null(x: Exchange) -> None:
    x.json(completion({"role": "assistant", "content": None}))


@mode
def content_number(x: Exchange) -> None:
    x.head()
    x.event(chunk({"content": 7}))
    x.end()


@mode
def delta_text(x: Exchange) -> None:
    x.head()
    x.event(chunk("hello"))
    x.end()


@mode
def finish_number(x: Exchange) -> None:
    x.head()
    x.event({**chunk({}), "choices": [{"index": 0, "delta": {"content": "a"}, "finish_reason": 3}]})


@mode
def only_spaces(x: Exchange) -> None:
    x.head()
    x.delta("  \n ")
    x.end()


@mode
def deep_json(x: Exchange) -> None:
    x.head()
    x.event("[" * 200_000)


@mode
def long_number(x: Exchange) -> None:
    x.head()
    x.event('{"choices": ' + "9" * 200_000 + "}")


@mode
def invalid_utf8(x: Exchange) -> None:
    x.head()
    x.send(b'data: {"choices": [{"delta": {"content": "\xff\xfe"}}]}\n\n')


@mode
def long_line(x: Exchange) -> None:
    x.head()
    for _ in range(160):
        x.send(b"data: " + b"x" * 65536)


@mode
def endless_text(x: Exchange) -> None:
    x.head()
    data = f"data: {json.dumps(chunk({'content': 'so ' * 4000}))}\n\n".encode()
    x.forever(data, pause_s=0)


@mode
def gzip_bomb(x: Exchange) -> None:
    data = gzip.compress(b"data: " + b" " * (64 << 20))
    x.head("200 OK", "text/event-stream", "Content-Encoding: gzip")
    x.send(data)


@mode
def gzip_bomb_in_an_error(x: Exchange) -> None:
    x.head("500 Oops", "application/json", "Content-Encoding: gzip")
    x.send(gzip.compress(b" " * (64 << 20)))


@mode
def not_http(x: Exchange) -> None:
    x.send(b"SSH-2.0-OpenSSH_9.9\r\n")


@mode
def header_too_long(x: Exchange) -> None:
    x.head("200 OK", "text/event-stream", "X-Long: " + "x" * 300_000)


@mode
def closed_at_once(x: Exchange) -> None:
    """No answer at all."""


@mode
def reset_at_once(x: Exchange) -> None:
    x.reset()


# --------------------------------------------------------------------------------------------------- too slow


@mode
def silent(x: Exchange) -> None:
    x.wait_for_hang_up()


@mode
def silent_after_head(x: Exchange) -> None:
    x.head()
    x.wait_for_hang_up()


@mode
def head_in_drops(x: Exchange) -> None:
    x.send(b"HTTP/1.1 200 OK\r\nX-Drop: ")
    x.forever(b"x")


@mode
def comments_forever(x: Exchange) -> None:
    x.head()
    x.forever(b": still here\n\n")


@mode
def empty_deltas_forever(x: Exchange) -> None:
    x.head()
    x.forever(f"data: {json.dumps(chunk({}))}\n\n".encode())


@mode
def stall(x: Exchange) -> None:
    x.head()
    x.words()
    x.wait_for_hang_up()


@mode
def stall_with_comments(x: Exchange) -> None:
    x.head()
    x.words()
    x.forever(b": still here\n\n")


@mode
def slow_forever(x: Exchange) -> None:
    x.head()
    x.forever(f"data: {json.dumps(chunk({'content': 'so '}))}\n\n".encode(), pause_s=0.05)


# -------------------------------------------------------------------------------------------- error statuses


@mode
def status_400(x: Exchange) -> None:
    x.error("400 Bad Request", code="invalid_value")


@mode
def status_401(x: Exchange) -> None:
    x.error("401 Unauthorized", message=f"bad key {x.request.headers.get('authorization')}")


@mode
def status_403(x: Exchange) -> None:
    x.error("403 Forbidden")


@mode
def status_404(x: Exchange) -> None:
    x.error("404 Not Found", code="model_not_found")


@mode
def status_413(x: Exchange) -> None:
    x.error("413 Content Too Large")


@mode
def status_418(x: Exchange) -> None:
    x.error("418 I'm a teapot")


@mode
def status_429(x: Exchange) -> None:
    x.error("429 Too Many Requests")


@mode
def status_500(x: Exchange) -> None:
    x.error("500 Internal Server Error")


@mode
def status_503_html(x: Exchange) -> None:
    x.head("503 Service Unavailable", "text/html")
    x.send(b"<html>maintenance</html>")


@mode
def quota_spent(x: Exchange) -> None:
    x.error("429 Too Many Requests", code="insufficient_quota")


@mode
def context_openai(x: Exchange) -> None:
    x.error(
        "400 Bad Request",
        code="context_length_exceeded",
        message="maximum context length is 4096, see max_tokens",
    )


@mode
def context_llama(x: Exchange) -> None:
    error = {
        "code": 400,
        "type": "exceed_context_size_error",
        "message": "the request exceeds the available context size",
    }
    x.json({"error": error}, "400 Bad Request")


def retry_after(value: str, status: str = "429 Too Many Requests") -> Mode:
    """Too many requests, and when to come back."""
    return lambda x: x.error(status, f"Retry-After: {value}")


def redirect(target: str) -> Mode:
    """To another origin, with the body."""
    return lambda x: x.head("307 Temporary Redirect", "text/plain", f"Location: {target}")


def knows_no(*parameters: str) -> Mode:
    """An endpoint that turns down some parameters and answers well without them."""

    def answer(x: Exchange) -> None:
        found = next((name for name in parameters if name in x.request.body), None)
        if found is None:
            good(x)
        else:
            x.error("400 Bad Request", param=found, message=f"Unsupported parameter: '{found}'")

    return answer


@dataclass(slots=True)
class FakeLLM:
    """The server. Each request is answered by the next mode; the last one stays."""

    script: Sequence[str | Mode] = ("good",)
    text: str = TEXT
    requests: list[Request] = field(default_factory=list)
    hung_up: threading.Event = field(default_factory=threading.Event)
    stopped: threading.Event = field(default_factory=threading.Event)
    _listener: socket.socket = field(default_factory=socket.socket)

    def __enter__(self) -> Self:
        self._listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._listener.bind(("127.0.0.1", 0))
        self._listener.listen(64)
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stopped.set()
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    @property
    def port(self) -> int:
        """Where it listens on loopback."""
        return self._listener.getsockname()[1]

    @property
    def base_url(self) -> str:
        """What goes into NUTGRAF_LLM_BASE_URL."""
        return f"http://127.0.0.1:{self.port}/v1"

    def _accept(self) -> None:
        while True:
            try:
                conn, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(conn,), daemon=True).start()

    def _serve(self, conn: socket.socket) -> None:
        with conn:
            try:
                request = _read(conn)
                if request is None:
                    return
                number = len(self.requests)
                self.requests.append(request)
                chosen = self.script[min(number, len(self.script) - 1)]
                (MODES[chosen] if isinstance(chosen, str) else chosen)(Exchange(conn, request, self))
            except OSError:
                self.hung_up.set()


def _read(conn: socket.socket) -> Request | None:
    data = b""
    while b"\r\n\r\n" not in data:
        if not (more := conn.recv(65536)):
            return None
        data += more
        if data.startswith(b"\x16"):  # a TLS handshake, which is not spoken here
            return None
    head, _, body = data.partition(b"\r\n\r\n")
    first, *lines = head.decode("latin-1").split("\r\n")
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    while len(body) < int(headers.get("content-length", "0")):
        if not (more := conn.recv(65536)):
            return None
        body += more
    return Request(first.split(" ")[1], headers, json.loads(body or b"{}"))


@contextlib.contextmanager
def fake_llm(*script: str | Mode, text: str = TEXT) -> Iterator[FakeLLM]:
    """A server that follows a script."""
    with FakeLLM(script or ("good",), text) as server:
        yield server


if __name__ == "__main__":
    with FakeLLM(sys.argv[1:] or ("good",)) as running:
        print(running.base_url, flush=True)
        threading.Event().wait()
