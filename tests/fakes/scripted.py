"""A source of answers that follows a script, for the surfaces in front of it; and values to build answers from."""

import hashlib
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from index.errors import NotFoundError
from index.types import DocumentInfo, Filters, Hit, Holdings, Paragraph, SearchResult, StoredParagraph
from qa.age import age_of, today
from qa.settings import Settings
from qa.types import (
    Abstention,
    Answer,
    AnswererInfo,
    AskedQuery,
    Citation,
    Conflict,
    Event,
    OnEvent,
    Question,
    Sentence,
    Verified,
)

QUOTE = "The call lasted about 45 minutes."
PATH = "news/call.txt"


def citation(marker: int = 1, **more: object) -> Citation:
    values: dict[str, object] = {
        "id": f"c{marker}",
        "marker": marker,
        "document_id": "d1",
        "path": PATH,
        "title": "The call",
        "date": "2022-04-20",
        "paragraph": 3,
        "line_start": 5,
        "line_end": 5,
        "page": None,
        "start_char_index": 40,
        "end_char_index": 40 + len(QUOTE),
        "cited_text": QUOTE,
        "sha256": hashlib.sha256(QUOTE.encode()).hexdigest(),
        "url": "http://127.0.0.1:8000/documents/d1#p3",
    }
    return Citation(**{**values, **more})  # type: ignore[arg-type]


def age_note() -> str:
    """What an answer says of the age of its source, by today's clock."""
    return f"Note: {age_of([citation()], today())}"


def hit(**more: object) -> Hit:
    values: dict[str, object] = {
        "document_id": "d1",
        "path": PATH,
        "title": "The call",
        "date": "2022-04-20",
        "paragraph": 3,
        "line_start": 5,
        "line_end": 6,
        "start": 40,
        "end": 73,
        "page": None,
        "text": QUOTE,
        "sha256": "",
        "context": "",
        "score": 0.5,
        "scores": {"dense": 0.25, "lexical": 7.5},
    }
    return Hit(**{**values, **more})  # type: ignore[arg-type]


def answer(text: str = f"{QUOTE} [1]", **more: object) -> Answer:
    values: dict[str, object] = {
        "id": "ans_1",
        "status": "answered",
        "answer": text,
        "answer_plain": QUOTE,
        "sentences": (Sentence(0, 0, len(text), "supported", 0.9, ("c1",), text),),
        "citations": (citation(),),
        "abstention": None,
        "conflicts": (),
        "query": AskedQuery("How long?", "How long was the call?"),
        "hits": (hit(),),
        "answerer": AnswererInfo("extractive", "sentences"),
        "degraded": (),
        "usage": {"prompt_tokens": 3},
        "timings_ms": {"search": 1.5},
    }
    return Answer(**{**values, **more})  # type: ignore[arg-type]


def abstained() -> Answer:
    return answer(
        "",
        status="abstained",
        answer_plain="",
        sentences=(),
        citations=(),
        abstention=Abstention("low_confidence", (citation(),)),
    )


def disputed() -> Answer:
    values = ("45 minutes", "90 minutes")
    return answer(
        status="partial",
        citations=(citation(), citation(2, date="2024-04-16", page=7, line_end=6)),
        conflicts=(Conflict("length of the call", values, ("c1", "c2")),),
        sentences=(Sentence(0, 0, len(QUOTE) + 4, "contradicted", 0.2, ("c2",), f"{QUOTE} [1]"),),
        degraded=("llm",),
    )


def document() -> DocumentInfo:
    return DocumentInfo(
        "d1", PATH, "The call", "2022-04-20", "text/plain", "0" * 64, 99, 9, 9, "2024-01-01T00:00:00Z"
    )


def paragraphs() -> list[StoredParagraph]:
    texts = [QUOTE if number == 3 else f"Paragraph {number}." for number in range(1, 10)]
    return [
        StoredParagraph(document(), Paragraph(n, n, n, n, n + len(text)), text, "0" * 64)
        for n, text in enumerate(texts, 1)
    ]


@dataclass(slots=True)
class ScriptedSource:
    """Gives the scripted answers in order and remembers what it was asked."""

    script: Sequence[Answer | Exception] = ()
    deltas: Sequence[str] = ()
    asked: list[Question] = field(default_factory=list)
    waits: bool = False
    entered: threading.Event = field(default_factory=threading.Event)
    cancelled: threading.Event = field(default_factory=threading.Event)
    settings: Settings = field(default_factory=Settings)

    def ask(
        self,
        question: Question,
        *,
        on_event: OnEvent | None = None,
        cancelled: threading.Event | None = None,
    ) -> Answer:
        self.asked.append(question)
        self.entered.set()
        if self.waits and cancelled is not None and cancelled.wait(30):
            self.cancelled.set()
        if on_event:
            on_event(Event("search", {"hits": 1}))
        for text in self.deltas if on_event else ():
            on_event(Event("delta", {"text": text}))
        result = self.script[min(len(self.asked), len(self.script)) - 1]
        if isinstance(result, Exception):
            raise result
        return result

    def search(
        self, query: str, *, collection: str = "default", k: int = 8, filters: Filters = Filters()
    ) -> SearchResult:
        return SearchResult((hit(),))

    def verify(self, text: str, *, collection: str = "default") -> Verified:
        return Verified((Sentence(0, 0, len(text), "supported", 0.9, ("c1",), text, "words"),), (citation(),))

    def collections(self) -> list[str]:
        return ["default", "other"]

    def holdings(self) -> Holdings:
        return Holdings(2, 450, 4050, None, 1)

    def paragraphs(self, collection: str, document_id: str) -> list[StoredParagraph]:
        if document_id != "d1":
            raise NotFoundError("no such document")
        return paragraphs()

    def documents(self, collection: str) -> list[DocumentInfo]:
        return [replace(document(), path=f"{n:04}.txt") for n in range(450)]

    def document(self, collection: str, document_id: str) -> DocumentInfo:
        if document_id != "d1":
            raise NotFoundError("no such document")
        return document()

    def ready(self) -> tuple[bool, tuple[str, ...]]:
        return True, ()

    def close(self) -> None:
        """Nothing is held."""


def hit_metadata(url: str, collection: str = "default") -> dict[str, object]:
    """What a retriever's document tells of `hit()` when the service is at this address."""
    return {
        "path": PATH,
        "paragraph": 3,
        "line_start": 5,
        "line_end": 6,
        "start_char_index": 40,
        "end_char_index": 73,
        "sha256": hashlib.sha256(QUOTE.encode()).hexdigest(),
        "url": f"{url}/documents/d1#p3",
        "title": "The call",
        "date": "2022-04-20",
        "document_id": "d1",
        "collection": collection,
        "score": 0.5,
    }
