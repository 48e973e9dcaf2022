"""Moving the vectors of an index to Milvus, or back into the data folder. Nothing is embedded again."""

from pathlib import Path

from index.address import MilvusAddress
from index.passages import SPLITTER_VERSION
from index.proof import Proof
from index.store import LocalStore
from index.types import BuiltBy

_ANY_MODEL = BuiltBy("", "", 0, SPLITTER_VERSION)


def migrate(folder: Path, to: MilvusAddress | None) -> list[Proof]:
    """Bring what searches the vectors in step with the catalog, there or here, and compare each collection.

    It goes on where it was cut off, and does nothing where all is there. What is left behind stays as it is.

    Raises:
        InputError: the client of Milvus is not installed.
        StoreUnavailableError: Milvus does not answer.
        NutgrafError: as `LocalStore.open`.
    """
    with _opened(folder, to) as store:
        store.snapshot()
        return store.proofs()


def _opened(folder: Path, to: MilvusAddress | None) -> LocalStore:
    if to is None:
        return LocalStore.open(folder, _ANY_MODEL, writable=True)
    from index.milvus_store import MilvusStore  # its client is an extra, and slow to import

    return MilvusStore.open_at(to, folder, _ANY_MODEL, writable=True)
