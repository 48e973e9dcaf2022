"""POST /v1/vector_stores/{collection}/search: paragraphs, without an answer."""

import re
from dataclasses import replace
from typing import Annotated, Literal

from fastapi import APIRouter, Path
from pydantic import Field, model_validator

from index.types import Filters, Hit
from qa.api.contract import JsonRoute, problems
from qa.api.openai.asked import Ignored, In
from qa.api.openai.objects import StoreHitOut, StorePageOut, TextOut
from qa.api.openai.told import hit_result
from qa.api.state import StateDep
from qa.wire import Asked, CollectionName, Day

router = APIRouter(route_class=JsonRoute)

_GLOB = re.compile(r"[*?\[]")


class PathIsIn(In):
    """Only this document."""

    type: Literal["eq"]
    key: Literal["path"]
    value: Annotated[str, Field(min_length=1, max_length=300)]

    def on(self, filters: Filters) -> Filters:
        """The filters, narrowed."""
        return replace(filters, path=_GLOB.sub(lambda found: f"[{found.group()}]", self.value))


class DateIsIn(In):
    """Only documents of this day, up to it, or from it on."""

    type: Literal["eq", "gte", "lte"]
    key: Literal["date"]
    value: Day

    def on(self, filters: Filters) -> Filters:
        """The filters, narrowed; of two limits on one side the tighter holds."""
        if self.type in {"eq", "gte"}:
            filters = replace(filters, date_from=max(filters.date_from or self.value, self.value))
        if self.type in {"eq", "lte"}:
            filters = replace(filters, date_to=min(filters.date_to or self.value, self.value))
        return filters


class AllOfIn(In):
    """Both or all of these."""

    type: Literal["and"]
    filters: Annotated[list[PathIsIn | DateIsIn], Field(min_length=1, max_length=4)]

    @model_validator(mode="after")
    def _one_path(self) -> "AllOfIn":
        if sum(isinstance(part, PathIsIn) for part in self.filters) > 1:
            raise ValueError("a document has one path")
        return self

    def on(self, filters: Filters) -> Filters:
        """The filters, narrowed."""
        for part in self.filters:
            filters = part.on(filters)
        return filters


class RankingIn(In):
    """Which results are good enough."""

    ranker: Literal["none", "auto", "default-2024-11-15"] | None = None
    score_threshold: Annotated[float, Field(ge=0, le=1)] | None = None


class StoreSearchIn(In):
    """A request for `POST /v1/vector_stores/{collection}/search`."""

    query: Asked | Annotated[list[Asked], Field(min_length=1, max_length=4)]
    filters: PathIsIn | DateIsIn | AllOfIn | None = None
    max_num_results: Annotated[int, Field(ge=1, le=50)] = 10
    ranking_options: RankingIn | None = None
    rewrite_query: Ignored = None


@router.post(
    "/v1/vector_stores/{collection}/search",
    responses=problems(400, 404, 413, 415, 422, 503, openai=True),
    summary="Find paragraphs of a collection; no answer is written",
)
def search(
    collection: Annotated[CollectionName, Path()], body: StoreSearchIn, state: StateDep
) -> StorePageOut:
    """Ranked paragraphs; of several queries each paragraph keeps its best score."""
    queries = [body.query] if isinstance(body.query, str) else body.query
    filters = Filters() if body.filters is None else body.filters.on(Filters())
    best: dict[tuple[str, int], Hit] = {}
    for query in queries:
        found = state.search(query, collection=collection, k=body.max_num_results, filters=filters)
        for hit in found.hits:
            where = (hit.document_id, hit.paragraph)
            if where not in best or best[where].score < hit.score:
                best[where] = hit
    least = (body.ranking_options.score_threshold if body.ranking_options else None) or 0.0
    ranked = sorted((hit for hit in best.values() if hit.score >= least), key=lambda hit: -hit.score)
    hits = ranked[: body.max_num_results]
    return StorePageOut(search_query=queries, data=[_out(hit) for hit in hits])


def _out(hit: Hit) -> StoreHitOut:
    return StoreHitOut.model_validate(hit_result(hit) | {"content": [TextOut(text=hit.text)]})
