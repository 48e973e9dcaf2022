"""A small service of its own: paragraphs between blank lines, ranked by shared words, answered by quoting."""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from hashlib import sha256
from pathlib import Path

import pytest

from index.errors import NotFoundError
from index.types import (
    DocumentInfo,
    Filters,
    Hit,
    Paragraph,
    Progress,
    SearchResult,
    Skipped,
    StoredParagraph,
    SyncReport,
)
from qa.evaluate.metrics import answer_tallies
from qa.evaluate.types import Gold, Outcome
from qa.settings import Settings
from qa.types import Abstention, Answer, AnswererInfo, AskedQuery, Citation, Question, Sentence

CALLS = """Calls between ministers

Austin and Wei spoke for 45 minutes
on Wednesday, the Pentagon said.

Austin and Dong spoke for 90 minutes in April.
"""
NAVY = """Resupply of the outpost

The Philippines resupplies the outpost once a month.
"""
STOP = frozenset("a an and did do for how in is it long of on the to was what who".split())


def digest(text: str) -> str:
    return sha256(text.encode()).hexdigest()


def words(text: str) -> set[str]:
    return set(re.findall(r"\w+", text.casefold())) - STOP


def split(path: str, text: str) -> list[StoredParagraph]:
    info = DocumentInfo(digest(path), path, "", None, "text/plain", digest(text), len(text), 0, 0, "")
    found: list[StoredParagraph] = []
    for match in re.finditer(r"(?:.+\n?)+", text):
        body = match.group().rstrip("\n")
        first = text.count("\n", 0, match.start()) + 1
        place = Paragraph(
            len(found) + 1, first, first + body.count("\n"), match.start(), match.start() + len(body)
        )
        found.append(StoredParagraph(info, place, body, digest(body)))
    return found


def hit_of(stored: StoredParagraph, score: float) -> Hit:
    at, document = stored.paragraph, stored.document
    return Hit(
        document_id=document.id,
        path=document.path,
        title=document.title,
        date=document.date,
        paragraph=at.number,
        line_start=at.line_start,
        line_end=at.line_end,
        start=at.start,
        end=at.end,
        page=None,
        text=stored.text,
        sha256=stored.sha256,
        context="",
        score=score,
    )


def citation_of(hit: Hit, marker: int = 1) -> Citation:
    return Citation(
        id=f"c{marker}",
        marker=marker,
        document_id=hit.document_id,
        path=hit.path,
        title=hit.title,
        date=hit.date,
        paragraph=hit.paragraph,
        line_start=hit.line_start,
        line_end=hit.line_end,
        page=hit.page,
        start_char_index=hit.start,
        end_char_index=hit.end,
        cited_text=hit.text,
        sha256=digest(hit.text),
        url="",
    )


def answer_of(question: Question, hits: tuple[Hit, ...], cited: tuple[Citation, ...]) -> Answer:
    text = " ".join(citation.cited_text for citation in cited)
    sentence = Sentence(0, 0, len(text), "supported", hits[0].score if hits else 0.0, ("c1",))
    return Answer(
        id="ans_1",
        status="answered" if cited else "abstained",
        answer=f"{text} [1]" if cited else "",
        answer_plain=text,
        sentences=(sentence,) if cited else (),
        citations=cited,
        abstention=None if cited else Abstention("no_evidence"),
        conflicts=(),
        query=AskedQuery(
            question.text, " ".join([*(turn.content for turn in question.history), question.text])
        ),
        hits=hits,
        answerer=AnswererInfo("extractive", "words"),
        confidence=hits[0].score if hits else 0.0,
    )


@dataclass
class WordService:
    """`script` holds answers, or errors to raise, by question; the rest is answered from shared words."""

    files: dict[str, str] = field(default_factory=dict)
    script: Mapping[str, Callable[[Question], Answer]] = field(default_factory=dict)
    threshold: float = 2
    asked: list[Question] = field(default_factory=list)
    closed: bool = False

    def _stored(self) -> list[StoredParagraph]:
        return [stored for path, text in sorted(self.files.items()) for stored in split(path, text)]

    def search(
        self, query: str, *, collection: str = "default", k: int = 8, filters: Filters | None = None
    ) -> SearchResult:
        scored = [(len(words(query) & words(stored.text)), stored) for stored in self._stored()]
        best = sorted((pair for pair in scored if pair[0]), key=lambda pair: -pair[0])[:k]
        return SearchResult(tuple(hit_of(stored, float(score)) for score, stored in best))

    def ask(self, question: Question) -> Answer:
        self.asked.append(question)
        if question.text in self.script:
            return self.script[question.text](question)
        hits = self.search(question.text, k=question.top_k).hits
        sure = bool(hits) and hits[0].score >= self.threshold
        return answer_of(question, hits, (citation_of(hits[0]),) if sure else ())

    def paragraphs(self, collection: str, document_id: str) -> list[StoredParagraph]:
        found = [stored for stored in self._stored() if stored.document.id == document_id]
        if not found:
            raise NotFoundError(document_id)
        return found

    def sync(
        self, root: Path, *, collection: str = "default", progress: Progress | None = None
    ) -> SyncReport:
        paths = sorted(root.iterdir())
        for number, path in enumerate(paths, start=1):
            self.files[path.name] = path.read_text(encoding="utf-8")
            if progress is not None:
                progress(number, len(paths), path.name)
        bad = [name for name, text in self.files.items() if "\x00" in text]
        return SyncReport(added=len(paths), skipped=tuple(Skipped(name, "binary") for name in bad))

    def close(self) -> None:
        self.closed = True


@dataclass
class Opener:
    """Opens word services and remembers them with the settings they were opened with."""

    files: Mapping[str, str]
    opened: list[tuple[Settings, bool, WordService]] = field(default_factory=list)

    def __call__(self, settings: Settings, *, writable: bool = False) -> WordService:
        service = WordService({} if writable else dict(self.files))
        self.opened.append((settings, writable, service))
        return service


@pytest.fixture
def service() -> WordService:
    return WordService({"calls.txt": CALLS, "navy.txt": NAVY})


@pytest.fixture
def hit(service: WordService) -> Hit:
    """The paragraph of `calls.txt` that stands on lines 3 and 4."""
    return service.search("Austin and Wei spoke", k=1).hits[0]


@pytest.fixture
def citation(hit: Hit) -> Citation:
    """A citation of that whole paragraph."""
    return citation_of(hit)


@pytest.fixture
def make_answer(hit: Hit) -> Callable[..., Answer]:
    """Makes an answer from a text, over the one hit unless others are given."""

    def make(text: str = "", *cited: Citation, **changes: object) -> Answer:
        plain = answer_of(Question("How long?"), (hit,), cited)
        status = "answered" if text else "abstained"
        return replace(plain, **{"status": status, "answer_plain": text, **changes})

    return make


@pytest.fixture
def make_outcome() -> Callable[..., Outcome]:
    """Makes an outcome with its tallies; answered, right and answerable unless told otherwise."""

    def make(name: str = "a", **changes: object) -> Outcome:
        plain = Outcome(name, "fact", f"{name}?", True, True, "answered", 10.0, gold=(Gold("calls.txt", 4),))
        changed = replace(plain, **changes)
        return replace(changed, tallies=changes.get("tallies", answer_tallies(changed)))

    return make


@pytest.fixture
def opener() -> Opener:
    return Opener({"calls.txt": CALLS, "navy.txt": NAVY})


@pytest.fixture
def write_lines(tmp_path: Path) -> Callable[..., Path]:
    """Writes objects, one a line, to a file of the given name."""

    def write(name: str, *objects: object) -> Path:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("".join(json.dumps(item) + "\n" for item in objects), encoding="utf-8")
        return path

    return write


WEI = {
    "id": "wei",
    "kind": "fact",
    "question": "How long did Austin and Wei speak?",
    "answer_all": ["45 minutes"],
    "cite_any": [["calls.txt", 4]],
}
MONTHLY = {
    "id": "monthly",
    "kind": "fact",
    "question": "How often does anyone resupply the outpost?",
    "answer_all": ["once a week"],
    "cite_any": [["navy.txt", 3]],
}
JAPAN = {"id": "japan", "kind": "unanswerable", "question": "Who is premier of Japan?", "answerable": False}
DONG = {
    "id": "dong",
    "kind": "which",
    "question": "And with Dong?",
    "history": [{"role": "user", "content": "How long did Austin and Wei speak?"}],
    "answer_all": ["90 minutes"],
    "answer_none": ["45"],
    "cite_any": [["calls.txt", 6]],
}


@pytest.fixture
def question_file(write_lines: Callable[..., Path]) -> Path:
    """Four questions: `wei` is answered rightly, `monthly` wrongly, `dong` refused, `japan` rightly refused."""
    return write_lines("four.jsonl", WEI, MONTHLY, JAPAN, DONG)
