"""Moving the vectors of an index to Milvus, or back into the data folder. Nothing is embedded again."""

from pathlib import Path

from index.address import MilvusAddress
from index.opening import open_store
from index.passages import SPLITTER_VERSION
from index.proof import Proof
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
    with open_store(folder, _ANY_MODEL, to, writable=True) as store:
        store.snapshot()
        return store.proofs()
