"""Fusing two rankings."""

from hypothesis import given
from hypothesis import strategies as st

from index.fuse import bm25_bound, fuse

ranked = st.lists(
    st.tuples(st.integers(0, 30), st.floats(0.01, 20)), max_size=10, unique_by=lambda pair: pair[0]
)


@given(ranked, ranked, st.floats(0, 50), st.randoms())
def test_the_order_of_the_inputs_does_not_matter(
    dense: list[tuple[int, float]], lexical: list[tuple[int, float]], bound: float, random: object
) -> None:
    once = fuse(dense, lexical, lexical_bound=bound)
    assert fuse(dense[::-1], lexical[::-1], lexical_bound=bound) == once
    assert set(once) <= {key for key, _ in [*dense, *lexical]}


def test_a_passage_high_in_both_lists_wins() -> None:
    scores = fuse([(1, 0.9), (2, 0.8), (3, 0.1)], [(2, 9.0), (4, 8.0)], lexical_bound=10)
    assert max(scores, key=lambda key: scores[key]) == 2


def test_one_list_alone_keeps_its_order() -> None:
    dense = fuse([(1, 0.9), (2, 0.5), (3, 0.1)], [], lexical_bound=0)
    assert sorted(dense, key=lambda key: -dense[key]) == [1, 2, 3]
    lexical = fuse([], [(5, 3.0), (6, 1.0)], lexical_bound=4)
    assert sorted(lexical, key=lambda key: -lexical[key]) == [5, 6]


def test_a_lexical_list_that_found_little_of_the_query_speaks_softly() -> None:
    full = fuse([(1, 0.9), (2, 0.1)], [(2, 5.0)], lexical_bound=5)
    little = fuse([(1, 0.9), (2, 0.1)], [(2, 5.0)], lexical_bound=50)
    assert full[2] > little[2]


def test_the_bound_grows_with_rarer_terms() -> None:
    assert bm25_bound({"rare": 1}, 1000) > bm25_bound({"common": 400}, 1000) > 0


def test_a_bound_can_be_given_when_a_commit_came_between_the_counts() -> None:
    assert bm25_bound({"new": 5}, 3) > 0
