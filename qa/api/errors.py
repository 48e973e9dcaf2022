"""One table from error codes to application/problem+json, and what turns any exception into a row of it.

Texts are fixed, so nothing of an exception's inside gets out. Only the messages of `NotFoundError`, `QuestionError`
and `RejectedError`, which are written for the person who asked, are passed on.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from fastapi import HTTPException, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse

from index.errors import NotFoundError, NutgrafError, RejectedError
from qa.api.asgi import Scope
from qa.errors import QuestionError
from qa.invalid import complaint, place

MEDIA_TYPE = "application/problem+json"


@dataclass(frozen=True, slots=True)
class Row:
    """How an error code looks over HTTP."""

    status: int
    title: str
    detail: str
    retryable: bool = False


TABLE: Mapping[str, Row] = MappingProxyType(
    {
        "bad_request": Row(400, "Bad request", "The request is not well-formed HTTP."),
        "bad_form": Row(400, "Not one file", "A form has to hold one part, the file, and nothing else."),
        "bad_json": Row(400, "Body is not JSON", "The body could not be read as JSON."),
        "unauthorized": Row(401, "Key needed", "Send the API key as 'Authorization: Bearer KEY'."),
        "cross_site": Row(403, "Cross-site request", "Requests from pages of other sites are not answered."),
        "not_found": Row(404, "Not found", "There is no such collection, document, paragraph or answer."),
        "model_not_found": Row(404, "No such model", "There is no such model; GET /v1/models lists them."),
        "no_route": Row(404, "No such address", "Nothing is served at this address; /docs lists what is."),
        "method_not_allowed": Row(405, "Method not allowed", "This address does not take this method."),
        "read_only": Row(
            409,
            "Reading only",
            "This server only reads: another process wrote to the data folder when it started, or it may not write "
            "there. End the other process and start the server anew.",
        ),
        "no_corpus": Row(
            409,
            "No folder to index",
            "Start the server with NUTGRAF_CORPUS, the folder that is to be indexed.",
        ),
        "body_too_large": Row(413, "Body too large", "The body is larger than this server takes."),
        "unsupported_media_type": Row(415, "Not JSON", "Send the body as 'Content-Type: application/json'."),
        "wrong_host": Row(
            421,
            "Unknown host",
            "This server does not answer to this Host header; NUTGRAF_ALLOWED_HOSTS adds one.",
        ),
        "invalid": Row(422, "Invalid request", "A field of the request is not as it must be."),
        "invalid_question": Row(
            422, "Invalid question", "The question, its history or a filter is out of bounds."
        ),
        "missing_folder": Row(422, "No such folder", "The folder is not there, or holds no document."),
        "rejected": Row(422, "Not a document", "The file cannot be a document."),
        "too_many_headers": Row(
            431, "Too many headers", "The request has more headers than this server takes."
        ),
        "client_gone": Row(
            499, "Client left", "The client closed the connection before the answer was there.", True
        ),
        "internal": Row(
            500, "Internal error", "Something went wrong here; the log has more under this request_id."
        ),
        "settings": Row(500, "Wrong settings", "A setting of this server is wrong."),
        "storage_error": Row(503, "Storage failed", "The data folder could not be read or written.", True),
        "store_unavailable": Row(
            503,
            "Vector store unavailable",
            "The server that searches the vectors (NUTGRAF_STORE) does not answer, or does not hold all of them yet.",
            True,
        ),
        "disk_full": Row(507, "Disk full", "No space is left in the data folder; reading goes on.", True),
        "catalog_corrupt": Row(
            500, "Stored data damaged", "Stored data is damaged; 'nutgraf check' says what."
        ),
        "model_mismatch": Row(
            500, "Index of another model", "The index was built by another model or splitter."
        ),
        "embedder_unavailable": Row(503, "No model", "No usable model is at hand."),
        "locked": Row(503, "Data folder in use", "Another process writes to the data folder.", True),
        "llm_unavailable": Row(502, "LLM unavailable", "The LLM endpoint does not answer.", True),
        "llm_timeout": Row(504, "LLM too slow", "The LLM endpoint did not answer in time.", True),
        "llm_rate_limited": Row(
            503, "LLM rate limit", "The LLM endpoint takes no more requests for now.", True
        ),
        "llm_auth": Row(502, "LLM refuses the key", "The LLM endpoint refuses this server's key."),
        "llm_bad_response": Row(
            502, "LLM answer unusable", "The LLM endpoint's answer could not be used.", True
        ),
        "context_overflow": Row(
            422, "Too long for the LLM", "The question and its evidence are too long for the LLM."
        ),
        "starting": Row(503, "Starting", "The server is not ready yet.", True),
        "overloaded": Row(503, "Overloaded", "Too many questions at once.", True),
        "shutting_down": Row(503, "Shutting down", "The server is shutting down.", True),
    }
)

OPENAI_PATHS = (
    "/v1/chat/completions",
    "/v1/embeddings",
    "/v1/models",
    "/v1/responses",
    "/v1/vector_stores",
)
"""Here a problem also holds the `error` object that clients of the OpenAI protocol read."""

_OF_STATUS = MappingProxyType({400: "bad_json", 404: "no_route", 405: "method_not_allowed"})
"""Codes of the HTTP errors that the framework raises by itself."""


class ApiError(HTTPException):
    """An error of the API's own, by its code in the table."""

    def __init__(self, code: str, reasons: Sequence[str] = ()) -> None:
        super().__init__(status_code=TABLE[code].status)
        self.code = code
        self.reasons = tuple(reasons)


@dataclass(frozen=True, slots=True)
class Problem:
    """One error, ready to be sent."""

    code: str
    detail: str
    reasons: tuple[str, ...] = ()
    param: str | None = None

    @property
    def row(self) -> Row:
        """The table's row."""
        return TABLE[self.code]

    def body(self, request_id: str) -> dict[str, Any]:
        """The JSON object of the error."""
        row = self.row
        body: dict[str, Any] = {
            "type": f"/docs#error-{self.code}",
            "title": row.title,
            "status": row.status,
            "detail": self.detail,
            "code": self.code,
            "request_id": request_id,
            "retryable": row.retryable,
        }
        return body | ({"reasons": list(self.reasons)} if self.reasons else {})

    def openai_error(self) -> dict[str, Any]:
        """The same as the OpenAI protocol puts it."""
        kind = "invalid_request_error" if self.row.status < 500 else "server_error"
        return {"message": self.detail, "type": kind, "code": self.code, "param": self.param}


def problem_of(error: BaseException) -> Problem:
    """The row that an exception falls under; what nobody foresaw is `internal`."""
    if isinstance(error, RequestValidationError):
        return _invalid(error.errors())
    if isinstance(error, ApiError):
        param = "model" if error.code == "model_not_found" else None
        return Problem(error.code, TABLE[error.code].detail, error.reasons, param)
    if isinstance(error, NutgrafError) and error.code in TABLE:
        return Problem(error.code, _for_people(error, TABLE[error.code].detail))
    code = _OF_STATUS.get(getattr(error, "status_code", 500), "internal")
    return Problem(code, TABLE[code].detail)


def respond(problem: Problem, scope: Scope, headers: Mapping[str, str] | None = None) -> JSONResponse:
    """The response for a problem; its code is left in the scope for the log."""
    state = scope.setdefault("state", {})
    state["code"] = problem.code
    extra = dict(headers or {})
    if problem.code == "unauthorized":
        extra["WWW-Authenticate"] = "Bearer"
    if problem.row.status == 503 and problem.row.retryable:
        extra["Retry-After"] = "2"
    body = problem.body(state.get("request_id", ""))
    if speaks_openai(scope["path"]):
        body["error"] = problem.openai_error()
    return JSONResponse(body, status_code=problem.row.status, headers=extra, media_type=MEDIA_TYPE)


def speaks_openai(path: str) -> bool:
    """Whether a path belongs to the OpenAI-compatible part of the API."""
    return any(path == own or path.startswith(f"{own}/") for own in OPENAI_PATHS)


async def handle(request: Request, error: Exception) -> JSONResponse:
    """The app's exception handler."""
    headers = getattr(error, "headers", None)
    return respond(problem_of(error), request.scope, headers)


def _for_people(error: NutgrafError, fixed: str) -> str:
    if not isinstance(error, NotFoundError | QuestionError | RejectedError) or not str(error):
        return fixed
    return "".join(char if char.isprintable() else " " for char in str(error))[:300]


def _invalid(errors: Sequence[Mapping[str, Any]]) -> Problem:
    if any(error["type"] == "json_invalid" for error in errors):
        return Problem("bad_json", TABLE["bad_json"].detail)
    param = place(errors[0], skip=1) if errors else None
    return Problem("invalid", complaint(errors, skip=1) or TABLE["invalid"].detail, param=param)
