"""The store whose vectors are searched in Milvus; documents, words and the truth of the vectors stay in the catalog."""

from pathlib import Path
from typing import Self

from index.address import MilvusAddress
from index.milvus import Milvus
from index.milvus_indexes import MilvusIndexes
from index.store import LocalStore
from index.types import BuiltBy


class MilvusStore(LocalStore):
    """As `LocalStore`, with a Milvus database in place of the FAISS snapshots; satisfies `PassageStore`.

    One process writes, under the data folder's lock. Opening does not ask the server: whatever needs it raises
    StoreUnavailableError while it is away, and works again when it is back.
    """

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
