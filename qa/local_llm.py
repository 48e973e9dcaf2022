"""An LLM from a file: llama.cpp in a process of our own on loopback, asked like any other endpoint."""

import contextlib
import importlib.util
import json
import os
import secrets
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

from qa.errors import LLMUnavailableError, SettingsError
from qa.llm import LLM, LLMConfig, OnText, Outcome, Unavailable
from qa.settings import Secret, Settings

START_S = 300.0
"""Longest time to load a model; from a slow disk that takes minutes."""
COUNT_S = 5.0
"""Longest wait for the number of tokens of a text."""
REST_S = 30.0
"""Until a start that failed is tried again."""
_WORKER = "import sys; sys.path.insert(0, sys.argv[1]); from qa.llama_worker import main; main()"
_NOT_PASSED_ON = ("NUTGRAF_", "OPENAI_", "LLAMA_", "HF_")


class Endpoint(NamedTuple):
    """Where the model is served, and the key that keeps other users of this machine out."""

    base_url: str
    key: Secret


class LlamaServer:
    """llama.cpp with one model, in a process that ends with this one. Safe to use from several threads."""

    def __init__(self, gguf: Path, alias: str, *, context: int, threads: int) -> None:
        self._gguf = gguf
        self._wanted = {"gguf": str(gguf), "alias": alias, "context": context, "threads": threads}
        self._starting = threading.Lock()
        self._child: subprocess.Popen[str] | None = None
        self._endpoint: Endpoint | None = None
        self._closed = False

    @property
    def pid(self) -> int | None:
        """The process it runs in."""
        return self._child.pid if self._child is not None else None

    def endpoint(self) -> Endpoint:
        """Where it is; started when it does not run. Raises LLMUnavailableError."""
        with self._starting:
            if self._endpoint is None or self._child is None or self._child.poll() is not None:
                self._endpoint = self._started()
            return self._endpoint

    def count_tokens(self, text: str) -> int:
        """Tokens of a text by the model's own tokenizer. Raises LLMUnavailableError."""
        import httpx  # noqa: PLC0415 - only with a model, and loaded by then

        base_url, key = self.endpoint()
        url = base_url.removesuffix("/v1") + "/tokenize"
        headers = {"Authorization": f"Bearer {key.reveal()}"}
        try:
            answer = httpx.post(
                url, json={"content": text}, headers=headers, timeout=COUNT_S, trust_env=False
            )
            return len(answer.raise_for_status().json()["tokens"])
        except (httpx.HTTPError, ValueError, KeyError, TypeError) as error:
            raise LLMUnavailableError("llama.cpp does not count tokens") from error

    def close(self) -> None:
        """End the process, also one that still loads."""
        self._closed = True
        if self._child is not None:
            _end(self._child)

    def _started(self) -> Endpoint:
        if missing := _missing(self._gguf):
            raise LLMUnavailableError(missing)
        key = secrets.token_urlsafe(24)
        if self._child is not None:
            _end(self._child)
        root = str(Path(__file__).resolve().parent.parent)
        child = self._child = subprocess.Popen(  # noqa: S603 - the command is ours
            [sys.executable, "-P", "-c", _WORKER, root],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=_environment(),
            start_new_session=True,  # Ctrl-C in a chat stops an answer, not the model
            text=True,
        )
        if self._closed:
            _end(child)
        url = _url_of(child, {**self._wanted, "key": key})
        return Endpoint(url, Secret(key))


def _missing(gguf: Path) -> str | None:
    """What is missing, in words that help; llama.cpp's own go to a log."""
    if importlib.util.find_spec("xllamacpp") is None:
        return "NUTGRAF_LLM_GGUF needs llama.cpp: pip install 'nutgraf[local]'"
    try:
        with gguf.open("rb") as file:
            known = file.read(4) == b"GGUF"
    except OSError as error:
        return f"NUTGRAF_LLM_GGUF: {gguf}: {os.strerror(error.errno or 0)}"
    return None if known else f"NUTGRAF_LLM_GGUF: {gguf} is not a GGUF file"


def _environment() -> dict[str, str]:
    """No key of ours, nothing that sets llama.cpp; threads that wait without spinning, or all beside them stand."""
    passed = {name: value for name, value in os.environ.items() if not name.startswith(_NOT_PASSED_ON)}
    return {"OMP_WAIT_POLICY": "passive", **passed}


def _url_of(child: "subprocess.Popen[str]", wanted: Mapping[str, object]) -> str:
    """What the process answers once it serves. Raises LLMUnavailableError."""
    assert child.stdin is not None
    assert child.stdout is not None
    too_long = threading.Timer(START_S, child.kill)
    too_long.daemon = True
    too_long.start()
    said = rest = ""
    try:
        with contextlib.suppress(OSError, ValueError):  # it died already, or was closed while it loaded
            child.stdin.write(json.dumps(wanted) + "\n")
            child.stdin.flush()
            said, _, rest = child.stdout.readline().strip().partition(" ")
    finally:
        too_long.cancel()
    if said == "SERVING":
        return rest
    _end(child)
    reason = rest or f"its process ended with status {child.returncode}"
    raise LLMUnavailableError(f"llama.cpp cannot serve {wanted['gguf']}: {reason}")


def _end(child: "subprocess.Popen[str]") -> None:
    child.kill()
    child.wait()
    for stream in (child.stdin, child.stdout):
        if stream is not None:
            with contextlib.suppress(OSError, ValueError):
                stream.close()


class LocalLLM(LLM):
    """The model of a file. Its process starts with the first question, and again should it die."""

    def __init__(self, config: LLMConfig, server: LlamaServer) -> None:
        super().__init__(config)
        self.server = server
        self._trouble: str | None = None
        self._tried = 0.0

    def warm(self) -> None:
        """Load the model; what goes wrong is told by `complete`."""
        if self._trouble is None or time.monotonic() - self._tried > REST_S:
            try:
                base_url, key = self.server.endpoint()
                self.config = replace(self.config, base_url=base_url, api_key=key)
                self._trouble = None
            except LLMUnavailableError as error:
                self._trouble, self._tried = str(error), time.monotonic()
        super().warm()

    def complete(
        self,
        messages: Sequence[Mapping[str, str]],
        *,
        on_text: OnText | None = None,
        cancelled: threading.Event | None = None,
        json_schema: Mapping[str, object] | None = None,
    ) -> Outcome:
        """As `LLM.complete`; a model that cannot be loaded is Unavailable."""
        self.warm()
        if self._trouble is not None:
            return Unavailable("llm_unavailable", self._trouble)
        return super().complete(messages, on_text=on_text, cancelled=cancelled, json_schema=json_schema)

    def count_tokens(self, text: str) -> int | None:
        """How many tokens of the model a text has, by its own tokenizer."""
        self.warm()
        try:
            return self.server.count_tokens(text)
        except LLMUnavailableError:  # the question that follows tells what is wrong
            return None

    def close(self) -> None:
        """End the process."""
        self.server.close()


def llm_of(settings: Settings) -> LLM | None:
    """The LLM that the settings name: an endpoint, a file, or none.

    Raises:
        SettingsError: the file is not there or is none of these, or llama.cpp is not installed.
    """
    if not settings.uses_llm:
        return None
    config = LLMConfig.from_settings(settings)
    if settings.llm_gguf is None:
        return LLM(config)
    if missing := _missing(settings.llm_gguf):
        raise SettingsError(missing)
    context, threads = settings.llm_context_tokens, settings.threads
    return LocalLLM(config, LlamaServer(settings.llm_gguf, config.model, context=context, threads=threads))
