"""The server: bind first, answer `/livez` at once, open the index beside it, say so when it is ready, stop in time."""

import errno
import ipaddress
import logging
import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from types import FrameType
from typing import Protocol, TextIO

import uvicorn

from index.errors import LockedError, StorageError
from qa.api.app import app_of
from qa.api.protocol import MAX_HEAD_BYTES, DeadlineProtocol
from qa.api.state import Backend, State
from qa.api.work import ASK_THREAD
from qa.errors import SettingsError
from qa.jobs import JOB_THREAD
from qa.logs import LibraryHandler, Log, describe
from qa.service import Service
from qa.settings import Settings

GRACE_S = 6
"""How long open requests may take to end; with what follows, the process is gone within 10 s."""

LAST_WAIT_S = 2.0
"""How long threads may take to end after that."""


class Served(Backend, Protocol):
    """A service that can also be closed."""

    def close(self) -> None:
        """Let go of the data folder."""
        ...


OWN_THREADS = frozenset({ASK_THREAD, JOB_THREAD})

Opener = Callable[[Settings], Served]


def open_service(settings: Settings) -> Served:
    """The service as the server needs it: a writer, so that documents can be sent to it.

    Where another process writes to the data folder, or nobody may, it only reads; unless it has a folder to sync.
    """
    try:
        return Service.open(settings, writable=True)
    except (LockedError, StorageError):
        if settings.corpus is not None:
            raise
        return Service.open(settings)


def serve(settings: Settings, *, opener: Opener = open_service, out: TextIO | None = None) -> None:
    """Serve until SIGTERM or SIGINT. The first line on `out` says what to open, once it really answers.

    Raises:
        SettingsError: the address cannot be bound, or may not be without a key; the folder to sync is missing.
        NutgrafError: whatever kept the index from being opened or synced.
    """
    if settings.corpus is not None and not settings.corpus.is_dir():
        raise SettingsError(f"NUTGRAF_CORPUS takes a folder; given: {str(settings.corpus)!r}")
    with closing(bind(settings)) as sock:
        settings = settings.bound_to(sock.getsockname()[1])
        log = Log(sys.stderr, settings.log_level)
        state = State(settings, log)
        server = _Server(_config(state), state)
        opening = _Opening(state, opener, server, out or sys.stdout)
        server.on_started = opening.start
        with _library_logs(log):
            server.run(sockets=[sock])
            state.traces.close()
            opening.finish()
    if opening.error is not None:
        raise opening.error


def bind(settings: Settings) -> socket.socket:
    """A listening socket.

    Raises:
        SettingsError: the address is not loopback and there is no API key, or it cannot be bound.
    """
    where = f"{settings.host}:{settings.port}"
    try:
        found = socket.getaddrinfo(settings.host, settings.port, type=socket.SOCK_STREAM)
    except socket.gaierror:
        raise SettingsError(
            f"NUTGRAF_HOST takes an address of this machine; given: {settings.host!r}"
        ) from None
    if settings.api_key is None and not all(_is_loopback(str(info[4][0])) for info in found):
        raise SettingsError(
            f"NUTGRAF_HOST {settings.host!r} is not loopback: set NUTGRAF_API_KEY, or 127.0.0.1"
        )
    family, _, _, _, address = found[0]
    try:
        return socket.create_server(address[:2], family=family, backlog=512)
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise SettingsError(f"NUTGRAF_PORT: {where} is taken by another program") from None
        raise SettingsError(
            f"NUTGRAF_HOST, NUTGRAF_PORT: {where} cannot be bound: {error.strerror}"
        ) from None


def _is_loopback(address: str) -> bool:
    return ipaddress.ip_address(address.partition("%")[0]).is_loopback


def _config(state: State) -> uvicorn.Config:
    return uvicorn.Config(
        app_of(state),
        http=DeadlineProtocol,
        ws="none",
        loop="asyncio",
        lifespan="off",
        log_config=None,
        log_level="warning",
        access_log=False,
        proxy_headers=False,
        server_header=False,
        h11_max_incomplete_event_size=MAX_HEAD_BYTES,
        timeout_keep_alive=5,
        timeout_graceful_shutdown=GRACE_S,
    )


class _Server(uvicorn.Server):
    """Uvicorn's server, which tells open streams that it stops, and ends with our exit code, not by the signal."""

    def __init__(self, config: uvicorn.Config, state: State) -> None:
        super().__init__(config)
        self.on_started: Callable[[], None] = lambda: None
        self._state = state

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.on_started()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self._state.stopping.set()
        self._state.jobs.stop()
        await super().shutdown(sockets)

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        if not _in_main_thread():
            yield
            return
        before = {sig: signal.signal(sig, self._stop) for sig in (signal.SIGINT, signal.SIGTERM)}
        try:
            yield
        finally:
            for sig, handler in before.items():
                signal.signal(sig, handler)

    def _stop(self, sig: int, frame: FrameType | None) -> None:
        self.handle_exit(sig, frame)


class _StoppedError(Exception):
    """The server was told to stop while the folder was being synced."""


class _Opening:
    """Opens the service in a thread, so that the server answers meanwhile, and ends with it."""

    def __init__(self, state: State, opener: Opener, server: uvicorn.Server, out: TextIO) -> None:
        self.error: Exception | None = None
        self._state = state
        self._opener = opener
        self._server = server
        self._out = out
        self._service: Served | None = None
        self._told = 0.0
        self._thread = threading.Thread(target=self._run, name="nutgraf-open", daemon=True)

    def start(self) -> None:
        """Begin to open."""
        self._thread.start()

    def finish(self) -> None:
        """Wait for what still runs, then close the service. What cannot end is left behind with the process."""
        last = time.monotonic() + LAST_WAIT_S
        running = [self._thread, *(thread for thread in threading.enumerate() if thread.name in OWN_THREADS)]
        for thread in running:
            if thread.ident is not None:
                thread.join(max(0.0, last - time.monotonic()))
        if not any(thread.is_alive() for thread in running):
            if self._service is not None:
                self._service.close()
        elif _in_main_thread():
            # A thread inside a model cannot be asked to end, and Python would wait for it, or crash in it.
            # Everything that was acknowledged is already durable.
            self._state.log.warning("left_behind", total=sum(thread.is_alive() for thread in running))
            sys.stdout.flush()
            os._exit(0)

    def _run(self) -> None:
        try:
            self._open()
        except _StoppedError:
            pass
        except Exception as error:  # noqa: BLE001 - handed to the thread that serves
            self.error = error
            self._state.log.warning("not_opened", **describe(error))
            self._server.should_exit = True

    def _open(self) -> None:
        self._state.starting = "opening the index"
        self._service = self._opener(self._state.settings)
        self._state.opened(self._service)
        if self._state.settings.corpus is not None:
            self._sync(self._service, self._state.settings.corpus)
        self._state.starting = "loading the models"
        ready, reasons = self._service.ready()
        self._state.starting = None
        if not self._service.writable:
            self._state.log.warning("read_only", code="read_only")
        url = f"{self._state.settings.public_base_url}/"
        line = (
            f"Nutgraf is ready: open {url}"
            if ready
            else f"Nutgraf answers at {url}, but {'; '.join(reasons)}"
        )
        print(line, file=self._out, flush=True)
        self._state.log.info("ready", port=self._state.settings.port, pid=os.getpid())

    def _sync(self, service: Served, corpus: Path) -> None:
        self._state.starting = "indexing"
        report = service.sync(corpus, progress=self._progress)
        self._state.log.info(
            "synced",
            documents=report.added + report.changed + report.moved + report.unchanged,
            passages=report.passages,
            skipped=len(report.skipped),
            ms=report.seconds * 1000,
        )

    def _progress(self, done: int, total: int, path: str) -> None:  # noqa: ARG002 - a path is text of the user's
        if self._server.should_exit:
            raise _StoppedError
        self._state.starting = f"indexing, {done} of {total} files"
        if time.monotonic() - self._told > 5:
            self._told = time.monotonic()
            self._state.log.info("indexing", done=done, total=total)


def _in_main_thread() -> bool:
    return threading.current_thread() is threading.main_thread()


@contextmanager
def _library_logs(log: Log) -> Iterator[None]:
    """Have what libraries log, warn and lose in threads come out as our lines, while the server runs."""
    handler = LibraryHandler(log)
    hook = threading.excepthook
    root = logging.getLogger()
    root.addHandler(handler)
    threading.excepthook = lambda args: log.error("failed", **describe(args.exc_value or SystemExit()))
    logging.captureWarnings(_in_main_thread())
    try:
        yield
    finally:
        logging.captureWarnings(False)
        threading.excepthook = hook
        root.removeHandler(handler)
