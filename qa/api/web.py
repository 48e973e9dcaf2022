"""The web page: its views, its files, the page of a document, and the last evaluation report."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import HTMLResponse, Response
from pydantic import Field

from index.errors import NotFoundError
from index.types import DocumentInfo
from qa import wire
from qa.api import page
from qa.api.contract import problems
from qa.api.documents import DocumentId
from qa.api.errors import ApiError
from qa.api.site import MEDIA_TYPES, POLICY, STILL_POLICY, Site
from qa.api.state import Backend, State, StateDep
from qa.api.uploads import original_of

REPORT = "evaluation.html"
"""The report's file in the data folder."""

REPORT_POLICY = (
    "sandbox; default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'self'"
)
"""A report is a page made elsewhere: no script, no form, no origin of its own; only our own view frames it."""

MAX_REPORT = 20 * 1024 * 1024
FOREVER = "public, max-age=31536000, immutable"

Route = Callable[..., Awaitable[Response]]


class View(wire.CollectionQuery):
    """Which document, and which of its characters to mark."""

    collection: wire.CollectionName | None = None  # type: ignore[assignment] # ids differ between collections
    start: Annotated[int, Field(ge=0)] | None = None
    end: Annotated[int, Field(ge=0)] | None = None
    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{8,64}$")] | None = None

    def span(self) -> page.Span | None:
        """The characters, where both ends are given."""
        if self.start is None or self.end is None:
            return None
        return page.Span(self.start, self.end, self.sha256 or "")


def router(site: Site) -> APIRouter:
    """The routes, over the files of one site."""
    made = APIRouter()
    _views(made, site)
    _files(made, site)
    _documents(made, site)
    _report(made)
    return made


def _views(made: APIRouter, site: Site) -> None:
    ask = site.page("Nutgraf", site.mains["index"], view="/", script="ask.js")
    documents = site.page(
        "Documents – Nutgraf", site.mains["documents"], view="/documents", script="documents.js"
    )

    @made.get("/", include_in_schema=False)
    async def root() -> HTMLResponse:
        """Ask, and read the answer beside its sources."""
        return _html(ask, POLICY)

    @made.get("/documents", include_in_schema=False)
    async def listing() -> HTMLResponse:
        """What a collection holds, and the way to add to it."""
        return _html(documents, POLICY)

    @made.get("/evaluation", include_in_schema=False)
    def evaluation(state: StateDep) -> HTMLResponse:
        """The last report, or how to make one."""
        html = site.page("Evaluation – Nutgraf", page.evaluation(_made(state)), view="/evaluation")
        return _html(html, POLICY)


def _files(made: APIRouter, site: Site) -> None:
    @made.get("/static/{release}/{name}", include_in_schema=False)
    async def static(release: str, name: str, request: Request) -> Response:
        """One of our own files, to be kept for good: its address changes when it does."""
        if release != site.release or name not in site.assets:
            raise ApiError("no_route")
        headers = {"Cache-Control": FOREVER, "Content-Type": MEDIA_TYPES[name], "Vary": "Accept-Encoding"}
        if not _takes_gzip(request.headers.get("accept-encoding", "")):
            return Response(site.assets[name], headers=headers)
        return Response(site.packed[name], headers={**headers, "Content-Encoding": "gzip"})


def _documents(made: APIRouter, site: Site) -> None:
    @made.get(
        "/documents/{document_id}",
        responses=problems(404, 422, 503),
        response_class=HTMLResponse,
        tags=["corpus"],
        summary="A document as a page; `#p12` shows paragraph 12, `start` and `end` mark characters",
    )
    def document_page(
        document_id: DocumentId, view: Annotated[View, Query()], request: Request, state: StateDep
    ) -> HTMLResponse:
        """The page that a citation's `url` opens."""
        service = state.service
        try:
            collection, info = _find(service, view.collection, document_id)
        except NotFoundError:
            if "text/html" not in request.headers.get("accept", ""):
                raise
            return _html(site.page("Not found – Nutgraf", page.MISSING), STILL_POLICY, status=404)
        paragraphs = service.paragraphs(collection, document_id)
        main = page.document(info, paragraphs, view.span(), original=original_of(state, collection, info))
        return _html(site.page(page.shown(info.title or info.path), main), STILL_POLICY)


def _report(made: APIRouter) -> None:
    @made.get("/evaluation/report", include_in_schema=False)
    def report(state: StateDep) -> HTMLResponse:
        """The report as `nutgraf eval --html` wrote it, in a sandbox."""
        file = _report_file(state)
        if _made(state) is None:
            raise ApiError("not_found")
        headers = {"X-Frame-Options": "SAMEORIGIN", "Content-Disposition": "inline"}
        return HTMLResponse(file.read_bytes(), headers=headers | {"Content-Security-Policy": REPORT_POLICY})


def _find(service: Backend, collection: str | None, document_id: str) -> tuple[str, DocumentInfo]:
    """The document, in the collection named or in whichever holds it. Raises NotFoundError."""
    for name in service.collections() if collection is None else (collection,):
        try:
            return name, service.document(name, document_id)
        except NotFoundError:
            continue
    raise NotFoundError("no such document")


def _report_file(state: State) -> Path:
    return state.settings.data_dir / REPORT


def _made(state: State) -> datetime | None:
    """When the report was written, or None where there is none that can be shown."""
    try:
        found = _report_file(state).stat()
    except OSError:
        return None
    return datetime.fromtimestamp(found.st_mtime, UTC) if 0 < found.st_size <= MAX_REPORT else None


def _takes_gzip(accepted: str) -> bool:
    """Whether an Accept-Encoding names gzip, and not to refuse it."""
    for part in accepted.lower().split(","):
        name, _, weight = part.replace(" ", "").partition(";q=")
        if name == "gzip":
            return not weight or weight.strip("0.") != ""
    return False


def _html(html: str, policy: str, status: int = 200) -> HTMLResponse:
    return HTMLResponse(html, status_code=status, headers={"Content-Security-Policy": policy})
