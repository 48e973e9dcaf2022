"""GET and DELETE /v1/answers/{id}: what is kept of an answer, to check it again."""

from typing import Annotated

from fastapi import APIRouter, Path

from qa.api.contract import problems
from qa.api.state import StateDep
from qa.record import Record

router = APIRouter(tags=["answers"])

AnswerId = Annotated[str, Path(min_length=1, max_length=64)]


@router.get(
    "/v1/answers/{answer_id}",
    responses=problems(404, 422, 503),
    summary="What is kept of an answer, and how each of its sources stands now",
)
def record(answer_id: AnswerId, state: StateDep) -> Record:
    """Addresses, scores, verdicts, times and hashes; words only where NUTGRAF_RECORD_TEXT keeps them.

    A citation is `current` when its paragraph is the same, `superseded` when another text is at its address, and
    `gone` when its document or paragraph is not there. `answer`, `draft` and their sentences point into each other by
    characters; every `sha256` is of the text in UTF-8.
    """
    return state.service.record(answer_id)


@router.delete(
    "/v1/answers/{answer_id}",
    status_code=204,
    responses=problems(404, 422, 503, 507),
    summary="Let go of the record of an answer",
)
def forget(answer_id: AnswerId, state: StateDep) -> None:
    """Nothing can be said of that answer any more."""
    state.service.forget(answer_id)
