"""Where a Milvus server ranks words it finds them, and nothing else changes: not a score, nor what is there."""

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from plain_parts import HashEmbedder, built_by, upsert
from store_contract import ALL, CAT, SHIP, paths

pytest.importorskip("pymilvus", reason="the extra `milvus` is not installed")
pytest.importorskip("milvus_lite", reason="milvus-lite is not installed")

from milvus_servers import lite

from index.address import MilvusAddress
from index.bm25 import words_in, words_of
from index.connection import fetch
from index.migrate import migrate
from index.milvus import Milvus, Row, ranks_words
from index.milvus_store import MilvusStore
from index.store import LocalStore
from index.types import Filters, Move, Remove
from index.watermark import read_mark

EMBEDDER = HashEmbedder()
TEXTS = [
    f"Report {n}\nThe {'harbour' if n % 3 else 'harbours'} of node.js and café number {n}\nShips, {'cats ' * (n % 5)}and don't"
    for n in range(12)
]
QUESTIONS = [
    ["harbour"],
    ["cat", "ships", "report"],
    ["node.js", "café"],
    ["don't", "number", "harbour", "7"],
    ["cat", "cats"],
    ["absent"],
    ["report"],
]

pytestmark = pytest.mark.timeout(120)


@pytest.fixture(scope="module")
def milvus_uri() -> Iterator[str]:
    with lite() as uri:
        yield uri


@pytest.fixture
def native(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("index.milvus.ranks_words", lambda _: True)


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The words that Milvus was asked for."""
    texts: list[str] = []
    search = Milvus.search_words

    def spied(self: Milvus, table: str, words: str, **how: int) -> list[int]:
        texts.append(words)
        return search(self, table, words, **how)

    monkeypatch.setattr(Milvus, "search_words", spied)
    return texts


@pytest.fixture
def open_milvus(data: Path, milvus_uri: str) -> Iterator[Callable[[], MilvusStore]]:
    stores: list[MilvusStore] = []

    def opened() -> MilvusStore:
        stores.append(MilvusStore.open_at(MilvusAddress(milvus_uri), data, built_by(EMBEDDER), writable=True))
        return stores[-1]

    yield opened
    for store in stores:
        store.close()


@pytest.fixture
def store(native: None, open_milvus: Callable[[], MilvusStore]) -> MilvusStore:
    opened = open_milvus()
    opened.create_collection("default")
    opened.apply("default", [upsert(f"{n}.txt", text, EMBEDDER) for n, text in enumerate(TEXTS)])
    return opened


def by_catalog(store: LocalStore, terms: list[str], k: int = 50) -> list[tuple[int, float]]:
    return LocalStore.lexical(store, "default", terms, k, ALL)


def same(found: list[tuple[int, float]], expected: list[tuple[int, float]]) -> bool:
    return [(id_, round(score, 9)) for id_, score in found] == [
        (id_, round(score, 9)) for id_, score in expected
    ]


@pytest.mark.parametrize(
    ("version", "ranks"),
    [
        ("2.3.5", False),
        ("v2.3.5", False),
        ("v2.4.23", False),
        ("2.5.0", True),
        ("v2.5.10", True),
        ("v2.6.1-gpu", True),
        ("3.0.0", True),
        ("v10.0", True),
        ("milvus_lite-3.2.2", False),
        ("master-20260101-abcdef", False),
        ("", False),
    ],
)
def test_a_server_ranks_words_from_version_2_5_on_and_milvus_lite_does_not(version: str, ranks: bool) -> None:
    assert ranks_words(version) is ranks


def test_milvus_lite_weighs_a_word_by_the_part_of_the_table_it_stands_in(
    native: None, milvus_uri: str
) -> None:
    """Why it is not trusted with words; once this fails, it may be."""
    milvus, vector = Milvus(MilvusAddress(milvus_uri)), EMBEDDER.embed_queries(["cat"])[0]
    milvus.ensure("weighed", EMBEDDER.dim)
    rows = [Row(n, 1, 1, 1, "", vector, f"{'harbour' if n % 10 == 0 else 'w'} w{n}") for n in range(1, 201)]
    milvus.insert("weighed", rows)
    milvus._call(lambda client: client.flush("weighed"))
    milvus.insert("weighed", [Row(300, 1, 1, 1, "", vector, "zebra w300")])
    found = milvus.search_words("weighed", "zebra harbour", k=50, condition="collection == 1", since=0)
    milvus.drop("weighed")
    assert found.index(300) == 20  # the only one with the rarer word, so it should be the first


@pytest.mark.parametrize("terms", QUESTIONS)
def test_words_are_found_by_milvus_with_the_scores_of_the_catalog(
    store: MilvusStore, asked: list[str], terms: list[str]
) -> None:
    expected = by_catalog(store, terms)
    assert same(store.lexical("default", terms, 50, ALL), expected)
    assert len(asked) == bool(expected)


def test_the_words_asked_for_are_those_that_are_indexed(store: MilvusStore, asked: list[str]) -> None:
    store.lexical("default", ["harbours", "node.js", "CAFÉ"], 5, ALL)
    assert asked == ["harbour node js cafe"]
    with store._catalog.reading() as db:
        rows = fetch(db, "SELECT CAST(text AS BLOB), CAST(context AS BLOB) FROM passage WHERE id = 2")
        assert words_of(db, *rows[0]).split() == words_in(db, b"".join([rows[0][0], b" ", rows[0][1]]))


def test_without_a_server_that_ranks_words_none_are_sent_there(
    open_milvus: Callable[[], MilvusStore], asked: list[str]
) -> None:
    store = open_milvus()
    store.create_collection("default")
    store.apply("default", [upsert("a.txt", CAT, EMBEDDER)])
    assert len(store.lexical("default", ["cat"], 5, ALL)) == 1
    assert asked == []


def test_a_table_made_before_its_server_ranked_words_leaves_them_to_the_catalog(
    open_milvus: Callable[[], MilvusStore], asked: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    store = open_milvus()
    store.create_collection("default")
    store.apply("default", [upsert("a.txt", CAT, EMBEDDER)])
    store.close()
    monkeypatch.setattr("index.milvus.ranks_words", lambda _: True)
    store = open_milvus()
    store.apply("default", [upsert("b.txt", SHIP, EMBEDDER)])
    assert paths(store, store.lexical("default", ["cat", "ship"], 9, ALL)) == {"a.txt", "b.txt"}
    assert (asked, store.check().problems) == ([], ())
    store.purge()
    assert paths(store, store.lexical("default", ["cat", "ship"], 9, ALL)) == {"a.txt", "b.txt"}
    assert len(asked) == 1


def test_words_of_what_was_replaced_or_removed_are_gone_and_new_ones_are_there(
    store: MilvusStore, asked: list[str]
) -> None:
    for n in range(3):
        store.apply("default", [upsert("0.txt", f"Parrot number{n}", EMBEDDER)])
        assert same(store.lexical("default", ["parrot"], 9, ALL), by_catalog(store, ["parrot"]))
        assert len(store.lexical("default", [f"number{n}"], 9, ALL)) == 1
    assert store.lexical("default", ["number0"], 9, ALL) == []
    store.apply("default", [Remove("0.txt")])
    assert store.lexical("default", ["parrot"], 9, ALL) == []
    assert len(asked) == 6  # a word that no passage holds is not asked for


def test_rows_of_passages_that_are_gone_do_not_take_the_place_of_others(
    store: MilvusStore, milvus_uri: str
) -> None:
    with store._catalog.reading() as db:
        mark = read_mark(db)
    assert mark is not None
    vector = EMBEDDER.embed_queries(["cat"])[0]
    rows = [Row(1_000 + n, 1, 1, 1, "", vector, "cat cat cat") for n in range(50)]
    Milvus(MilvusAddress(milvus_uri)).insert(mark.table(EMBEDDER.dim), rows)
    assert same(store.lexical("default", ["cat"], 3, ALL), by_catalog(store, ["cat"], 3))


def test_a_filter_that_lets_much_through_is_applied_before_the_best_are_taken(
    store: MilvusStore, asked: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("index.milvus_scope.EXACT_UP_TO", 0)
    store.apply("default", [upsert("sea/ship.txt", SHIP, EMBEDDER, "2024-01-05"), Move("3.txt", "sea/3.txt")])
    assert paths(store, store.lexical("default", ["ship", "cat"], 1, Filters(date_from="2023-01-01"))) == {
        "sea/ship.txt"
    }
    assert paths(store, store.lexical("default", ["ship", "cat"], 9, Filters(path="sea/*"))) == {
        "sea/ship.txt",
        "sea/3.txt",
    }
    assert store.lexical("default", ["cat"], 9, Filters(path="3.txt")) == []
    assert len(asked) == 2  # of no passage at all nothing is asked


def test_a_passage_that_has_no_vector_is_found_by_its_words(store: MilvusStore, asked: list[str]) -> None:
    change = upsert("a.txt", "One\nTwo parrots", EMBEDDER)
    change.vectors[1] = np.nan
    store.apply("default", [change])
    assert len(store.lexical("default", ["parrot"], 9, ALL)) == 1
    store.apply("default", [upsert("b.txt", "Three parrots", None)])
    assert len(store.lexical("default", ["parrot"], 9, ALL)) == 2
    assert asked == []
    store.apply("default", [Remove("a.txt"), Remove("b.txt")])
    store.lexical("default", ["cat"], 9, ALL)
    assert len(asked) == 1


def test_words_that_differ_are_named_and_put_right(store: MilvusStore, milvus_uri: str) -> None:
    with store._catalog.reading() as db:
        mark = read_mark(db)
        vector = np.frombuffer(fetch(db, "SELECT vector FROM passage WHERE id = 2")[0][0], "<f4")
    assert mark is not None
    milvus, table = Milvus(MilvusAddress(milvus_uri)), mark.table(EMBEDDER.dim)
    milvus.delete(table, [2])
    milvus.insert(table, [Row(2, 1, 1, 2, "", vector, "parrot")])
    problem = "milvus: the words of passage 2 are not those of the stored text"
    assert store.check().problems == (f"default: {problem}",)
    assert store.proofs()[0].problems == (problem,)
    assert store.check(repair=True).ok
    assert same(store.lexical("default", ["harbour"], 50, ALL), by_catalog(store, ["harbour"]))


def test_migrating_brings_the_words_along(
    data: Path, milvus_uri: str, native: None, open_milvus: Callable[[], MilvusStore], asked: list[str]
) -> None:
    with LocalStore.open(data, built_by(EMBEDDER), writable=True) as local:
        local.create_collection("default")
        local.apply("default", [upsert(f"{n}.txt", text, EMBEDDER) for n, text in enumerate(TEXTS)])
        expected = local.lexical("default", ["cat", "harbour"], 50, ALL)
    (proof,) = migrate(data, MilvusAddress(milvus_uri))
    assert proof.equal
    assert same(open_milvus().lexical("default", ["cat", "harbour"], 50, ALL), expected)
    assert len(asked) == 1


def test_a_passage_with_more_words_than_milvus_takes_is_kept_and_found(
    store: MilvusStore, asked: list[str]
) -> None:
    store.apply("default", [upsert("long.txt", "parrot " + "ünlänglich " * 9_000, EMBEDDER)])
    assert len(store.lexical("default", ["parrot"], 9, ALL)) == 1
    assert (len(asked), store.check().problems) == (1, ())
