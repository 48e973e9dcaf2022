"""HTTP/1.1 with a deadline for receiving a request: uvicorn by itself waits for ever for a head or a body."""

import asyncio
import json
import socket
from typing import Any

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

from qa.api.errors import MEDIA_TYPE, TABLE, Problem
from qa.api.gate import MAX_UPLOAD, SECURITY_HEADERS

MAX_HEAD_BYTES = 64 * 1024


class DeadlineProtocol(H11Protocol):
    """Closes a connection whose request does not arrive in time; responses may take as long as they take."""

    head_s = 10.0
    body_s = 60.0
    bytes_per_s = 128 * 1024
    """What the sender of a large upload has to reach; `body_s` comes on top."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._awaited: object = None
        self._deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override] # as uvicorn's
        """Start to wait for the first request."""
        super().connection_made(transport)
        _send_at_once(transport)
        self._watch()

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop waiting."""
        self._await(None)
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Take bytes, and set the deadline for what is missing."""
        super().data_received(data)
        self._watch()

    def on_response_complete(self) -> None:
        """Go on with the next request of the connection."""
        super().on_response_complete()
        self._watch()

    def send_400_response(self, msg: str) -> None:  # noqa: ARG002 - uvicorn's text is not ours
        """Answer what is not HTTP like any other error."""
        problem = Problem("bad_request", TABLE["bad_request"].detail)
        body = json.dumps(problem.body("")).encode()
        headers = [
            (b"content-type", MEDIA_TYPE.encode()),
            (b"content-length", str(len(body)).encode()),
            (b"connection", b"close"),
            *SECURITY_HEADERS.items(),
        ]
        if self.conn.our_state in {h11.IDLE, h11.SEND_RESPONSE}:
            for event in (
                h11.Response(status_code=400, headers=headers, reason=b"Bad Request"),
                h11.Data(data=body),
                h11.EndOfMessage(),
            ):
                self.transport.write(self.conn.send(event) or b"")
        self.transport.close()

    def _watch(self) -> None:
        state = self.conn.their_state
        self._await(state if state in {h11.IDLE, h11.SEND_BODY} else None)

    def _await(self, part: object) -> None:
        if part is self._awaited:
            return
        if self._deadline is not None:
            self._deadline.cancel()
        self._awaited, self._deadline = part, None
        if part is not None:
            seconds = self.head_s if part is h11.IDLE else self.body_s + self._declared() / self.bytes_per_s
            self._deadline = self.loop.call_later(seconds, self.transport.abort)

    def _declared(self) -> int:
        """The length of the body, as far as its sender says and this server takes."""
        given = next((value for name, value in self.headers if name == b"content-length"), b"")
        return min(int(given), MAX_UPLOAD) if given.isdigit() and len(given) < 20 else 0


def _send_at_once(transport: asyncio.Transport) -> None:
    """Let a response leave without waiting for the client to acknowledge the part before it.

    asyncio does so only for sockets made with the protocol's number, which `socket.create_server` leaves out; head and
    body of a response then lie some 40 ms apart, on every request of a connection but the first few.
    """
    sock = transport.get_extra_info("socket")
    if sock is not None and sock.family in {socket.AF_INET, socket.AF_INET6}:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
