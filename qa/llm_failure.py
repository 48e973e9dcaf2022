"""What a failed exchange with an LLM endpoint means: pure functions from what was seen to a `Failure`.

No detail holds text of the endpoint: it may repeat the prompt or the key.
"""

import math
import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from qa.llm_outcome import Unavailable
from qa.llm_stream import BadResponseError, CutShortError, ErrorEventError

LONGEST_RETRY_AFTER_S = 60.0

_OVERFLOW = re.compile(
    r"context.{0,20}(length|size|window|overflow|limit)|exceed_context|maximum context"
    r"|prompt is too long|too many tokens",
    re.IGNORECASE,
)
_BUSY = re.compile(r"rate.?limit|quota|too many requests|429", re.IGNORECASE)

_FINAL = {
    401: ("llm_auth", "it refuses the key"),
    403: ("llm_auth", "it refuses the key"),
    404: ("llm_unavailable", "it knows no such model or path"),
}


@dataclass(frozen=True, slots=True)
class Failure:
    """Why an exchange ended. `cut` names the end of a text that had begun; None when nothing of it can be kept.

    `unsupported` is the request parameter that the endpoint turned down.
    """

    code: str
    detail: str
    retryable: bool = False
    cut: str | None = None
    retry_after: float | None = None
    unsupported: str | None = None

    def outcome(self, text: str = "") -> Unavailable:
        """The failure as the outcome of a call, with the text that had arrived."""
        return Unavailable(self.code, self.detail, self.retryable, text, self.retry_after)


UNREACHABLE = Failure("llm_unavailable", "the endpoint cannot be reached", retryable=True, cut="cut")
TIMED_OUT = Failure("llm_timeout", "the endpoint did not answer in time", retryable=True)
NOT_HTTP = Failure("llm_bad_response", "the endpoint broke the protocol", retryable=True, cut="cut")


@dataclass(frozen=True, slots=True)
class Rejection:
    """An answer with an error status: what of it decides its meaning."""

    status: int
    code: str
    parameter: str
    message: str
    retry_after: str | None


def rejected(seen: Rejection, optional: Iterable[str]) -> Failure:
    """What an error status means; `optional` are the parameters the call can go on without."""
    status, words = seen.status, f"{seen.code} {seen.message}"
    said = f"the endpoint answered {status}"
    wait = seconds_of(seen.retry_after, datetime.now(UTC))
    if status == 413 or (status in (400, 422, 500) and _OVERFLOW.search(words)):
        return Failure("context_overflow", f"{said}: the prompt is too long for the model")
    if status in (400, 422):
        return _turned_down(seen, said, optional)
    if status == 429:
        more = "insufficient_quota" not in words
        return Failure("llm_rate_limited", f"{said}: too many requests", retryable=more, retry_after=wait)
    if status in (408, 409, 425) or status >= 500:
        return Failure("llm_unavailable", said, retryable=True, retry_after=wait)
    code, meaning = _FINAL.get(status, ("llm_bad_response", "which is no answer to a question"))
    return Failure(code, f"{said}: {meaning}")


def _turned_down(seen: Rejection, said: str, optional: Iterable[str]) -> Failure:
    names = sorted(optional, key=len, reverse=True)
    blamed = next((name for name in names if name == seen.parameter), None)
    blamed = blamed or next((name for name in names if re.search(rf"\b{name}\b", seen.message)), None)
    if blamed is None and "response_format" in names:
        # some endpoints that cannot hold to a schema say only that they failed; plain text goes on without one
        blamed = "response_format"
    return Failure("llm_bad_response", f"{said}: it turns the request down", unsupported=blamed)


def misread(error: BadResponseError | CutShortError | ErrorEventError) -> Failure:
    """What a body that could not be read to its end means."""
    if isinstance(error, CutShortError):
        return Failure("llm_bad_response", "the endpoint's answer breaks off", retryable=True, cut="cut")
    if isinstance(error, BadResponseError):
        return Failure("llm_bad_response", f"the endpoint sent {error}")
    if _OVERFLOW.search(error.code):
        return Failure("context_overflow", "the prompt is too long for the model", cut="error")
    if _BUSY.search(error.code):
        return Failure("llm_rate_limited", "the endpoint has too many requests", retryable=True, cut="error")
    return Failure("llm_unavailable", "the endpoint reports an error", retryable=True, cut="error")


def seconds_of(retry_after: str | None, now: datetime) -> float | None:
    """The sane part of a Retry-After header, in seconds, at most 60; None where it makes no sense."""
    if retry_after is None:
        return None
    try:
        seconds = float(retry_after)
    except ValueError:
        try:
            seconds = (parsedate_to_datetime(retry_after) - now).total_seconds()
        except (ValueError, TypeError):  # not a date, or one without a time zone
            return None
    if not math.isfinite(seconds) or seconds < 0:
        return None
    return min(seconds, LONGEST_RETRY_AFTER_S)
