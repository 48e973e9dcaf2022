"""The log of committed changes: what a reader or a snapshot has to catch up with.

Its numbers are the watermark of everything derived; they only grow, and passage ids are never used again.
"""

import os
from collections.abc import Iterable

import apsw

from index.connection import fetch, last_id


def last_sequence(db: apsw.Connection) -> int:
    """The number of the last committed change."""
    return last_id(db, "change")


def last_change(db: apsw.Connection, collection: int) -> int:
    """The number of the last change of one collection that is still in the log."""
    return int(
        fetch(db, "SELECT coalesce(max(seq), 0) FROM change WHERE collection = ?", (collection,))[0][0]
    )


def log_changes(
    db: apsw.Connection, collection: int, op: str, added: Iterable[int], removed: Iterable[int]
) -> int:
    """Log what one transaction did; gives the number of its last row.

    That row carries a nonce: a snapshot that names number and nonce cannot be taken for one of another history
    (the catalog restored from a backup, and written to since).
    """
    rows = [(collection, "remove", id_) for id_ in removed] + [(collection, "add", id_) for id_ in added]
    db.executemany("INSERT INTO change (collection, op, passage) VALUES (?, ?, ?)", rows)
    db.execute("INSERT INTO change (collection, op, nonce) VALUES (?, ?, ?)", (collection, op, os.urandom(8)))
    return db.last_insert_rowid()


def nonce(db: apsw.Connection, sequence: int) -> str:
    """The nonce of the transaction that ended with this number; empty when there is none."""
    rows = fetch(db, "SELECT nonce FROM change WHERE seq = ?", (sequence,))
    return bytes(rows[0][0] or b"").hex() if rows else ""


def changes_after(db: apsw.Connection, collection: int, sequence: int) -> tuple[set[int], set[int]]:
    """Passage ids added and removed in a collection after a number; one that came and went is only removed."""
    rows = fetch(
        db,
        "SELECT op, passage FROM change WHERE seq > ? AND collection = ? AND passage IS NOT NULL ORDER BY seq",
        (sequence, collection),
    )
    removed = {int(passage) for op, passage in rows if op == "remove"}
    return {int(passage) for op, passage in rows if op == "add"} - removed, removed


def count_added(db: apsw.Connection, collection: int, sequence: int) -> int:
    """How many passages were added to a collection after a number: a bulk load is too long a list to read at once."""
    sql = "SELECT count(*) FROM change WHERE seq > ? AND collection = ? AND op = 'add'"
    return int(fetch(db, sql, (sequence, collection))[0][0])


def pruned(db: apsw.Connection) -> int:
    """Changes up to this number are no longer in the log."""
    return int(fetch(db, "SELECT value FROM meta WHERE key = 'pruned'")[0][0])


def prune_changes(db: apsw.Connection, sequence: int) -> None:
    """Forget the changes up to a number."""
    db.execute("DELETE FROM change WHERE seq <= ?", (sequence,))
    db.execute("UPDATE meta SET value = ? WHERE key = 'pruned'", (str(sequence),))
