"""POST /v1/embeddings: vectors of the index's own model."""

import base64
import struct
import threading
from collections.abc import Sequence

from fastapi import APIRouter, Request

from qa.api.contract import JsonRoute, problems
from qa.api.errors import ApiError
from qa.api.openai.asked import EmbeddingsIn
from qa.api.openai.asking import known
from qa.api.openai.objects import EmbeddingOut, EmbeddingsOut, EmbeddingUsageOut
from qa.api.state import StateDep
from qa.api.work import attended
from qa.errors import QuestionError

router = APIRouter(route_class=JsonRoute)


@router.post(
    "/v1/embeddings",
    responses=problems(400, 404, 413, 415, 422, 503, openai=True),
    summary="Vectors of the index's own embedding model",
)
async def embeddings(body: EmbeddingsIn, request: Request, state: StateDep) -> EmbeddingsOut:
    """A text longer than the model reads is cut. `model` is one of ours, or the embedding model's own name."""
    service = state.service
    if body.model != service.embedding_model:
        known(body.model, state)
    cancelled = threading.Event()
    queries = body.input_type == "query"
    work = state.work(lambda: service.embed(body.texts, as_queries=queries, cancelled=cancelled))
    made = await attended(work, request.receive, state.stopping, cancelled)
    if len(made.vectors) != len(body.texts):
        raise ApiError("client_gone")
    if body.dimensions not in {None, len(made.vectors[0])}:
        raise QuestionError(f"dimensions: this model gives {len(made.vectors[0])} and no other number")
    packed = body.encoding_format == "base64"
    return EmbeddingsOut(
        data=[
            EmbeddingOut(index=number, embedding=_packed(vector) if packed else list(vector))
            for number, vector in enumerate(made.vectors)
        ],
        model=made.model,
        usage=EmbeddingUsageOut(prompt_tokens=made.tokens, total_tokens=made.tokens),
    )


def _packed(vector: Sequence[float]) -> str:
    return base64.b64encode(struct.pack(f"<{len(vector)}f", *vector)).decode()
