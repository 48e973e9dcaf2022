"""Bounding the work of full-text search: the same scores, and the same list as far as it is read."""

import random
import sys
from collections.abc import Iterator, Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from plain_parts import HashEmbedder, built_by, upsert

from index.fulltext import TermCounts
from index.lexical import Ranking
from index.store import LocalStore

WORDS = "alpha beta gamma delta epsilon zeta eta theta iota kappa lambda mu".split()
FILTER = {"path": "00*", "date_from": None, "date_to": None}
K = 100


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalStore]:
    """2,000 passages; "alpha" stands in most of them, "mu" in few."""
    chance = random.Random(3)
    weights = [1 / (rank + 1) for rank in range(len(WORDS))]
    with LocalStore.open(
        tmp_path_factory.mktemp("lexical"), built_by(HashEmbedder()), writable=True
    ) as opened:
        opened.create_collection("default")
        for number in range(100):
            lines = [
                " ".join([*chance.choices(WORDS, weights, k=chance.randrange(1, 9)), *["filler"] * 9][:10])
                for _ in range(20)
            ]
            opened.apply("default", [upsert(f"{number:03}.txt", "\n".join(lines))])
        yield opened


def ranked(
    store: LocalStore,
    terms: Sequence[str],
    bound: int,
    k: int = K,
    narrowed: dict[str, str | None] | None = None,
) -> list[tuple[int, float]]:
    with store._catalog.reading() as db:
        counts = TermCounts.of(db, 1, 0)
        return Ranking(db, counts, 1, k, narrowed, most_scored=bound).best(terms)


terms_of_a_question = st.lists(st.sampled_from([*WORDS, "missing", "!"]), min_size=1, max_size=6, unique=True)
bounds = st.sampled_from([1, 50, 300, 1_500])


@settings(max_examples=60, deadline=None)
@given(terms_of_a_question, bounds)
def test_scores_are_those_of_all_the_words(store: LocalStore, terms: list[str], bound: int) -> None:
    every = dict(ranked(store, terms, sys.maxsize, 9_999))
    found = ranked(store, terms, bound)
    assert found == sorted(found, key=lambda hit: (-hit[1], hit[0]))
    assert {id_: every[id_] for id_, _ in found} == pytest.approx(dict(found))


@settings(max_examples=60, deadline=None)
@given(terms_of_a_question, bounds)
def test_who_asks_for_all_gets_all(store: LocalStore, terms: list[str], bound: int) -> None:
    everything = dict(ranked(store, terms, sys.maxsize, 9_999))
    assert dict(ranked(store, terms, bound, 9_999)) == pytest.approx(everything)


@settings(max_examples=60, deadline=None)
@given(terms_of_a_question, bounds)
def test_a_narrowed_search_finds_all_that_is_let_through(
    store: LocalStore, terms: list[str], bound: int
) -> None:
    whole = ranked(store, terms, sys.maxsize, 9_999, FILTER)
    found = ranked(store, terms, bound, 9_999, FILTER)
    assert dict(found) == pytest.approx(dict(whole))
    assert len(found) <= 200


def test_the_first_places_are_those_of_the_whole_list(store: LocalStore) -> None:
    chance = random.Random(8)
    shares = []
    for _ in range(60):
        terms = chance.sample(WORDS, chance.randrange(2, 6))
        whole, found = ranked(store, terms, sys.maxsize), ranked(store, terms, 200)
        assert len(found) == len(whole)
        lowest = whole[:10][-1][1] - 1e-9  # what scores the same is as good
        shares.append(sum(score >= lowest for _, score in found[:10]) / 10)
    assert sum(shares) / len(shares) >= 0.99


def test_few_passages_are_scored_in_one_go(store: LocalStore) -> None:
    statements: list[str] = []
    with store._catalog.reading() as db:
        counts = TermCounts.of(db, 1, 0)
        counts.telling(db, ["kappa", "mu"])
        db.set_exec_trace(lambda _, sql, __: statements.append(sql) or True)
        Ranking(db, counts, 1, K, None).best(["kappa", "mu"])
        db.set_exec_trace(None)
    assert len(statements) == 1
