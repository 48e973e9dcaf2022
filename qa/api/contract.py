"""What routes have in common: JSON in, problems out, and how OpenAPI says so."""

from collections.abc import Callable, Coroutine
from typing import Any

from fastapi import FastAPI, Request
from fastapi.responses import Response
from fastapi.routing import APIRoute

from qa import wire
from qa.api.errors import MEDIA_TYPE, TABLE, ApiError

_PROBLEM = {"$ref": "#/components/schemas/Problem"}
_OPENAI_PROBLEM = {"$ref": "#/components/schemas/OpenAIProblem"}


class JsonRoute(APIRoute):
    """A route whose body must call itself JSON: a form of another site cannot, without asking first."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Check the content type before anything of the body is read."""
        handler = super().get_route_handler()

        async def checked(request: Request) -> Response:
            kind, _, parameters = request.headers.get("content-type", "").partition(";")
            charset = parameters.strip().lower()
            if kind.strip().lower() != "application/json" or charset not in {
                "",
                "charset=utf-8",
                'charset="utf-8"',
            }:
                raise ApiError("unsupported_media_type")
            return await handler(request)

        return checked


def problems(*statuses: int, openai: bool = False) -> dict[int | str, dict[str, Any]]:
    """The `responses` of a route that may fail with these statuses; what every route may give is added."""
    schema = _OPENAI_PROBLEM if openai else _PROBLEM
    return {status: _response(status, schema) for status in sorted({*statuses, 401, 403, 421, 431, 500})}


def _response(status: int, schema: dict[str, str]) -> dict[str, Any]:
    titles = sorted({row.title for row in TABLE.values() if row.status == status})
    return {"description": "; ".join(titles), "content": {MEDIA_TYPE: {"schema": schema}}}


def openapi(app: FastAPI, *, with_key: bool) -> Callable[[], dict[str, Any]]:
    """What makes the app's OpenAPI document: FastAPI's, with the problem object and the key added."""
    make = app.openapi

    def document() -> dict[str, Any]:
        if app.openapi_schema is not None:
            return app.openapi_schema
        schema = make()
        components = schema.setdefault("components", {})
        schemas = components.setdefault("schemas", {})
        schemas["Problem"] = wire.ProblemOut.model_json_schema(mode="serialization")
        schemas["OpenAIProblem"] = _inlined(wire.OpenAIProblemOut.model_json_schema(mode="serialization"))
        for unused in ("HTTPValidationError", "ValidationError"):
            schemas.pop(unused, None)
        if with_key:
            components["securitySchemes"] = {"key": {"type": "http", "scheme": "bearer"}}
            schema["security"] = [{"key": []}]
        return schema

    return document


def _inlined(schema: dict[str, Any]) -> dict[str, Any]:
    """A schema whose one definition stands where it is used: references reach only the document's components."""
    (definition,) = schema.pop("$defs").values()
    schema["properties"]["error"] = definition
    return schema
