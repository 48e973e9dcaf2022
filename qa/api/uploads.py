"""Documents over HTTP: put one in place, take one away, fetch its text or its file to save."""

import threading
import unicodedata
from collections.abc import AsyncIterator
from hashlib import sha256
from pathlib import Path as FolderPath
from typing import Annotated, Any
from urllib.parse import quote

from fastapi import APIRouter, Path, Query, Request
from fastapi.responses import Response
from pydantic import AfterValidator
from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header
from starlette.convertors import PathConvertor, register_url_convertor

from index.errors import InputError, NotFoundError
from index.records import check_path
from index.types import DocumentInfo
from index.walk import MAX_BYTES, FileSkipped, Found, read_file
from qa import wire
from qa.api.contract import problems
from qa.api.documents import DocumentId, Where
from qa.api.errors import ApiError
from qa.api.state import Backend, State, StateDep
from qa.api.work import attended, in_thread


class _AnyPath(PathConvertor):
    """The rest of an address, line breaks included: else one at its end is cut off, and others find another route."""

    regex = "(?s:.*)"


register_url_convertor("any", _AnyPath())

router = APIRouter(tags=["corpus"])

_LONGEST_PATH = 1024
_UNSEEN = frozenset({"Cc", "Cs", "Zl", "Zp"})
_TURNING = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")

_BINARY = {"schema": {"type": "string", "format": "binary"}}
_FORM = {
    "schema": {
        "type": "object",
        "properties": {"file": {"type": "string", "format": "binary"}},
        "required": ["file"],
        "additionalProperties": False,
    }
}
_BODY = {
    "requestBody": {
        "required": True,
        "description": "The file itself, of any media type, or a form with this one file; its name is not looked at.",
        "content": {"application/octet-stream": _BINARY, "multipart/form-data": _FORM},
    }
}
_STORED: dict[int | str, dict[str, Any]] = {
    200: {"description": "In place of an earlier version", "model": wire.DocumentOut},
    204: {"description": "This very file is stored there already"},
}
_FILE: dict[int | str, dict[str, Any]] = {
    200: {"description": "The file, byte for byte", "content": {"application/octet-stream": _BINARY}}
}
_TEXT: dict[int | str, dict[str, Any]] = {
    200: {"description": "The text, in UTF-8", "content": {"application/octet-stream": _BINARY}}
}


def _plain(path: str) -> str:
    """A path that is the same on every system, and reads as what it is."""
    try:
        check_path(path)
    except InputError:
        raise ValueError("must be a relative path with no empty part, '.' or '..'") from None
    if len(path.encode("utf-8", "replace")) > _LONGEST_PATH:
        raise ValueError(f"must not be longer than {_LONGEST_PATH} bytes")
    odd = any(char in _TURNING or unicodedata.category(char) in _UNSEEN for char in path)
    if odd or "\\" in path or "\ufffd" in path:
        raise ValueError("must be valid UTF-8 without backslashes and control characters")
    return path


NewPath = Annotated[
    str,
    Path(alias="document_id", description="To read or delete: the id. To put: the path to store it under."),
    AfterValidator(_plain),
]


@router.put(
    "/v1/documents/{document_id:any}",  # noqa: FAST003 - one name on the wire for what the other routes call an id
    status_code=201,
    response_model=wire.DocumentOut,
    # 405 is for a line break, at which Starlette ends a path
    responses=_STORED | problems(400, 404, 405, 409, 413, 415, 422, 503, 507),
    openapi_extra=_BODY,
    summary="Store a document under a path, in place of what has it",
)
async def put(
    path: NewPath,
    where: Annotated[wire.CollectionQuery, Query()],
    request: Request,
    response: Response,
    state: StateDep,
) -> Any:
    """Committed, and found by the next question, once this answers. Doing it again changes nothing."""
    service = state.writer
    data = await _Body(request, state).read()
    work = in_thread(lambda: _store(service, where.collection, path, data))
    work.add_done_callback(lambda done: _let_go(state, len(data), done))
    outcome, info = await attended(work, request.receive, state.stopping, threading.Event())
    if outcome == "unchanged":
        return Response(status_code=204)
    response.status_code = 201 if outcome == "added" else 200
    response.headers["location"] = f"/v1/documents/{info.id}?collection={quote(where.collection)}"
    return wire.document_out(info)


@router.delete(
    "/v1/documents/{document_id}",
    status_code=204,
    responses=problems(404, 409, 422, 503, 507),
    summary="Take a document away from every surface",
)
def delete(document_id: DocumentId, where: Where, state: StateDep) -> None:
    """No answer cites it any more once this answers. A synced folder that still holds its file brings it back."""
    state.writer.remove(where.collection, document_id)


@router.get(
    "/v1/documents/{document_id}/text",
    response_class=Response,
    responses=_TEXT | problems(404, 422, 503),
    summary="The stored text of a document, to be saved",
)
def text(document_id: DocumentId, where: Where, state: StateDep) -> Response:
    """The text that offsets of citations point into. It is never shown by a browser, only saved."""
    info = state.service.document(where.collection, document_id)
    words = state.service.text(where.collection, document_id)
    headers = {"Content-Disposition": _attachment(info.path), "Content-Security-Policy": "sandbox"}
    return Response(words.encode(), media_type="application/octet-stream", headers=headers)


@router.get(
    "/v1/documents/{document_id}/original",
    response_class=Response,
    responses=_FILE | problems(404, 422, 503),
    summary="The file that a document was made of, to be saved",
)
def original(document_id: DocumentId, where: Where, state: StateDep) -> Response:
    """The file as it was uploaded, or as it lies in `NUTGRAF_CORPUS` while it is the one that was indexed."""
    service = state.service
    info = service.document(where.collection, document_id)
    data = service.original(where.collection, document_id) or _from_corpus(state.settings.corpus, info)
    if data is None:
        raise NotFoundError(
            "its file is not at hand: it has changed or gone since it was indexed, or came before files were kept"
        )
    headers = {
        "Content-Disposition": _attachment(info.path, original=True),
        "Content-Security-Policy": "sandbox",
    }
    return Response(data, media_type="application/octet-stream", headers=headers)


class _Body:
    """The body of an upload on its way in, counted against the room there is for all of them."""

    def __init__(self, request: Request, state: State) -> None:
        self._request = request
        self._state = state
        self._held = 0

    async def read(self) -> bytes:
        """The document's bytes; their room is for the caller to give back.

        Raises:
            ApiError: it is too large, there is no room, or a form does not hold one file.
        """
        try:
            data = await self._data()
        except BaseException:
            self._state.hold(-self._held)
            raise
        self._state.hold(len(data) - self._held)
        return data

    async def _data(self) -> bytes:
        kind, parameters = parse_options_header(self._request.headers.get("content-type"))
        if kind == b"multipart/form-data":
            data = await _only_file(parameters.get(b"boundary", b""), self._parts())
        else:
            data = b"".join([part async for part in self._parts()])
        if len(data) > MAX_BYTES:
            raise ApiError("body_too_large")
        return data

    async def _parts(self) -> AsyncIterator[bytes]:
        async for part in self._request.stream():
            self._state.hold(len(part))
            self._held += len(part)
            yield part


async def _only_file(boundary: bytes, parts: AsyncIterator[bytes]) -> bytes:
    """The one part of a form. Raises ApiError for a form that is cut, is none, or has more parts."""
    begun: list[int] = []
    ended: list[bool] = []
    data = bytearray()
    try:
        parser = MultipartParser(
            boundary,
            {
                "on_part_begin": lambda: begun.append(len(data)),
                "on_part_data": lambda part, start, end: data.extend(part[start:end]),
                "on_end": lambda: ended.append(True),
            },
        )
        async for part in parts:
            parser.write(part)
    except FormParserError:
        raise ApiError("bad_form") from None
    if len(begun) != 1 or not ended:
        raise ApiError("bad_form")
    return bytes(data)


def _store(service: Backend, collection: str, path: str, data: bytes) -> tuple[str, DocumentInfo]:
    if collection != "default" and collection not in service.collections():
        raise NotFoundError("there is no such collection; POST /v1/collections makes one")
    outcome = service.put(path, data, collection=collection)
    info = service.find(collection, path)
    if info is None:
        raise NotFoundError("it was stored, and another request has removed it since")
    return outcome, info


def _let_go(state: State, size: int, work: Any) -> None:
    state.hold(-size)
    if not work.cancelled():
        work.exception()  # looked at, so that asyncio does not print it when nobody waits any more


def _from_corpus(root: FolderPath | None, info: DocumentInfo) -> bytes | None:
    """The bytes of a synced document's file, read without following a link; none where it is another file by now."""
    if root is None or info.origin != "folder":
        return None
    try:
        data = read_file(root, Found(info.path, tuple(info.path.split("/"))))
    except FileSkipped:
        return None
    return data if sha256(data).hexdigest() == info.sha256 else None


def original_of(state: State, collection: str, info: DocumentInfo) -> str:
    """Where the file of a document is to be had; empty where it is not at hand, as far as its size tells."""
    if info.origin == "upload":
        there = state.service.has_original(collection, info.id)
    else:
        there = _size(state.settings.corpus, info.path) == info.size
    return f"/v1/documents/{info.id}/original?collection={quote(collection)}" if there else ""


def _size(root: FolderPath | None, path: str) -> int | None:
    try:
        return None if root is None else (root / path).lstat().st_size
    except (OSError, ValueError):
        return None


def _attachment(path: str, *, original: bool = False) -> str:
    name = path.rpartition("/")[2]
    name = name if original or name.endswith((".txt", ".md")) else f"{name}.txt"
    plain = "document" if original else "document.txt"
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}"
