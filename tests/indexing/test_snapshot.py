import random
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from index.segment import Ids, SnapshotError
from index.snapshot import DenseIndex, SnapshotKey, load, save
from index.types import Vectors

DIM = 8
KEY = SnapshotKey("catalog", 1, "model", "sha", DIM)


def ids(*values: int) -> Ids:
    return np.array(values, np.int64)


def unit(count: int, seed: int = 0) -> Vectors:
    vectors = np.random.default_rng(seed).standard_normal((count, DIM)).astype(np.float32)
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def filled(count: int, *, start: int = 1) -> DenseIndex:
    return DenseIndex(DIM).apply(7, np.arange(start, start + count, dtype=np.int64), unit(count), ids())


def test_the_nearest_come_first_by_inner_product() -> None:
    vectors, query = unit(50), unit(1, seed=9)[0]
    index = DenseIndex(DIM).apply(1, np.arange(100, 150, dtype=np.int64), vectors, ids())
    expected = np.argsort(-(vectors @ query))[:5] + 100
    found = index.search(query, 5)
    assert [id_ for id_, _ in found] == expected.tolist()
    assert [score for _, score in found] == pytest.approx(sorted(vectors @ query, reverse=True)[:5], abs=1e-6)


def test_asking_for_more_than_there_is_gives_all_and_no_placeholder() -> None:
    assert sorted(id_ for id_, _ in filled(3).search(unit(1)[0], 100)) == [1, 2, 3]


@pytest.mark.parametrize("k", [0, -1])
def test_asking_for_nothing_gives_nothing(k: int) -> None:
    assert filled(3).search(unit(1)[0], k) == []


def test_an_empty_index_finds_nothing() -> None:
    assert DenseIndex(DIM).search(unit(1)[0], 5) == []


def test_removed_passages_are_gone_at_once() -> None:
    index = filled(10).apply(8, ids(), unit(0), ids(3, 4))
    assert sorted(id_ for id_, _ in index.search(unit(1)[0], 10)) == [1, 2, 5, 6, 7, 8, 9, 10]


def test_filters_apply_before_ranking() -> None:
    index = filled(3000)
    worst = [id_ for id_, _ in index.search(unit(1, seed=5)[0], 3000)][-2:]
    assert sorted(id_ for id_, _ in index.search(unit(1, seed=5)[0], 2, ids(*sorted(worst)))) == sorted(worst)


def test_a_filter_may_name_ids_that_are_not_there() -> None:
    assert [id_ for id_, _ in filled(3).search(unit(1)[0], 5, ids(-5, 2, 900))] == [2]


def test_applying_a_change_twice_changes_nothing() -> None:
    once = filled(5).apply(9, ids(6, 7), unit(2, seed=3), ids(1))
    twice = once.apply(9, ids(6, 7), unit(2, seed=3), ids(1))
    assert twice.ids().tolist() == once.ids().tolist() == [2, 3, 4, 5, 6, 7]
    assert twice.search(unit(1)[0], 9) == once.search(unit(1)[0], 9)


def test_the_index_that_was_there_before_a_change_is_still_whole() -> None:
    before = filled(5)
    before.apply(9, ids(6), unit(1), ids(1, 2))
    assert len(before) == 5


def test_many_small_changes_end_in_few_segments() -> None:
    index = filled(10)
    for step in range(300):
        index = index.apply(
            step, ids(*range(1000 + 10 * step, 1010 + 10 * step)), unit(10, seed=step), ids(step + 1)
        )
    assert len(index.segments) <= 2
    assert len(index) == 3010 - 10


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.sets(st.integers(1, 60)), st.sets(st.integers(1, 60))), max_size=8))
def test_any_changes_give_the_same_as_the_final_state(steps: list[tuple[set[int], set[int]]]) -> None:
    vectors, index, expected, used = unit(61), DenseIndex(DIM), set[int](), set[int]()
    for number, (added, removed) in enumerate(steps, 1):
        fresh = sorted(added - used - removed)  # a catalog never uses an id again
        index = index.apply(number, ids(*fresh), vectors[fresh], ids(*sorted(removed)))
        used |= added | removed
        expected = (expected | set(fresh)) - removed
    built = DenseIndex(DIM).apply(1, ids(*sorted(expected)), vectors[sorted(expected)], ids())
    assert index.ids().tolist() == sorted(expected)
    assert index.search(vectors[0], 99) == built.search(vectors[0], 99)


def test_a_snapshot_holds_the_index_without_what_is_gone(tmp_path: Path) -> None:
    index = filled(10).apply(8, ids(11), unit(1, seed=2), ids(3, 4))
    save(tmp_path / "s", index, KEY, "nonce")
    loaded, nonce = load(tmp_path / "s", KEY)
    assert (loaded.applied, nonce, len(loaded.segments)) == (8, "nonce", 1)
    assert loaded.search(unit(1, seed=4)[0], 10) == index.search(unit(1, seed=4)[0], 10)


def test_an_empty_index_has_a_snapshot_too(tmp_path: Path) -> None:
    save(tmp_path / "s", DenseIndex(DIM, 5), KEY, "")
    assert len(load(tmp_path / "s", KEY)[0]) == 0


@pytest.mark.parametrize(
    "other",
    [
        replace(KEY, catalog="other"),
        replace(KEY, collection=2),
        replace(KEY, model="other"),
        replace(KEY, model_sha256="other"),
        replace(KEY, dim=DIM + 1),
    ],
)
def test_a_snapshot_of_something_else_is_refused(tmp_path: Path, other: SnapshotKey) -> None:
    save(tmp_path / "s", filled(3), KEY, "")
    with pytest.raises(SnapshotError, match="another catalog"):
        load(tmp_path / "s", other)


def test_a_missing_snapshot_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SnapshotError):
        load(tmp_path / "s", KEY)


def test_every_flipped_bit_is_noticed(tmp_path: Path) -> None:
    save(tmp_path / "s", filled(3), KEY, "nonce")
    whole = (tmp_path / "s").read_bytes()
    for place in range(len(whole)):
        damaged = bytearray(whole)
        damaged[place] ^= 1 << place % 8
        (tmp_path / "s").write_bytes(damaged)
        with pytest.raises(SnapshotError):
            load(tmp_path / "s", KEY)


def test_every_truncation_is_noticed(tmp_path: Path) -> None:
    save(tmp_path / "s", filled(3), KEY, "nonce")
    whole = (tmp_path / "s").read_bytes()
    for length in range(len(whole)):
        (tmp_path / "s").write_bytes(whole[:length])
        with pytest.raises(SnapshotError):
            load(tmp_path / "s", KEY)


def test_garbage_is_noticed(tmp_path: Path) -> None:
    chance = random.Random(0)
    save(tmp_path / "s", filled(40), KEY, "nonce")
    whole = (tmp_path / "s").read_bytes()
    for _ in range(100):
        place, size = chance.randrange(len(whole)), chance.randrange(1, 200)
        damaged = whole[:place] + chance.randbytes(size) + whole[place + size :]
        (tmp_path / "s").write_bytes(damaged)
        with pytest.raises(SnapshotError):
            load(tmp_path / "s", KEY)


def test_searching_uses_one_thread_whichever_thread_asks() -> None:
    import faiss

    def threads() -> int:
        faiss.omp_set_num_threads(2)
        filled(3).search(unit(1)[0], 1)
        return int(faiss.omp_get_max_threads())

    with ThreadPoolExecutor(1) as pool:
        assert [threads(), pool.submit(threads).result()] == [1, 1]
