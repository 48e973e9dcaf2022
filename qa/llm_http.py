"""One guarded HTTP exchange: bounded, uncompressed and without redirects.

Loaded only when an LLM is asked: `httpx2` comes with the `openai` client and takes time to import.
"""

import ssl
from collections.abc import Iterator

import httpx2

from qa.hangup import CallAbortedError, Guard
from qa.llm_failure import NOT_HTTP, TIMED_OUT, UNREACHABLE, Failure


class ResponseRefusedError(Exception):
    """A response that is not read on: too large, or compressed although that was declined."""


class _Capped(httpx2.SyncByteStream):
    def __init__(self, stream: httpx2.SyncByteStream, max_bytes: int) -> None:
        self._stream = stream
        self._left = max_bytes

    def __iter__(self) -> Iterator[bytes]:
        for block in self._stream:
            self._left -= len(block)
            if self._left < 0:
                raise ResponseRefusedError("a response larger than is read")
            yield block

    def close(self) -> None:
        self._stream.close()


class _Transport(httpx2.BaseTransport):
    def __init__(self, inner: httpx2.HTTPTransport, guard: Guard, max_bytes: int) -> None:
        self._inner = inner
        self._guard = guard
        self._max_bytes = max_bytes

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        request.extensions = {**request.extensions, "trace": self._guard.trace}
        # a compressed body can grow a thousandfold while it is read (measured: 300 KB became 574 MB)
        request.headers["Accept-Encoding"] = "identity"
        response = self._inner.handle_request(request)
        if response.headers.get("Content-Encoding", "identity").strip().lower() != "identity":
            response.close()
            raise ResponseRefusedError("a compressed response although none was accepted")
        stream = response.stream
        if not isinstance(stream, httpx2.SyncByteStream):  # what the synchronous transport always gives
            raise TypeError(type(stream).__name__)
        response.stream = _Capped(stream, self._max_bytes)
        return response

    def close(self) -> None:
        self._inner.close()


def tls_context(base_url: str) -> ssl.SSLContext:
    """The trust store for an endpoint; loading the system's takes 0.3 s, so only where TLS is spoken."""
    if base_url.lower().startswith("https:"):
        return httpx2.create_ssl_context()
    return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)


def http_client(
    guard: Guard, *, tls: ssl.SSLContext, max_bytes: int, connect_s: float, read_s: float
) -> httpx2.Client:
    """A client for one exchange on a connection of its own; follows no redirect, reads no proxy variable."""
    transport = httpx2.HTTPTransport(verify=tls, trust_env=False)
    return httpx2.Client(
        transport=_Transport(transport, guard, max_bytes),
        follow_redirects=False,
        trust_env=False,
        timeout=httpx2.Timeout(read_s, connect=connect_s),
    )


def transport_failure(cause: BaseException) -> Failure | None:
    """What an exception of the exchange means; None for one that is not the connection's."""
    if isinstance(cause, ResponseRefusedError):
        return Failure("llm_bad_response", f"the endpoint sent {cause}")
    kinds: tuple[tuple[tuple[type[BaseException], ...], Failure], ...] = (
        ((httpx2.TimeoutException,), TIMED_OUT),
        ((httpx2.ProtocolError,), NOT_HTTP),
        ((httpx2.RequestError, CallAbortedError, OSError), UNREACHABLE),
    )
    return next((failure for types, failure in kinds if isinstance(cause, types)), None)
