"""What every `PassageStore` has to do. A store's test inherits this and gives it a `store` fixture.

The store is open for writing, holds an empty collection `default`, and was built by `HashEmbedder()`.
"""

import numpy as np
import pytest
from plain_parts import HashEmbedder, upsert

from index.errors import MismatchError, NotFoundError
from index.types import Filters, Move, PassageStore, Remove

ALL = Filters()
EMBEDDER = HashEmbedder()
CAT = "Animals\nThe cat sat on the mat\nA dog barked at night"
SHIP = "Ships\nThe ship left the harbour at noon\nIt was never seen again"


def paths(store: PassageStore, ids: list[tuple[int, float]]) -> set[str]:
    return {stored.source.document.path for stored in store.passages("default", [id_ for id_, _ in ids])}


def texts(store: PassageStore, ids: list[tuple[int, float]]) -> list[str]:
    return [stored.passage.text for stored in store.passages("default", [id_ for id_, _ in ids])]


def near(store: PassageStore, words: str, k: int = 10, filters: Filters = ALL) -> list[tuple[int, float]]:
    return store.dense("default", EMBEDDER.embed_queries([words])[0], k, filters)


class StoreContract:
    """Inherit, and provide `store`."""

    @pytest.fixture
    def filled(self, store: PassageStore) -> PassageStore:
        changes = [
            upsert("pets/cat.txt", CAT, EMBEDDER, "2022-04-20"),
            upsert("sea/ship.txt", SHIP, EMBEDDER, "2024-01-05"),
        ]
        store.apply("default", changes)
        return store

    def test_the_nearest_passage_comes_first(self, filled: PassageStore) -> None:
        found = near(filled, "the cat sat on the mat Animals")
        assert texts(filled, found)[0] == "The cat sat on the mat"
        assert [score for _, score in found] == sorted((score for _, score in found), reverse=True)

    def test_lexical_search_finds_any_inflection(self, filled: PassageStore) -> None:
        assert texts(filled, filled.lexical("default", ["barking"], 5, ALL)) == ["A dog barked at night"]

    def test_lexical_search_takes_any_of_the_terms_best_first(self, filled: PassageStore) -> None:
        found = filled.lexical("default", ["left", "harbour", "cat"], 9, ALL)
        assert texts(filled, found)[0] == "The ship left the harbour at noon"
        assert [score for _, score in found] == sorted((score for _, score in found), reverse=True)

    def test_lexical_scores_grow_with_relevance(self, filled: PassageStore) -> None:
        assert all(score > 0 for _, score in filled.lexical("default", ["mat"], 5, ALL))

    def test_no_term_finds_nothing(self, filled: PassageStore) -> None:
        assert filled.lexical("default", [], 5, ALL) == []
        assert filled.lexical("default", ["++", '"'], 5, ALL) == []

    def test_the_title_counts_in_every_passage(self, filled: PassageStore) -> None:
        assert len(filled.lexical("default", ["animals"], 9, ALL)) == 3

    @pytest.mark.parametrize("k", [0, 1, 2, 1000])
    def test_no_more_than_k_come(self, filled: PassageStore, k: int) -> None:
        assert len(near(filled, "the", k)) == min(k, 6)
        assert len(filled.lexical("default", ["ships"], k, ALL)) == min(k, 3)

    @pytest.mark.parametrize(
        ("filters", "expected"),
        [
            (Filters(path="pets/*"), {"pets/cat.txt"}),
            (Filters(path="*.txt"), {"pets/cat.txt", "sea/ship.txt"}),
            (Filters(path="sea/[!a]hip.txt"), {"sea/ship.txt"}),
            (Filters(path="nowhere/*"), set()),
            (Filters(date_from="2022-04-20"), {"pets/cat.txt", "sea/ship.txt"}),
            (Filters(date_from="2022-04-21"), {"sea/ship.txt"}),
            (Filters(date_to="2022-04-20"), {"pets/cat.txt"}),
            (Filters(path="sea/*", date_to="2022-04-20"), set()),
        ],
    )
    def test_filters_narrow_both_searches(
        self, filled: PassageStore, filters: Filters, expected: set[str]
    ) -> None:
        assert paths(filled, near(filled, "ship cat", 9, filters)) == expected
        assert paths(filled, filled.lexical("default", ["ships", "animals"], 9, filters)) == expected

    def test_a_filter_is_applied_before_the_best_are_taken(self, filled: PassageStore) -> None:
        assert paths(filled, near(filled, CAT, 1, Filters(path="sea/*"))) == {"sea/ship.txt"}
        assert paths(filled, filled.lexical("default", ["cat", "noon"], 1, Filters(path="sea/*"))) == {
            "sea/ship.txt"
        }

    def test_a_document_without_a_date_passes_no_date_filter(self, store: PassageStore) -> None:
        store.apply("default", [upsert("undated.txt", "No day", EMBEDDER)])
        assert near(store, "No day", 5, Filters(date_to="2999-01-01")) == []

    def test_passages_come_in_the_order_asked_for_and_unknown_ids_are_left_out(
        self, filled: PassageStore
    ) -> None:
        ids = [id_ for id_, _ in near(filled, "the", 6)]
        wanted = [ids[2], 10**9, ids[0], -1, ids[5]]
        assert [stored.id for stored in filled.passages("default", wanted)] == [ids[2], ids[0], ids[5]]

    def test_a_passage_knows_where_it_is(self, filled: PassageStore) -> None:
        (found,) = filled.passages("default", [filled.lexical("default", ["mat"], 1, ALL)[0][0]])
        assert (found.source.document.path, found.source.paragraph.number) == ("pets/cat.txt", 2)
        assert (found.source.paragraph.line_start, found.source.text) == (2, "The cat sat on the mat")
        assert CAT[found.source.paragraph.start : found.source.paragraph.end] == found.source.text

    def test_paragraphs_come_in_order(self, filled: PassageStore) -> None:
        info = filled.documents("default")[0]
        found = filled.paragraphs("default", info.id)
        assert [p.text for p in found] == CAT.split("\n")
        assert [p.paragraph.number for p in found] == [1, 2, 3]

    def test_documents_come_by_path(self, filled: PassageStore) -> None:
        filled.apply("default", [upsert("a.txt", "First", EMBEDDER)])
        assert [info.path for info in filled.documents("default")] == [
            "a.txt",
            "pets/cat.txt",
            "sea/ship.txt",
        ]

    def test_term_frequencies_count_passages(self, filled: PassageStore) -> None:
        wanted = ["cats", "animals", "the", "absent", "++"]
        assert filled.term_frequencies("default", wanted) == {
            "cats": 1,
            "animals": 3,
            "the": 2,
            "absent": 0,
            "++": 0,
        }

    def test_an_upsert_replaces_the_document_on_every_surface(self, filled: PassageStore) -> None:
        filled.apply("default", [upsert("pets/cat.txt", "Birds\nA parrot spoke", EMBEDDER)])
        assert filled.lexical("default", ["mat"], 5, ALL) == []
        assert texts(filled, near(filled, "parrot spoke a Birds", 1)) == ["A parrot spoke"]
        assert len(near(filled, "cat", 99)) == 5
        assert len(filled.documents("default")) == 2

    def test_a_removed_document_is_gone_from_every_surface(self, filled: PassageStore) -> None:
        info = filled.documents("default")[0]
        ids = [id_ for id_, _ in near(filled, "the", 6)]
        filled.apply("default", [Remove("pets/cat.txt")])
        assert paths(filled, near(filled, "cat", 9)) == {"sea/ship.txt"}
        assert filled.lexical("default", ["cat", "dog"], 9, ALL) == []
        assert {p.source.document.path for p in filled.passages("default", ids)} == {"sea/ship.txt"}
        with pytest.raises(NotFoundError):
            filled.paragraphs("default", info.id)

    def test_removing_what_is_not_there_changes_nothing(self, filled: PassageStore) -> None:
        filled.apply("default", [Remove("nowhere.txt")])
        assert len(filled.documents("default")) == 2

    def test_a_moved_document_keeps_its_passages(self, filled: PassageStore) -> None:
        before = near(filled, "cat", 9)
        filled.apply("default", [Move("pets/cat.txt", "animals/cat.txt")])
        assert near(filled, "cat", 9) == before
        assert paths(filled, filled.lexical("default", ["cat"], 9, ALL)) == {"animals/cat.txt"}

    def test_a_move_replaces_what_has_the_path(self, filled: PassageStore) -> None:
        filled.apply("default", [Move("pets/cat.txt", "sea/ship.txt")])
        assert [info.path for info in filled.documents("default")] == ["sea/ship.txt"]
        assert filled.lexical("default", ["harbour"], 9, ALL) == []
        assert len(near(filled, "cat", 9)) == 3

    def test_moving_what_is_not_there_is_an_error(self, filled: PassageStore) -> None:
        with pytest.raises(NotFoundError):
            filled.apply("default", [Move("nowhere.txt", "a.txt")])

    def test_equal_text_in_two_documents_is_found_twice(self, filled: PassageStore) -> None:
        filled.apply("default", [upsert("copy.txt", CAT, EMBEDDER)])
        assert paths(filled, filled.lexical("default", ["mat"], 9, ALL)) == {"pets/cat.txt", "copy.txt"}
        assert paths(filled, near(filled, "The cat sat on the mat Animals", 2)) == {
            "pets/cat.txt",
            "copy.txt",
        }

    def test_the_sequence_grows_with_each_change(self, filled: PassageStore) -> None:
        first = filled.apply("default", [Move("pets/cat.txt", "b.txt")])
        second = filled.apply("default", [Remove("b.txt")])
        assert second > first
        assert filled.apply("default", []) == second

    def test_an_unknown_collection_is_an_error_everywhere(self, filled: PassageStore) -> None:
        for ask in (
            lambda: filled.apply("other", [Remove("a")]),
            lambda: filled.lexical("other", ["a"], 1, ALL),
            lambda: filled.dense("other", EMBEDDER.embed_queries(["a"])[0], 1, ALL),
            lambda: filled.passages("other", [1]),
            lambda: filled.documents("other"),
            lambda: filled.term_frequencies("other", ["a"]),
        ):
            with pytest.raises(NotFoundError):
                ask()

    def test_an_unknown_document_is_an_error(self, filled: PassageStore) -> None:
        with pytest.raises(NotFoundError):
            filled.paragraphs("default", "0" * 32)

    def test_a_vector_of_another_dimension_is_an_error(self, filled: PassageStore) -> None:
        with pytest.raises(MismatchError):
            filled.dense("default", np.ones(3, np.float32), 1, ALL)
        with pytest.raises(MismatchError):
            filled.apply("default", [upsert("a.txt", "x", HashEmbedder(3))])

    def test_lone_surrogates_and_nul_are_stored_with_right_offsets(self, store: PassageStore) -> None:
        change = upsert("odd.txt", "plain", EMBEDDER)
        text = "odd \ud800 pair\nand \0 nul"
        document = type(change.document)(
            "odd\udcff.txt", text, change.document.paragraphs[:0], "sha", "t\udfff"
        )
        store.apply("default", [type(change)(document, (), np.zeros((0, 0), np.float32), 1)])
        assert [info.path for info in store.documents("default")] == ["odd\ufffd.txt"]
        assert store.lexical("default", ["\ud800", "a\0b"], 3, Filters(path="\udcff*")) == []
