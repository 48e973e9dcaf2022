"""A service whose every answer, document and error is the text it is given, in every field that holds text."""

import hashlib
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from index.errors import NotFoundError
from index.types import DocumentInfo, Filters, Paragraph, SearchResult, StoredParagraph
from qa.errors import QuestionError
from qa.record import Record
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


@dataclass(slots=True)
class HostileService:
    """Answers `ask N` with text N, and whatever it does not know with the first.

    `fail N` is an error, `refuse N` an abstention.
    """

    texts: Sequence[str]
    settings: Settings = field(default_factory=Settings)
    writable: bool = False

    def collections(self) -> list[str]:
        return ["default", *self.texts[:3]]

    def documents(self, collection: str) -> list[DocumentInfo]:
        return [self._info(number) for number in range(len(self.texts))]

    def document(self, collection: str, document_id: str) -> DocumentInfo:
        return self._info(self._number(document_id))

    def paragraphs(self, collection: str, document_id: str) -> list[StoredParagraph]:
        number = self._number(document_id)
        text = self.texts[number]
        paragraph = Paragraph(1, 1, 1, 0, len(text))
        return [StoredParagraph(self._info(number), paragraph, text, "0" * 64)]

    def text(self, collection: str, document_id: str) -> str:
        return self.texts[self._number(document_id)]

    def search(self, query: str, *, collection: str, k: int, filters: Filters) -> SearchResult:
        return SearchResult(())

    def record(self, answer_id: str) -> Record:
        raise NotFoundError(self.texts[0])

    def forget(self, answer_id: str) -> None:
        raise NotFoundError(self.texts[0])

    def verify(self, text: str, *, collection: str) -> Verified:
        return Verified((), ())

    def ask(
        self, question: Question, *, on_event: OnEvent | None, cancelled: threading.Event | None
    ) -> Answer:
        what, _, number = question.text.partition(" ")
        number = number if number.isdigit() else "0"
        text = self.texts[int(number)]
        if what == "fail":
            raise QuestionError(text)
        tell = on_event or (lambda event: None)
        tell(Event("search", {"query": text, "hits": []}))
        tell(Event("delta", {"text": text}))
        answer = self._answer(int(number), question)
        return replace(answer, **self._refusal(int(number))) if what == "refuse" else answer

    def _refusal(self, number: int) -> dict[str, object]:
        nearest = Abstention("low_confidence", (self._citation(number),))
        return {"status": "abstained", "answer": "", "sentences": (), "citations": (), "conflicts": (),
                "abstention": nearest}  # fmt: skip

    def _answer(self, number: int, question: Question) -> Answer:
        text = self.texts[number]
        verdicts = ("supported", "partial", "unsupported", "contradicted")
        sentence = Sentence(0, 0, len(text), verdicts[number % 4], 0.5, ("c1",), text)
        return Answer(
            id=f"ans_{number}",
            status="partial",
            answer=text,
            answer_plain=text,
            sentences=(sentence,),
            citations=(self._citation(number), replace(self._citation(number), id="c2", marker=2)),
            abstention=None,
            conflicts=(Conflict(text, (text, text), ("c1", "c2")),),
            query=AskedQuery(question.text, text),
            hits=(),
            answerer=AnswererInfo("llm", text),
            degraded=(text,),
            timings_ms={"total": 1.0},
        )

    def _citation(self, number: int) -> Citation:
        text, info = self.texts[number], self._info(number)
        return Citation(
            "c1", 1, info.id, info.path, info.title, info.date, 1, 1, 1, None, 0, len(text), text,
            hashlib.sha256(text.encode()).hexdigest(), f"javascript:ran({number})",
        )  # fmt: skip

    def _info(self, number: int) -> DocumentInfo:
        text = self.texts[number]
        return DocumentInfo(
            f"d{number}", f"{text}/{text}", text, text, text, text, 1, 1, 1, text, "upload", (text,)
        )

    def _number(self, document_id: str) -> int:
        if not document_id.removeprefix("d").isdigit():
            raise NotFoundError(self.texts[0])
        return int(document_id.removeprefix("d"))

    def ready(self) -> tuple[bool, tuple[str, ...]]:
        return True, ()

    def put(self, path: str, data: bytes, *, collection: str) -> str:
        raise NotImplementedError

    def find(self, collection: str, path: str) -> DocumentInfo | None:
        return None

    def remove(self, collection: str, document_id: str) -> None:
        raise NotImplementedError

    def create_collection(self, name: str) -> bool:
        raise NotImplementedError

    def delete_collection(self, name: str) -> None:
        raise NotImplementedError

    def sync(self, root: Path, *, collection: str = "default", progress: object = None) -> object:
        raise NotImplementedError

    def purge(self) -> None:
        """Nothing is kept."""

    def close(self) -> None:
        """Nothing is held."""
