"""POST /v1/search and /v1/verify: hits without an answer, and verdicts for somebody's text."""

from fastapi import APIRouter

from qa import wire
from qa.api.contract import JsonRoute, problems
from qa.api.state import StateDep

router = APIRouter(route_class=JsonRoute)


@router.post(
    "/v1/search",
    responses=problems(400, 404, 413, 415, 422, 503),
    tags=["answers"],
    summary="Find paragraphs; no answer is written and no LLM is asked",
)
def search(body: wire.SearchRequest, state: StateDep) -> wire.SearchOut:
    """The best paragraphs for a query, with the scores each score was made from."""
    filters = body.filters.to_filters()
    return wire.search_out(
        state.search(body.query, collection=body.collection, k=body.top_k, filters=filters)
    )


@router.post(
    "/v1/verify",
    responses=problems(400, 404, 413, 415, 422, 503),
    tags=["answers"],
    summary="Check anybody's text, sentence by sentence, against the corpus",
)
def verify(body: wire.VerifyRequest, state: StateDep) -> wire.VerifiedOut:
    """A verdict and citations for each sentence; a line break ends a sentence."""
    return wire.verified_out(state.verify(body.text, collection=body.collection))
