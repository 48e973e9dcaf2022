"""Vectors of a large collection: compressed, in lists around centres of which a search reads the nearest few.

One byte a dimension (FAISS's `IVF…,SQ8`). What a search finds is scored anew with the stored vectors, so a score is
the cosine itself and only what is found is approximate. What is gone or not allowed is left out before ranking, and
more lists are read then. A snapshot holds plain arrays: FAISS, which loads damaged files without a word, parses none.
"""

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Protocol

import faiss
import numpy as np
import numpy.typing as npt

from index.segment import Ids, Lookup, Mask, SnapshotError, members, ranked, selector, single_thread
from index.types import Vectors

KIND = "IVF,SQ8"
"""What the snapshot's head says of a segment of this kind."""

_ROUNDS = 8
_A_CENTRE = 40
_LARGEST_SAMPLE = 131_072
"""Vectors that the centres are found from: 40 for each, and no more than take 200 MB at 384 dimensions."""
_FEWEST_PROBED = 16
_SHARE_PROBED = 0.1
_SEED = 20_261_127

Codes = npt.NDArray[np.uint8]
Blocks = Iterable[tuple[Ids, Vectors]]


class Source(Protocol):
    """Where a snapshot's body is read from."""

    def read(self, size: int, /) -> bytes:
        """So many bytes. Raises SnapshotError where there are fewer."""
        ...


@dataclass(frozen=True, slots=True)
class Shape:
    """How a large index is laid out: recorded in its snapshot. `trained` is how many vectors it was laid out for."""

    lists: int
    probes: int
    trained: int
    kind: str = KIND

    @classmethod
    def of(cls, count: int) -> "Shape":
        """The shape that measured best for so many vectors: docs/decisions/0015-scale.md."""
        lists = max(min(round(4 * math.sqrt(count)), count // 30), 1)
        return cls(lists, min(max(math.ceil(lists * _SHARE_PROBED), _FEWEST_PROBED), lists), count)

    def sample_size(self) -> int:
        """How many vectors the centres are found from."""
        return min(_A_CENTRE * self.lists, _LARGEST_SAMPLE, self.trained)


@dataclass(frozen=True, slots=True)
class LargeSegment:
    """Compressed vectors in FAISS, under their places; beside them the passage ids and which are still there."""

    index: faiss.IndexIVFScalarQuantizer
    ids: Ids
    live: Mask
    shape: Shape

    @classmethod
    def build(cls, shape: Shape, sample: Vectors, blocks: Blocks) -> "LargeSegment":
        """A segment laid out by a sample, of vectors that come in blocks; ids ascend over all of them."""
        single_thread()
        index = _empty(_centres(shape, sample))
        index.train(sample)
        ids = [np.empty(0, np.int64)]
        for block, vectors in blocks:
            _add(index, np.arange(index.ntotal, index.ntotal + len(block)), vectors)
            ids.append(block)
        every = np.concatenate(ids)
        return cls(index, every, np.ones(len(every), np.bool_), shape)

    def without(self, removed: Ids) -> "LargeSegment":
        """The same vectors, some of them gone."""
        gone = members(self.ids, removed)
        return LargeSegment(self.index, self.ids, self.live & ~gone, self.shape) if gone.any() else self

    def extended(self, added: Ids, vectors: Vectors) -> "LargeSegment":
        """A copy with more vectors, laid out as before, in which nothing is left of those that are gone."""
        if len(added) == 0 and self.live.all():
            return self
        single_thread()
        ids = np.concatenate([self.ids[self.live], added])
        order = np.argsort(ids, kind="stable")
        place = np.empty(len(ids), np.int64)
        place[order] = np.arange(len(ids))
        moved = np.full(len(self.ids), -1, np.int64)
        moved[self.live] = place[: len(ids) - len(added)]
        index = _like(self.index)
        for number, places, codes in self._lists():
            kept = moved[places] >= 0
            _put(index, number, moved[places[kept]], codes[kept])
        index.ntotal = len(ids) - len(added)
        if len(added):
            _add(index, place[index.ntotal :], vectors)
        return LargeSegment(index, ids[order], np.ones(len(ids), np.bool_), self.shape)

    def search(self, vector: Vectors, k: int, allowed: Ids | None) -> list[tuple[int, float]]:
        """About the best k of what is live and allowed, as (id, about the inner product), and k where there are k."""
        mask = self.live if allowed is None else self.live & members(self.ids, allowed)
        count = int(np.count_nonzero(mask))
        k = min(k, count)
        if k <= 0:
            return []
        lists = self.shape.lists
        wanted = min(math.ceil(self.shape.probes * len(mask) / count), lists)
        found = self._probe(vector, k, mask, wanted)
        return self._probe(vector, k, mask, lists) if len(found) < k and wanted < lists else found

    def differing(self, stored: Lookup) -> Iterator[int]:
        """The ids of vectors that are not those of the stored ones; passages that are gone are passed over."""
        for _, places, codes in self._lists():
            order = np.argsort(places)
            order = order[self.live[places[order]]]
            ids = self.ids[places[order]]
            kept, vectors = stored(ids)
            held = codes[order[members(ids, kept)]].astype(np.int16)
            # another processor may round otherwise
            yield from kept[(abs(held - _encoded(self.index, vectors)) > 1).any(axis=1)].tolist()

    def arrays(self) -> Iterator[memoryview]:
        """What a snapshot holds, without copies: centres, ranges, sizes, ids, then places and codes list by list."""
        centres = _array(self.index.quantizer, self.shape.lists * self.index.d)
        sizes = np.array([len(places) for _, places, _ in self._lists()], np.int64)
        heads = (centres, faiss.vector_to_array(self.index.sq.trained), sizes, self.ids)
        yield from (_bytes(head) for head in heads)
        for _, places, codes in self._lists():
            if len(places):
                yield _bytes(places)
                yield _bytes(codes)

    @classmethod
    def read(cls, source: Source, shape: Shape, dim: int, count: int) -> "LargeSegment":
        """The segment whose arrays come next; the caller verifies their hash before it is used."""
        quantizer = faiss.IndexFlatIP(dim)
        quantizer.add(_read(source, "<f4", shape.lists * dim).reshape(-1, dim))
        index = _empty(quantizer)
        faiss.copy_array_to_vector(_read(source, "<f4", 2), index.sq.trained)
        index.is_trained = True
        sizes = _read(source, "<i8", shape.lists)
        if (sizes < 0).any() or int(sizes.sum()) != count:
            raise SnapshotError("its lists do not hold what its head says")
        ids = _read(source, "<i8", count)
        for number, size in enumerate(sizes.tolist()):
            places = _read(source, "<i8", size)
            _put(index, number, places, _read(source, "u1", size * dim).reshape(size, dim))
        index.ntotal = count
        return cls(index, ids, np.ones(count, np.bool_), shape)

    def _probe(self, vector: Vectors, k: int, mask: Mask, lists: int) -> list[tuple[int, float]]:
        parameters, _bits = faiss.SearchParametersIVF(), None
        parameters.nprobe = lists
        if not mask.all():
            parameters.sel, _bits = selector(mask)
        return ranked(self.index, vector, k, parameters, self.ids)

    def _lists(self) -> Iterator[tuple[int, npt.NDArray[np.int64], Codes]]:
        """Each list: its number, and the places and codes in it; views on the index's own memory."""
        lists, dim = _inverted(self.index), self.index.d
        for number in range(self.shape.lists):
            size = lists.list_size(number)
            if size == 0:
                yield number, np.empty(0, np.int64), np.empty((0, dim), np.uint8)
                continue
            codes = faiss.rev_swig_ptr(lists.get_codes(number), size * dim)
            yield number, faiss.rev_swig_ptr(lists.get_ids(number), size), codes.reshape(size, dim)


def _centres(shape: Shape, sample: Vectors) -> faiss.IndexFlatIP:
    """The centres of the lists, found by k-means on the sphere; the same from the same sample."""
    means = faiss.Kmeans(
        sample.shape[1], shape.lists, niter=_ROUNDS, seed=_SEED, spherical=True,
        min_points_per_centroid=1, max_points_per_centroid=len(sample),
    )  # fmt: skip
    means.train(sample)
    quantizer = faiss.IndexFlatIP(sample.shape[1])
    quantizer.add(np.ascontiguousarray(means.centroids, np.float32))
    return quantizer


def _empty(quantizer: faiss.IndexFlatIP) -> faiss.IndexIVFScalarQuantizer:
    """An index without vectors over these centres. One range for all dimensions: a fifth faster, as good to rank by."""
    return faiss.IndexIVFScalarQuantizer(
        quantizer, quantizer.d, quantizer.ntotal, faiss.ScalarQuantizer.QT_8bit_uniform,
        faiss.METRIC_INNER_PRODUCT, False,  # codes of the vectors, not of what they differ by from centres
    )  # fmt: skip


def _like(index: faiss.IndexIVFScalarQuantizer) -> faiss.IndexIVFScalarQuantizer:
    """An index without vectors, laid out as another."""
    centres = faiss.IndexFlatIP(index.d)
    centres.add(_array(index.quantizer, index.nlist * index.d).reshape(-1, index.d))
    made = _empty(centres)
    faiss.copy_array_to_vector(faiss.vector_to_array(index.sq.trained), made.sq.trained)
    made.is_trained = True
    return made


def _add(index: faiss.IndexIVFScalarQuantizer, places: npt.NDArray[np.int64], vectors: Vectors) -> None:
    index.add_with_ids(np.ascontiguousarray(vectors, np.float32), places)


def _put(
    index: faiss.IndexIVFScalarQuantizer, number: int, places: npt.NDArray[np.int64], codes: Codes
) -> None:
    if len(places):
        places, codes = np.ascontiguousarray(places), np.ascontiguousarray(codes)
        _inverted(index).add_entries(number, len(places), faiss.swig_ptr(places), faiss.swig_ptr(codes))


def _encoded(index: faiss.IndexIVFScalarQuantizer, vectors: Vectors) -> Codes:
    if len(vectors) == 0:
        return np.empty(vectors.shape, np.uint8)
    codes: Codes = index.sq.compute_codes(np.ascontiguousarray(vectors, np.float32))
    return codes


def _inverted(index: faiss.IndexIVFScalarQuantizer) -> Any:
    return index.invlists


def _array(quantizer: Any, size: int) -> Vectors:
    """The numbers in a flat index; a view on its own memory."""
    flat: Any = faiss.downcast_index(quantizer)
    view: Vectors = faiss.rev_swig_ptr(flat.get_xb(), size)
    return view


def _bytes(array: npt.NDArray[Any]) -> memoryview:
    return array.data.cast("B")


def _read(source: Source, kind: str, count: int) -> npt.NDArray[Any]:
    return np.frombuffer(source.read(count * np.dtype(kind).itemsize), kind)
