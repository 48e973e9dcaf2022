"""Long work over HTTP: begin it, look at it, or follow it as events."""

import asyncio
import time
from collections.abc import AsyncIterator, Mapping
from typing import Annotated, Any

from fastapi import APIRouter, Path, Response
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, ConfigDict

from qa import wire
from qa.api import sse
from qa.api.collections import NewName
from qa.api.contract import JsonRoute, problems
from qa.api.errors import ApiError, problem_of
from qa.api.state import State, StateDep
from qa.jobs import Job, QueueFullError, Report, StoppedError, Work
from qa.jobs import State as JobState
from qa.logs import describe
from qa.payload import sync_payload

router = APIRouter(tags=["jobs"])
_posts = APIRouter(route_class=JsonRoute)

POLL_S = 0.1
"""How often a followed job is looked at."""

JobId = Annotated[str, Path(min_length=1, max_length=64)]

_EVENTS: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "`progress` with the job whenever it changed, `done` with the job once it is done or failed, or "
        "`error` when the server ends first; `heartbeat` in between.",
        "content": {sse.MEDIA_TYPE: {"schema": dict(sse.SCHEMA)}},
    }
}


class IndexRequest(BaseModel):
    """Which collection is to hold what the server's folder holds."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)
    collection: NewName = "default"


class ProgressOut(BaseModel):
    """How far a job is, in files; `total` is 0 as long as it is not known."""

    done: int
    total: int


class JobOut(BaseModel):
    """A job as it stands. `result` is what the command line prints with `--json`; `error` says why it failed."""

    id: str
    kind: str
    collection: str
    state: JobState
    progress: ProgressOut
    created_at: str
    started_at: str | None
    ended_at: str | None
    result: dict[str, Any] | None
    error: wire.ProblemOut | None


@_posts.post(
    "/v1/index",
    status_code=202,
    responses=problems(400, 409, 413, 415, 422, 503),
    summary="Make a collection hold what the server's folder (NUTGRAF_CORPUS) holds",
)
def index(body: IndexRequest, response: Response, state: StateDep) -> JobOut:
    """Begins a job; one that waits already is given back instead of a second one."""
    service, corpus, collection = state.writer, state.settings.corpus, body.collection
    if corpus is None:
        raise ApiError("no_corpus")

    def work(report: Report) -> Mapping[str, object]:
        return sync_payload(
            service.sync(corpus, collection=collection, progress=lambda done, total, _: report(done, total))
        )

    return _begun(state, response, "index", collection, work)


@router.post(
    "/v1/purge",
    status_code=202,
    responses=problems(409, 503),
    summary="Leave no byte of what was deleted in the data folder",
)
def purge(response: Response, state: StateDep) -> JobOut:
    """Begins a job. Deleted text is never found or shown; until a purge, traces of it may be on the disk."""
    service = state.writer

    def work(_: Report) -> Mapping[str, object]:
        service.purge()
        return {}

    return _begun(state, response, "purge", "", work)


@router.get("/v1/jobs/{job_id}", responses=problems(404, 422), summary="A job as it stands")
def job(job_id: JobId, state: StateDep) -> JobOut:
    """Jobs that were over an hour ago, or before the server started, are no longer known."""
    return job_out(state.jobs.get(job_id))


@router.get(
    "/v1/jobs/{job_id}/events",
    response_class=StreamingResponse,
    responses=_EVENTS | problems(404, 422),
    summary="Follow a job until it is over",
)
async def events(job_id: JobId, state: StateDep) -> StreamingResponse:
    """The job as server-sent events."""
    state.jobs.get(job_id)
    headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    return StreamingResponse(_frames(state, job_id), media_type=sse.MEDIA_TYPE, headers=headers)


def job_out(given: Job) -> JobOut:
    """A job as it goes over the wire."""
    return JobOut(
        id=given.id,
        kind=given.kind,
        collection=given.collection,
        state=given.state,
        progress=ProgressOut(done=given.done, total=given.total),
        created_at=given.created_at,
        started_at=given.started_at,
        ended_at=given.ended_at,
        result=None if given.result is None else dict(given.result),
        error=None if given.error is None else _problem(given.error, given.id),
    )


async def _frames(state: State, job_id: str) -> AsyncIterator[bytes]:
    shown, told = None, time.monotonic()
    while True:
        current = state.jobs.get(job_id)
        if current != shown:
            shown, told = current, time.monotonic()
            yield sse.frame("done" if current.over else "progress", job_out(current).model_dump())
        elif time.monotonic() - told >= state.heartbeat_s:
            told = time.monotonic()
            yield sse.frame("heartbeat", {})
        if current.over:
            return
        if state.stopping.is_set():
            yield sse.frame("error", problem_of(ApiError("shutting_down")).body(job_id))
            return
        await asyncio.sleep(POLL_S)


def _begun(state: State, response: Response, kind: str, collection: str, work: Work) -> JobOut:
    try:
        given = state.jobs.submit(kind, collection, _logged(state, kind, work))
    except QueueFullError:
        raise ApiError("overloaded") from None
    response.headers["location"] = f"/v1/jobs/{given.id}"
    return job_out(given)


def _logged(state: State, kind: str, work: Work) -> Work:
    def logged(report: Report) -> Mapping[str, object]:
        began = time.monotonic()
        try:
            result = work(report)
        except Exception as error:
            state.log.warning("job_failed", id=kind, code=_code(error), **describe(error))
            raise
        state.log.info("job_done", id=kind, ms=(time.monotonic() - began) * 1000)
        return result

    return logged


def _problem(error: Exception, job_id: str) -> wire.ProblemOut:
    known = ApiError("shutting_down") if isinstance(error, StoppedError) else error
    return wire.ProblemOut.model_validate(problem_of(known).body(job_id))


def _code(error: Exception) -> str:
    return "shutting_down" if isinstance(error, StoppedError) else problem_of(error).code


router.include_router(_posts)
