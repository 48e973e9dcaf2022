"""The store whose vectors, and words where it can, are searched in Milvus; the catalog stays the truth of both."""

from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Self

from index.address import MilvusAddress
from index.errors import StoreUnavailableError
from index.milvus import Milvus
from index.milvus_indexes import MilvusIndexes
from index.reader import narrowing_of
from index.store import LocalStore
from index.types import BuiltBy, Filters


class MilvusStore(LocalStore):
    """As `LocalStore`, with a Milvus database in place of the FAISS snapshots; satisfies `PassageStore`.

    One process writes, under the data folder's lock. Opening does not ask the server: whatever needs it raises
    StoreUnavailableError while it is away, and works again when it is back.
    """

    _dense: MilvusIndexes

    @classmethod
    def open_at(
        cls,
        address: MilvusAddress,
        folder: Path,
        built_by: BuiltBy,
        *,
        writable: bool = False,
        beside: bool = False,
    ) -> Self:
        """Open a data folder whose vectors are in Milvus; the first change, or `snapshot`, brings them there.

        Raises:
            InputError: the client of Milvus is not installed.
            NotFoundError, LockedError, MismatchError, CorruptError, StorageError: as `LocalStore.open`.
        """
        return cls._opened(
            folder,
            built_by,
            lambda catalog: MilvusIndexes(catalog, Milvus(address)),
            writable=writable,
            beside=beside,
        )

    def lexical(
        self, collection: str, terms: Sequence[str], k: int, filters: Filters, /
    ) -> list[tuple[int, float]]:
        """As `LocalStore.lexical`, with the same scores; found by Milvus where the server ranks words.

        While Milvus is away the catalog finds them: it has every word too.
        """
        if k > 0:
            narrowed = narrowing_of(filters)
            with self._catalog.reading() as db:
                key, built_by = self._find(db, collection)
            with suppress(StoreUnavailableError):
                found = self._dense.words.best(key, built_by, self._counts, terms, k=k, narrowed=narrowed)
                if found is not None:
                    return found
        return super().lexical(collection, terms, k, filters)
