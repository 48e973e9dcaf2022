"""Where the rows of Milvus differ from what the catalog has."""

import json
from dataclasses import dataclass

import apsw
import numpy as np

from index.bm25 import words_of
from index.connection import fetch, last_id
from index.dense import passage_ids, vectors_of
from index.milvus import Block, Milvus
from index.segment import Ids

_TEXTS = (
    "SELECT id, CAST(text AS BLOB), CAST(context AS BLOB) FROM passage"
    " WHERE id IN (SELECT value FROM json_each(?))"
)


@dataclass(frozen=True, slots=True)
class Differences:
    """Where Milvus and the catalog differ: ids. `differing` are those with another vector, or held twice."""

    extra: Ids
    missing: Ids
    differing: Ids
    reworded: Ids

    @property
    def wrong(self) -> Ids:
        """Those of passages that there are, which have to be written again."""
        return np.union1d(self.differing, self.reworded)


def differences(
    db: apsw.Connection, milvus: Milvus, table: str, collection: int, dim: int, *, whole: bool
) -> Differences:
    """Compare every id up to the last, and if `whole` every vector, and the words of every passage where it has any.

    Raises:
        StoreUnavailableError: Milvus does not answer.
    """
    expected, held = passage_ids(db, collection), [np.empty(0, np.int64)]
    differing, reworded = list(held), list(held)
    condition = f"collection == {collection}"
    for block in milvus.rows(table, condition, last_id(db, "passage"), whole=whole):
        held.append(block.ids)
        differing.append(_differing(db, block))
        reworded.append(_reworded(db, block))
    every, times = np.unique(np.concatenate(held), return_counts=True)
    missing, _ = vectors_of(db, np.setdiff1d(expected, every), dim)
    return Differences(
        extra=np.setdiff1d(every, expected),
        missing=missing,
        differing=np.intersect1d(np.concatenate([every[times > 1], *differing]), expected),
        reworded=np.intersect1d(np.concatenate(reworded), expected),
    )


def words_by_id(db: apsw.Connection, ids: Ids) -> dict[int, str]:
    """The words of passages as they are indexed, of those that are there."""
    rows = fetch(db, _TEXTS, (json.dumps(ids.tolist()),))
    return {int(id_): words_of(db, text, context) for id_, text, context in rows}


def _differing(db: apsw.Connection, block: Block) -> Ids:
    """The ids whose vectors are not the stored ones; those that the catalog does not have are no matter here."""
    if block.vectors is None:
        return np.empty(0, np.int64)
    known, stored = vectors_of(db, block.ids, block.vectors.shape[1])
    unlike = (block.vectors[np.searchsorted(block.ids, known)] != stored).any(axis=1)
    return np.array(known[unlike], np.int64)


def _reworded(db: apsw.Connection, block: Block) -> Ids:
    """The ids whose words are not those of the stored text."""
    if block.words is None:
        return np.empty(0, np.int64)
    stored = words_by_id(db, block.ids)
    found = zip(block.ids.tolist(), block.words, strict=True)
    return np.array([id_ for id_, words in found if stored.get(id_, words) != words], np.int64)
