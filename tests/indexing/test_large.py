"""The compressed dense index: near to exact search, and as strict about what is gone, narrowed or damaged."""

import json
import random
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

import apsw
import numpy as np
import pytest
from plain_parts import upsert

from index.catalog import CATALOG_NAME
from index.check import CheckReport
from index.large import LargeSegment, Shape
from index.segment import Ids, SnapshotError
from index.snapshot import DenseIndex, SnapshotKey, large, load, save
from index.store import LocalStore
from index.types import Document, Filters, Paragraph, Passage, Remove, Upsert, Vectors

DIM = 16
KEY = SnapshotKey("catalog", 1, "model", "sha", DIM)
ALL = Filters()
LIMIT = 500
A_DOCUMENT = 20
NONE = np.empty(0, np.int64)

Opener = Callable[..., LocalStore]


def clustered(count: int, seed: int = 0) -> Vectors:
    chance = np.random.default_rng(seed)
    centres = np.random.default_rng(99).standard_normal((50, DIM))
    vectors = centres[chance.integers(50, size=count)] + 0.7 * chance.standard_normal((count, DIM))
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)


VECTORS = clustered(3_000)
IDS = np.arange(1, 6_000, 2, dtype=np.int64)


def stored(ids: Ids) -> tuple[Ids, Vectors]:
    return ids, VECTORS[(ids - 1) // 2]


def build(vectors: Vectors = VECTORS, ids: Ids = IDS) -> DenseIndex:
    shape = Shape.of(len(vectors))
    half = len(vectors) // 2
    blocks = [(ids[:half], vectors[:half]), (ids[half:], vectors[half:])]
    return large(7, shape, vectors[: shape.sample_size()], blocks)


@pytest.fixture(scope="module")
def index() -> DenseIndex:
    return build()


def exact(vector: Vectors, k: int) -> list[int]:
    return IDS[np.argsort(-(VECTORS @ vector))[:k]].tolist()


def found(index: DenseIndex, vector: Vectors, k: int, allowed: Ids | None = None) -> list[int]:
    return [id_ for id_, _ in index.search(vector, k, allowed, stored)]


# ------------------------------------------------------------------------------------------- searching


def test_nearly_all_of_what_is_nearest_is_found(index: DenseIndex) -> None:
    queries = clustered(100, seed=5)
    shares = [len(set(found(index, query, 10)) & set(exact(query, 10))) / 10 for query in queries]
    assert np.mean(shares) >= 0.95


def test_scores_are_those_of_the_stored_vectors(index: DenseIndex) -> None:
    query = clustered(1, seed=6)[0]
    hits = index.search(query, 10, None, stored)
    assert [score for _, score in hits] == pytest.approx(
        [float(VECTORS[(id_ - 1) // 2] @ query) for id_, _ in hits]
    )
    assert hits == sorted(hits, key=lambda hit: (-hit[1], hit[0]))


def test_without_stored_vectors_scores_are_close(index: DenseIndex) -> None:
    query = clustered(1, seed=6)[0]
    rough, true = index.search(query, 5), index.search(query, 5, None, stored)
    assert [score for _, score in rough] == pytest.approx([score for _, score in true], abs=0.01)


def test_what_is_no_longer_stored_is_left_out(index: DenseIndex) -> None:
    query = clustered(1, seed=6)[0]
    first, *_ = found(index, query, 5)
    kept = index.search(query, 5, None, lambda ids: stored(ids[ids != first]))
    assert len(kept) == 5
    assert first not in [id_ for id_, _ in kept]


@pytest.mark.parametrize("k", [0, -1])
def test_asking_for_nothing_gives_nothing(index: DenseIndex, k: int) -> None:
    assert found(index, VECTORS[0], k) == []


def test_asking_for_more_than_the_lists_hold_gives_all_and_no_placeholder(index: DenseIndex) -> None:
    assert sorted(found(index, VECTORS[0], 5_000)) == IDS.tolist()


@pytest.mark.parametrize("count", [1, 7, 200, 2_999])
def test_filters_apply_before_ranking(index: DenseIndex, count: int) -> None:
    query = clustered(1, seed=8)[0]
    farthest = np.array(sorted(exact(query, len(IDS))[-count:]), np.int64)
    expected = [id_ for id_ in exact(query, len(IDS)) if id_ in set(farthest.tolist())]
    hits = found(index, query, 10, farthest)
    assert len(hits) == min(count, 10)
    assert hits[0] == expected[0]
    assert len(set(hits) & set(expected[:10])) >= 0.9 * len(hits)


def test_a_filter_may_name_ids_that_are_not_there(index: DenseIndex) -> None:
    assert found(index, VECTORS[0], 5, np.array([-5, 2, 3, 99_999])) == [3]
    assert found(index, VECTORS[0], 5, NONE) == []


def test_removed_passages_are_gone_at_once(index: DenseIndex) -> None:
    gone = np.array(sorted(exact(VECTORS[0], 50)), np.int64)
    after = index.apply(8, NONE, VECTORS[:0], gone)
    assert set(found(after, VECTORS[0], 3_000)) == set(IDS.tolist()) - set(gone.tolist())
    assert found(after, VECTORS[0], 1) == exact(VECTORS[0], 51)[-1:]
    assert len(index) == len(IDS)  # the one that was there before is still whole


def test_when_nearly_all_is_gone_the_rest_is_found(index: DenseIndex) -> None:
    after = index.apply(8, NONE, VECTORS[:0], IDS[:-3])
    assert sorted(found(after, VECTORS[0], 10)) == IDS[-3:].tolist()


def test_equal_vectors_are_all_found() -> None:
    same = np.tile(VECTORS[:1], (600, 1))
    ids = np.arange(600, dtype=np.int64)
    assert sorted(id_ for id_, _ in build(same, ids).search(VECTORS[0], 600)) == ids.tolist()


def test_it_is_laid_out_the_same_from_the_same_vectors() -> None:
    one, other = (
        (part.arrays() for part in build().segments if isinstance(part, LargeSegment)) for _ in "ab"
    )
    assert [b"".join(arrays) for arrays in one] == [b"".join(arrays) for arrays in other]


@pytest.mark.parametrize(
    ("count", "lists"), [(1, 1), (40, 1), (3_000, 100), (100_000, 1_265), (1_000_000, 4_000)]
)
def test_more_vectors_stand_in_more_lists(count: int, lists: int) -> None:
    shape = Shape.of(count)
    assert shape.lists == lists
    assert 1 <= shape.probes <= shape.lists <= shape.sample_size() <= min(count, 131_072)


# ------------------------------------------------------------------------------------ changes, snapshots


def test_what_was_added_since_is_searched_exactly(index: DenseIndex) -> None:
    after = index.apply(8, np.array([2, 7_000]), VECTORS[:2], NONE)
    assert len(after.segments) == 2
    assert after.search(VECTORS[1], 1, np.array([7_000]))[0][1] == pytest.approx(1, abs=1e-6)
    assert after.apply(9, np.array([2, 7_000]), VECTORS[:2], NONE).ids().tolist() == after.ids().tolist()


def test_many_additions_are_taken_into_the_lists(index: DenseIndex) -> None:
    late = clustered(1_500, seed=3)
    ids = np.arange(2, 3_002, 2, dtype=np.int64)  # between the others: passages may get their vectors late
    after = index.apply(8, ids, late, IDS[:10])
    assert len(after.segments) == 1
    assert after.ids().tolist() == sorted([*IDS[10:].tolist(), *ids.tolist()])
    assert [id_ for id_, _ in after.search(late[700], 1)] == [int(ids[700])]
    assert [id_ for id_, _ in after.search(VECTORS[20], 1)] == [int(IDS[20])]


def snapshot_of(index: DenseIndex, path: Path) -> bytes:
    save(path, index, KEY, "nonce")
    return path.read_bytes()


def test_a_snapshot_holds_the_index_without_what_is_gone(index: DenseIndex, tmp_path: Path) -> None:
    changed = index.apply(8, np.array([7_000]), VECTORS[5:6], IDS[:2])
    snapshot_of(changed, tmp_path / "s")
    loaded, nonce = load(tmp_path / "s", KEY)
    assert (loaded.applied, nonce, len(loaded.segments), loaded.shape) == (8, "nonce", 1, index.shape)
    assert loaded.ids().tolist() == changed.ids().tolist()
    assert loaded.segments[0].live.all()
    for query in clustered(20, seed=4):
        assert found(loaded, query, 1)[0] == found(changed, query, 1)[0] or 7_000 in found(changed, query, 1)


def test_the_same_snapshot_comes_of_a_loaded_index(index: DenseIndex, tmp_path: Path) -> None:
    first = snapshot_of(index, tmp_path / "s")
    assert snapshot_of(load(tmp_path / "s", KEY)[0], tmp_path / "again") == first


def test_an_index_that_lost_everything_has_a_snapshot_too(index: DenseIndex, tmp_path: Path) -> None:
    snapshot_of(index.apply(9, NONE, VECTORS[:0], IDS), tmp_path / "s")
    assert len(load(tmp_path / "s", KEY)[0]) == 0


def test_damage_anywhere_is_noticed(tmp_path: Path) -> None:
    chance = random.Random(0)
    whole = snapshot_of(build(VECTORS[:300], IDS[:300]), tmp_path / "s")
    head = whole.index(b"}\n") + 200
    for place in [*range(head), *(chance.randrange(len(whole)) for _ in range(300))]:
        damaged = bytearray(whole)
        damaged[place] ^= 1 << place % 8
        cut = whole[:place]
        longer = whole + whole[:place] + b"x"
        for bad in (damaged, cut, longer):
            (tmp_path / "s").write_bytes(bad)
            with pytest.raises(SnapshotError):
                load(tmp_path / "s", KEY)


def with_head(whole: bytes, change: Callable[[dict[str, object]], None]) -> bytes:
    """The snapshot with another head, rightly hashed."""
    magic, _, head, body = whole.split(b"\n", 3)
    values = json.loads(head)
    change(values)
    head = json.dumps(values, sort_keys=True).encode()
    return b"\n".join([magic, sha256(head).hexdigest().encode(), head, body])


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(lambda head: head.update(count=299), id="count"),
        pytest.param(lambda head: head.update(shape=None), id="no shape"),
        pytest.param(lambda head: head["shape"].update(kind="IVF,PQ"), id="kind"),
        pytest.param(lambda head: head["shape"].update(lists=9), id="lists"),
        pytest.param(lambda head: head["shape"].update(more=1), id="field"),
    ],
)
def test_a_head_that_tells_of_something_else_is_refused(
    tmp_path: Path, change: Callable[[dict[str, object]], None]
) -> None:
    whole = snapshot_of(build(VECTORS[:300], IDS[:300]), tmp_path / "s")
    (tmp_path / "s").write_bytes(with_head(whole, change))
    with pytest.raises(SnapshotError):
        load(tmp_path / "s", KEY)


def test_vectors_that_are_not_the_stored_ones_are_named(index: DenseIndex) -> None:
    segment = index.segments[0].without(IDS[:1])
    assert list(segment.differing(stored)) == []

    def other(ids: Ids) -> tuple[Ids, Vectors]:
        kept, vectors = stored(ids[ids != 5])
        return kept, np.where(np.isin(kept, [1, 9, 21])[:, None], -vectors, vectors)

    assert sorted(segment.differing(other)) == [9, 21]


# --------------------------------------------------------------------------------------------- the store


def document(number: int, *, seed: int | None = None) -> Upsert:
    lines = [f"Line {line} of {number}, edition {seed}" for line in range(A_DOCUMENT)]
    starts = np.cumsum([0, *(len(line) + 1 for line in lines)]).tolist()
    spans = [(start, start + len(line)) for start, line in zip(starts, lines, strict=False)]
    paragraphs = tuple(Paragraph(n, n, n, *span) for n, span in enumerate(spans, 1))
    passages = tuple(
        Passage(n, 0, *span, line) for n, (span, line) in enumerate(zip(spans, lines, strict=True), 1)
    )
    text = "\n".join(lines)
    path, date = f"{number % 10}/{number:03d}.txt", f"{2000 + number % 20}-01-01"
    body = Document(path, text, paragraphs, sha256(text.encode()).hexdigest(), f"Title {number}", date)
    return Upsert(
        body, passages, clustered(A_DOCUMENT, seed=1_000 + number if seed is None else seed), len(text)
    )


def fill(store: LocalStore, count: int) -> None:
    store.create_collection("default")
    store.apply("default", [document(number) for number in range(count)])


@pytest.fixture
def filled(open_store: Opener) -> LocalStore:
    """700 passages, 200 more than are searched exactly, after the switch."""
    store = open_store(exact_up_to=LIMIT)
    fill(store, 35)
    store.snapshot()
    return store


def shape_of(data: Path) -> dict[str, object] | None:
    head = json.loads((data / "snapshots" / "1.dense").read_bytes().split(b"\n", 3)[2])
    shape: dict[str, object] | None = head["shape"]
    return shape


def paths(store: LocalStore, vector: Vectors, k: int, filters: Filters = ALL) -> list[str]:
    hits = store.dense("default", vector, k, filters)
    return [item.source.document.path for item in store.passages("default", [id_ for id_, _ in hits])]


def test_the_index_switches_by_itself_and_the_snapshot_says_so(open_store: Opener, data: Path) -> None:
    store = open_store(exact_up_to=LIMIT)
    fill(store, 25)
    store.snapshot()
    assert shape_of(data) is None
    store.apply("default", [document(25)])
    store.snapshot()
    assert shape_of(data) == {"kind": "IVF,SQ8", "lists": 17, "probes": 16, "trained": 520}


def test_it_switches_back_when_little_is_left(filled: LocalStore, data: Path) -> None:
    filled.apply("default", [Remove(document(number).document.path) for number in range(23)])
    filled.snapshot()
    assert shape_of(data) is None
    assert len(filled.dense("default", VECTORS[0], 9_999, ALL)) == 12 * A_DOCUMENT


def test_it_is_laid_out_anew_when_it_has_doubled(filled: LocalStore, data: Path) -> None:
    for start in (35, 55):
        filled.apply("default", [document(number) for number in range(start, start + 20)])
        filled.refresh()
    filled.snapshot()
    shape = shape_of(data)
    assert shape is not None
    assert shape["trained"] == 75 * A_DOCUMENT


def test_every_passage_is_found_by_its_own_vector(filled: LocalStore) -> None:
    for number in range(35):
        change = document(number)
        assert paths(filled, change.vectors[7], 1) == [change.document.path]
        assert filled.dense("default", change.vectors[7], 1, ALL)[0][1] == pytest.approx(1, abs=1e-6)


def test_a_deleted_document_is_gone_at_once(filled: LocalStore) -> None:
    change = document(3)
    filled.apply("default", [Remove(change.document.path)])
    assert change.document.path not in paths(filled, change.vectors[0], 9_999)
    assert len(filled.dense("default", change.vectors[0], 9_999, ALL)) == 34 * A_DOCUMENT


def test_a_replaced_document_is_found_by_its_new_vectors_only(filled: LocalStore) -> None:
    old, new = document(3), document(3, seed=77)
    filled.apply("default", [new])
    (first, score), *_ = filled.dense("default", new.vectors[4], 1, ALL)
    assert score == pytest.approx(1, abs=1e-6)
    assert filled.passages("default", [first])[0].passage.text == new.passages[4].text
    assert filled.dense("default", old.vectors[4], 1, ALL)[0][1] < 0.9999


@pytest.mark.parametrize(
    ("filters", "kept"),
    [
        (Filters(path="3/*"), 4),
        (Filters(path="3/013.txt"), 1),
        (Filters(date_from="2010-01-01"), 15),
        (Filters(path="none/*"), 0),
    ],
)
def test_a_narrowed_search_ranks_only_what_is_let_through(
    filled: LocalStore, filters: Filters, kept: int
) -> None:
    hits = paths(filled, VECTORS[0], 9_999, filters)
    assert len(hits) == kept * A_DOCUMENT
    assert len(set(hits)) == kept
    assert len(paths(filled, VECTORS[0], 10, filters)) == min(10, kept * A_DOCUMENT)


def test_few_changes_write_no_new_snapshot_and_are_there_after_reopening(
    filled: LocalStore, open_store: Opener, data: Path
) -> None:
    before = (data / "snapshots" / "1.dense").read_bytes()
    filled.apply("default", [document(50), Remove(document(3).document.path)])
    filled.close()
    assert (data / "snapshots" / "1.dense").read_bytes() == before
    again = open_store(exact_up_to=LIMIT)
    assert paths(again, document(50).vectors[2], 1) == [document(50).document.path]
    assert len(again.dense("default", VECTORS[0], 9_999, ALL)) == 35 * A_DOCUMENT


def test_many_changes_bring_the_snapshot_up_to_date_unasked(
    filled: LocalStore, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("index.dense.LOG_KEPT", 200)
    filled.apply("default", [document(number) for number in range(40, 90)])
    shape = shape_of(data)
    assert shape is not None
    assert shape["trained"] == 85 * A_DOCUMENT


@pytest.mark.parametrize("damage", ["flip", "cut", "gone", "empty"])
def test_a_damaged_snapshot_is_made_anew_from_the_catalog(
    filled: LocalStore, open_store: Opener, data: Path, damage: str
) -> None:
    queries = clustered(20, seed=9)
    expected = [filled.dense("default", query, 10, ALL) for query in queries]
    filled.close()
    path = data / "snapshots" / "1.dense"
    whole = path.read_bytes()
    if damage == "gone":
        path.unlink()
    else:
        flipped = whole[:-9] + bytes([whole[-9] ^ 1]) + whole[-8:]
        path.write_bytes({"flip": flipped, "cut": whole[:-9], "empty": b""}[damage])
    again = open_store(exact_up_to=LIMIT)
    assert [again.dense("default", query, 10, ALL) for query in queries] == expected
    again.close()
    assert path.read_bytes() == whole


def test_a_check_reads_every_code(filled: LocalStore) -> None:
    def check() -> CheckReport:
        return filled.check()

    assert check().problems == ()
    index = filled._dense.current(1, filled.built_by)
    other = clustered(700, seed=1)
    filled._dense._loaded[1] = large(
        index.applied, Shape.of(700), other, [(np.arange(1, 701, dtype=np.int64), other)]
    )
    assert len([line for line in check().problems if "is not the stored one" in line]) == 700


def test_a_damaged_vector_is_left_out_of_what_is_found(filled: LocalStore, data: Path) -> None:
    vector = document(3).vectors[4]
    ((first, _),) = filled.dense("default", vector, 1, ALL)
    with apsw.Connection(str(data / CATALOG_NAME)) as db:
        db.execute("UPDATE passage SET vector = zeroblob(64) WHERE id = ?", (first,))
    assert first not in [id_ for id_, _ in filled.dense("default", vector, 9_999, ALL)]


def test_passages_that_wait_for_their_vectors_are_no_part_of_it(open_store: Opener, data: Path) -> None:
    store = open_store(exact_up_to=LIMIT)
    fill(store, 30)
    plain = upsert("plain.txt", "One\nTwo\nThree")
    store.apply("default", [plain])
    store.snapshot()
    assert len(store.dense("default", VECTORS[0], 9_999, ALL)) == 30 * A_DOCUMENT
    waiting = store.unembedded("default", 9)
    store.set_vectors("default", {item.id: VECTORS[place] for place, item in enumerate(waiting)})
    assert paths(store, VECTORS[0], 1) == ["plain.txt"]


def test_a_collection_whose_vectors_are_damaged_is_searched_exactly(open_store: Opener, data: Path) -> None:
    store = open_store(exact_up_to=LIMIT)
    fill(store, 30)
    with apsw.Connection(str(data / CATALOG_NAME)) as db:
        db.execute("UPDATE passage SET vector = zeroblob(64) WHERE id > 5")
    store.snapshot()
    assert len(store.dense("default", VECTORS[0], 9_999, ALL)) == 5


def test_a_reader_sees_what_the_writer_commits(filled: LocalStore, open_store: Opener) -> None:
    reader = open_store(writable=False, exact_up_to=LIMIT)
    assert len(reader.dense("default", VECTORS[0], 9_999, ALL)) == 35 * A_DOCUMENT
    filled.apply("default", [document(60), Remove(document(0).document.path)])
    reader.refresh()
    assert paths(reader, document(60).vectors[0], 1) == [document(60).document.path]
    assert document(0).document.path not in paths(reader, document(0).vectors[0], 9_999)


def test_a_reader_that_was_away_for_long_takes_everything_in(data: Path, open_store: Opener) -> None:
    store = open_store(exact_up_to=LIMIT)
    fill(store, 2)
    reader = open_store(writable=False, exact_up_to=LIMIT)
    assert len(reader.dense("default", VECTORS[0], 9_999, ALL)) == 40
    store.apply("default", [document(number) for number in range(2, 40)])
    assert len(reader.dense("default", VECTORS[0], 9_999, ALL)) == 40 * A_DOCUMENT
    assert reader._dense.current(1, reader.built_by).shape is not None


def test_a_purge_leaves_no_deleted_vector_in_the_snapshot(filled: LocalStore, data: Path) -> None:
    filled.apply("default", [Remove(document(3).document.path)])
    filled.purge()
    shape = shape_of(data)
    assert shape is not None
    assert shape["trained"] == 34 * A_DOCUMENT
    assert filled.check().problems == ()
