"""The vocabulary of measuring: what is asked, what came back, and how it counts."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, Protocol

from index.types import Filters, Hit, Progress, SearchResult, StoredParagraph, SyncReport
from qa.settings import Settings
from qa.types import Answer, Citation, Embedded, Question, Status, Turn
from qa.verify import Judgement

Tally = tuple[float, float]
"""One question's share of a metric: what it adds to the numerator and to the denominator."""

Metrics = Mapping[str, float | None]
"""Figures by name; None where no question counts towards one."""

ProgressOf = Callable[[int, int], None]
"""Called with (questions done, questions in all)."""


@dataclass(frozen=True, slots=True)
class Gold:
    """Where an answer stands: a line of a document, or anywhere in it when `line` is None."""

    path: str
    line: int | None = None


@dataclass(frozen=True, slots=True)
class EvalQuestion:
    """A question with what a right answer says and where it stands.

    `answer_all` must all match and `answer_none` must not; of `answer_any`, where there are some, one must be
    contained, compared word by word without case, punctuation or articles.
    """

    id: str
    kind: str
    text: str
    history: tuple[Turn, ...] = ()
    answerable: bool = True
    answer_all: tuple[re.Pattern[str], ...] = ()
    answer_none: tuple[re.Pattern[str], ...] = ()
    answer_any: tuple[str, ...] = ()
    cite_any: tuple[Gold, ...] = ()


@dataclass(frozen=True, slots=True)
class QuestionSet:
    """Questions in file order, and what a reader of the file should be told."""

    questions: tuple[EvalQuestion, ...]
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class JudgedCitation:
    """A citation, whether it holds a gold line, and whether the stored text says what it quotes."""

    citation: Citation
    gold: bool
    exact: bool


@dataclass(frozen=True, slots=True)
class JudgedHit:
    """A hit, and whether it holds a gold line."""

    hit: Hit
    gold: bool


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one question gave. `rank` is of the first hit that holds a gold line, from 1; `ms` is wall clock.

    `confidence` orders answers from the surest down; `error` is the stable code of a question that failed.
    """

    id: str
    kind: str
    question: str
    answerable: bool
    right: bool
    status: Status | Literal["failed", "searched", "judged"]
    ms: float
    answer: str = ""
    standalone: str = ""
    rank: int | None = None
    citations: tuple[JudgedCitation, ...] = ()
    hits: tuple[JudgedHit, ...] = ()
    confidence: float = 0.0
    error: str = ""
    answerer: str = ""
    degraded: tuple[str, ...] = ()
    expected: tuple[str, ...] = ()
    gold: tuple[Gold, ...] = ()
    gold_texts: Mapping[str, str] = field(default_factory=dict)
    tallies: Mapping[str, Tally] = field(default_factory=dict)

    @property
    def answered(self) -> bool:
        """Whether an answer was given, whole or in part."""
        return self.status in {"answered", "partial"}


@dataclass(frozen=True, slots=True)
class Evaluation:
    """A whole run: its outcomes in the order asked, and the figures made from them."""

    title: str
    outcomes: tuple[Outcome, ...]
    metrics: Metrics
    by_kind: Mapping[str, Metrics]
    seconds: float


class Measured(Protocol):
    """What is measured: the part of the service that evaluation asks."""

    def ask(self, question: Question, /) -> Answer: ...
    def search(
        self, query: str, /, *, collection: str = ..., k: int = ..., filters: Filters = ...
    ) -> SearchResult: ...
    def paragraphs(self, collection: str, document_id: str, /) -> list[StoredParagraph]: ...


class Embedding(Protocol):
    """The part of the service that embeds texts."""

    def embed(self, texts: Sequence[str], /) -> Embedded: ...


class Judging(Embedding, Protocol):
    """The part of the service that judges claims and embeds texts."""

    def judge(self, claim: str, hits: Sequence[Hit], /) -> Judgement: ...


class IndexedService(Measured, Judging, Protocol):
    """A service over an index of its own."""

    def sync(
        self, root: Path, /, *, collection: str = ..., progress: Progress | None = ...
    ) -> SyncReport: ...
    def close(self) -> None: ...


class OpenService(Protocol):
    """Opens the service that is measured."""

    def __call__(self, settings: Settings, /, *, writable: bool = ...) -> IndexedService: ...
