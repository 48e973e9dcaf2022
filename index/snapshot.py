"""The dense index: exact inner product in memory, and its snapshot on disk. The only module that imports faiss.

The snapshot is derived and disposable. FAISS loads damaged files without a word (539 of 1,200 mutations did), and
its own writer reports success on a full disk; so the bytes are made with `serialize_index`, written by
`durable_write`, and their SHA-256 is verified before `deserialize_index` sees them. Any doubt: rebuild.
"""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from hashlib import sha256
from pathlib import Path

import faiss
import numpy as np
import numpy.typing as npt

from index.durable import durable_write
from index.types import Vectors

Ids = npt.NDArray[np.int64]
"""Passage ids, int64[n], ascending."""

Mask = npt.NDArray[np.bool_]

FORMAT = 1
_MAGIC = b"nutgraf-dense\n"
_SMALLEST_MERGE = 1_024
_HEADER_LIMIT = 65_536


class SnapshotError(Exception):
    """A snapshot that cannot be used, and why; never more than a reason to rebuild."""


@dataclass(frozen=True, slots=True)
class SnapshotKey:
    """What a snapshot has to belong to: this catalog, collection and model, at this point of its history."""

    catalog: str
    collection: int
    model: str
    model_sha256: str
    dim: int


@dataclass(frozen=True, slots=True)
class Manifest:
    """The head of a snapshot file. `nonce` is that of the change the snapshot is up to."""

    key: SnapshotKey
    applied: int
    nonce: str
    count: int
    sha256: str
    format: int = FORMAT


@dataclass(frozen=True, slots=True)
class Segment:
    """Vectors in a flat FAISS index, beside their passage ids and which of them are still there."""

    index: faiss.IndexFlatIP
    ids: Ids
    live: Mask

    @classmethod
    def of(cls, ids: Ids, vectors: Vectors) -> "Segment":
        """A segment of vectors float32[n, dim]; ids may come in any order."""
        if (ids[1:] < ids[:-1]).any():  # a copy of all vectors is worth avoiding
            order = np.argsort(ids, kind="stable")
            ids, vectors = ids[order], vectors[order]
        index = faiss.IndexFlatIP(vectors.shape[1])
        index.add(np.ascontiguousarray(vectors, np.float32))
        return cls(index, ids, np.ones(len(ids), np.bool_))

    def without(self, removed: Ids) -> "Segment":
        """The same vectors, some of them gone."""
        gone = np.isin(self.ids, removed)
        return Segment(self.index, self.ids, self.live & ~gone) if gone.any() else self

    def living(self) -> tuple[Ids, Vectors]:
        """Ids and vectors that are still there."""
        return self.ids[self.live], self.vectors()[self.live]

    def vectors(self) -> Vectors:
        """All vectors, float32[n, dim]; a view on the index's own memory."""
        count = len(self.ids)
        flat: Vectors = faiss.rev_swig_ptr(self.index.get_xb(), count * self.index.d)
        return flat.reshape(count, self.index.d)

    def search(self, vector: Vectors, k: int, allowed: Ids | None) -> list[tuple[int, float]]:
        """The best k of what is live and allowed, as (id, inner product)."""
        mask = self.live if allowed is None else self.live & _members(self.ids, allowed)
        k = min(k, int(np.count_nonzero(mask)))
        if k <= 0:
            return []
        parameters = None
        if not mask.all():
            bits = np.packbits(mask, bitorder="little")
            selector = faiss.IDSelectorBitmap(len(mask), faiss.swig_ptr(bits))
            parameters = faiss.SearchParameters()
            parameters.sel = selector
        scores, places = self.index.search(vector.reshape(1, -1), k, params=parameters)
        return [
            (int(self.ids[place]), float(score))
            for place, score in zip(places[0], scores[0], strict=True)
            if place >= 0
        ]


@dataclass(frozen=True, slots=True)
class DenseIndex:
    """All vectors of a collection up to change `applied`. A value: changes give a new one, searches share the old.

    The first segment is large and rarely copied; what came since stands in a second, small one.
    """

    dim: int
    applied: int = 0
    segments: tuple[Segment, ...] = ()

    def __len__(self) -> int:
        return sum(int(np.count_nonzero(segment.live)) for segment in self.segments)

    def search(self, vector: Vectors, k: int, allowed: Ids | None = None) -> list[tuple[int, float]]:
        """The k nearest as (passage id, inner product), best first; only `allowed` ids, when given."""
        query = np.ascontiguousarray(vector, np.float32)
        found = [hit for segment in self.segments for hit in segment.search(query, k, allowed)]
        return sorted(found, key=lambda hit: (-hit[1], hit[0]))[:k]

    def ids(self) -> Ids:
        """The ids of all vectors, ascending."""
        return np.sort(
            np.concatenate([np.empty(0, np.int64), *(part.ids[part.live] for part in self.segments)])
        )

    def apply(self, applied: int, added: Ids, vectors: Vectors, removed: Ids) -> "DenseIndex":
        """The index after more changes. Applying the same ones again gives the same index."""
        kept = [segment.without(removed) for segment in self.segments]
        known = self.ids()
        fresh = ~np.isin(added, known) & ~np.isin(added, removed)
        ids, rows = (added, vectors) if fresh.all() else (added[fresh], vectors[fresh])
        if len(ids) == 0:
            return DenseIndex(self.dim, applied, tuple(kept))
        base, late = kept[:1], kept[1:]
        delta = _joined([*(part.living() for part in late), (ids, rows)])
        if base and len(delta[0]) < max(_SMALLEST_MERGE, len(base[0].ids) // 8):
            return DenseIndex(self.dim, applied, (base[0], Segment.of(*delta)))
        return DenseIndex(
            self.dim, applied, (Segment.of(*_joined([*(part.living() for part in base), delta])),)
        )

    def compact(self) -> "DenseIndex":
        """The same vectors in one segment, without what is gone."""
        if not self.segments or (len(self.segments) == 1 and self.segments[0].live.all()):
            return self
        parts = [part for part in (segment.living() for segment in self.segments) if len(part[0])]
        return DenseIndex(self.dim, self.applied, (Segment.of(*_joined(parts)),) if parts else ())


def single_thread() -> None:
    """Search with one thread: idle OpenMP threads spin, and cost more than they give (27 against 16 ms)."""
    faiss.omp_set_num_threads(1)


def save(path: Path, index: DenseIndex, key: SnapshotKey, nonce: str) -> DenseIndex:
    """Write a snapshot durably; gives the compacted index that it holds. Raises StorageError, DiskFullError."""
    whole = index.compact()
    segment = (
        whole.segments[0] if whole.segments else Segment.of(np.empty(0, np.int64), _no_vectors(index.dim))
    )
    ids = segment.ids.astype("<i8").tobytes()
    graph = faiss.serialize_index(segment.index).data
    manifest = Manifest(key, whole.applied, nonce, len(segment.ids), _digest(ids, graph))
    head = json.dumps(asdict(manifest), sort_keys=True).encode()
    durable_write(path, _MAGIC, sha256(head).hexdigest().encode(), b"\n", head, b"\n", ids, graph)
    return whole


def load(path: Path, key: SnapshotKey) -> tuple[DenseIndex, str]:
    """The index of a snapshot file, and the nonce of the change it is up to.

    Raises:
        SnapshotError: it is not there, is damaged, or belongs to something else.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise SnapshotError(f"cannot be read: {error.strerror}") from error
    manifest, body = _manifest(data)
    if manifest.format != FORMAT or manifest.key != key:
        raise SnapshotError("made for another catalog, collection, model or version")
    split = 8 * manifest.count
    ids, graph = body[:split], body[split:]
    if _digest(ids, graph) != manifest.sha256:
        raise SnapshotError("its SHA-256 does not match")
    index = DenseIndex(key.dim, manifest.applied)
    if manifest.count == 0:
        return index, manifest.nonce
    segment = Segment(
        _deserialize(graph), np.frombuffer(ids, "<i8").astype(np.int64), np.ones(manifest.count, np.bool_)
    )
    if segment.index.d != key.dim or segment.index.ntotal != manifest.count:
        raise SnapshotError("its dimension or count is not what its manifest says")
    return DenseIndex(key.dim, manifest.applied, (segment,)), manifest.nonce


def _manifest(data: bytes) -> tuple[Manifest, memoryview]:
    magic, digest, head = (*data[:_HEADER_LIMIT].split(b"\n", 3), b"", b"", b"")[:3]
    if magic + b"\n" != _MAGIC or sha256(head).hexdigest().encode() != digest:
        raise SnapshotError("its head is damaged")
    try:
        values = json.loads(head)
        manifest = Manifest(**{**values, "key": SnapshotKey(**values["key"])})
    except (ValueError, TypeError, KeyError) as error:
        raise SnapshotError("its manifest is not of this version") from error
    return manifest, memoryview(data)[len(_MAGIC) + len(digest) + len(head) + 2 :]


def _deserialize(graph: memoryview) -> faiss.IndexFlatIP:
    faiss.set_deserialization_vector_byte_limit(2 * len(graph) + 4096)
    faiss.set_deserialization_loop_limit(1_000_000)
    try:
        index = faiss.deserialize_index(np.frombuffer(graph, np.uint8))
    except RuntimeError as error:
        raise SnapshotError("faiss cannot read it") from error
    if not isinstance(index, faiss.IndexFlatIP):
        raise SnapshotError("it holds another kind of index")
    return index


def _joined(parts: Sequence[tuple[Ids, Vectors]]) -> tuple[Ids, Vectors]:
    if len(parts) == 1:
        return parts[0]
    return np.concatenate([ids for ids, _ in parts]), np.concatenate([rows for _, rows in parts])


def _members(ids: Ids, allowed: Ids) -> Mask:
    """Which of the ascending ids are allowed."""
    places = np.searchsorted(ids, allowed)
    inside = places < len(ids)
    places, allowed = places[inside], allowed[inside]
    mask = np.zeros(len(ids), np.bool_)
    mask[places[ids[places] == allowed]] = True
    return mask


def _digest(ids: bytes | memoryview, graph: memoryview) -> str:
    digest = sha256(ids)
    digest.update(graph)
    return digest.hexdigest()


def _no_vectors(dim: int) -> Vectors:
    return np.empty((0, dim), np.float32)
