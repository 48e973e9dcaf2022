"""Vectors in a flat FAISS index, searched exactly, and what every kind of segment shares."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import faiss
import numpy as np
import numpy.typing as npt

from index.types import Vectors

Ids = npt.NDArray[np.int64]
"""Passage ids, int64[n], ascending."""

Mask = npt.NDArray[np.bool_]

Lookup = Callable[[Ids], tuple[Ids, Vectors]]
"""Gives the stored vectors of passages, by id, of those that are there and whole."""

BLOCK = 8_192
"""Vectors read at a time where all of them are needed."""


class SnapshotError(Exception):
    """A snapshot that cannot be used, and why; never more than a reason to rebuild."""


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
        gone = members(self.ids, removed)
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
        mask = self.live if allowed is None else self.live & members(self.ids, allowed)
        k = min(k, int(np.count_nonzero(mask)))
        if k <= 0:
            return []
        parameters, _bits = None, None
        if not mask.all():
            parameters = faiss.SearchParameters()
            parameters.sel, _bits = selector(mask)
        return ranked(self.index, vector, k, parameters, self.ids)

    def differing(self, stored: Lookup) -> Iterator[int]:
        """The ids of vectors that are not the stored ones; passages that are gone are passed over."""
        vectors = self.vectors()
        places = np.flatnonzero(self.live)
        for start in range(0, len(places), BLOCK):
            block = places[start : start + BLOCK]
            kept, expected = stored(self.ids[block])
            held = vectors[block[members(self.ids[block], kept)]]
            yield from kept[(held != expected).any(axis=1)].tolist()


def single_thread() -> None:
    """Use one thread: idle OpenMP threads spin, and cost more than they give (27 against 16 ms).

    OpenMP keeps this number for each thread that calls it, so it is said before each use and not once for all.
    """
    faiss.omp_set_num_threads(1)


def members(ids: Ids, wanted: Ids) -> Mask:
    """Which of the ascending ids are wanted."""
    places = np.searchsorted(ids, wanted)
    inside = places < len(ids)
    places, wanted = places[inside], wanted[inside]
    mask = np.zeros(len(ids), np.bool_)
    mask[places[ids[places] == wanted]] = True
    return mask


def selector(mask: Mask) -> tuple[faiss.IDSelectorBitmap, npt.NDArray[np.uint8]]:
    """What makes FAISS see only some places, and the bits it reads, which have to outlive the search."""
    bits = np.packbits(mask, bitorder="little")
    return faiss.IDSelectorBitmap(len(mask), faiss.swig_ptr(bits)), bits


def ranked(index: faiss.Index, vector: Vectors, k: int, parameters: Any, ids: Ids) -> list[tuple[int, float]]:
    """What FAISS finds on one thread, as (id, inner product); it fills up with the place -1 where it finds too few."""
    single_thread()
    scores, places = index.search(vector.reshape(1, -1), k, params=parameters)
    found = places[0] >= 0
    return list(zip(ids[places[0][found]].tolist(), scores[0][found].tolist(), strict=True))
