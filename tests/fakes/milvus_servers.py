"""Milvus for the tests: Milvus Lite in this process, a real server of one's own, and a way to cut either off."""

import os
import shlex
import socket
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import urlsplit

SHM = Path("/dev/shm")
COMMAND = "MILVUS_SERVER"
"""Names a command that takes a folder, starts a Milvus server on it and prints `READY http://HOST:PORT`."""


@contextmanager
def folder_in_memory() -> Iterator[Path]:
    """A folder that is gone afterwards, in memory where there is such a place: etcd gives up where a disk is slow."""
    with TemporaryDirectory(dir=SHM if SHM.is_dir() else None, prefix="milvus-") as folder:
        yield Path(folder)


@contextmanager
def lite() -> Iterator[str]:
    """A Milvus Lite in this process, over gRPC on loopback, for as long as the block lasts."""
    from milvus_lite.server_manager import server_manager_instance

    with folder_in_memory() as folder:
        path = str(folder / "lite.db")
        uri = server_manager_instance.start_and_get_uri(path)
        assert uri is not None
        try:
            yield uri
        finally:
            server_manager_instance.release_server(path)


@contextmanager
def server() -> Iterator[str]:
    """A server of the command that the environment names, for as long as the block lasts."""
    with folder_in_memory() as folder:
        command = [*shlex.split(os.environ[COMMAND]), str(folder)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
            try:
                assert process.stdout is not None
                yield next(line.split()[1] for line in process.stdout if line.startswith("READY"))
            finally:
                process.terminate()


class Cable:
    """What lies between a client and a server, on loopback: it can be pulled out and put back."""

    def __init__(self, uri: str) -> None:
        parts = urlsplit(uri)
        self._behind = (parts.hostname or "127.0.0.1", parts.port or 19530)
        self._listener: socket.socket | None = None
        self._ends: list[socket.socket] = []
        with socket.create_server(("127.0.0.1", 0)) as free:
            self._port = free.getsockname()[1]
        self.uri = f"http://127.0.0.1:{self._port}"
        self.put_back()

    def put_back(self) -> None:
        """Let clients through again."""
        self._listener = socket.create_server(("127.0.0.1", self._port))
        threading.Thread(target=self._accept, args=(self._listener,), daemon=True).start()

    def pull(self) -> None:
        """Refuse new connections, and end those there are."""
        listener, self._listener = self._listener, None
        if listener is not None:
            with suppress(OSError):
                listener.shutdown(socket.SHUT_RDWR)
            listener.close()
        ends, self._ends = self._ends, []
        for end in ends:
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()

    def _accept(self, listener: socket.socket) -> None:
        with suppress(OSError):
            while True:
                near, _ = listener.accept()
                far = socket.create_connection(self._behind)
                self._ends += [near, far]
                for source, target in ((near, far), (far, near)):
                    threading.Thread(target=_pass_on, args=(source, target), daemon=True).start()


def _pass_on(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError):
        while data := source.recv(65_536):
            target.sendall(data)
        target.shutdown(socket.SHUT_WR)
