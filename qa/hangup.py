"""Hanging up a blocking HTTP exchange from another thread, whatever it waits for."""

import contextlib
import socket
import threading
from collections.abc import Iterator, Mapping
from typing import Any

POLL_S = 0.05


class CallAbortedError(Exception):
    """The caller gave up while the connection was being made."""


class Guard:
    """The sockets of one exchange. `abort` closes them from any thread.

    Its `trace` is handed to the HTTP library, which calls it as connections are made (the `trace` extension of
    httpcore and httpcore2), so it works before the first byte of a response too.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._sockets: list[socket.socket] = []
        self._aborted = False

    def abort(self) -> None:
        """Shut the connection down; what reads from it wakes up at once."""
        with self._lock:
            self._aborted = True
            for each in self._sockets:
                _shut(each)

    def trace(self, event: str, info: Mapping[str, Any]) -> None:
        """Keep the socket of a connection that was just made."""
        if not event.endswith((".connect_tcp.complete", ".start_tls.complete")):
            return
        made = info["return_value"].get_extra_info("socket")
        with self._lock:
            self._sockets.append(made)
            if self._aborted:
                made.close()
                raise CallAbortedError


def _shut(sock: socket.socket) -> None:
    # gone already, or wrapped into TLS since: nothing left to shut
    with contextlib.suppress(OSError):
        sock.shutdown(socket.SHUT_RDWR)


@contextlib.contextmanager
def hanging_up(guard: Guard, cancelled: threading.Event | None) -> Iterator[None]:
    """While the body runs, setting `cancelled` aborts the exchange."""
    if cancelled is None:
        yield
        return
    over = threading.Event()

    def watch() -> None:
        while not over.is_set():
            if cancelled.wait(POLL_S):
                guard.abort()
                return

    watcher = threading.Thread(target=watch, name="hang-up", daemon=True)
    watcher.start()
    try:
        yield
    finally:
        over.set()
