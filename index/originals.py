"""The files that uploads were made of, byte for byte. Each goes with its document, whatever takes that away."""

from hashlib import sha256

import apsw

from index import records
from index.connection import fetch


def keep(db: apsw.Connection, secret: bytes, document: int, data: bytes) -> None:
    """Store the file of a document that has none yet."""
    db.execute("INSERT INTO original VALUES (?, ?, ?)", (document, _seal(secret, document, data), data))


def kept(db: apsw.Connection, document: int) -> bool:
    """Whether the file of a document is stored."""
    return bool(fetch(db, "SELECT 1 FROM original WHERE document = ?", (document,)))


def original(db: apsw.Connection, secret: bytes, document: int) -> tuple[bytes, bool] | None:
    """The file of a document and whether it is as it was stored; None where none is kept."""
    rows = fetch(db, "SELECT seal, data FROM original WHERE document = ?", (document,))
    if not rows:
        return None
    stored, data = rows[0]
    # damage to a row's header makes its values of another kind, or none
    return data, isinstance(data, bytes) and stored == _seal(secret, document, data)


def _seal(secret: bytes, document: int, data: bytes) -> bytes:
    return records.seal(secret, "original", document, sha256(data).digest())
