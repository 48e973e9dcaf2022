"""Making collections and taking them away."""

from typing import Annotated, Any

from fastapi import APIRouter, Path, Response
from pydantic import BaseModel, ConfigDict, StringConstraints

from qa import wire
from qa.api.contract import JsonRoute, problems
from qa.api.state import StateDep

router = APIRouter(tags=["corpus"])
_posts = APIRouter(route_class=JsonRoute)

_THERE: dict[int | str, dict[str, Any]] = {200: {"description": "There already", "model": wire.CollectionOut}}

NewName = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9_-]{0,63}$")]
"""The name of a collection that may have to be made."""


class CollectionIn(BaseModel):
    """A collection to make."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)
    name: NewName


@_posts.post(
    "/v1/collections",
    status_code=201,
    responses=_THERE | problems(400, 409, 413, 415, 422, 503, 507),
    summary="Make an empty collection",
)
def create(body: CollectionIn, response: Response, state: StateDep) -> wire.CollectionOut:
    """One that is there already is left as it is."""
    response.status_code = 201 if state.writer.create_collection(body.name) else 200
    return wire.CollectionOut(name=body.name)


@router.delete(
    "/v1/collections/{name}",
    status_code=204,
    responses=problems(404, 409, 422, 503, 507),
    summary="Take a collection away with every document in it",
)
def delete(name: Annotated[str, Path(min_length=1, max_length=128)], state: StateDep) -> None:
    """A synced folder brings its collection back when it is synced again."""
    state.writer.delete_collection(name)


router.include_router(_posts)
