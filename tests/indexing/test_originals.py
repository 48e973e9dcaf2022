"""The file of an upload is kept byte for byte, for as long as its document is there and no longer."""

from collections.abc import Callable
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import apsw
import pytest
from plain_parts import HashEmbedder, prepare

from index.backup import backup, restore
from index.catalog import CATALOG_NAME
from index.errors import CorruptError
from index.store import LocalStore
from index.sync import put, sync
from index.types import Document, Move, Passage, Remove

Opener = Callable[..., LocalStore]
FILE = b"\x00\xff zqxjungfrau \x00" + b"Title\nThe words of the first version"
OTHER = b"\x00\xff other \x00" + b"Title\nThe words of the second version"


def read(data: bytes, path: str) -> tuple[Document, tuple[Passage, ...]]:
    """A kind of file whose text stands at its end."""
    document, passages = prepare(data.rpartition(b"\x00")[2], path)
    return replace(document, sha256=sha256(data).hexdigest()), passages


def upload(store: LocalStore, path: str, data: bytes, collection: str = "default") -> str:
    return put(store, HashEmbedder(), read, path, data, collection=collection)


def original(store: LocalStore, path: str, collection: str = "default") -> bytes | None:
    info = store.find(collection, path)
    assert info is not None
    assert store.has_original(collection, info.id) == (store.original(collection, info.id) is not None)
    return store.original(collection, info.id)


def tamper(data: Path, *statements: str) -> None:
    db = apsw.Connection(str(data / CATALOG_NAME))
    for statement in statements:
        db.execute(statement)
    db.close()


def traces(data: Path) -> int:
    """How many files of the folder still hold a word that only the file had, and not its text."""
    return sum(b"zqxjungfrau" in path.read_bytes() for path in data.rglob("*") if path.is_file())


def test_an_upload_keeps_its_file_and_a_newer_one_takes_its_place(store: LocalStore) -> None:
    upload(store, "a.txt", FILE)
    assert original(store, "a.txt") == FILE
    upload(store, "a.txt", OTHER)
    assert original(store, "a.txt") == OTHER
    assert store.check().problems == ()


def test_a_document_of_a_folder_keeps_none(store: LocalStore, tmp_path: Path) -> None:
    root = tmp_path / "root"
    root.mkdir()
    (root / "a.txt").write_bytes(OTHER)
    upload(store, "a.txt", FILE)
    sync(store, HashEmbedder(), read, root)
    assert original(store, "a.txt") is None


def test_a_moved_upload_keeps_its_file(store: LocalStore) -> None:
    upload(store, "a.txt", FILE)
    store.apply("default", [Move("a.txt", "b.txt")])
    assert original(store, "b.txt") == FILE


def test_the_file_is_there_after_reopening(store: LocalStore, open_store: Opener) -> None:
    upload(store, "a.txt", FILE)
    store.close()
    assert original(open_store(writable=False), "a.txt") == FILE


def test_it_comes_with_a_backup(store: LocalStore, open_store: Opener, data: Path, tmp_path: Path) -> None:
    upload(store, "a.txt", FILE)
    backup(data, tmp_path / "backup")
    store.close()
    data.rename(tmp_path / "elsewhere")
    restore(tmp_path / "backup", data)
    assert original(open_store(), "a.txt") == FILE


@pytest.mark.parametrize("gone", ["removed", "replaced", "collection"])
def test_a_purge_leaves_no_byte_of_it_once_its_document_is_gone(
    store: LocalStore, data: Path, gone: str
) -> None:
    store.create_collection("other")
    upload(store, "a.txt", FILE, "other")
    upload(store, "kept.txt", OTHER)
    assert traces(data)
    if gone == "removed":
        store.apply("other", [Remove("a.txt")])
    elif gone == "replaced":
        upload(store, "a.txt", OTHER, "other")
    else:
        store.delete_collection("other")
    store.purge()
    assert traces(data) == 0
    assert original(store, "kept.txt") == OTHER


@pytest.mark.parametrize(
    "damage",
    [
        "UPDATE original SET data = x'00' WHERE document = 1",
        "UPDATE original SET document = document + 2; UPDATE original SET document = 5 - document",
    ],
    ids=["another file", "two files changed over"],
)
def test_a_damaged_file_is_named_and_never_served(
    store: LocalStore, open_store: Opener, data: Path, damage: str
) -> None:
    upload(store, "a.txt", FILE)
    upload(store, "b.txt", OTHER)
    store.close()
    tamper(data, "PRAGMA foreign_keys = OFF", *damage.split("; "))
    store = open_store()
    assert "default: a.txt: its original is damaged" in store.check().problems
    with pytest.raises(CorruptError, match=r"a\.txt"):
        original(store, "a.txt")


@pytest.mark.parametrize("value", ["'a text'", "7", "NULL"])
def test_a_file_that_is_no_bytes_any_more_is_damaged(
    store: LocalStore, open_store: Opener, data: Path, value: str
) -> None:
    """One flipped bit in front of a row's values changes what kind of value they are, whatever the schema allows."""
    upload(store, "a.txt", FILE)
    store.close()
    lax = "UPDATE sqlite_schema SET sql = replace(replace(sql, 'STRICT', ''), 'NOT NULL', '') WHERE name = 'original'"
    tamper(data, "PRAGMA writable_schema = ON", lax)
    tamper(data, f"UPDATE original SET data = {value}")
    store = open_store()
    with pytest.raises(CorruptError, match=r"a\.txt"):
        original(store, "a.txt")
    assert "default: a.txt: its original is damaged" in store.check().problems


def test_a_damaged_file_is_mended_by_sending_it_again(
    store: LocalStore, open_store: Opener, data: Path
) -> None:
    upload(store, "a.txt", FILE)
    store.close()
    tamper(data, "UPDATE original SET data = x'00'")
    store = open_store()
    store.check(repair=True)
    assert upload(store, "a.txt", FILE) == "changed"
    assert original(store, "a.txt") == FILE
    assert store.check().problems == ()


def test_an_upload_from_before_files_were_kept_gets_its_file_when_sent_again(
    store: LocalStore, open_store: Opener, data: Path
) -> None:
    upload(store, "a.txt", FILE)
    store.close()
    tamper(data, "DROP TABLE original", "PRAGMA user_version = 1")
    store = open_store()
    assert original(store, "a.txt") is None
    assert [upload(store, "a.txt", FILE) for _ in range(2)] == ["changed", "unchanged"]
    assert original(store, "a.txt") == FILE
