"""What both Python clients share: how a server's words become values, and its failures exceptions."""

import contextlib
import json
import ssl
from collections.abc import Callable, Iterator, Mapping
from typing import Any, TypeVar, get_args, get_type_hints

import httpx

from index.errors import InputError, NotFoundError, NutgrafError
from qa.errors import QuestionError
from qa.hangup import CallAbortedError
from qa.settings import Secret
from qa.types import Event
from qa.unpack import ShapeError

T = TypeVar("T")

DEFAULT_URL = "http://127.0.0.1:8000"
PAGE = 200
EVENT_NAMES: tuple[Any, ...] = get_args(get_type_hints(Event)["name"])


class ServerError(NutgrafError):
    """The server, or the way to it, failed. `code` is the server's; `status` its HTTP status, 0 without one."""

    code = "server"

    def __init__(
        self, detail: str, *, code: str = "unreachable", status: int = 0, retryable: bool = False
    ) -> None:
        super().__init__(detail)
        self.reason = code
        self.status = status
        self.again = retryable


class CancelledError(NutgrafError):
    """The caller gave the question up."""

    code = "cancelled"


def connection(url: str, api_key: Secret | str | None, timeout_s: float) -> dict[str, Any]:
    """The arguments of an HTTP client that talks to one server."""
    key = api_key.reveal() if isinstance(api_key, Secret) else api_key
    # loading the trust store takes 0.1 s and more, and plain HTTP needs none
    secure = url.lower().startswith("https:")
    return {
        "base_url": url,
        "headers": {"Authorization": f"Bearer {key}"} if key else {},
        "timeout": httpx.Timeout(timeout_s, connect=10.0),
        "verify": httpx.create_ssl_context() if secure else ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT),
        "follow_redirects": False,
        # a key meant for this server must not travel through a proxy that the environment names
        "trust_env": False,
    }


@contextlib.contextmanager
def told(url: str) -> Iterator[None]:
    """What fails on the way or in reading is a ServerError."""
    try:
        yield
    except httpx.TimeoutException:
        raise ServerError(f"{url} did not answer in time", code="timeout", retryable=True) from None
    except (httpx.HTTPError, httpx.StreamError, httpx.InvalidURL, CallAbortedError, OSError) as error:
        detail = f"{url} cannot be reached ({type(error).__name__})"
        raise ServerError(detail, retryable=True) from None


class EventReader:
    """Server-sent events, put together from their lines."""

    def __init__(self, status: int) -> None:
        self._status = status
        self._name = ""
        self._data: list[str] = []

    def feed(self, line: str) -> Event | None:
        """The event that a line completes, or None; an `error` event is raised."""
        field, _, value = line.partition(":")
        if field == "event":
            self._name = value.strip()
        elif field == "data":
            self._data.append(value.removeprefix(" "))
        if line:
            return None
        known = next((each for each in EVENT_NAMES if each == self._name), None)
        data, self._name, self._data = "\n".join(self._data), "", []
        if not data or known is None:
            return None
        event = Event(known, _object(parsed(data)))
        if event.name == "error":
            raise problem(event.data, self._status)
        return event


def parsed(text: str | bytes) -> object:
    """A body as JSON; None where it is none."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def _object(value: object) -> Mapping[str, object]:
    if not isinstance(value, dict):
        raise ServerError("the server sent something else than an answer", code="bad_response")
    return value


def shaped(make: Callable[[object], T], value: object) -> T:
    """A value made of a body, which may be anything. Raises ServerError."""
    try:
        return make(value)
    except ShapeError as error:
        detail = f"the server sent something else than asked for ({error})"
        raise ServerError(detail, code="bad_response") from None


def problem(value: object, status: int) -> NutgrafError:
    """The exception for a problem object, of a response or an `error` event."""
    body = value if isinstance(value, dict) else {}
    detail = str(body.get("detail") or body.get("title") or f"the server answered {status}")
    code = str(body.get("code") or "")
    given = body.get("status")
    status = given if isinstance(given, int) else status
    if code == "not_found":
        return NotFoundError(detail)
    if status in (400, 413, 422):
        return QuestionError(detail) if code == "invalid_question" else InputError(detail)
    again = body.get("retryable") is True
    return ServerError(detail, code=code or "bad_response", status=status, retryable=again)
