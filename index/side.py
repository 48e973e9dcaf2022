"""What a store needs of whatever searches its vectors, here or in a server; the vectors are the catalog's."""

from collections.abc import Iterator, Sequence
from typing import Protocol

import apsw

from index.lexical import Narrowing
from index.types import BuiltBy, Vectors


class DenseSide(Protocol):
    """The dense indexes of a store: derived from the catalog, and kept in step with its change log."""

    def search(
        self, collection: int, built_by: BuiltBy, vector: Vectors, k: int, narrowed: Narrowing | None, /
    ) -> list[tuple[int, float]]:
        """The k passages nearest by cosine, as (passage id, cosine), best first, of those the filters let through."""
        ...

    def refresh(self) -> None:
        """Take in what other processes committed."""
        ...

    def prepare(self) -> None:
        """Be ready for a change; called outside of a transaction. Raises StorageError."""
        ...

    def stage(
        self,
        db: apsw.Connection,
        collection: int,
        built_by: BuiltBy,
        sequence: int,
        added: Sequence[int],
        /,
    ) -> None:
        """Take in what a transaction adds, before it is committed as change `sequence`. Raises StorageError."""
        ...

    def sweep(self, built_by: BuiltBy, sequence: int, removed: Sequence[int], /) -> None:
        """Let go of what the transaction that is now committed took away; what fails is done later."""
        ...

    def drop(self, collection: int, built_by: BuiltBy, /) -> None:
        """Forget a collection that is gone from the catalog; what fails is done later."""
        ...

    def save(self, collection: int, built_by: BuiltBy, /) -> None:
        """Be ready to be found as it is by the next process. Raises StorageError."""
        ...

    def overdue(self, sequence: int, /) -> bool:
        """Whether so much was committed since `save` was last asked for that it should not wait any longer."""
        ...

    def prune(self) -> int:
        """The number up to which the change log is not needed any more."""
        ...

    def clear(self) -> None:
        """Forget every collection, and leave nothing behind."""
        ...

    def rebuild(self, collection: int, built_by: BuiltBy, /) -> None:
        """Make all that is derived of a collection anew from the stored vectors. Raises StorageError."""
        ...

    def problems(self, db: apsw.Connection, collection: int, built_by: BuiltBy, /) -> Iterator[str]:
        """What is not as the catalog has it, one line each. Raises StorageError where that cannot be told."""
        ...

    def close(self) -> None:
        """Let go of connections."""
        ...
