"""The process that llama.cpp runs in: one model on loopback, for the program that started it and as long as that lives.

It reads one line of JSON from its standard input and answers with one line, `SERVING url` or `FAILED reason`. The
input is never written to again: when it ends, whoever started us is gone, however it went.
"""

import contextlib
import ctypes
import fcntl
import json
import os
import sys
from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, files
from pathlib import Path
from typing import Any

SLOTS = 2
"""Questions answered side by side; more wait."""


def main() -> None:
    """Serve until the standard input ends."""
    wanted = json.loads(sys.stdin.readline())
    end_with_parent()
    answer = os.fdopen(os.dup(1), "w")
    quiet = os.open(os.devnull, os.O_WRONLY)
    for stream in (1, 2):  # llama.cpp logs prompts and answers
        os.dup2(quiet, stream)
    try:
        load_openmp()
        server = _serving(wanted)
    except Exception as error:  # noqa: BLE001 - the edge of the process: the reason goes to who started us
        answer.write(f"FAILED {type(error).__name__}: {' '.join(str(error).split())[:300]}\n")
        answer.flush()
        os._exit(1)
    answer.write(f"SERVING {server.listening_address}/v1\n")
    answer.flush()
    sys.stdin.read()
    os._exit(0)  # an open stream would hold the server's destructor


def end_with_parent() -> None:
    """Have the kernel end this process when the other side of the standard input closes.

    A thread that waits for it comes too late while a model loads, since llama.cpp holds the interpreter then; and
    PR_SET_PDEATHSIG would end us with the thread that started us, which a question has of its own.
    """
    with contextlib.suppress(OSError, AttributeError):  # not every system can; what serves still sees the end
        fcntl.fcntl(0, fcntl.F_SETOWN, os.getpid())
        fcntl.fcntl(
            0, fcntl.F_SETFL, fcntl.fcntl(0, fcntl.F_GETFL) | os.O_ASYNC
        )  # SIGIO, which ends a process


def load_openmp() -> None:
    """llama.cpp needs libgomp, which a bare Debian lacks; torch brings one, and what is loaded is found by name."""
    try:
        ctypes.CDLL("libgomp.so.1")
    except OSError:
        with contextlib.suppress(PackageNotFoundError):
            for file in files("torch") or ():
                if file.name == "libgomp.so.1":
                    ctypes.CDLL(str(file.locate()), mode=ctypes.RTLD_GLOBAL)
                    return


def _serving(wanted: Mapping[str, Any]) -> Any:
    import xllamacpp  # noqa: PLC0415 - only once OpenMP can be found

    params = xllamacpp.CommonParams()
    params.model.path, params.model_alias = str(Path(wanted["gguf"])), {wanted["alias"]}
    params.hostnames, params.port = ["127.0.0.1"], 0
    params.api_keys = [wanted["key"]]
    params.n_ctx, params.n_parallel, params.kv_unified = SLOTS * wanted["context"], SLOTS, True
    params.cpuparams.n_threads = params.cpuparams_batch.n_threads = wanted["threads"]
    params.cache_ram_mib, params.ui, params.endpoint_slots = 256, False, False
    params.sampling.seed = 1
    return xllamacpp.Server(params)  # returns once the model is loaded and listens
