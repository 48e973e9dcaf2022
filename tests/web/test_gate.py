"""Key, Host, Origin and headers, on every route there is."""

import asyncio
import dataclasses
import json

import httpx
import pytest
from fastapi.routing import APIRoute

from qa.api.app import app_of, create_app
from qa.api.gate import allowed_hosts, is_open
from qa.api.session import Sessions
from qa.api.state import State
from qa.settings import Secret, Settings

KEY = "k" * 32


def _routes(app):
    """Every (method, path) of the app, with parameters filled in."""
    found = []
    stack = list(app.routes)
    while stack:
        route = stack.pop()
        stack += getattr(getattr(route, "original_router", None), "routes", [])
        if isinstance(route, APIRoute):
            values = {"document_id": "x", "number": 1, "release": "0" * 16, "name": "x.js", "job_id": "x"}
            values |= {"model": "nutgraf", "collection": "default", "answer_id": "x"}
            path = route.path_format.format(**values)
            found += [(method, path) for method in sorted(route.methods)]
    return sorted(set(found))


@pytest.fixture
def locked(call, app, service):
    """The app with a key: every request has to bring it."""
    settings = dataclasses.replace(service.settings, api_key=Secret(KEY))
    service.settings = settings
    inner = app_of(State(settings, app.state.nutgraf.log, service))
    app.state.nutgraf = inner.state.nutgraf
    app.middleware_stack = inner.build_middleware_stack()
    return call


def test_the_list_of_routes_is_complete(app):
    assert {path for _, path in _routes(app)} >= {"/livez", "/v1/query", "/docs", "/openapi.json", "/"}
    documented = sum(len(item) for item in app.openapi()["paths"].values())
    assert len(_routes(app)) == documented + 14  # views, files, report, reference, schema, MCP, signing in


WRONG = {
    "none": {},
    "other": {"authorization": "Bearer " + "x" * 32},
    "shorter": {"authorization": f"Bearer {KEY[:-1]}"},
    "longer": {"authorization": f"Bearer {KEY}x"},
    "blank": {"authorization": "Bearer "},
    "bare": {"authorization": KEY},
    "basic": {"authorization": f"Basic {KEY}"},
    "other header": {"x-api-key": KEY},
    "cookie": {"cookie": f"authorization=Bearer {KEY}; key={KEY}"},
    "query": {"?": f"api_key={KEY}&token={KEY}"},
    "not ASCII": {"authorization": "Bearer \u00e9".encode("latin-1")},
}


@pytest.mark.parametrize("headers", WRONG.values(), ids=WRONG.keys())
def test_every_route_but_health_and_the_empty_views_needs_the_key(locked, app, headers):
    headers = dict(headers)
    query = "?" + headers.pop("?") if "?" in headers else ""
    for method, path in _routes(app):
        response = locked(method, path + query, headers=headers, json={} if method == "POST" else None)
        without = is_open(path)
        if method == "POST" and is_open(path, method):
            without = False  # it takes the key, and this is none
        assert (response.status_code == 401) == (not without), path
        if not without:
            assert response.headers["www-authenticate"] == "Bearer"


def test_the_key_opens_every_route(locked, app):
    for method, path in _routes(app):
        response = locked(method, path, headers={"authorization": f"bearer {KEY}"})
        assert response.status_code != 401, path


SPELLINGS = [
    "//livez", "/livez/", "/LIVEZ", "/livez/../v1/documents", "/readyz%2f", "/x/livez", "/documents/", "//documents",
    "/evaluation/report", "/static/0123456789abcdef/../../v1/documents", "/static/x/app.css", "/static/", "//", "",
]  # fmt: skip


@pytest.mark.parametrize("path", SPELLINGS)
def test_no_spelling_of_an_open_path_opens_another(locked, path):
    assert not is_open(path)
    if path.strip("/") and not path.startswith("//"):  # which the client would take for a host
        assert locked("GET", path).status_code == 401


def _signed_in(call, path="/session"):
    """The cookie of a browser that sent the key, as it sends it back."""
    response = call("POST", path, data={"key": KEY})
    assert response.status_code == 204
    return response.headers["set-cookie"].partition(";")[0]


OWN = {"sec-fetch-site": "same-origin"}


def test_the_cookie_is_kept_from_scripts_and_from_other_sites(locked, service):
    response = locked("POST", "/documents/x?start=1", data={"key": KEY}, headers={"accept": "text/html"})
    assert (response.status_code, response.headers["location"]) == (303, "/documents/x?start=1")
    cookie = response.headers["set-cookie"]
    assert cookie.endswith("; Path=/; Max-Age=43200; HttpOnly; SameSite=Strict")
    assert KEY not in cookie
    assert (
        Sessions(Settings(api_key=Secret(KEY), public_base_url="https://n.example"))
        .begun()
        .endswith("; Secure")
    )


@pytest.mark.parametrize("form", [{"key": "x" * 32}, {"key": ""}, {"again": "1"}, {}])
def test_nothing_but_the_key_signs_in(locked, form):
    for accept, kind in (("text/html", "text/html"), ("application/json", "application/problem+json")):
        response = locked("POST", "/session", data=form, headers={"accept": accept})
        assert (response.status_code, "set-cookie" in response.headers) == (401, False)
        assert response.headers["content-type"].startswith(kind)


def test_a_browser_that_is_signed_in_opens_pages_and_asks_from_them(locked):
    cookie = {"cookie": _signed_in(locked)}
    for headers in (OWN, {"sec-fetch-site": "none"}, {}):
        assert locked("GET", "/docs", headers=cookie | headers).status_code == 200
    assert locked("POST", "/v1/search", json={"query": "call"}, headers=cookie | OWN).status_code == 200
    plain = cookie | {"x-requested-with": "nutgraf"}
    assert locked("POST", "/v1/search", json={"query": "call"}, headers=plain).status_code == 200


NOT_OURS = {
    "unsaid": {},
    "typed address": {"sec-fetch-site": "none"},
    "another's header": {"x-requested-with": "XMLHttpRequest"},
    "other site": {
        "sec-fetch-site": "cross-site",
        "sec-fetch-mode": "navigate",
        "sec-fetch-dest": "document",
    },
    "other port": {"sec-fetch-site": "same-site", "sec-fetch-mode": "navigate", "sec-fetch-dest": "document"},
}


@pytest.mark.parametrize("headers", NOT_OURS.values(), ids=NOT_OURS.keys())
def test_a_cookie_alone_opens_no_route_but_pages(locked, app, headers):
    cookie = {"cookie": _signed_in(locked)}
    for method, path in _routes(app):
        if not (is_open(path) or is_open(path, "POST")):
            assert locked(method, path, headers=cookie | headers).status_code in {401, 403}, path


def test_a_link_on_another_site_gets_the_form_and_no_more(locked):
    other = NOT_OURS["other site"] | {"cookie": _signed_in(locked), "accept": "text/html"}
    response = locked("GET", "/docs", headers=other)
    assert response.status_code == 401
    assert 'id="again"' in response.text
    again = locked("POST", "/docs", data={"again": "1"}, headers={**other, **OWN})
    assert (again.status_code, again.headers["location"]) == (303, "/docs")
    assert locked("POST", "/docs", data={"key": KEY}, headers=NOT_OURS["other site"]).status_code == 403


def test_signing_out_ends_the_session_itself(locked):
    cookie = {"cookie": _signed_in(locked)} | OWN
    gone = locked("POST", "/session", data={"end": "1"}, headers=cookie)
    assert "Max-Age=0" in gone.headers["set-cookie"]
    assert locked("GET", "/docs", headers=cookie).status_code == 401


def test_a_session_ends_with_its_time_and_with_its_key_and_no_other_token_is_one():
    now = [1000.0]
    first = Sessions(Settings(api_key=Secret(KEY)), lambda: now[0])
    cookie = first.begun().partition(";")[0].encode()
    assert first.admits(cookie)
    assert Sessions(Settings(api_key=Secret(KEY)), lambda: now[0]).admits(b"a=b; " + cookie)
    assert not Sessions(Settings(api_key=Secret("other" * 8)), lambda: now[0]).admits(cookie)
    assert not Sessions(Settings()).admits(cookie)
    for wrong in (
        cookie[:-1] + bytes([cookie[-1] ^ 1]),
        cookie.replace(b"=4", b"=9", 1),
        cookie + b"; " + cookie,
        b"",
        b"\xff",
    ):
        assert not first.admits(wrong)
    now[0] += 12 * 3600
    assert not first.admits(cookie)


def test_two_keys_in_one_request_are_no_key(locked):
    headers = [("authorization", f"Bearer {KEY}"), ("authorization", f"Bearer {KEY}")]
    assert locked("GET", "/v1/documents", headers=headers).status_code == 401


def test_a_locked_api_says_so_in_its_schema(locked, app, service):
    assert "security" not in app.openapi()
    assert create_app(service).openapi()["security"] == [{"key": []}]


@pytest.mark.parametrize(
    "host", ["127.0.0.1:8000", "localhost:8000", "LOCALHOST:8000", "[::1]:8000", "n.example"]
)
def test_our_own_names_are_answered(call, app, service, host):
    hosts = allowed_hosts(Settings(public_base_url="https://n.example"))
    assert host.lower() in hosts


HOSTS = [
    "evil.example", "127.0.0.1", "127.0.0.1:81", "127.0.0.1:evil.com", "localhost.evil", "localhost:8000.evil",
    "xlocalhost:8000", "127.0.0.1:8000@evil", "0.0.0.0:8000", "2130706433:8000", "", "[::1]", "localhost:08000",
]  # fmt: skip


@pytest.mark.parametrize("host", HOSTS)
def test_no_other_host_is_answered_on_any_route(fake, host):
    app = create_app(fake.FakeService(Settings()))

    async def send():
        transport = httpx.ASGITransport(app=app)
        async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8000") as client:
            return [
                (await client.request(method, path, headers={"host": host})).status_code
                for method, path in _routes(app)
            ]

    assert set(asyncio.run(send())) == {421}


@pytest.mark.parametrize(
    ("settings", "host"),
    [
        (Settings(port=80), "localhost"),
        (Settings(host="::1", port=81), "[::1]:81"),
        (Settings(host="192.168.1.5", port=81), "192.168.1.5:81"),
        (Settings(public_base_url="http://n.example:80"), "n.example"),
        (Settings(public_base_url="https://n.example"), "n.example:443"),
        (Settings(public_base_url="https://n.example:8443"), "n.example:8443"),
        (Settings(allowed_hosts=("probe",)), "probe"),
    ],
)
def test_hosts_follow_from_the_settings(settings, host):
    assert host in allowed_hosts(settings)


def test_a_public_port_is_not_forgotten():
    assert "n.example" not in allowed_hosts(Settings(public_base_url="https://n.example:8443"))


CROSS = {
    "other origin": {"origin": "http://evil.example"},
    "other port": {"origin": "http://127.0.0.1:3000"},
    "null": {"origin": "null"},
    "prefix": {"origin": "http://127.0.0.1.evil.example"},
    "other scheme": {"origin": "https://127.0.0.1"},
    "blank": {"origin": ""},
    "fetch of another site": {
        "sec-fetch-site": "cross-site",
        "sec-fetch-mode": "cors",
        "sec-fetch-dest": "empty",
    },
    "image": {"sec-fetch-site": "cross-site", "sec-fetch-mode": "no-cors", "sec-fetch-dest": "image"},
    "frame": {"sec-fetch-site": "same-site", "sec-fetch-mode": "navigate", "sec-fetch-dest": "iframe"},
}


@pytest.mark.parametrize("headers", CROSS.values(), ids=CROSS.keys())
def test_pages_of_other_sites_reach_no_route(call, app, headers):
    for method, path in _routes(app):
        assert call(method, path, headers=headers).status_code == 403, path


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "http://127.0.0.1"},
        {"origin": "http://localhost"},
        {"sec-fetch-site": "same-origin", "sec-fetch-mode": "cors", "sec-fetch-dest": "empty"},
        {"sec-fetch-site": "none", "sec-fetch-mode": "navigate", "sec-fetch-dest": "document"},
        {"sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate", "sec-fetch-dest": "document"},
    ],
)
def test_our_own_pages_and_links_from_elsewhere_are_answered(call, headers):
    assert call("GET", "/docs", headers=headers).status_code == 200


def test_a_form_of_another_site_cannot_post_by_navigating(call):
    headers = {"sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate", "sec-fetch-dest": "document"}
    assert call("POST", "/v1/query", headers=headers, json={"question": "x"}).status_code == 403


def test_nobody_is_given_leave_to_read_across_origins(call):
    preflight = {"origin": "http://127.0.0.1", "access-control-request-method": "POST"}
    for response in (
        call("OPTIONS", "/v1/query", headers=preflight),
        call("POST", "/v1/query", headers={"origin": "http://127.0.0.1"}, json={"question": "x"}),
    ):
        assert not [name for name in response.headers if name.startswith("access-control")]


@pytest.mark.parametrize("stream", [False, True])
def test_every_response_carries_the_security_headers(call, app, stream):
    responses = [call(method, path) for method, path in _routes(app)]
    responses.append(call("POST", "/v1/query", json={"question": "call", "stream": stream}))
    responses += [call("GET", "/nope"), call("GET", "/livez", headers={"host": "evil"})]
    for response in responses:
        assert "frame-ancestors 'none'" in response.headers["content-security-policy"]
        assert "default-src 'none'" in response.headers["content-security-policy"]
        assert "unsafe" not in response.headers["content-security-policy"]
        assert response.headers["x-content-type-options"] == "nosniff"
        assert response.headers["referrer-policy"] == "no-referrer"
        assert response.headers["cross-origin-opener-policy"] == "same-origin"
        assert response.headers["cross-origin-resource-policy"] == "same-origin"
        assert response.headers["cache-control"] == "no-store"
        assert "server" not in response.headers


def test_a_request_keeps_an_id_of_its_own_only_when_it_is_plain(call):
    assert (
        call("GET", "/livez", headers={"x-request-id": "abc-12345_X"}).headers["x-request-id"]
        == "abc-12345_X"
    )
    for odd in ("short", "x" * 65, "abc 12345678", 'abc"12345678', "a\x1b[31m12345678"):
        assert call("GET", "/livez", headers={"x-request-id": odd}).headers["x-request-id"].startswith("req_")


CANARY = "canary-a1b2c3"


def test_no_text_of_a_request_reaches_the_log(call, service, log_lines, locked):
    key = {"authorization": f"Bearer {KEY}", "user-agent": CANARY, "referer": f"http://127.0.0.1/{CANARY}"}
    ask = {"question": CANARY, "history": [{"role": "user", "content": CANARY}]}
    for body in (ask, {**ask, "stream": True}, {**ask, CANARY: 1}, {**ask, "question": f"break {CANARY}"},
                 {**ask, "question": f"break {CANARY}", "stream": True}, {**ask, "collection": CANARY}):  # fmt: skip
        call("POST", "/v1/query", json=body, headers=key)
    call("POST", "/v1/search", json={"query": CANARY}, headers=key)
    call("POST", "/v1/verify", json={"text": CANARY}, headers=key)
    for path in (
        f"/v1/documents?collection={CANARY}",
        f"/{CANARY}",
        f"/v1/documents/{CANARY}",
        f"/?{CANARY}",
    ):
        call("GET", path, headers=key)
    call(CANARY.upper()[:16], "/livez", headers=key)
    service.error = RuntimeError(CANARY)
    call("GET", "/v1/documents", headers=key)
    lines = log_lines.getvalue()
    assert lines.count('"event": "request"') == 14
    assert CANARY not in lines.lower()
    assert KEY not in lines
    assert "minutes" not in lines


def test_a_line_of_the_log_says_what_happened_to_a_request(call, log_lines):
    response = call("POST", "/v1/query", json={"question": "the call"})
    asked, request = map(json.loads, log_lines.getvalue().splitlines())
    assert asked["request_id"] == request["request_id"] == response.headers["x-request-id"]
    assert (asked["event"], asked["outcome"], asked["timings_ms"]) == ("asked", "answered", {"total": 1.0})
    assert (request["route"], request["status"], request["method"]) == ("/v1/query", 200, "POST")


def test_websockets_are_closed(app):
    sent = []

    async def receive():
        return {"type": "websocket.connect"}

    async def send(message):
        sent.append(message)

    asyncio.run(app({"type": "websocket", "path": "/", "headers": [], "query_string": b""}, receive, send))
    assert sent == [{"type": "websocket.close", "code": 1008}]
