"""That what searches the vectors of a collection holds those of the catalog, and finds what they say."""

from dataclasses import dataclass
from hashlib import sha256

import apsw
import numpy as np

from index.dense import passage_ids, vectors_of
from index.segment import BLOCK, Ids
from index.side import DenseSide
from index.types import BuiltBy, Vectors

NEAREST = 10
SAMPLES = 50
_ENOUGH = 0.95


@dataclass(frozen=True, slots=True)
class Proof:
    """What was compared of one collection.

    `sha256` is of the catalog's ids and vectors in order; `problems` is where the other side differs, to the last bit
    of each vector; `overlap` is the share of the nearest of stored vectors, searched exactly, that it finds too.
    """

    collection: str
    vectors: int
    sha256: str
    overlap: float
    problems: tuple[str, ...]

    @property
    def equal(self) -> bool:
        """Whether nothing differs, and searches find the same but for what an approximate index misses."""
        return not self.problems and self.overlap >= _ENOUGH


def proof(db: apsw.Connection, name: str, key: int, built_by: BuiltBy, dense: DenseSide) -> Proof:
    """Compare one collection. Raises StorageError where that cannot be done."""
    ids = passage_ids(db, key)
    problems = tuple(dense.problems(db, key, built_by))
    chosen = np.sort(np.random.default_rng(len(ids)).permutation(ids)[:SAMPLES])
    _, queries = vectors_of(db, chosen, built_by.dim)
    digest, count = sha256(), 0
    best: list[tuple[Ids, Vectors]] = []
    for start in range(0, len(ids), BLOCK):
        block, vectors = vectors_of(db, ids[start : start + BLOCK], built_by.dim)
        digest.update(block.astype("<i8").tobytes() + vectors.astype("<f4").tobytes())
        count += len(block)
        if len(block):
            best.append((block, queries @ vectors.T))
    found = [
        [id_ for id_, _ in dense.search(key, built_by, query, NEAREST, None)] if not problems else []
        for query in queries
    ]
    return Proof(name, count, digest.hexdigest(), _overlap(best, found), problems)


def _overlap(best: list[tuple[Ids, Vectors]], found: list[list[int]]) -> float:
    """The share of the exactly nearest that were found; equally near ones count as each other."""
    if not best:
        return 1.0
    ids = np.concatenate([block for block, _ in best])
    scores = np.concatenate([rows for _, rows in best], axis=1)
    hits = wanted = 0
    for row, given in zip(scores, found, strict=True):
        k = min(NEAREST, len(ids))
        last = np.sort(row)[-k]
        near = set(ids[row >= last - 1e-6].tolist())
        hits += min(len(near & set(given)), k)
        wanted += k
    return hits / wanted if wanted else 1.0
