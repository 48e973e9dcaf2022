"""What a call to an LLM can come to: four outcomes, no exception."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from qa.errors import (
    LLMAuthError,
    LLMBadResponseError,
    LLMContextError,
    LLMError,
    LLMRateLimitedError,
    LLMTimeoutError,
    LLMUnavailableError,
)

CANCELLED = "cancelled"
"""Code of a call that its caller gave up."""


@dataclass(frozen=True, slots=True)
class Complete:
    """The model said all it wanted to say."""

    text: str
    usage: Mapping[str, int] = field(default_factory=dict)
    model: str = ""


@dataclass(frozen=True, slots=True)
class Truncated:
    """The text ends early: `reason` is `length`, `cut`, `error`, `no_finish_reason` or what the endpoint gave."""

    text: str
    usage: Mapping[str, int] = field(default_factory=dict)
    model: str = ""
    reason: str = "length"


@dataclass(frozen=True, slots=True)
class Refused:
    """The model, or a filter in front of it, would not answer; `text` is what it had said by then."""

    text: str
    usage: Mapping[str, int] = field(default_factory=dict)
    model: str = ""


@dataclass(frozen=True, slots=True)
class Unavailable:
    """No usable answer; `code` says why, `detail` in words that hold neither prompt, answer nor key.

    `text` is what had arrived by then; `retry_after` the sane part of what the endpoint asks for, in seconds.
    """

    code: str
    detail: str
    retryable: bool = True
    text: str = ""
    retry_after: float | None = None

    def error(self) -> LLMError:
        """The same as an exception, for a caller that cannot go on without the LLM."""
        kinds = {kind.code: kind for kind in _ERRORS}
        return kinds.get(self.code, LLMUnavailableError)(self.detail)


Outcome = Complete | Truncated | Refused | Unavailable

_ERRORS: tuple[type[LLMError], ...] = (
    LLMAuthError,
    LLMBadResponseError,
    LLMContextError,
    LLMRateLimitedError,
    LLMTimeoutError,
)
