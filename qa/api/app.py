"""The app: routes over a service, behind the gate."""

import sys

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError

from index.errors import NutgrafError
from qa.api import (
    answers,
    ask,
    collections,
    documents,
    health,
    jobs,
    mcp,
    openai,
    search,
    signin,
    uploads,
    web,
)
from qa.api.contract import openapi
from qa.api.errors import TABLE, handle
from qa.api.gate import Gate
from qa.api.site import Site
from qa.api.state import Backend, State
from qa.logs import Log
from qa.release import release


def create_app(service: Backend, log: Log | None = None) -> FastAPI:
    """An app over an open service."""
    settings = service.settings
    return app_of(State(settings, log or Log(sys.stderr, settings.log_level), service))


def app_of(state: State) -> FastAPI:
    """An app over shared state, whose service may be opened later."""
    app = FastAPI(
        title="Nutgraf",
        version=release(),
        description="Answers questions from a corpus and cites file and paragraph for every sentence.",
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
    )
    app.state.nutgraf = state
    for part in (health, ask, answers, search, documents, uploads, collections, jobs, mcp, openai):
        app.include_router(part.router)
    site = Site.load(locked=state.sessions.locked)
    sign_in = signin.SignIn(site)
    app.include_router(web.router(site))
    app.include_router(signin.router(sign_in))
    app.add_exception_handler(NutgrafError, handle)
    app.add_exception_handler(RequestValidationError, handle)
    for status in {row.status for row in TABLE.values()} - {500}:  # 500 is the gate's: what nobody foresaw
        app.add_exception_handler(status, handle)
    app.add_middleware(Gate, state=state, asking=sign_in.asking)
    app.openapi = openapi(app, with_key=state.settings.api_key is not None)  # type: ignore[method-assign]
    return app
