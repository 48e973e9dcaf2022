"""The index as one thing: open a data folder, bring it in step with files, search it."""

from pathlib import Path
from types import TracebackType
from typing import Literal, Self

from index.address import MilvusAddress
from index.embed import OnnxEmbedder
from index.errors import CorruptError, ModelError, NotFoundError
from index.models import ModelFiles, resolve_embedder, resolve_reranker
from index.opening import open_store
from index.passage_reader import OnnxReader, fits
from index.passages import SPLITTER_VERSION
from index.rerank import OnnxReranker
from index.search import paragraph_hit, search
from index.store import LocalStore
from index.sync import put, sync
from index.types import (
    BuiltBy,
    Embedder,
    Filters,
    Hit,
    Progress,
    Reader,
    Reranker,
    SearchResult,
    SyncReport,
    ToRead,
)

_LEAD, _BEFORE, _AFTER = 1200, 2500, 500
"""Characters of a document read around a hit: from its beginning, before the hit and behind it."""


class Index:
    """An open data folder with the models that serve it. Models are loaded when first needed."""

    def __init__(
        self, store: LocalStore, embedder: ModelFiles | None, reranker: ModelFiles | None, *, threads: int
    ) -> None:
        self.store = store
        self._embedder_files = embedder
        self._reranker_files = reranker
        self._threads = threads
        self._embedder: Embedder | None = None
        self._reranker: Reranker | None = None
        self._reader: Reader | None = None

    @classmethod
    def open(
        cls,
        folder: Path,
        *,
        model: str = "auto",
        reranker: str = "auto",
        offline: bool = True,
        threads: int = 2,
        writable: bool = False,
        milvus: MilvusAddress | None = None,
    ) -> "Index":
        """Open a data folder under the named models; its vectors are searched in Milvus where there is an address.

        Raises:
            InputError: the client of Milvus is not installed.
            NotFoundError: there is no index to read yet.
            ModelError: a model that was named is not to be had ("auto" degrades to lexical search instead).
            LockedError, MismatchError, CorruptError, StorageError: as `LocalStore.open`.
        """
        files = resolve_embedder(model, folder / "models", offline=offline)
        built_by = BuiltBy(
            files.name if files else "",
            files.sha256 if files else "",
            files.dim if files else 0,
            SPLITTER_VERSION,
        )
        store = open_store(folder, built_by, milvus, writable=writable)
        return cls(store, files, resolve_reranker(reranker), threads=threads)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def embedder(self) -> Embedder | None:
        """The embedder, loaded now if it was not; None when there is none (lexical search only)."""
        if self._embedder is None and self._embedder_files is not None:
            self._embedder = OnnxEmbedder(self._embedder_files, threads=self._threads)
        return self._embedder

    @property
    def reranker(self) -> Reranker | None:
        """The reranker, loaded now if it was not; None when it is off or not to be had."""
        if self._reranker is None and self._reranker_files is not None:
            self._reranker = OnnxReranker(self._reranker_files, threads=self._threads)
        return self._reranker

    @property
    def reader(self) -> Reader | None:
        """What says whether a passage states what is asked, loaded now if it was not.

        None where the reranker is off or is another than the one that the reader was fitted to.
        """
        if self._reader is None and self._reranker_files is not None and fits(self._reranker_files):
            self._reader = OnnxReader(self._reranker_files, threads=self._threads)
        return self._reader

    @property
    def models(self) -> dict[str, str]:
        """Names of the models in use; empty where a part is missing."""
        return {
            "embedding": self._embedder_files.name if self._embedder_files else "",
            "reranker": self._reranker_files.name if self._reranker_files else "",
        }

    def warm(self) -> None:
        """Load the models and run each once, so that the first question does not wait.

        Raises:
            ModelError: a model's file is damaged.
        """
        if (
            self.embedder is not None
            and self.embedder.embed_queries(["warm"]).shape[1] != self.store.built_by.dim
        ):
            raise ModelError("the embedding model gives vectors of another size than it says")
        if self.reranker is not None:
            self.reranker.scores("warm", ["up"])
        if self.reader is not None:
            self.reader.read("warm?", [ToRead("", "", ("Up.",))])

    def search(
        self,
        query: str,
        *,
        collection: str = "default",
        k: int = 8,
        filters: Filters = Filters(),
    ) -> SearchResult:
        """The k paragraphs that answer the query best. Raises NotFoundError for an unknown collection."""
        self.store.refresh()
        return search(
            self.store,
            self.embedder,
            self.reranker,
            self.reader,
            query,
            collection=collection,
            k=k,
            filters=filters,
        )

    def items_after(self, hit: Hit, *, collection: str = "default") -> list[Hit]:
        """The list items that follow a paragraph directly, as hits with its score; empty where none do."""
        found: list[Hit] = []
        try:
            paragraphs = self.store.paragraphs(collection, hit.document_id)
        except NotFoundError:  # deleted since it was found
            return found
        for stored in paragraphs[hit.paragraph :]:
            if stored.paragraph.kind != "list_item":
                break
            found.append(paragraph_hit(stored, score=hit.score, context=hit.text))
        return found

    def around(self, hit: Hit, *, collection: str = "default") -> str:
        """The beginning of a hit's document and what stands around the hit; its own text where that is gone."""
        try:
            text = self.store.text(collection, hit.document_id)
        except (NotFoundError, CorruptError):
            return hit.text
        start = max(0, hit.start - _BEFORE)
        lead = text[: min(_LEAD, start)]
        return "\n".join(part for part in (lead, text[start : hit.end + _AFTER]) if part)

    def sync(
        self, root: Path, *, collection: str = "default", progress: Progress | None = None
    ) -> SyncReport:
        """Make a collection hold what a folder holds; see `index.sync.sync`."""
        from index.load import prepare  # the parsers and their jail are not needed to answer

        return sync(self.store, self.embedder, prepare, root, collection=collection, progress=progress)

    def put(
        self, path: str, data: bytes, *, collection: str = "default"
    ) -> Literal["added", "changed", "unchanged"]:
        """Put one uploaded document in place; see `index.sync.put`."""
        from index.load import prepare  # as above

        return put(self.store, self.embedder, prepare, path, data, collection=collection)

    def close(self) -> None:
        """Close the store; a writer brings its snapshots up to date first."""
        self.store.close()
