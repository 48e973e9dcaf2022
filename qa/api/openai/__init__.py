"""The part of the API that speaks the OpenAI protocol: a model for each collection."""

from fastapi import APIRouter

from qa.api.openai import chat, embeddings, models, responses, stores

router = APIRouter(tags=["OpenAI-compatible"])
for part in (chat, responses, models, embeddings, stores):
    router.include_router(part.router)
