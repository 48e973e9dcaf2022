"""What the tools take and give, as pydantic models: the schemas that clients see."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from qa import wire


class _In(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class _Out(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


Collection = Annotated[
    wire.CollectionName | None,
    Field(description="Name of a collection, as list_collections gives it; left out: the usual one."),
]


class SearchIn(_In):
    """What to look for."""

    query: Annotated[wire.Asked, Field(description="A question or words to look for.")]


class FetchIn(_In):
    """What to read."""

    id: Annotated[
        str,
        Field(min_length=1, max_length=300, description="An id from search, or a document_id of a citation."),
    ]


class AskIn(_In):
    """A question, and what was said before it."""

    question: Annotated[wire.Asked, Field(description="The question, in plain words.")]
    collection: Collection = None
    history: Annotated[
        list[wire.TurnIn],
        Field(
            max_length=wire.MAX_TURNS, description="Earlier turns, oldest first, for a follow-up question."
        ),
    ] = []


class VerifyIn(wire.VerifyRequest):
    """A text to check."""

    collection: Collection = None  # type: ignore[assignment] # the usual one is the server's to say


class CollectionsIn(_In):
    """Nothing."""


Lookup = SearchIn | FetchIn | VerifyIn | CollectionsIn
In = AskIn | Lookup


class FoundOut(_Out):
    """One paragraph that was found; a long one is cut at its end."""

    id: str
    title: str
    url: str
    text: str


class SearchOut(_Out):
    """What was found, best first."""

    results: list[FoundOut]


class PlaceOut(_Out):
    """Which part of which document a text is. `next` is the id of what follows it; `cut` says that a paragraph
    was too long to be given whole.
    """

    collection: str
    document_id: str
    path: str
    date: str | None
    paragraph: int
    first_paragraph: int
    last_paragraph: int
    paragraphs: int
    line_start: int
    line_end: int
    page: int | None
    cut: bool
    next: str | None


class FetchOut(_Out):
    """Paragraphs of a document around the one that was asked for, verbatim, with a blank line between them."""

    id: str
    title: str
    text: str
    url: str
    metadata: PlaceOut
