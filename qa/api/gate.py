"""The one gate: every request passes it, and every response leaves through it.

It gives each request an id, checks Host, Origin and the key, caps the body, adds the security headers, turns an
error nobody foresaw into a problem, and writes the request's line in the log.
"""

import re
import secrets
import time
from collections.abc import Callable, Mapping
from types import MappingProxyType
from urllib.parse import urlsplit

from index.walk import MAX_BYTES
from qa.api.asgi import App, Message, Receive, Scope, Send
from qa.api.errors import ApiError, problem_of, respond
from qa.api.metrics import METHODS
from qa.api.state import State
from qa.logs import describe
from qa.settings import Settings

MAX_BODY = 1024 * 1024
MAX_UPLOAD = MAX_BYTES + 64 * 1024
"""A document to store, with what a form puts around it."""

MAX_HEADERS = 100
OPEN_PATHS = frozenset({"/livez", "/readyz", "/", "/documents", "/session"})
"""Answered without a key: how the server is, and the views that hold nothing of the corpus and ask for the key."""

PAGES = ("/documents/{document_id}", "/evaluation", "/evaluation/report", "/docs")
"""What a browser opens by a link. Without the key it gets a form that asks for it, and sends it to the same address."""

_OPEN_FILE = re.compile(r"/static/[0-9a-f]{16}/[a-z]+\.(?:css|js|svg)")
_PAGE = re.compile("|".join(path.replace("{document_id}", "[^/]+") for path in PAGES))

OURS = "nutgraf"
"""What our own pages send as X-Requested-With: no page of another origin can, without asking first."""

SECURITY_HEADERS: Mapping[bytes, bytes] = MappingProxyType(
    {
        b"content-security-policy": b"default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
        b"x-content-type-options": b"nosniff",
        b"x-frame-options": b"DENY",
        b"referrer-policy": b"no-referrer",
        b"cross-origin-opener-policy": b"same-origin",
        b"cross-origin-resource-policy": b"same-origin",
        b"permissions-policy": b"camera=(), geolocation=(), microphone=()",
        b"cache-control": b"no-store",
    }
)
"""On every response; a response that sets one of them itself keeps its own."""

_GIVEN_ID = re.compile(rb"[A-Za-z0-9_-]{8,64}")


class Gate:
    """ASGI middleware around the whole app."""

    def __init__(self, app: App, state: State, asking: Callable[..., App]) -> None:
        self._app = app
        self._state = state
        self._asking = asking
        self._hosts = allowed_hosts(state.settings)
        self._origins = allowed_origins(state.settings, self._hosts)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request through, or answer it here."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
        elif scope["type"] == "http":
            await self._http(scope, receive, send)
        else:
            await send({"type": "websocket.close", "code": 1008})

    async def _http(self, scope: Scope, receive: Receive, send: Send) -> None:
        began = time.perf_counter()
        headers = _Headers(scope)
        state = scope.setdefault("state", {})
        state["request_id"] = headers.request_id()
        passage = _Passage(scope, receive, send, headers)
        traced = self._state.traces.begin(headers.one(b"traceparent"))
        try:
            self._check(scope, headers)
            await self._app(scope, passage.receive, passage.send)
        except Exception as error:  # noqa: BLE001 - the process edge: one request's fault stays its own
            if not isinstance(error, ApiError):
                self._state.log.error("failed", request_id=state["request_id"], **describe(error))  # noqa: TRY400
            if passage.status == 0:
                response = self._answer_to(error, scope, headers)
                await response(scope, passage.receive, passage.send)
        finally:
            self._log(scope, passage.status, began, traced)

    def _check(self, scope: Scope, headers: "_Headers") -> None:
        """Refuse what may not pass, cheapest first."""
        if len(scope["headers"]) > MAX_HEADERS:
            raise ApiError("too_many_headers")
        if headers.one(b"host") not in self._hosts:
            raise ApiError("wrong_host")
        if headers.has(b"content-length") and headers.has(b"transfer-encoding"):
            raise ApiError("bad_request")
        if not self._same_site(scope, headers):
            raise ApiError("cross_site")
        if self._state.sessions.locked and not (
            is_open(scope["path"], scope["method"]) or self._is_admitted(scope, headers)
        ):
            raise ApiError("unauthorized")
        if headers.length() > body_limit(scope):
            raise ApiError("body_too_large")

    def _answer_to(self, error: Exception, scope: Scope, headers: "_Headers") -> App:
        problem = problem_of(error)
        visit = scope["method"] == "GET" and "text/html" in headers.one(b"accept")
        if problem.code == "unauthorized" and visit and _PAGE.fullmatch(scope["path"]):
            scope["state"]["code"] = problem.code
            return self._asking(elsewhere=headers.one(b"sec-fetch-site") in {"cross-site", "same-site"})
        return respond(problem, scope)

    def _same_site(self, scope: Scope, headers: "_Headers") -> bool:
        if headers.has(b"origin") and headers.one(b"origin") not in self._origins:
            return False
        if headers.one(b"sec-fetch-site") not in {"cross-site", "same-site"}:
            return True
        # A link on another page may open one of ours; nothing else of another site may reach in.
        visit = headers.one(b"sec-fetch-mode") == "navigate" and headers.one(b"sec-fetch-dest") == "document"
        return visit and scope["method"] in {"GET", "HEAD"}

    def _is_admitted(self, scope: Scope, headers: "_Headers") -> bool:
        sessions = self._state.sessions
        if sessions.is_bearer(headers.one_raw(b"authorization")):
            return True
        return self._may_be_signed_in(scope, headers) and sessions.admits(headers.one_raw(b"cookie"))

    def _may_be_signed_in(self, scope: Scope, headers: "_Headers") -> bool:
        """Whether a cookie counts: browsers send it along with whatever a page asks of them, so only where the request
        is our own page's, or does no more than open a page.
        """
        site = headers.one(b"sec-fetch-site")
        unsaid = not headers.has(
            b"sec-fetch-site"
        )  # over plain HTTP to another machine a browser does not say
        if site == "same-origin" or (unsaid and headers.one(b"x-requested-with") == OURS):
            return True
        opens = scope["method"] in {"GET", "HEAD"} and _PAGE.fullmatch(scope["path"]) is not None
        return opens and (unsaid or site == "none")

    def _log(self, scope: Scope, status: int, began: float, traced: object) -> None:
        seconds = time.perf_counter() - began
        route = getattr(scope.get("route"), "path", None)
        method = scope["method"] if scope["method"] in METHODS else "other"
        status = status or 499
        self._state.metrics.request(method, route, status, seconds)
        attributes = {
            "http.request.method": method,
            "http.route": route or "",
            "http.response.status_code": status,
        }
        self._state.traces.end(traced, attributes)
        self._state.log.info(
            "request",
            request_id=scope["state"]["request_id"],
            method=method,
            route=route,
            status=status,
            code=scope["state"].get("code"),
            ms=seconds * 1000,
        )


class _Headers:
    """A request's headers, read so that a doubled one is never half-believed."""

    def __init__(self, scope: Scope) -> None:
        self._raw: dict[bytes, list[bytes]] = {}
        for name, value in scope["headers"]:
            self._raw.setdefault(name.lower(), []).append(value)

    def has(self, name: bytes) -> bool:
        return name in self._raw

    def one_raw(self, name: bytes) -> bytes:
        """The header's value, or nothing where it is absent or there is more than one."""
        values = self._raw.get(name, [])
        return values[0] if len(values) == 1 else b""

    def one(self, name: bytes) -> str:
        return self.one_raw(name).decode("latin-1").lower()

    def length(self) -> int:
        given = self.one_raw(b"content-length")
        return int(given) if given.isdigit() and len(given) < 20 else 0

    def has_body(self) -> bool:
        return self.length() > 0 or self.has(b"transfer-encoding")

    def request_id(self) -> str:
        given = self.one_raw(b"x-request-id")
        return given.decode() if _GIVEN_ID.fullmatch(given) else f"req_{secrets.token_hex(8)}"


class _Passage:
    """One request on its way in and its response on the way out."""

    def __init__(self, scope: Scope, receive: Receive, send: Send, headers: _Headers) -> None:
        self.status = 0
        self._scope = scope
        self._receive = receive
        self._send = send
        self._size = 0
        self._limit = body_limit(scope)
        self._unread = headers.has_body()

    async def receive(self) -> Message:
        """The next part of the body, until the cap is passed."""
        message = await self._receive()
        if message["type"] == "http.request":
            self._size += len(message.get("body", b""))
            if self._size > self._limit:
                raise ApiError("body_too_large")
            self._unread = self._unread and bool(message.get("more_body", False))
        return message

    async def send(self, message: Message) -> None:
        """Pass a part of the response on, with our headers on the first."""
        if message["type"] == "http.response.start":
            self.status = message["status"]
            headers = list(message.get("headers", []))
            present = {name.lower() for name, _ in headers}
            headers += [pair for pair in SECURITY_HEADERS.items() if pair[0] not in present]
            headers.append((b"x-request-id", self._scope["state"]["request_id"].encode()))
            if self._unread:
                headers.append((b"connection", b"close"))  # the rest of the body is not worth reading
            message = {**message, "headers": headers}
        await self._send(message)


def is_open(path: str, method: str = "GET") -> bool:
    """Whether a request gets past the gate without a key: nothing of the corpus, or the form that brings the key."""
    signs_in = method == "POST" and _PAGE.fullmatch(path) is not None
    return signs_in or path in OPEN_PATHS or _OPEN_FILE.fullmatch(path) is not None


def body_limit(scope: Scope) -> int:
    """The most bytes a request may bring."""
    upload = scope["method"] == "PUT" and scope["path"].startswith("/v1/documents/")
    return MAX_UPLOAD if upload else MAX_BODY


def allowed_hosts(settings: Settings) -> frozenset[str]:
    """Every value of the Host header that is answered, exactly."""
    own = {"127.0.0.1", "localhost", "[::1]", f"[{settings.host}]" if ":" in settings.host else settings.host}
    hosts = {f"{host}:{settings.port}" for host in own}
    if settings.port == 80:
        hosts |= own
    public = urlsplit(settings.public_base_url)
    netloc = public.netloc.lower()
    default = {"http": 80, "https": 443}[public.scheme]
    bare = netloc.removesuffix(f":{default}")
    named = {bare, f"{bare}:{default}"} if public.port in {None, default} else {netloc}
    return frozenset(hosts | named | set(settings.allowed_hosts))


def allowed_origins(settings: Settings, hosts: frozenset[str]) -> frozenset[str]:
    """Every value of the Origin header that is one of our own pages."""
    public = urlsplit(settings.public_base_url)
    return frozenset({f"http://{host}" for host in hosts} | {f"{public.scheme}://{public.netloc.lower()}"})
