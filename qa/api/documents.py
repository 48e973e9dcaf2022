"""What the corpus holds: collections, documents and paragraphs."""

from typing import Annotated

from fastapi import APIRouter, Path, Query
from pydantic import Field

from index.errors import NotFoundError
from qa import wire
from qa.api.contract import problems
from qa.api.state import StateDep

router = APIRouter(tags=["corpus"])

DocumentId = Annotated[str, Path(min_length=1, max_length=256)]
Where = Annotated[wire.CollectionQuery, Query()]


class Stretch(wire.CollectionQuery):
    """Which collection, and which paragraphs: both ends are included, and either may be left open."""

    first: Annotated[int, Field(ge=1, le=1_000_000_000)] = 1
    last: Annotated[int, Field(ge=1, le=1_000_000_000)] | None = None


@router.get("/v1/collections", responses=problems(503), summary="The collections there are")
def collections(state: StateDep) -> wire.CollectionsOut:
    """Every collection by name."""
    return wire.CollectionsOut(
        collections=[wire.CollectionOut(name=name) for name in state.service.collections()]
    )


@router.get("/v1/documents", responses=problems(404, 422, 503), summary="The documents of a collection")
def documents(where: Annotated[wire.PageQuery, Query()], state: StateDep) -> wire.DocumentsOut:
    """One page of a collection's documents, by path."""
    found = state.service.documents(where.collection)
    page_of = found[where.offset : where.offset + where.limit]
    return wire.DocumentsOut(
        documents=[wire.document_out(item) for item in page_of],
        total=len(found),
        limit=where.limit,
        offset=where.offset,
    )


@router.get("/v1/documents/{document_id}", responses=problems(404, 422, 503), summary="One document")
def document(document_id: DocumentId, where: Where, state: StateDep) -> wire.DocumentOut:
    """A document without its text."""
    return wire.document_out(state.service.document(where.collection, document_id))


@router.get(
    "/v1/documents/{document_id}/paragraphs",
    responses=problems(404, 422, 503),
    summary="The paragraphs of a document, all of them or a stretch",
)
def paragraphs(
    document_id: DocumentId, where: Annotated[Stretch, Query()], state: StateDep
) -> wire.ParagraphsOut:
    """Every paragraph in order, verbatim."""
    service = state.service
    base_url = state.settings.public_base_url
    found = service.paragraphs(where.collection, document_id)
    return wire.ParagraphsOut(
        document=wire.document_out(service.document(where.collection, document_id)),
        paragraphs=[
            wire.paragraph_out(item, base_url)
            for item in found
            if where.first <= item.paragraph.number <= (where.last or item.paragraph.number)
        ],
    )


@router.get(
    "/v1/documents/{document_id}/paragraphs/{number}",
    responses=problems(404, 422, 503),
    summary="One paragraph",
)
def paragraph(
    document_id: DocumentId, number: Annotated[int, Path(ge=1)], where: Where, state: StateDep
) -> wire.ParagraphOut:
    """A paragraph by its number, verbatim, with its lines, characters and SHA-256."""
    for item in state.service.paragraphs(where.collection, document_id):
        if item.paragraph.number == number:
            return wire.paragraph_out(item, state.settings.public_base_url)
    raise NotFoundError("this document has no paragraph with this number")
