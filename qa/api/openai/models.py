"""GET /v1/models: a model for each collection."""

from typing import Annotated

from fastapi import APIRouter, Path

from qa.api.contract import problems
from qa.api.openai.asking import known
from qa.api.openai.naming import model_of
from qa.api.openai.objects import ModelOut, ModelsOut
from qa.api.state import StateDep

router = APIRouter()


@router.get("/v1/models", responses=problems(503, openai=True), summary="The models: one for each collection")
def models(state: StateDep) -> ModelsOut:
    """`nutgraf` answers from the default collection, `nutgraf/NAME` from another."""
    return ModelsOut(data=[ModelOut(id=model_of(name)) for name in state.collections()])


@router.get("/v1/models/{model:path}", responses=problems(404, 422, 503, openai=True), summary="One model")
def model(model: Annotated[str, Path(max_length=256)], state: StateDep) -> ModelOut:
    """A model by its name, which may hold a slash."""
    return ModelOut(id=model_of(known(model, state)))
