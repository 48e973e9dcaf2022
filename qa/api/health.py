"""How the server is, and what the API looks like."""

from typing import cast

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, PlainTextResponse, Response

from qa import wire
from qa.api import page
from qa.api.contract import problems
from qa.api.errors import ApiError
from qa.api.metrics import MEDIA_TYPE
from qa.api.state import StateDep

router = APIRouter()


@router.get("/livez", tags=["health"], responses=problems(), summary="Whether the process answers")
async def livez() -> wire.LiveOut:
    """Answers as soon as the process listens, models loaded or not."""
    return wire.LiveOut(status="ok")


@router.get("/readyz", tags=["health"], responses=problems(503), summary="Whether questions can be answered")
def readyz(state: StateDep) -> wire.ReadyOut:
    """503 with `reasons` while the index is opened, synced, or cannot be used."""
    ready, reasons = state.ready()
    if not ready:
        raise ApiError("starting", reasons)
    return wire.ReadyOut(ready=True)


@router.get(
    "/metrics",
    tags=["health"],
    response_class=PlainTextResponse,
    responses=problems(),
    summary="Counts and times of this server, for Prometheus",
)
def metrics(state: StateDep) -> Response:
    """Counted since the start; the text format of Prometheus."""
    return Response(state.metrics.text(), headers={"Content-Type": MEDIA_TYPE})


@router.get("/docs", include_in_schema=False)
async def docs(request: Request, state: StateDep) -> HTMLResponse:
    """The reference as a page of our own: the usual ones load scripts from another origin."""
    html = page.reference(request.app.openapi(), state.settings.public_base_url)
    return HTMLResponse(html, headers={"Content-Security-Policy": page.POLICY})


@router.get("/openapi.json", include_in_schema=False)
async def openapi(request: Request) -> dict[str, object]:
    """The OpenAPI document."""
    return cast("dict[str, object]", request.app.openapi())
