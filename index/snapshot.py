"""The dense index of a collection in memory, and its snapshot on disk.

The snapshot is derived and disposable. FAISS loads damaged files without a word (539 of 1,200 mutations did), and
its own writer reports success on a full disk; so the bytes are made with `serialize_index` (of a large index: are its
arrays), written by `durable_write`, and their SHA-256 is verified before they are used. Any doubt: rebuild.
"""

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from hashlib import sha256
from pathlib import Path
from typing import BinaryIO

import faiss
import numpy as np

from index.durable import durable_write
from index.large import KIND, LargeSegment, Shape
from index.segment import Ids, Lookup, Mask, Segment, SnapshotError, members
from index.types import Vectors

FORMAT = 1
_MAGIC = b"nutgraf-dense\n"
_SMALLEST_MERGE = 1_024
_LARGEST_LATE = 65_536
"""Vectors that are searched exactly beside a large segment before they are taken into it: 6 ms of every search."""
_HEADER_LIMIT = 65_536


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
    """The head of a snapshot file. `nonce` is that of the change the snapshot is up to; `shape`, of a large index."""

    key: SnapshotKey
    applied: int
    nonce: str
    count: int
    sha256: str
    format: int = FORMAT
    shape: Shape | None = None


@dataclass(frozen=True, slots=True)
class DenseIndex:
    """All vectors of a collection up to change `applied`. A value: changes give a new one, searches share the old.

    The first segment is large and rarely copied; what came since stands in a second, small one, searched exactly.
    """

    dim: int
    applied: int = 0
    segments: tuple[Segment | LargeSegment, ...] = ()

    def __len__(self) -> int:
        return sum(int(np.count_nonzero(segment.live)) for segment in self.segments)

    @property
    def shape(self) -> Shape | None:
        """How a large index is laid out; None for one that searches exactly."""
        base = self.segments[0] if self.segments else None
        return base.shape if isinstance(base, LargeSegment) else None

    def search(
        self, vector: Vectors, k: int, allowed: Ids | None = None, stored: Lookup | None = None
    ) -> list[tuple[int, float]]:
        """The k nearest as (passage id, inner product), best first; only `allowed` ids, when given.

        What a large segment finds is scored anew with the `stored` vectors, when they are given.
        """
        query = np.ascontiguousarray(vector, np.float32)
        found: list[tuple[int, float]] = []
        for segment in self.segments:
            if isinstance(segment, LargeSegment) and stored is not None:
                found += _rescored(segment.search(query, k + _margin(k), allowed), query, stored)
            else:
                found += segment.search(query, k, allowed)
        return sorted(found, key=lambda hit: (-hit[1], hit[0]))[: max(k, 0)]

    def ids(self) -> Ids:
        """The ids of all vectors, ascending."""
        return np.sort(
            np.concatenate([np.empty(0, np.int64), *(part.ids[part.live] for part in self.segments)])
        )

    def apply(self, applied: int, added: Ids, vectors: Vectors, removed: Ids) -> "DenseIndex":
        """The index after more changes. Applying the same ones again gives the same index."""
        kept = [segment.without(removed) for segment in self.segments]
        fresh = ~members(added, removed)
        for segment in self.segments:
            fresh &= ~_held(segment, added)
        ids, rows = (added, vectors) if fresh.all() else (added[fresh], vectors[fresh])
        if len(ids) == 0:
            return DenseIndex(self.dim, applied, tuple(kept))
        base, late = kept[:1], [part for part in kept[1:] if isinstance(part, Segment)]
        delta = _joined([*(part.living() for part in late), (ids, rows)])
        if base and len(delta[0]) < _most_late(base[0]):
            return DenseIndex(self.dim, applied, (base[0], Segment.of(*delta)))
        return DenseIndex(self.dim, applied, (_merged(base, delta),))

    def compact(self) -> "DenseIndex":
        """The same vectors in one segment, without what is gone."""
        if not self.segments or (len(self.segments) == 1 and self.segments[0].live.all()):
            return self
        late = [part.living() for part in self.segments[1:] if isinstance(part, Segment)]
        delta = _joined([(np.empty(0, np.int64), _no_vectors(self.dim)), *late])
        whole = _merged(self.segments[:1], delta)
        return DenseIndex(self.dim, self.applied, (whole,) if len(whole.ids) else ())


def large(applied: int, shape: Shape, sample: Vectors, blocks: Iterable[tuple[Ids, Vectors]]) -> DenseIndex:
    """A large index of vectors that come in blocks, laid out by a sample of them."""
    return DenseIndex(sample.shape[1], applied, (LargeSegment.build(shape, sample, blocks),))


def save(path: Path, index: DenseIndex, key: SnapshotKey, nonce: str) -> DenseIndex:
    """Write a snapshot durably; gives the compacted index that it holds. Raises StorageError, DiskFullError."""
    whole = index.compact()
    segment = (
        whole.segments[0] if whole.segments else Segment.of(np.empty(0, np.int64), _no_vectors(index.dim))
    )
    if isinstance(segment, LargeSegment):
        body = list(segment.arrays())
    else:
        graph = faiss.serialize_index(segment.index).data
        body = [segment.ids.astype("<i8").data.cast("B"), graph]
    manifest = Manifest(key, whole.applied, nonce, len(segment.ids), _digest(body), shape=whole.shape)
    head = json.dumps(asdict(manifest), sort_keys=True).encode()
    durable_write(path, _MAGIC, sha256(head).hexdigest().encode(), b"\n", head, b"\n", *body)
    return whole


def load(path: Path, key: SnapshotKey) -> tuple[DenseIndex, str]:
    """The index of a snapshot file, and the nonce of the change it is up to.

    Raises:
        SnapshotError: it is not there, is damaged, or belongs to something else.
    """
    try:
        with path.open("rb") as file:
            manifest = _manifest(file)
            if manifest.format != FORMAT or manifest.key != key:
                raise SnapshotError("made for another catalog, collection, model or version")
            segment = _segment(_Hashed(file), manifest)
    except OSError as error:
        raise SnapshotError(f"cannot be read: {error.strerror}") from error
    return DenseIndex(key.dim, manifest.applied, (segment,) if manifest.count else ()), manifest.nonce


class _Hashed:
    """A file whose hash is taken as it is read: memory for one copy of a large index, not for two."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._digest = sha256()

    def read(self, size: int, /) -> bytes:
        """So many bytes. Raises SnapshotError where there are fewer."""
        data = self._file.read(size)
        if len(data) != size:
            raise SnapshotError("its SHA-256 does not match")
        self._digest.update(data)
        return data

    def rest(self) -> bytes:
        """All that is left."""
        data = self._file.read()
        self._digest.update(data)
        return data

    def require(self, digest: str) -> None:
        """Refuse what is not to the byte what was written, or goes on. Raises SnapshotError."""
        if self._file.read(1) or self._digest.hexdigest() != digest:
            raise SnapshotError("its SHA-256 does not match")


def _segment(source: _Hashed, manifest: Manifest) -> Segment | LargeSegment:
    """The vectors of a snapshot, once every byte is verified."""
    count, dim = manifest.count, manifest.key.dim
    if manifest.shape is not None:
        if manifest.shape.kind != KIND:
            raise SnapshotError("a large index of another kind")
        segment = LargeSegment.read(source, manifest.shape, dim, count)
        source.require(manifest.sha256)
        return segment
    ids, graph = source.read(8 * count), source.rest()
    source.require(manifest.sha256)
    index = _deserialize(graph)
    if index.d != dim or index.ntotal != count:
        raise SnapshotError("its dimension or count is not what its manifest says")
    return Segment(index, np.frombuffer(ids, "<i8").astype(np.int64), np.ones(count, np.bool_))


def _manifest(file: BinaryIO) -> Manifest:
    data = file.read(_HEADER_LIMIT)
    magic, digest, head = (*data.split(b"\n", 3), b"", b"", b"")[:3]
    if magic + b"\n" != _MAGIC or sha256(head).hexdigest().encode() != digest:
        raise SnapshotError("its head is damaged")
    file.seek(len(_MAGIC) + len(digest) + len(head) + 2)
    try:
        values = json.loads(head)
        shape = Shape(**values["shape"]) if values.get("shape") else None
        return Manifest(**{**values, "key": SnapshotKey(**values["key"]), "shape": shape})
    except (ValueError, TypeError, KeyError) as error:
        raise SnapshotError("its manifest is not of this version") from error


def _deserialize(graph: bytes) -> faiss.IndexFlatIP:
    faiss.set_deserialization_vector_byte_limit(2 * len(graph) + 4096)
    faiss.set_deserialization_loop_limit(1_000_000)
    try:
        index = faiss.deserialize_index(np.frombuffer(graph, np.uint8))
    except RuntimeError as error:
        raise SnapshotError("faiss cannot read it") from error
    if not isinstance(index, faiss.IndexFlatIP):
        raise SnapshotError("it holds another kind of index")
    return index


def _merged(base: Sequence[Segment | LargeSegment], delta: tuple[Ids, Vectors]) -> Segment | LargeSegment:
    """One segment of the base, if any, and what came since."""
    if base and isinstance(base[0], LargeSegment):
        return base[0].extended(*delta)
    return Segment.of(*_joined([*(part.living() for part in base if isinstance(part, Segment)), delta]))


def _most_late(base: Segment | LargeSegment) -> int:
    """How many vectors may stand beside a segment until they are taken into it."""
    share = max(_SMALLEST_MERGE, len(base.ids) // 8)
    return min(share, _LARGEST_LATE) if isinstance(base, LargeSegment) else share


def _rescored(found: list[tuple[int, float]], query: Vectors, stored: Lookup) -> list[tuple[int, float]]:
    """What was found with its exact inner product; without what is gone or damaged by now."""
    ids, vectors = stored(np.sort(np.array([id_ for id_, _ in found], np.int64)))
    return list(zip(ids.tolist(), (vectors @ query).tolist(), strict=True))


def _margin(k: int) -> int:
    """How many more to score anew than are asked for: rounding moves a passage by a few places."""
    return max(k // 4, 8)


def _held(segment: Segment | LargeSegment, ids: Ids) -> Mask:
    """Which ids stand in a segment and are not gone from it."""
    places = np.minimum(np.searchsorted(segment.ids, ids), max(len(segment.ids) - 1, 0))
    if len(segment.ids) == 0:
        return np.zeros(len(ids), np.bool_)
    held: Mask = (segment.ids[places] == ids) & segment.live[places]
    return held


def _joined(parts: Sequence[tuple[Ids, Vectors]]) -> tuple[Ids, Vectors]:
    if len(parts) == 1:
        return parts[0]
    return np.concatenate([ids for ids, _ in parts]), np.concatenate([rows for _, rows in parts])


def _digest(parts: Iterable[bytes | memoryview]) -> str:
    digest = sha256()
    for part in parts:
        digest.update(part)
    return digest.hexdigest()


def _no_vectors(dim: int) -> Vectors:
    return np.empty((0, dim), np.float32)
