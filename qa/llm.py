"""The LLM behind any OpenAI-compatible endpoint, as a total function: messages in, one of four outcomes out.

The `openai` client builds the request and reads errors; deadlines, size, retries, redirects and the reading of
bodies are ours, because it leaves them open (measured: keep-alive comments defeat its read timeout, a stream cut
in mid-sentence raises nothing, its default waits three times 600 s).
"""

import queue
import random
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

from qa.breaker import Breaker
from qa.hangup import Guard
from qa.llm_failure import Failure, Rejection, misread, rejected
from qa.llm_outcome import CANCELLED, Complete, Outcome, Refused, Truncated, Unavailable
from qa.llm_stream import BadResponseError, CutShortError, ErrorEventError, Piece, Reading, pieces
from qa.settings import Secret, Settings

if TYPE_CHECKING:
    import ssl

    import openai

__all__ = ["LLM", "Complete", "LLMConfig", "Outcome", "Refused", "Truncated", "Unavailable"]

DEFAULT_URL = "https://api.openai.com/v1"
TRIES = 2
LONGEST_WAIT_S = 5.0
"""Longest pause before the second try; a longer Retry-After is passed on instead of waited for."""
TAIL_S = 2.0
"""Longest wait for the usage that follows the finish reason."""
POLL_S = 0.05
CONNECT_S = 10.0

OnText = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class LLMConfig:
    """Where the model is and what a call may take, in seconds, bytes and tokens."""

    model: str
    base_url: str = DEFAULT_URL
    api_key: Secret | None = None
    ttft_s: float = 15.0
    gap_s: float = 15.0
    total_s: float = 90.0
    max_bytes: int = 4 * 1024 * 1024
    max_tokens: int = 512
    structured: bool = True
    """Ask for drafts in a JSON schema, where the endpoint offers that."""

    @classmethod
    def from_settings(cls, settings: Settings) -> Self:
        """The settings' part for the LLM. `settings.uses_llm` must hold."""
        gguf = settings.llm_gguf
        return cls(
            model=settings.llm_model or (gguf.stem if gguf else ""),
            base_url=settings.llm_base_url or DEFAULT_URL,
            # one meant for elsewhere stays out of the process that runs the file
            api_key=None if gguf else settings.llm_api_key,
            ttft_s=settings.llm_ttft_s,
            gap_s=settings.llm_gap_s,
            total_s=settings.llm_total_s,
            max_bytes=settings.llm_max_bytes,
            max_tokens=settings.llm_max_tokens,
            structured=settings.llm_structured,
        )


class _UnsupportedError(Exception):
    def __init__(self, parameter: str) -> None:
        super().__init__(parameter)
        self.parameter = parameter


@dataclass(frozen=True, slots=True)
class _Call:
    """One call of `complete`: what is asked, who listens, and when it must be over."""

    messages: Sequence[Mapping[str, str]]
    json_schema: Mapping[str, object] | None
    on_text: OnText | None
    cancelled: threading.Event
    first_token_by: float
    end_by: float


class LLM:
    """One endpoint and model. Safe to use from several threads; each call has a connection of its own."""

    def __init__(self, config: LLMConfig, *, breaker: Breaker | None = None) -> None:
        self.config = config
        self._breaker = breaker or Breaker()
        self._tls: ssl.SSLContext | None = None
        self._unsupported: frozenset[str] = frozenset()

    @property
    def resting(self) -> bool:
        """Whether calls are turned away because the endpoint kept failing."""
        return self._breaker.open

    def complete(
        self,
        messages: Sequence[Mapping[str, str]],
        *,
        on_text: OnText | None = None,
        cancelled: threading.Event | None = None,
        json_schema: Mapping[str, object] | None = None,
    ) -> Outcome:
        """Ask the model. `on_text` gets the text as it comes, in the caller's thread; setting `cancelled` hangs up.

        Raises nothing of its own: whatever the endpoint does is one of the outcomes.
        """
        if not self._breaker.admit():
            return Unavailable("llm_unavailable", "the endpoint failed repeatedly and rests for a moment")
        success = None
        try:
            self.warm()
            now = time.monotonic()
            call = _Call(
                messages=messages,
                json_schema=json_schema,
                on_text=on_text,
                cancelled=cancelled or threading.Event(),
                first_token_by=now + min(self.config.ttft_s, self.config.total_s),
                end_by=now + self.config.total_s,
            )
            outcome = self._with_retry(call)
            success = _speaks_well(outcome)
        finally:
            self._breaker.record(success=success)
        return outcome

    def warm(self) -> None:
        """Load what the first call needs, so that its deadlines are the endpoint's alone. A server calls it early."""
        # at the top these imports would cost every command up to 2 s, also where no LLM is configured
        import openai  # noqa: F401, PLC0415

        from qa.llm_http import tls_context  # noqa: PLC0415

        self._tls = self._tls or tls_context(self.config.base_url)

    def count_tokens(self, text: str) -> int | None:  # noqa: ARG002
        """How many tokens of the model a text has; None, as an endpoint does not tell which tokenizer it uses."""
        return None

    def close(self) -> None:
        """Let go of what is held; an endpoint elsewhere holds nothing."""

    def _with_retry(self, call: _Call) -> Outcome:
        tries = 0
        while True:
            if call.cancelled.is_set():  # left while passages were looked for: nothing need be spent
                return Unavailable(CANCELLED, "the caller left", retryable=False)
            try:
                outcome = self._try(call)
            except _UnsupportedError as error:
                # a parameter this endpoint does not know: never sent to it again
                self._unsupported |= {error.parameter}
                continue
            tries += 1
            if (
                not isinstance(outcome, Unavailable)
                or tries == TRIES
                or outcome.text
                or not outcome.retryable
            ):
                return outcome
            wait = (outcome.retry_after or 0.0) + random.uniform(0.2, 0.6)  # noqa: S311 - spreads load, hides nothing
            if wait > LONGEST_WAIT_S or time.monotonic() + wait >= call.first_token_by:
                return outcome
            if call.cancelled.wait(wait):
                return Unavailable(CANCELLED, "the caller left", retryable=False)

    def _try(self, call: _Call) -> Outcome:
        guard = Guard()
        arrived: queue.SimpleQueue[Piece | Failure | None] = queue.SimpleQueue()
        worker = threading.Thread(
            target=self._exchange, args=(call, guard, arrived.put), name="llm", daemon=True
        )
        worker.start()
        try:
            return _listen(call, arrived, self.config.gap_s)
        finally:
            # hangs up when the caller leaves early, whichever way; after a whole answer it changes nothing
            guard.abort()

    def _exchange(self, call: _Call, guard: Guard, put: Callable[[Piece | Failure | None], None]) -> None:
        try:
            for piece in self._pieces(call, guard):
                put(piece)
            put(None)
        except Exception as error:  # noqa: BLE001 - the edge of a thread: whatever happens must reach the caller
            put(_failure(error, self._optional(call)))

    def _pieces(self, call: _Call, guard: Guard) -> Iterator[Piece]:
        with (
            self._client(guard) as client,
            client.chat.completions.with_streaming_response.create(**self._request(call)) as response,
        ):
            yield from pieces(response.iter_bytes())

    def _client(self, guard: Guard) -> "openai.OpenAI":
        from openai import OpenAI  # noqa: PLC0415 - see warm

        from qa.llm_http import http_client, tls_context  # noqa: PLC0415

        config = self.config
        return OpenAI(
            base_url=config.base_url,
            # the client refuses to start without a key; a local server does not look at it
            api_key=config.api_key.reveal() if config.api_key else "none",
            max_retries=0,
            http_client=http_client(
                guard,
                tls=self._tls or tls_context(config.base_url),
                max_bytes=config.max_bytes,
                connect_s=min(CONNECT_S, config.ttft_s),
                # the deadlines end a call sooner; this one only frees a thread whose socket could not be shut
                read_s=max(config.ttft_s, config.gap_s) + 5,
            ),
        )

    def _request(self, call: _Call) -> dict[str, Any]:
        request: dict[str, Any] = {
            "model": self.config.model,
            "messages": [dict(message) for message in call.messages],
            "stream": True,
        }
        offered = self._optional(call)
        if "max_tokens" not in offered:
            # newer models of OpenAI know the limit by this name only
            offered["max_completion_tokens"] = self.config.max_tokens
        return request | {name: v for name, v in offered.items() if name not in self._unsupported}

    def _optional(self, call: _Call) -> dict[str, Any]:
        """Parameters some endpoints do not know; the call goes on without those."""
        schema = call.json_schema
        optional: dict[str, Any] = {
            "temperature": 0,
            "max_tokens": self.config.max_tokens,
            "stream_options": {"include_usage": True},
        }
        if schema is not None:
            optional["response_format"] = {
                "type": "json_schema",
                "json_schema": {"name": "answer", "strict": True, "schema": schema},
            }
        return {name: value for name, value in optional.items() if name not in self._unsupported}


def _listen(call: _Call, arrived: "queue.SimpleQueue[Piece | Failure | None]", gap_s: float) -> Outcome:
    """Take pieces as they arrive until the answer ends, fails, is given up or is late."""
    reading = Reading()
    last = time.monotonic()
    while True:
        now, limit = time.monotonic(), _limit(call, reading, last + gap_s, last + TAIL_S)
        if call.cancelled.is_set():
            return Unavailable(CANCELLED, "the caller left", retryable=False, text=reading.text)
        if now >= limit:
            return reading.outcome() if reading.finish else _late(call, reading)
        try:
            item = arrived.get(timeout=min(POLL_S, limit - now))
        except queue.Empty:
            continue
        if not isinstance(item, Piece):
            return _ended(item, reading)
        if item.progress or item.finish:
            last = time.monotonic()
        before = reading.finish
        reading.add(item)
        if call.on_text and item.text and before is None:
            call.on_text(item.text)


def _limit(call: _Call, reading: Reading, next_token_by: float, tail_by: float) -> float:
    if reading.finish:
        return min(tail_by, call.end_by)
    return min(next_token_by, call.end_by) if reading.started else call.first_token_by


def _late(call: _Call, reading: Reading) -> Unavailable:
    if not reading.started:
        detail = "the endpoint sent no token in time"
    elif time.monotonic() >= call.end_by:
        detail = "the endpoint did not finish in time"
    else:
        detail = "the endpoint stopped sending"
    return Unavailable("llm_timeout", detail, text=reading.text)


def _ended(failure: Failure | None, reading: Reading) -> Outcome:
    if failure is None or reading.finish:
        return reading.outcome()
    if failure.unsupported:
        raise _UnsupportedError(failure.unsupported)
    if reading.text and failure.cut:
        return reading.outcome(failure.cut)
    return failure.outcome(reading.text)


def _speaks_well(outcome: Outcome) -> bool | None:
    """What an outcome tells the breaker about the endpoint; None when nothing."""
    if isinstance(outcome, Unavailable):
        neutral = {CANCELLED: None, "llm_auth": None, "context_overflow": True}
        return neutral.get(outcome.code, False)
    return not (isinstance(outcome, Truncated) and outcome.reason in ("cut", "error"))


def _failure(error: Exception, optional: Iterable[str]) -> Failure:
    """What an exception of the client, or of our reading, means."""
    # loaded by now: the exchange that failed has imported them
    import openai  # noqa: PLC0415

    from qa.llm_http import transport_failure  # noqa: PLC0415

    if isinstance(error, openai.APIStatusError):
        return rejected(_rejection(error), optional)
    cause = error.__cause__ if isinstance(error, openai.APIConnectionError) and error.__cause__ else error
    if isinstance(cause, BadResponseError | CutShortError | ErrorEventError):
        return misread(cause)
    return transport_failure(cause) or Failure(
        "llm_bad_response", f"the endpoint's answer cannot be used ({type(cause).__name__})"
    )


def _rejection(error: "openai.APIStatusError") -> Rejection:
    return Rejection(
        status=error.status_code,
        code=f"{error.code or ''} {error.type or ''}",
        parameter=error.param if isinstance(error.param, str) else "",
        message=error.message,
        retry_after=error.response.headers.get("Retry-After"),
    )
