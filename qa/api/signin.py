"""Signing in with the key: a form on the very page that was asked for, which works without a script."""

from urllib.parse import parse_qs

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, Response

from qa.api.errors import ApiError
from qa.api.gate import PAGES
from qa.api.site import SIGN_IN_POLICY, SIGN_IN_SCRIPT_POLICY, Site
from qa.api.state import State, StateDep

ADDRESS = "/session"
LONGEST = 8 * 1024

_WHY = "It is sent once. For 12 hours a cookie that no script can read then stands for it in this browser."
_REFUSED = "That is not the key of this server."
_SIGNED_IN = (
    '<p>You are signed in.</p><form method="post"><button name="end" value="1">Sign out</button></form>'
)
_ALREADY = (
    '<form method="post" id="again"><button name="again" value="1">Go on: I am signed in</button></form>'
)
_NO_KEY = "<p>This server asks for no key.</p>"


class SignIn:
    """The pages that ask for the key: the same whatever was asked for, so they say nothing of what there is."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._asks = self.page(_form(_WHY))
        self._refuses = self.page(_form(_REFUSED, role="alert"))
        # The browser holds the cookie back where a page of another site led here; what this page sends brings it.
        self._again = self.page(_form(_WHY) + _ALREADY, script="again.js")

    def asking(self, *, elsewhere: bool = False) -> Response:
        """What a browser gets instead of a page; `elsewhere` when a page of another site led it here."""
        return _html(self._again, 401, SIGN_IN_SCRIPT_POLICY) if elsewhere else _html(self._asks, 401)

    def answer(self, request: Request, state: State, form: dict[str, bytes]) -> Response:
        """What comes of a form that was sent: back to where it was shown, signed in or out."""
        person = "text/html" in request.headers.get("accept", "")
        again = "again" in form
        if "end" in form:
            cookie = state.sessions.ended(_cookies(request))
        elif again and state.sessions.admits(_cookies(request)):
            cookie = ""
        elif state.sessions.is_key(form.get("key", b"")) or state.sessions.is_bearer(_authorization(request)):
            cookie = state.sessions.begun()
        elif not state.sessions.locked:
            cookie = ""
        elif person:
            request.scope["state"]["code"] = "unauthorized"
            return _html(self._asks if again else self._refuses, 401)
        else:
            raise ApiError("unauthorized")
        headers = {"Set-Cookie": cookie} if cookie else {}
        if not person:
            return Response(status_code=204, headers=headers)
        return Response(status_code=303, headers={**headers, "Location": _back(request, ended="end" in form)})

    def page(self, main: str, script: str = "") -> str:
        """A page around one of the forms."""
        # The browser names our origin in what the form sends only where it may name it at all.
        head = '<meta name="referrer" content="same-origin">'
        main = f'<main id="main" class="paper"><h1>Key</h1>{main}</main>'
        return self._site.page("Key – Nutgraf", main, view=ADDRESS, script=script, head=head)


def router(signin: SignIn) -> APIRouter:
    """The view of the key, and the form's target: every page, so that the browser keeps the address and its `#p12`."""
    made = APIRouter()

    @made.get(ADDRESS, include_in_schema=False)
    async def view(request: Request, state: StateDep) -> HTMLResponse:
        """Sign in, or out."""
        sessions = state.sessions
        if not sessions.locked:
            main = _NO_KEY
        elif sessions.admits(_cookies(request)):
            main = _SIGNED_IN
        else:
            main = _form(_WHY)
        return _html(signin.page(main))

    async def sign_in(request: Request, state: StateDep) -> Response:
        """Take the key from a form."""
        body = await request.body()
        if len(body) > LONGEST:
            raise ApiError("body_too_large")
        form = {name: values[-1] for name, values in parse_qs(body, keep_blank_values=True).items()}
        return signin.answer(request, state, {name.decode("latin-1"): value for name, value in form.items()})

    for path in (ADDRESS, *PAGES):
        made.add_api_route(path, sign_in, methods=["POST"], include_in_schema=False)
    return made


def _form(why: str, role: str = "status") -> str:
    return (
        f'<p>This server wants its API key.</p><p id="why" class="where" role="{role}">{why}</p>'
        '<form method="post" class="signin"><label for="key">API key</label>'
        '<input id="key" name="key" type="password" required autofocus autocomplete="current-password" '
        'spellcheck="false" aria-describedby="why"><button class="primary">Sign in</button></form>'
    )


def _back(request: Request, *, ended: bool) -> str:
    """The address that was asked for; without a fragment, which the browser then keeps."""
    path = request.scope["raw_path"].decode("latin-1")
    if path == ADDRESS:
        return ADDRESS if ended else "/"
    query = request.scope["query_string"].decode("latin-1")
    return f"{path}?{query}" if query else path


def _cookies(request: Request) -> bytes:
    return request.headers.get("cookie", "").encode("latin-1")


def _authorization(request: Request) -> bytes:
    return request.headers.get("authorization", "").encode("latin-1")


def _html(html: str, status: int = 200, policy: str = SIGN_IN_POLICY) -> HTMLResponse:
    headers = {"Content-Security-Policy": policy}
    if status == 401:
        headers["WWW-Authenticate"] = "Bearer"
    return HTMLResponse(html, status_code=status, headers=headers)
