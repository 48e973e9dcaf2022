"""How far Milvus is with the changes of a catalog, kept in the catalog itself."""

import json
from dataclasses import asdict, dataclass

import apsw

from index import records
from index.connection import fetch
from index.errors import StoreUnavailableError

_KEY = "milvus"


class BehindError(StoreUnavailableError):
    """Milvus does not hold what the catalog says."""


@dataclass(frozen=True, slots=True)
class Watermark:
    """How far Milvus is, as the catalog has it: committed together with each change.

    `applied` is the last change whose additions Milvus holds, `swept` the last whose removals it let go of; `time` is
    the server's own of the last write. `name` is that of the tables, and new whenever they are filled anew.
    """

    name: str
    applied: int
    swept: int
    time: int = 0

    def table(self, dim: int) -> str:
        """The table of the vectors of one dimension."""
        return f"{self.name}_{dim}"


def read_mark(db: apsw.Connection) -> Watermark | None:
    """How far Milvus is; None where it was never filled."""
    rows = fetch(db, "SELECT value FROM meta WHERE key = ?", (_KEY,))
    return Watermark(**json.loads(rows[0][0])) if rows else None


def write_mark(db: apsw.Connection, mark: Watermark) -> None:
    """Commit with the transaction how far Milvus is."""
    db.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (_KEY, json.dumps(asdict(mark))))


def require_current(db: apsw.Connection, last: int) -> Watermark:
    """How far Milvus is. Raises BehindError where it does not hold every change."""
    mark = read_mark(db)
    if mark is None or mark.applied < last:
        raise BehindError("Milvus does not hold every change yet: `nutgraf migrate` brings it in step")
    return mark


def tables_of(db: apsw.Connection, mark: Watermark) -> dict[str, list[int]]:
    """The keys of the collections that each table holds."""
    tables: dict[str, list[int]] = {}
    for key, _, built_by in records.collections(db):
        if built_by.dim:
            tables.setdefault(mark.table(built_by.dim), []).append(key)
    return tables


def forget_mark(db: apsw.Connection) -> None:
    """Let the next writer fill tables of a new name."""
    db.execute("DELETE FROM meta WHERE key = ?", (_KEY,))
