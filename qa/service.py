"""Everything that a surface may ask for, over one open index."""

import threading
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Literal, Self

from index.address import store_address
from index.engine import Index
from index.errors import ModelError, NotFoundError
from index.types import (
    CheckReport,
    DocumentInfo,
    Filters,
    Hit,
    Holdings,
    Progress,
    Remove,
    SearchResult,
    StoredParagraph,
    SyncReport,
)
from qa.answer import Parts, answer
from qa.compose import Checked, Composer
from qa.llm import LLM
from qa.local_llm import llm_of
from qa.record import Record
from qa.recorder import Recorder
from qa.settings import Settings
from qa.similarity import similarity_of
from qa.types import Answer, Embedded, OnEvent, Question, Sentence, Verified
from qa.verify import Judgement, Similarity, judge, split_sentences

_VERIFY_HITS = 8

_EMBED_AT_ONCE = 16
"""Texts between two looks at whether anybody still waits."""

UPLOADS_AT_ONCE = 4
"""Uploads that are read and embedded side by side; the others wait."""


def _placed(sentence: Sentence, start: int, end: int) -> Sentence:
    """A sentence of somebody's text: its place is in that text."""
    return replace(sentence, start=start, end=end)


class Service:
    """An open index with an answerer. Safe to use from several threads."""

    def __init__(self, settings: Settings, index: Index, llm: LLM | None) -> None:
        self.settings = settings
        self._index = index
        self._llm = llm
        self._recorder = Recorder(settings, index)
        self._warm = False
        self._syncing = threading.Lock()
        self._uploading = threading.BoundedSemaphore(UPLOADS_AT_ONCE)

    @classmethod
    def open(cls, settings: Settings, *, writable: bool = False) -> "Service":
        """Open the data folder of the settings.

        Raises:
            NotFoundError: there is no index to read yet.
            NutgrafError: as `index.engine.Index.open`.
        """
        index = Index.open(
            settings.data_dir,
            model=settings.embedding_model,
            reranker=settings.reranker,
            offline=settings.offline,
            threads=settings.threads,
            writable=writable,
            milvus=store_address(
                settings.store, settings.store_token.reveal() if settings.store_token else ""
            ),
        )
        service = cls(settings, index, llm_of(settings))
        if writable:
            service._recorder.tidy()
        return service

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    # ---------------------------------------------------------------------------------------------- asking

    def search(
        self,
        query: str,
        *,
        collection: str = "default",
        k: int = 8,
        filters: Filters = Filters(),
    ) -> SearchResult:
        """The paragraphs that answer a query best; no LLM. Raises NotFoundError."""
        return self._index.search(query, collection=collection, k=k, filters=filters)

    def ask(
        self, question: Question, *, on_event: OnEvent | None = None, cancelled: threading.Event | None = None
    ) -> Answer:
        """The checked answer, which is recorded as the settings say. Raises NotFoundError for an unknown collection."""
        parts = Parts(
            self._index,
            self._llm,
            self._similarity(),
            self.settings.public_base_url,
            self.settings.llm_context_tokens - self.settings.llm_max_tokens,
        )
        return self._recorder.recorded(question, lambda: answer(question, parts, on_event, cancelled))

    def record(self, answer_id: str) -> Record:
        """What is kept of an answer, with how its sources stand now. Raises NotFoundError."""
        return self._recorder.record(answer_id)

    def forget(self, answer_id: str) -> None:
        """Let go of the record of an answer. Raises NotFoundError."""
        self._recorder.forget(answer_id)

    def verify(self, text: str, *, collection: str = "default") -> Verified:
        """A verdict and citations for each sentence of anybody's text. Raises NotFoundError."""
        composer = Composer(self.settings.public_base_url)
        similarity = self._similarity()
        sentences = []
        for start, end in split_sentences(text):
            claim = text[start:end]
            hits = self._index.search(claim, collection=collection, k=_VERIFY_HITS).hits
            judged = judge(claim, hits, similarity)
            sentence, _, _ = composer.add(
                Checked(claim, judged.verdict, judged.score, judged.quotes, judged.layer)
            )
            sentences.append((sentence, start, end))
        return Verified(
            tuple(_placed(sentence, start, end) for sentence, start, end in sentences),
            composer.composed().citations,
        )

    def judge(self, claim: str, hits: Sequence[Hit]) -> Judgement:
        """Whether these paragraphs support one claim."""
        return judge(claim, hits, self._similarity())

    @property
    def embedding_model(self) -> str:
        """Name of the index's own embedding model; empty where it has none."""
        return self._index.models["embedding"]

    def embed(
        self, texts: Sequence[str], *, as_queries: bool = False, cancelled: threading.Event | None = None
    ) -> Embedded:
        """Vectors of texts by the index's own model; those made so far when `cancelled` is set.

        Raises:
            ModelError: there is no model; the index is searched by words alone.
        """
        embedder = self._index.embedder
        if embedder is None:
            raise ModelError("no embedding model is at hand")
        embed = embedder.embed_queries if as_queries else embedder.embed_documents
        vectors: list[tuple[float, ...]] = []
        for start in range(0, len(texts), _EMBED_AT_ONCE):
            if cancelled is not None and cancelled.is_set():
                break
            vectors += map(tuple, embed(texts[start : start + _EMBED_AT_ONCE]).tolist())
        return Embedded(embedder.name, tuple(vectors), embedder.count_tokens(texts))

    def _similarity(self) -> Similarity | None:
        return similarity_of(self._index.embedder, self._index.reranker, self._index.reader)

    # ---------------------------------------------------------------------------------------------- reading

    def collections(self) -> list[str]:
        """Names of the collections."""
        return self._index.store.collections()

    def holdings(self) -> Holdings:
        """How much the index holds, all collections together."""
        return self._index.store.holdings()

    def documents(self, collection: str) -> list[DocumentInfo]:
        """All documents of a collection, by path. Raises NotFoundError."""
        return self._index.store.documents(collection)

    def document(self, collection: str, document_id: str) -> DocumentInfo:
        """One document. Raises NotFoundError."""
        return self._index.store.document(collection, document_id)

    def paragraphs(self, collection: str, document_id: str) -> list[StoredParagraph]:
        """The paragraphs of a document in order. Raises NotFoundError."""
        return self._index.store.paragraphs(collection, document_id)

    def text(self, collection: str, document_id: str) -> str:
        """The whole stored text of a document. Raises NotFoundError."""
        return self._index.store.text(collection, document_id)

    def has_original(self, collection: str, document_id: str) -> bool:
        """Whether the file of a document is kept in the index. Raises NotFoundError."""
        return self._index.store.has_original(collection, document_id)

    def original(self, collection: str, document_id: str) -> bytes | None:
        """The file of a document that is kept in the index: that of an upload. Raises NotFoundError."""
        return self._index.store.original(collection, document_id)

    # ---------------------------------------------------------------------------------------------- keeping

    @property
    def writable(self) -> bool:
        """Whether this process may change the index; without that, all of what follows raises ReadOnlyError."""
        return self._index.store.writable

    def sync(
        self, root: Path, *, collection: str = "default", progress: Progress | None = None
    ) -> SyncReport:
        """Make a collection hold what a folder holds; one sync at a time."""
        with self._syncing:
            return self._index.sync(root, collection=collection, progress=progress)

    def put(
        self, path: str, data: bytes, *, collection: str = "default"
    ) -> Literal["added", "changed", "unchanged"]:
        """Put one uploaded document in place; a few at a time, so that a long one holds nobody up."""
        with self._uploading:
            return self._index.put(path, data, collection=collection)

    def find(self, collection: str, path: str) -> DocumentInfo | None:
        """The document at a path, or None. Raises NotFoundError for an unknown collection."""
        return self._index.store.find(collection, path)

    def remove(self, collection: str, document_id: str) -> None:
        """Take a document away from every surface. Raises NotFoundError."""
        store = self._index.store
        with store.alone():
            store.apply(collection, [Remove(store.document(collection, document_id).path)])

    def create_collection(self, name: str) -> bool:
        """Make an empty collection; False when it is there already. Raises InputError for a bad name."""
        store = self._index.store
        with store.alone():
            before = store.collections()
            store.create_collection(name)
        return name not in before

    def delete_collection(self, name: str) -> None:
        """Take a collection away with everything in it. Raises NotFoundError."""
        self._index.store.delete_collection(name)

    def purge(self) -> None:
        """Leave no byte of what was deleted in the data folder; see `LocalStore.purge` and `qa.record.purged`."""
        self._index.store.purge()
        self._recorder.purge()

    def check(self, *, repair: bool = False) -> CheckReport:
        """Compare everything stored with its hashes and everything derived with what is stored."""
        report = self._index.store.check(repair=repair)
        problems = (*report.problems, *self._recorder.problems())
        return replace(report, ok=not problems, problems=problems)

    def status(self) -> dict[str, object]:
        """What is stored, and what serves it."""
        store = self._index.store
        found = []
        for name in store.collections():
            documents = store.documents(name)
            found.append(
                {
                    "name": name,
                    "documents": len(documents),
                    "paragraphs": sum(d.paragraphs for d in documents),
                    "passages": store.passage_count(name),
                    "last_indexed": max((d.indexed_at for d in documents), default=None),
                }
            )
        return {
            "data_dir": str(self.settings.data_dir),
            "collections": found,
            "models": {**self._index.models, "llm": self._llm.config.model if self._llm else ""},
            "sequence": store.sequence(),
        }

    def ready(self) -> tuple[bool, tuple[str, ...]]:
        """Whether questions can be answered now, and what is missing. The first call loads the models."""
        reasons: list[str] = []
        if not self._warm:
            self._index.warm()
            if self._llm is not None:
                self._llm.warm()
            self._warm = True
        try:
            if not self._index.store.collections():
                reasons.append("nothing is indexed yet")
        except NotFoundError as error:
            reasons.append(str(error))
        return not reasons, tuple(reasons)

    def close(self) -> None:
        """Let go of the index, of the records and of a model of our own."""
        self._recorder.close()
        if self._llm is not None:
            self._llm.close()
        self._index.close()
