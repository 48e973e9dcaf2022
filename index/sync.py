"""Bringing a collection in step with a folder: only what changed is read into it, and only new text is embedded."""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from hashlib import sha256
from pathlib import Path, PurePosixPath
from typing import Literal

import numpy as np

from index.ahead import Prepare, Prepared, Read, in_order
from index.errors import MissingFolderError, ModelError, RejectedError
from index.passages import embed_text
from index.records import check_path, embed_key
from index.store import LocalStore
from index.terms import clean
from index.types import (
    Document,
    DocumentInfo,
    Embedder,
    Move,
    Origin,
    Passage,
    Progress,
    Remove,
    Skipped,
    SyncReport,
    Upsert,
    Vectors,
)
from index.walk import FileSkipped, Found, Walked, read_file, walk

_BATCH = 128
"""Passages embedded together: enough that small files do not cost a call each, few enough to lose little."""

UNSUPPORTED = "unsupported"


def sync(
    store: LocalStore,
    embedder: Embedder | None,
    prepare: Prepare,
    root: Path,
    *,
    collection: str = "default",
    progress: Progress | None = None,
) -> SyncReport:
    """Make a collection hold what a folder holds. Each file is committed by itself, so a killed run loses none.

    Documents that were uploaded stay when no file has their path.

    Raises:
        MissingFolderError: the folder is not there or holds no document; nothing was removed.
        ModelError: the embedder fails on everything it is given.
        StorageError: a write failed; what was committed before stays.
    """
    started = time.monotonic()
    walked = walk(root, exclude=store.folder)
    run = _Run(store, embedder, prepare, collection=collection, walked=walked, root=root)
    run.take_all(progress)
    if not run.documents:
        raise MissingFolderError(f"{root}: holds no document of a kind that can be indexed")
    run.flush()
    run.remove_stale()
    run.embed_missing()
    store.snapshot()
    return run.report(time.monotonic() - started)


def put(
    store: LocalStore,
    embedder: Embedder | None,
    prepare: Prepare,
    path: str,
    data: bytes,
    *,
    collection: str = "default",
) -> Literal["added", "changed", "unchanged"]:
    """Store one uploaded document under its path; committed when this returns.

    Raises:
        InputError: not the path of a document.
        RejectedError: the bytes are no document.
        StorageError: the write failed; what was there before stays.
    """
    check_path(path)
    digest = sha256(data).hexdigest()
    if _is_upload(store, collection, path, digest):
        return "unchanged"
    document, passages = prepare(data, path)
    store.create_collection(collection)
    (change,) = embedded(store, embedder, [Pending(document, passages, len(data), "upload", data)])
    with store.alone():
        if _is_upload(store, collection, path, digest):
            return "unchanged"
        before = store.find(collection, path)
        store.apply(collection, [change])
    return "added" if before is None else "changed"


@dataclass(frozen=True, slots=True)
class Pending:
    """A document that waits for its vectors."""

    document: Document
    passages: tuple[Passage, ...]
    size: int
    origin: Origin = "folder"
    original: bytes | None = None


def embedded(store: LocalStore, embedder: Embedder | None, pending: Sequence[Pending]) -> Iterator[Upsert]:
    """The documents with their vectors; equal text is embedded once, and never again under the same model."""
    texts = [clean(embed_text(passage)) for item in pending for passage in item.passages]
    vectors = _vectors(store, embedder, texts)
    start = 0
    for item in pending:
        end = start + len(item.passages)
        rows = vectors[start:end] if embedder is not None else _no_vectors()
        yield Upsert(_noted(item, rows), item.passages, rows, item.size, item.origin, item.original)
        start = end


class _Run:
    """One synchronisation in progress."""

    def __init__(
        self,
        store: LocalStore,
        embedder: Embedder | None,
        prepare: Prepare,
        *,
        collection: str,
        walked: Walked,
        root: Path,
    ) -> None:
        self._store = store
        self._embedder = embedder
        self._prepare = prepare
        self._collection = collection
        self._walked = walked
        self._root = root
        known = store.documents(collection) if collection in store.collections() else []
        self._known = {info.path: info for info in known}
        present = {found.path for found in walked.files}
        self._stale = {
            info.path
            for info in known
            if info.origin == "folder" and info.path not in present and not _beneath(info.path, walked.unread)
        }
        self._movable: dict[tuple[str, str], str] = {
            (self._known[path].sha256, PurePosixPath(path).suffix): path for path in sorted(self._stale)
        }
        self._pending: list[Pending] = []
        self._waiting = 0
        self._seen: set[str] = set()
        self._skipped = list(walked.skipped)
        self._counts = _Counts()
        self.documents = 0

    def take_all(self, progress: Progress | None) -> None:
        """Read every file, and commit the changed ones batch by batch."""
        files = self._walked.files
        with closing(in_order(self._prepare, map(self._read, files))) as ahead:
            for done, (read, prepared) in enumerate(ahead):
                if progress is not None:
                    progress(done, len(files), read.found.path)
                try:
                    self._take(read, prepared)
                except FileSkipped as skipped:
                    self.documents += not skipped.gone
                    self._skip(read.found.path, skipped.reason, skipped.detail, gone=skipped.gone)
                except RejectedError as rejected:
                    self.documents += rejected.reason != UNSUPPORTED
                    self._skip(read.found.path, rejected.reason, rejected.detail, gone=True)
        if progress is not None:
            progress(len(files), len(files), "")

    def flush(self) -> None:
        """Embed what waits, and commit each document by itself."""
        if not self._pending:
            return
        self._store.create_collection(self._collection)
        for change in embedded(self._store, self._embedder, self._pending):
            self._store.apply(self._collection, [change])
            self._counts.passages += len(change.passages)
        self._pending.clear()
        self._waiting = 0

    def remove_stale(self) -> None:
        """Take away what the folder no longer holds."""
        for path in sorted(self._stale):
            with self._store.alone():
                if self._is_as_known(path):
                    self._store.apply(self._collection, [Remove(path)])
                    self._counts.removed += 1

    def embed_missing(self) -> None:
        """Give vectors to passages that were indexed while there was no embedder."""
        if self._embedder is None or self._collection not in self._store.collections():
            return
        while waiting := self._store.unembedded(self._collection, _BATCH):
            vectors = _vectors(
                self._store, self._embedder, [clean(embed_text(stored.passage)) for stored in waiting]
            )
            rows = {stored.id: vector for stored, vector in zip(waiting, vectors, strict=True)}
            self._store.set_vectors(self._collection, rows)

    def report(self, seconds: float) -> SyncReport:
        """What this run did."""
        counts = self._counts
        return SyncReport(
            added=counts.added,
            changed=counts.changed,
            moved=counts.moved,
            removed=counts.removed,
            unchanged=counts.unchanged,
            skipped=tuple(sorted(self._skipped, key=lambda skipped: skipped.path)),
            passages=counts.passages,
            seconds=round(seconds, 3),
        )

    def _read(self, found: Found) -> Read:
        """Read a file; one that is as it was before keeps no bytes."""
        if found.path in self._seen:
            return Read(
                found,
                skipped=FileSkipped(
                    "duplicate_name", "another file is shown under the same name", gone=False
                ),
            )
        self._seen.add(found.path)
        try:
            data = read_file(self._root, found)
        except FileSkipped as skipped:
            return Read(found, skipped=skipped)
        digest = sha256(data).hexdigest()
        before = self._known.get(found.path)
        return Read(found, digest, None if before is not None and before.sha256 == digest else data)

    def _take(self, read: Read, prepared: Callable[[], Prepared]) -> None:
        if read.skipped is not None:
            raise read.skipped
        if read.data is None:
            self.documents += 1
            self._counts.unchanged += 1
            return
        path, size = read.found.path, len(read.data)
        document, passages = prepared()
        before = self._known.get(path)
        source = self._movable.get((read.digest, PurePosixPath(path).suffix))
        self.documents += 1
        if source is not None and self._move(source, path, document, passages, size):
            return
        self._counts.changed += before is not None
        self._counts.added += before is None
        self._queue(Pending(document, passages, size))

    def _move(
        self, source: str, path: str, document: Document, passages: tuple[Passage, ...], size: int
    ) -> bool:
        """Give the document its new path; where its name shows in it (a title), also its new content.

        False when something else was put under its old path meanwhile, which stays there.
        """
        before = self._known[source]
        del self._movable[before.sha256, PurePosixPath(source).suffix]
        self._stale.discard(source)
        with self._store.alone():
            if not self._is_as_known(source):
                return False
            self._store.apply(self._collection, [Move(source, path)])
        self._counts.moved += 1
        if not _same_outcome(before, document, passages):
            self._queue(Pending(document, passages, size))
        return True

    def _is_as_known(self, path: str) -> bool:
        """Whether the document at a path is still the one this run began with, and no upload since."""
        return self._store.find(self._collection, path) == self._known[path]

    def _queue(self, pending: Pending) -> None:
        self._pending.append(pending)
        self._waiting += len(pending.passages)
        if self._waiting >= _BATCH:
            self.flush()

    def _skip(self, path: str, reason: str, detail: str, *, gone: bool) -> None:
        self._skipped.append(Skipped(path, reason, detail))
        known = self._known.get(path)
        if gone and known is not None and known.origin == "folder":
            self._stale.add(path)


@dataclass(slots=True)
class _Counts:
    added: int = 0
    changed: int = 0
    moved: int = 0
    removed: int = 0
    unchanged: int = 0
    passages: int = field(default=0)


def _vectors(store: LocalStore, embedder: Embedder | None, texts: Sequence[str]) -> Vectors:
    """Vectors float32[len(texts), dim]; a row of zeros stands for a text that the embedder cannot take."""
    if embedder is None:
        return _no_vectors()
    keys = [embed_key(text).hex() for text in texts]
    known = store.cached_vectors(keys)
    fresh = {key: text for key, text in zip(keys, texts, strict=True) if key not in known}
    known |= zip(fresh, _embed(embedder, list(fresh.values())), strict=True)
    found = np.zeros((len(texts), embedder.dim), np.float32)
    for place, key in enumerate(keys):
        found[place] = known[key]
    return found


def _embed(embedder: Embedder, texts: Sequence[str]) -> Vectors:
    """Vectors of new texts. When a batch fails each text is tried alone: one bad text costs only itself."""
    if not texts:
        return np.zeros((0, embedder.dim), np.float32)
    try:
        return embedder.embed_documents(texts)
    except ModelError:
        found = np.zeros((len(texts), embedder.dim), np.float32)
        failed = 0
        for place, text in enumerate(texts):
            try:
                found[place] = embedder.embed_documents([text])[0]
            except ModelError:
                failed += 1
        if failed == len(texts):
            raise
        return found


def _noted(item: Pending, rows: Vectors) -> Document:
    """The document, with a note where passages have no usable vector and only their words can be searched."""
    bad = int(np.count_nonzero(~np.isfinite(rows).all(axis=1) | ~rows.any(axis=1))) if rows.size else 0
    if not bad:
        return item.document
    note = f"{bad} of {len(item.passages)} passages could not be embedded; they are found by their words only"
    return replace(item.document, notes=(*item.document.notes, note))


def _same_outcome(before: DocumentInfo, document: Document, passages: Sequence[Passage]) -> bool:
    then = (before.title, before.date, before.media_type, before.paragraphs, before.passages)
    now = (document.title, document.date, document.media_type, len(document.paragraphs), len(passages))
    return then == now


def _is_upload(store: LocalStore, collection: str, path: str, digest: str) -> bool:
    """Whether these very bytes were uploaded to this path, and are kept; those of a folder's file go when that goes."""
    if collection not in store.collections():
        return False
    known = store.find(collection, path)
    if known is None or known.sha256 != digest or known.origin != "upload":
        return False
    return store.has_original(collection, known.id)


def _beneath(path: str, folders: Sequence[str]) -> bool:
    return any(path.startswith(f"{folder}/") for folder in folders)


def _no_vectors() -> Vectors:
    return np.zeros((0, 0), np.float32)
