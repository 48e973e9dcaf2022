"""Uploads beside a sync, and beside each other: what was acknowledged stays, and nothing is stored twice."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from plain_parts import HashEmbedder, prepare

from index.store import LocalStore
from index.sync import Prepare, put, sync
from index.types import Document, Passage, Remove


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path / "root"
    folder.mkdir()
    (folder / "a.txt").write_text("Alpha")
    (folder / "b.txt").write_text("Beta")
    return folder


def texts(store: LocalStore) -> dict[str, str]:
    assert store.check().problems == ()
    return {info.path: store.text("default", info.id) for info in store.documents("default")}


def meanwhile(act: Callable[[], object]) -> Prepare:
    """Reading a file, with something else that happens at that moment for once."""
    acts = [act]

    def reading(data: bytes, path: str) -> tuple[Document, tuple[Passage, ...]]:
        while acts:
            acts.pop()()
        return prepare(data, path)

    return reading


def test_an_upload_is_not_removed_with_the_file_that_had_its_path(
    store: LocalStore, embedder: HashEmbedder, root: Path
) -> None:
    sync(store, embedder, prepare, root)
    (root / "a.txt").unlink()
    (root / "c.txt").write_text("Gamma")
    report = sync(
        store, embedder, meanwhile(lambda: put(store, embedder, prepare, "a.txt", b"Uploaded")), root
    )
    assert texts(store) == {"a.txt": "Uploaded", "b.txt": "Beta", "c.txt": "Gamma"}
    assert (report.added, report.removed) == (1, 0)


def test_an_upload_is_not_moved_with_the_file_that_had_its_path(
    store: LocalStore, embedder: HashEmbedder, root: Path
) -> None:
    sync(store, embedder, prepare, root)
    (root / "a.txt").rename(root / "z.txt")
    report = sync(
        store, embedder, meanwhile(lambda: put(store, embedder, prepare, "a.txt", b"Uploaded")), root
    )
    assert texts(store) == {"a.txt": "Uploaded", "b.txt": "Beta", "z.txt": "Alpha"}
    assert (report.added, report.moved, report.removed) == (1, 0, 0)


def test_a_document_that_was_deleted_during_a_sync_stays_deleted(
    store: LocalStore, embedder: HashEmbedder, root: Path
) -> None:
    sync(store, embedder, prepare, root)
    (root / "a.txt").unlink()
    (root / "c.txt").write_text("Gamma")
    sync(store, embedder, meanwhile(lambda: store.apply("default", [Remove("a.txt")])), root)
    assert texts(store) == {"b.txt": "Beta", "c.txt": "Gamma"}


def test_an_upload_of_what_a_folder_holds_outlives_the_file(
    store: LocalStore, embedder: HashEmbedder, root: Path
) -> None:
    sync(store, embedder, prepare, root)
    outcomes = [put(store, embedder, prepare, "a.txt", b"Alpha") for _ in range(2)]
    assert outcomes == ["changed", "unchanged"]
    assert sync(store, embedder, prepare, root).unchanged == 2
    (root / "a.txt").unlink()
    sync(store, embedder, prepare, root)
    assert texts(store) == {"a.txt": "Alpha", "b.txt": "Beta"}


def test_the_same_upload_from_many_threads_is_stored_once(store: LocalStore, embedder: HashEmbedder) -> None:
    start = threading.Barrier(20)

    def upload(_: int) -> str:
        start.wait()
        return put(store, embedder, prepare, "a.txt", b"Title\nThe very same words")

    with ThreadPoolExecutor(20) as pool:
        outcomes = sorted(pool.map(upload, range(20)))
    assert outcomes == ["added"] + ["unchanged"] * 19
    assert texts(store) == {"a.txt": "Title\nThe very same words"}


def test_different_uploads_to_one_path_end_as_one_of_them(store: LocalStore, embedder: HashEmbedder) -> None:
    with ThreadPoolExecutor(8) as pool:
        sent = [pool.submit(put, store, embedder, prepare, "a.txt", b"Version %d" % n) for n in range(40)]
        outcomes = [done.result() for done in sent]
    assert outcomes.count("added") == 1
    assert set(outcomes) <= {"added", "changed"}
    assert list(texts(store)) == ["a.txt"]


def test_uploads_and_syncs_at_once_end_as_folder_and_uploads_say(
    store: LocalStore, embedder: HashEmbedder, root: Path
) -> None:
    def uploads(side: int) -> None:
        for number in range(25):
            put(store, embedder, prepare, f"up{side}/{number % 5}.txt", f"{side} {number}".encode())

    def syncs() -> None:
        for number in range(10):
            (root / "a.txt").write_text(f"Alpha {number}")
            (root / f"m{number}.txt").write_text("Moving")
            (root / f"m{number - 1}.txt").unlink(missing_ok=True)
            sync(store, embedder, prepare, root)

    with ThreadPoolExecutor(3) as pool:
        for done in [pool.submit(uploads, 1), pool.submit(uploads, 2), pool.submit(syncs)]:
            done.result()
    expected = {f"up{side}/{n}.txt": f"{side} {20 + n}" for side in (1, 2) for n in range(5)}
    assert texts(store) == {"a.txt": "Alpha 9", "b.txt": "Beta", "m9.txt": "Moving"} | expected
