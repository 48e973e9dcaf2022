"""Purging: rewriting the catalog so that no byte of what was deleted is left in it, nor in the files beside it.

Deleting overwrites at once what SQLite and FTS5 can overwrite. What is left until a purge are older states in the
write-ahead log, bounds between the pages of the full-text index, and vectors in snapshots.
"""

from collections.abc import Iterable
from pathlib import Path

import apsw

from index.connection import transaction
from index.durable import remove_temporaries
from index.errors import LockedError
from index.fulltext import FullText


def rewrite(db: apsw.Connection, collections: Iterable[int]) -> None:
    """Make the full-text indexes anew, then the whole file, then empty its log.

    Raises:
        LockedError: another process reads an older state, which has to stay in the log.
    """
    with transaction(db):
        for key in collections:
            db.execute(FullText.of(key).command("rebuild"))
    db.execute("PRAGMA temp_store = FILE")  # the copy in the making may be larger than memory; it is unlinked
    try:
        db.execute("VACUUM")
    finally:
        db.execute("PRAGMA temp_store = MEMORY")
    try:
        db.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_TRUNCATE)
    except apsw.BusyError as error:
        raise LockedError(
            "another process is reading the index: wait for it or end it, and purge again"
        ) from error


def remove_leftovers(folder: Path) -> None:
    """Remove copies that a killed process or a failed migration left behind. Only the folder's writer may."""
    remove_temporaries(folder)
    for copy in folder.glob("pre-migrate-*.db*"):
        copy.unlink()


def folder_size(folder: Path) -> int:
    """Bytes that the index takes, without its models."""
    places = (folder, folder / "snapshots")
    files = (file for place in places if place.is_dir() for file in place.iterdir())
    return sum(file.lstat().st_size for file in files if file.is_file() and not file.is_symlink())
