"""Every kind of bad file has its named outcome, and none of them touches its neighbours."""

import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from bad_files import OK, Bad, bad_files
from plain_parts import built_by

from index.engine import Index
from index.store import LocalStore
from index.types import SyncReport

BAD = list(bad_files())
GOOD = {
    f"{place}good.txt": f"The good file {place} stands between bad ones." for place in ("00_", "33_", "99_")
}


@pytest.fixture(scope="module")
def batch(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[LocalStore, SyncReport]]:
    """One run over all of them at once, without a model."""
    root = tmp_path_factory.mktemp("corpus")
    for bad in BAD:
        (root / bad.name).write_bytes(bad.make())
    for name, text in GOOD.items():
        (root / name).write_text(text)
    _unusual_entries(root)
    store = LocalStore.open(tmp_path_factory.mktemp("data"), built_by(None), writable=True)
    with Index(store, None, None, threads=1) as index:
        yield store, index.sync(root)


def _unusual_entries(root: Path) -> None:
    with (root / "18_large.txt").open("wb") as file:
        file.truncate(200 * 1024 * 1024)
    with (root / "19_sparse.txt").open("wb") as file:
        file.truncate(1 << 40)
    os.mkfifo(root / "20_pipe.txt")
    (root / "21_out.txt").symlink_to("/etc/hostname")
    (root / "22_loop.txt").symlink_to("22_loop.txt")
    # a hard link cannot be told from a file: who may make one could read the file anyway
    secret = root.with_name(f"{root.name}-outside.txt")
    secret.write_text("A file with two names.")
    (root / "23_hard.txt").hardlink_to(secret)
    (root / os.fsdecode(b"24_caf\xe9.txt")).write_bytes(b"A file whose name is not UTF-8.")


ELSEWHERE = {
    26: "test_walk.py, as somebody who may not read it",
    27: "test_walk.py, removed between finding and reading",
    59: "below, in a second collection",
}


def test_each_of_the_sixty_kinds_is_tried() -> None:
    unusual = {18, 19, 20, 21, 22, 23}
    assert {bad.number for bad in BAD} | unusual | ELSEWHERE.keys() == set(range(1, 61))


@pytest.mark.timeout(300)
def test_a_text_of_characters_without_meaning_is_noted(batch: tuple[LocalStore, SyncReport]) -> None:
    info = batch[0].find("default", "48_garbled.pdf")
    assert info is not None
    assert info.notes[0].startswith("low_text_quality")


@pytest.mark.timeout(300)
def test_a_hard_link_is_a_file(batch: tuple[LocalStore, SyncReport]) -> None:
    assert _text(batch[0], "23_hard.txt") == "A file with two names."


@pytest.mark.timeout(300)
def test_a_name_that_is_not_utf_8_is_shown_safely(batch: tuple[LocalStore, SyncReport]) -> None:
    assert _text(batch[0], r"24_caf\xe9.txt") == "A file whose name is not UTF-8."


def test_a_text_another_collection_holds_is_as_new_as_any(tmp_path: Path) -> None:
    root = tmp_path / "root"
    root.mkdir()
    (root / "59_same.txt").write_text("The same text stands in two collections.")
    with Index(
        LocalStore.open(tmp_path / "data", built_by(None), writable=True), None, None, threads=1
    ) as index:
        first, second = (replace(index.sync(root, collection=name), seconds=0) for name in ("one", "two"))
        assert first == second
        notes = [index.store.documents(name)[0].notes for name in ("one", "two")]
        assert notes == [(), ()]


def _outcomes(report: SyncReport) -> dict[str, str]:
    return {skipped.path: skipped.reason for skipped in report.skipped}


def _text(store: LocalStore, path: str) -> str:
    info = store.find("default", path)
    assert info is not None, f"{path} was not indexed"
    return store.text("default", info.id)


@pytest.mark.timeout(300)
@pytest.mark.parametrize("bad", BAD, ids=lambda bad: bad.name[:30].encode("ascii", "replace").decode())
def test_a_bad_file_has_its_outcome(batch: tuple[LocalStore, SyncReport], bad: Bad) -> None:
    store, report = batch
    assert _outcomes(report).get(bad.name, OK) == bad.outcome
    if bad.outcome == OK:
        assert bad.holds in _text(store, bad.name)
        assert not bad.lacks or bad.lacks not in _text(store, bad.name)


@pytest.mark.timeout(300)
@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("18_large.txt", "too_large"),
        ("19_sparse.txt", "too_large"),
        ("20_pipe.txt", "not_regular"),
        ("21_out.txt", "outside_root"),
        ("22_loop.txt", "symlink"),
    ],
)
def test_an_unusual_entry_is_skipped_by_name(
    batch: tuple[LocalStore, SyncReport], name: str, reason: str
) -> None:
    assert _outcomes(batch[1])[name] == reason


@pytest.mark.timeout(300)
def test_the_neighbours_of_bad_files_are_indexed(batch: tuple[LocalStore, SyncReport]) -> None:
    assert {name: _text(batch[0], name) for name in GOOD} == GOOD


@pytest.mark.timeout(300)
def test_every_file_is_either_indexed_or_named_with_its_reason(batch: tuple[LocalStore, SyncReport]) -> None:
    store, report = batch
    indexed = {info.path for info in store.documents("default")}
    named = set(_outcomes(report))
    assert indexed.isdisjoint(named)
    assert indexed | named >= {bad.name for bad in BAD}
    assert report.added == len(indexed)


@pytest.mark.timeout(300)
def test_every_stored_paragraph_is_a_range_of_its_text(batch: tuple[LocalStore, SyncReport]) -> None:
    store, _ = batch
    for info in store.documents("default"):
        text = store.text("default", info.id)
        for stored in store.paragraphs("default", info.id):
            assert stored.text == text[stored.paragraph.start : stored.paragraph.end] == stored.text.strip()
