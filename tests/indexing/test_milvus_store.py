"""The store in Milvus keeps the contract of every store, and what Milvus cannot promise is made up for."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from plain_parts import HashEmbedder, built_by, upsert
from store_contract import ALL, CAT, SHIP, StoreContract, near, paths, texts

pytest.importorskip("pymilvus", reason="the extra `milvus` is not installed")
pytest.importorskip("milvus_lite", reason="milvus-lite is not installed")

from milvus_servers import COMMAND, Cable, lite, server

from index.address import MilvusAddress
from index.backup import backup, restore
from index.errors import ReadOnlyError, StoreUnavailableError
from index.migrate import migrate
from index.milvus import Milvus, Row
from index.milvus_store import MilvusStore
from index.store import LocalStore
from index.types import Filters, Move, Remove
from index.watermark import Watermark, read_mark

EMBEDDER = HashEmbedder()
Opener = Callable[..., MilvusStore]

pytestmark = pytest.mark.timeout(120)


@pytest.fixture(scope="module", params=["lite", "words", pytest.param("server", marks=pytest.mark.deep)])
def milvus_uri(request: pytest.FixtureRequest) -> Iterator[str]:
    """`words` is Milvus Lite made to rank words: rightly, as long as all that a table holds was written lately."""
    if request.param == "server" and not os.environ.get(COMMAND):
        pytest.skip(f"{COMMAND} names no command that starts a Milvus server")
    with pytest.MonkeyPatch.context() as patch, (server if request.param == "server" else lite)() as uri:
        if request.param == "words":
            patch.setattr("index.milvus.ranks_words", lambda _: True)
        yield uri


@pytest.fixture
def cable(milvus_uri: str) -> Iterator[Cable]:
    cable = Cable(milvus_uri)
    yield cable
    cable.pull()


@pytest.fixture
def open_milvus(data: Path, milvus_uri: str) -> Iterator[Opener]:
    stores: list[MilvusStore] = []

    def opened(*, writable: bool = True, uri: str = milvus_uri, folder: Path = data) -> MilvusStore:
        store = MilvusStore.open_at(MilvusAddress(uri), folder, built_by(EMBEDDER), writable=writable)
        stores.append(store)
        return store

    yield opened
    for store in stores:
        store.close()


@pytest.fixture
def store(open_milvus: Opener) -> MilvusStore:
    opened = open_milvus()
    opened.create_collection("default")
    return opened


@pytest.fixture
def filled(store: MilvusStore) -> MilvusStore:
    store.apply("default", [upsert("a.txt", CAT, EMBEDDER), upsert("b.txt", SHIP, EMBEDDER)])
    return store


class TestMilvusStore(StoreContract):
    """The store in Milvus keeps the contract."""


def scores(found: list[tuple[int, float]]) -> list[float]:
    """Of equally near passages, which stand at the end of a list is chance."""
    return [round(score, 5) for _, score in found]


def mark_of(store: LocalStore) -> Watermark:
    with store._catalog.reading() as db:
        mark = read_mark(db)
    assert mark is not None
    return mark


def table_of(store: LocalStore) -> str:
    return mark_of(store).table(EMBEDDER.dim)


def held(store: LocalStore, uri: str) -> int:
    return Milvus(MilvusAddress(uri)).count(table_of(store), "id > 0")


def put(milvus: Milvus, table: str, *ids: int) -> None:
    """Write rows of one's own, past the catalog."""
    vector = EMBEDDER.embed_queries(["a ship that left"])[0]
    words = "ship left" if milvus.ranks_words(table) else None
    milvus.insert(table, [Row(id_, 1, 1, 1, "", vector, words) for id_ in ids])


# ------------------------------------------------------------------------------------- generations


def test_a_passage_that_is_not_committed_never_surfaces(filled: MilvusStore, milvus_uri: str) -> None:
    terms = ["ship", "left"]
    before = near(filled, "a ship that left"), filled.lexical("default", terms, 5, ALL)
    put(Milvus(MilvusAddress(milvus_uri)), table_of(filled), *range(1_000, 1_200))
    assert (near(filled, "a ship that left"), filled.lexical("default", terms, 5, ALL)) == before


def test_a_passage_is_scored_by_the_catalog_s_vector_whatever_milvus_holds(
    filled: MilvusStore, milvus_uri: str
) -> None:
    before = near(filled, "a ship that left")
    milvus = Milvus(MilvusAddress(milvus_uri))
    milvus.delete(table_of(filled), [2])
    put(milvus, table_of(filled), 2)
    assert near(filled, "a ship that left") == before
    assert len(filled.lexical("default", ["ship", "left"], 9, ALL)) == 3


def test_vectors_of_what_was_replaced_leave_milvus(filled: MilvusStore, milvus_uri: str) -> None:
    filled.apply("default", [upsert("a.txt", "Birds\nA parrot", EMBEDDER)])
    assert held(filled, milvus_uri) == 5
    filled.apply("default", [Remove("b.txt")])
    assert held(filled, milvus_uri) == 2


def test_collections_of_one_table_do_not_see_each_other(filled: MilvusStore, milvus_uri: str) -> None:
    filled.create_collection("other")
    filled.apply("other", [upsert("c.txt", CAT, EMBEDDER)])
    assert len(near(filled, "cat", 99)) == 6
    filled.delete_collection("other")
    assert held(filled, milvus_uri) == 6


def test_a_reader_sees_each_commit_of_the_writer(filled: MilvusStore, open_milvus: Opener) -> None:
    reader = open_milvus(writable=False)
    for n in range(3):
        filled.apply("default", [upsert("a.txt", f"Birds\nParrot number {n}", EMBEDDER)])
        assert texts(reader, near(reader, f"parrot number {n} birds", 1)) == [f"Parrot number {n}"]
    with pytest.raises(ReadOnlyError):
        reader.apply("default", [Remove("a.txt")])


def test_a_filter_that_lets_much_through_is_applied_before_the_best_are_taken(
    store: MilvusStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("index.milvus_scope.EXACT_UP_TO", 0)
    store.apply("default", [upsert(f"pets/{n}.txt", CAT, EMBEDDER, "2022-04-20") for n in range(40)])
    store.apply("default", [upsert("sea/ship.txt", SHIP, EMBEDDER, "2024-01-05")])
    for filters in (Filters(path="sea/*"), Filters(date_from="2023-01-01")):
        assert paths(store, near(store, CAT, 1, filters)) == {"sea/ship.txt"}
    assert near(store, CAT, 9, Filters(path="nowhere/*")) == []
    monkeypatch.setattr("index.milvus_scope._MOST_DOCUMENTS", 1)
    assert paths(store, near(store, CAT, 99, Filters(path="*/?.txt"))) == {f"pets/{n}.txt" for n in range(10)}


def test_a_moved_document_is_filtered_by_its_new_path(
    filled: MilvusStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("index.milvus_scope.EXACT_UP_TO", 0)
    filled.apply("default", [Move("a.txt", "moved/a.txt")])
    assert paths(filled, near(filled, "cat", 9, Filters(path="moved/*"))) == {"moved/a.txt"}
    assert near(filled, "cat", 9, Filters(path="a.txt")) == []


# ----------------------------------------------------------------------------------- taking over


def test_an_index_made_without_milvus_is_brought_there_by_its_first_writer(
    data: Path, open_milvus: Opener
) -> None:
    with LocalStore.open(data, built_by(EMBEDDER), writable=True) as local:
        local.create_collection("default")
        local.apply("default", [upsert("a.txt", CAT, EMBEDDER)])
        expected = near(local, "cat")
    with pytest.raises(StoreUnavailableError, match="nutgraf migrate"):
        near(open_milvus(writable=False), "cat")
    store = open_milvus()
    store.snapshot()
    assert near(store, "cat") == expected
    store.close()
    with LocalStore.open(data, built_by(EMBEDDER), writable=True) as local:
        local.apply("default", [upsert("a.txt", SHIP, EMBEDDER), upsert("c.txt", CAT, EMBEDDER)])
        expected = near(local, "cat")
    store = open_milvus()
    store.snapshot()
    assert near(store, "cat") == expected
    assert store.check().ok


def test_what_an_undone_change_left_in_milvus_is_gone_before_the_next(
    filled: MilvusStore, milvus_uri: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: object) -> None:
        raise RuntimeError("killed before the commit")

    with monkeypatch.context() as patch:
        patch.setattr("index.milvus_indexes.write_mark", fails)
        with pytest.raises(RuntimeError):
            filled.apply("default", [upsert("c.txt", SHIP, EMBEDDER)])
    assert held(filled, milvus_uri) == 9
    filled.apply("default", [upsert("d.txt", "One", EMBEDDER)])
    assert (held(filled, milvus_uri), filled.check().problems) == (7, ())


def test_what_a_killed_writer_left_is_taken_up_by_the_next(
    filled: MilvusStore, open_milvus: Opener, milvus_uri: str
) -> None:
    milvus = Milvus(MilvusAddress(milvus_uri))
    put(milvus, table_of(filled), 500)
    milvus.delete(table_of(filled), [3])
    filled.close()
    store = open_milvus()
    store.snapshot()
    assert (held(store, milvus_uri), store.check().problems) == (6, ())


# ------------------------------------------------------------------------------------------ check


def test_a_whole_store_has_no_problem(filled: MilvusStore, open_milvus: Opener) -> None:
    assert filled.check().problems == ()
    assert open_milvus(writable=False).check().ok


def test_where_milvus_differs_is_named_and_repaired_without_a_model(
    filled: MilvusStore, milvus_uri: str
) -> None:
    milvus, table = Milvus(MilvusAddress(milvus_uri)), table_of(filled)
    milvus.delete(table, [1, 2])
    put(milvus, table, 2)
    filled.apply("default", [Remove("b.txt")])
    put(milvus, table, 4)
    reworded = ["default: milvus: the words of passage 2 are not those of the stored text"]
    assert filled.check().problems == (
        "default: milvus: 1 vectors are missing, and 1 are of passages that are gone",
        "default: milvus: the vector of passage 2 is not the stored one",
        *(reworded if milvus.ranks_words(table) else ()),
    )
    assert filled.check(repair=True).ok
    assert held(filled, milvus_uri) == 3


def test_a_table_that_is_gone_is_named_and_made_anew(filled: MilvusStore, milvus_uri: str) -> None:
    expected = near(filled, "cat")
    Milvus(MilvusAddress(milvus_uri)).drop(table_of(filled))
    with pytest.raises(StoreUnavailableError):
        near(filled, "cat")
    assert filled.check().problems == ("default: milvus: its table is gone",)
    assert filled.check(repair=True).ok
    assert near(filled, "cat") == expected


def test_a_purge_leaves_no_table_of_before(filled: MilvusStore, milvus_uri: str) -> None:
    before, expected = table_of(filled), near(filled, "cat")
    filled.purge()
    assert table_of(filled) != before
    assert near(filled, "cat") == expected
    with pytest.raises(StoreUnavailableError):
        Milvus(MilvusAddress(milvus_uri)).count(before, "id > 0")


def test_a_restored_index_fills_a_table_of_its_own(
    filled: MilvusStore, open_milvus: Opener, tmp_path: Path, milvus_uri: str
) -> None:
    backup(filled.folder, tmp_path / "kept")
    restore(tmp_path / "kept", tmp_path / "new")
    other = open_milvus(folder=tmp_path / "new")
    other.apply("default", [Remove("a.txt")])
    assert (held(other, milvus_uri), held(filled, milvus_uri)) == (3, 6)


def test_a_vector_no_search_can_use_leaves_its_passage_to_lexical_search(store: MilvusStore) -> None:
    change = upsert("a.txt", "One\nTwo", EMBEDDER)
    change.vectors[1] = np.nan
    store.apply("default", [change])
    assert len(near(store, "two")) == 1
    assert store.check().ok


# ----------------------------------------------------------------------------------------- outage


def test_while_milvus_is_away_a_search_is_a_retryable_error_and_words_are_still_found(
    filled: MilvusStore, open_milvus: Opener, cable: Cable, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("index.milvus._PAUSE_S", 0.0)
    filled.close()
    store = open_milvus(uri=cable.uri)
    before = near(store, "cat")
    cable.pull()
    with pytest.raises(StoreUnavailableError) as caught:
        near(store, "cat")
    assert caught.value.retryable
    assert texts(store, store.lexical("default", ["mat"], 5, ALL)) == ["The cat sat on the mat"]
    cable.put_back()
    assert near(store, "cat") == before


def test_a_change_while_milvus_is_away_changes_nothing_and_goes_through_afterwards(
    filled: MilvusStore, open_milvus: Opener, cable: Cable
) -> None:
    filled.close()
    store = open_milvus(uri=cable.uri)
    change = upsert("c.txt", SHIP, EMBEDDER)
    store.apply("default", [upsert("c.txt", "First", EMBEDDER)])
    cable.pull()
    with pytest.raises(StoreUnavailableError):
        store.apply("default", [change])
    assert store.text("default", store.documents("default")[2].id) == "First"
    cable.put_back()
    store.apply("default", [change])
    assert store.check().problems == ()


def test_opening_asks_no_server(open_milvus: Opener, cable: Cable, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("index.milvus._PAUSE_S", 0.0)
    cable.pull()
    store = open_milvus(uri=cable.uri)
    with pytest.raises(StoreUnavailableError):
        store.create_collection("default")
    cable.put_back()
    store.create_collection("default")
    assert near(store, "cat") == []


# ---------------------------------------------------------------------------------------- migrating


def test_vectors_go_to_milvus_and_back_without_a_model_and_are_the_same(
    data: Path, milvus_uri: str, open_milvus: Opener
) -> None:
    with LocalStore.open(data, built_by(EMBEDDER), writable=True) as local:
        local.create_collection("default")
        local.create_collection("other")
        local.apply("default", [upsert(f"{n}.txt", f"{CAT}\nNumber {n}", EMBEDDER) for n in range(9)])
        local.apply("other", [upsert("b.txt", SHIP, EMBEDDER)])
        expected = scores(near(local, "cat number 3"))
    there = migrate(data, MilvusAddress(milvus_uri))
    assert [(proof.collection, proof.vectors, proof.equal) for proof in there] == [
        ("default", 36, True),
        ("other", 3, True),
    ]
    store = open_milvus()
    assert scores(near(store, "cat number 3")) == expected
    store.apply("default", [Remove("3.txt")])
    expected = scores(near(store, "cat number 3"))
    store.close()
    back = migrate(data, None)
    assert [(proof.vectors, proof.equal, proof.overlap) for proof in back] == [
        (32, True, 1.0),
        (3, True, 1.0),
    ]
    assert back[1].sha256 == there[1].sha256
    with LocalStore.open(data, built_by(EMBEDDER)) as local:
        assert scores(near(local, "cat number 3")) == expected


def test_a_migration_that_lost_something_says_so(filled: MilvusStore, milvus_uri: str) -> None:
    Milvus(MilvusAddress(milvus_uri)).delete(table_of(filled), [2])
    (proof,) = filled.proofs()
    assert not proof.equal
    assert proof.problems == ("milvus: 1 vectors are missing, and 0 are of passages that are gone",)
