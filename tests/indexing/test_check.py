from collections.abc import Callable
from pathlib import Path

import apsw
import numpy as np
import pytest
from plain_parts import HashEmbedder, prepare, upsert
from store_contract import ALL, CAT, SHIP

from index.catalog import CATALOG_NAME
from index.errors import StorageError
from index.store import LocalStore
from index.sync import sync

Opener = Callable[..., LocalStore]


@pytest.fixture
def filled(store: LocalStore) -> LocalStore:
    embedder = HashEmbedder()
    store.apply("default", [upsert("a.txt", CAT, embedder), upsert("b.txt", SHIP, embedder)])
    store.snapshot()
    return store


def tamper(data: Path, *statements: str) -> None:
    """Change the catalog as damage would: past every rule and hash."""
    db = apsw.Connection(str(data / CATALOG_NAME))
    db.execute("PRAGMA foreign_keys = OFF")
    for statement in statements:
        db.execute(statement)
    db.close()


def test_a_whole_store_has_no_problem(filled: LocalStore) -> None:
    report = filled.check()
    assert (report.ok, report.documents, report.paragraphs, report.passages, report.problems) == (
        True,
        2,
        6,
        6,
        (),
    )


def test_an_empty_store_has_no_problem(open_store: Opener) -> None:
    assert open_store().check().ok


def test_a_reader_may_check_and_not_repair(filled: LocalStore, open_store: Opener) -> None:
    reader = open_store(writable=False)
    assert reader.check().ok
    with pytest.raises(StorageError, match="reading only"):
        reader.check(repair=True)


@pytest.mark.parametrize(
    ("statement", "problem"),
    [
        (
            "UPDATE paragraph SET text = 'The cat sat on the rug' WHERE number = 2",
            "a.txt: paragraph 2 is damaged",
        ),
        ("UPDATE paragraph SET line_start = 9 WHERE number = 2", "a.txt: paragraph 2 is damaged"),
        ("UPDATE paragraph SET page = 3 WHERE number = 2", "a.txt: paragraph 2 is damaged"),
        ("UPDATE paragraph SET gap = ' ' WHERE number = 2", "a.txt: its text is not what was stored"),
        ("UPDATE document SET tail = 'more'", "a.txt: its text is not what was stored"),
        ("UPDATE document SET title = 'Other'", "a.txt: its record is damaged"),
        ("UPDATE document SET path = 'c.txt' WHERE path = 'a.txt'", "c.txt: its id is not that of its path"),
        ("UPDATE document SET date = '2000-01-01'", "b.txt: its record is damaged"),
        ("UPDATE passage SET start = start + 1", "a.txt: passage 1 is damaged"),
        ("UPDATE passage SET context = 'Other'", "a.txt: passage 2 is damaged"),
        (
            "UPDATE passage SET vector = zeroblob(64) WHERE id = 2",
            "a.txt: the vector of passage 2 is damaged",
        ),
        ("DELETE FROM passage WHERE id = 2", "a.txt: paragraphs or passages are missing"),
        ("DELETE FROM paragraph WHERE number = 3", "a.txt: paragraphs or passages are missing"),
        ("DELETE FROM paragraph WHERE number = 3", "sqlite: row 3 of passage belongs to no paragraph"),
        ("DELETE FROM fts_1_docsize WHERE id = 2", "the full-text index holds 5 passages, the catalog 6"),
    ],
)
def test_damage_is_named(
    filled: LocalStore, open_store: Opener, data: Path, statement: str, problem: str
) -> None:
    filled.close()
    tamper(data, statement)
    report = open_store(writable=False).check()
    assert not report.ok
    assert any(problem in line for line in report.problems), report.problems


def test_a_full_text_index_of_other_words_is_named_by_the_writer(
    filled: LocalStore, open_store: Opener, data: Path
) -> None:
    filled.close()
    tamper(data, "INSERT INTO fts_1 (fts_1, rowid, text, context) VALUES ('delete', 2, 'cat', '')")
    assert any("full-text" in line for line in open_store().check().problems)


def test_a_damaged_snapshot_is_named_and_its_vectors_still_come_from_the_catalog(
    filled: LocalStore, open_store: Opener, data: Path
) -> None:
    filled.close()
    path = data / "snapshots" / "1.dense"
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    reader = open_store(writable=False)
    assert reader.check().problems == ("default: dense snapshot: its SHA-256 does not match",)
    assert len(reader.dense("default", np.ones(16, np.float32), 9, ALL)) == 6


def test_repair_makes_what_is_derived_anew(filled: LocalStore, open_store: Opener, data: Path) -> None:
    filled.close()
    (data / "snapshots" / "1.dense").write_bytes(b"garbage")
    tamper(data, "INSERT INTO fts_1 (fts_1) VALUES ('delete-all')")
    store = open_store()
    assert not store.check().ok
    assert store.check(repair=True).ok
    assert len(store.lexical("default", ["cat", "ship"], 9, ALL)) == 4
    assert len(store.dense("default", np.ones(16, np.float32), 9, ALL)) == 6


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE paragraph SET text = 'The cat sat on the rug' WHERE document = 1 AND number = 2",
        "UPDATE passage SET text = 'Another' WHERE id = 2",
        "UPDATE passage SET vector = zeroblob(64) WHERE id = 2",
        "UPDATE document SET title = 'Other' WHERE key = 1",
        "DELETE FROM passage WHERE id = 2",
    ],
)
def test_after_a_repair_the_next_sync_heals_what_was_damaged(
    open_store: Opener, data: Path, tmp_path: Path, statement: str
) -> None:
    root, embedder = tmp_path / "corpus", HashEmbedder()
    root.mkdir()
    (root / "a.txt").write_text(CAT)
    (root / "b.txt").write_text(SHIP)
    with open_store() as store:
        sync(store, embedder, prepare, root)
    tamper(data, statement)
    with open_store() as store:
        store.check(repair=True)
        sync(store, embedder, prepare, root)
        assert store.check().problems == ()
        assert store.text("default", store.documents("default")[0].id) == CAT
        assert len(store.dense("default", np.ones(16, np.float32), 9, ALL)) == 6


@pytest.mark.parametrize(
    "statement",
    ["UPDATE passage SET text = 'Another' WHERE id = 2", "UPDATE passage SET context = 'No' WHERE id = 2"],
)
def test_a_damaged_passage_leaves_no_trace_when_its_document_goes(
    filled: LocalStore, open_store: Opener, data: Path, statement: str
) -> None:
    filled.close()
    tamper(data, statement)
    store = open_store()
    store.apply("default", [upsert("a.txt", "Empty\nnow", HashEmbedder())])
    assert store.lexical("default", ["cat", "another", "animals"], 9, ALL) == []
    assert store.check().problems == ()
