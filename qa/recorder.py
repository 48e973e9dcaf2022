"""Recording what was answered: what is kept, and what is shown of it later beside the documents of that moment."""

import logging
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime

from index.engine import Index
from index.errors import CorruptError, NotFoundError, NutgrafError
from index.types import StoredParagraph
from qa.record import MadeWith, Record, Sources, drawn_on, purged, record_of, with_states, without_words
from qa.record_store import RecordStore
from qa.release import release
from qa.settings import Settings
from qa.types import Answer, Question

NOT_RECORDED = "record"
"""What an answer's `degraded` says when it could not be recorded."""

_log = logging.getLogger(__name__)


class Recorder:
    """Records the answers of one open index, as its settings say."""

    def __init__(self, settings: Settings, index: Index) -> None:
        self._index = index
        self._days = settings.record_days
        self._with_text = settings.record_text
        self._records = RecordStore(
            settings.data_dir, days=settings.record_days, most=settings.record_answers
        )

    def recorded(self, question: Question, ask: Callable[[], Answer]) -> Answer:
        """Ask, and keep a record. A record that cannot be kept costs no answer: `degraded` says that there is none."""
        if not self._days:
            return ask()
        before = self._index.store.sequence()
        answer = ask()
        try:
            self._keep(question, answer, before)
        except NutgrafError as error:
            _log.warning("no record of an answer could be kept: %s", error)
            return replace(answer, degraded=(*answer.degraded, NOT_RECORDED))
        return answer

    def record(self, answer_id: str) -> Record:
        """The record of an answer, with how its sources stand now. Raises NotFoundError, StorageError."""
        record = self._records.get(answer_id)
        return with_states(record, self._now(record))

    def forget(self, answer_id: str) -> None:
        """Let go of the record of an answer. Raises NotFoundError, StorageError."""
        self._records.delete(answer_id)

    def tidy(self) -> None:
        """Let go of records past their time; one that cannot be let go of now is not shown either."""
        try:
            self._records.prune()
        except NutgrafError as error:
            _log.warning("old records could not be let go of: %s", error)

    def purge(self) -> None:
        """Leave nothing in the records of what is in no document now. Raises LockedError, StorageError."""
        self._records.purge(lambda record: purged(record, self._now(record)))

    def problems(self) -> tuple[str, ...]:
        """What is wrong with the file of records. Raises StorageError."""
        return self._records.problems()

    def close(self) -> None:
        """Let go of the file."""
        self._records.close()

    def _keep(self, question: Question, answer: Answer, before: int) -> None:
        store, models = self._index.store, self._index.models
        after, built_by = store.sequence(), store.built_by
        made_with = MadeWith(
            before,
            after,
            built_by.model,
            built_by.model_sha256,
            built_by.dim,
            built_by.splitter,
            models["reranker"],
            release(),
        )
        asked_at = datetime.now(UTC).isoformat(timespec="milliseconds")
        record = record_of(question, answer, made_with, asked_at)
        if not self._with_text:
            record = without_words(record)
        elif (
            after != before
        ):  # a purge may have gone by meanwhile, and must not find words of the deleted again
            record = purged(record, self._now(record))
        self._records.put(record)

    def _now(self, record: Record) -> Sources:
        return {name: self._paragraphs(record.collection, name) for name in drawn_on(record)}

    def _paragraphs(self, collection: str, document_id: str) -> list[StoredParagraph] | None:
        try:
            return self._index.store.paragraphs(collection, document_id)
        except (NotFoundError, CorruptError):  # what is damaged cannot be held against anything either
            return None
