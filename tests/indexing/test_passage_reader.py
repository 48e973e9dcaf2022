"""The reader: what it reads, with whose weights, and that it tells stated from unstated at all."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from index.engine import Index
from index.errors import ModelError
from index.models import DEFAULT_RERANKER, ModelFiles, carried
from index.passage_reader import OnnxReader, adapter, changed, fits
from index.reading import stated
from index.types import Reading, ToRead

LEASE = (
    "The lease of the warehouse runs for six years from 1 May 2017.",
    "Rent is due on the first working day of each quarter.",
    "The tenant keeps the roof and the gutters in repair.",
)


@pytest.fixture(scope="module")
def files() -> ModelFiles:
    found = carried(DEFAULT_RERANKER)
    assert found is not None
    return found


@pytest.fixture(scope="module")
def reader(files: ModelFiles) -> OnnxReader:
    return OnnxReader(files, threads=1)


def passage(*sentences: str, about: str = "Lease of the warehouse at Pier 4", before: str = "") -> ToRead:
    return ToRead(about, before, sentences)


def test_every_sentence_has_a_reading_and_the_one_that_states_it_the_highest(reader: OnnxReader) -> None:
    (found,) = reader.read("When must the rent be paid?", [passage(*LEASE)])
    assert len(found.sentences) == 3
    assert int(np.argmax(found.sentences)) == 1


@pytest.mark.parametrize(
    ("stated_in", "not_stated"),
    [
        ("How long does the lease of the warehouse run?", "How much is the rent of the warehouse?"),
        ("When is the rent due?", "Who owns the warehouse?"),
        ("Who has to repair the gutters?", "When was the roof last repaired?"),
    ],
)
def test_a_question_that_the_passage_answers_scores_above_one_that_it_does_not(
    reader: OnnxReader, stated_in: str, not_stated: str
) -> None:
    yes = stated(reader.read(stated_in, [passage(*LEASE)]))
    no = stated(reader.read(not_stated, [passage(*LEASE)]))
    assert yes > no + 1


@pytest.mark.parametrize(
    ("supported", "unsupported"),
    [
        (
            "From May 2017 the warehouse was let for six years.",
            "From May 2017 the rent was frozen for six years.",
        ),
        ("Gutter repairs are the tenant's business.", "The landlord pays for repairs of the gutters."),
        (
            "Each quarter's rent falls due on its first working day.",
            "The rent rises on the first working day of each quarter.",
        ),
    ],
)
def test_a_claim_that_the_passage_supports_scores_above_one_of_like_words(
    reader: OnnxReader, supported: str, unsupported: str
) -> None:
    (yes,), (no,) = (reader.supports(claim, [passage(*LEASE)]) for claim in (supported, unsupported))
    assert yes > no


def test_a_sentence_says_as_much_as_its_words_that_may_be_the_answer(files: ModelFiles) -> None:
    reader = OnnxReader(files, threads=1)
    (before,) = reader.read("When must the rent be paid?", [passage(*LEASE)])
    reader._heads["answer.bias"] = reader._heads["answer.bias"] + 2.0
    (after,) = reader.read("When must the rent be paid?", [passage(*LEASE)])
    assert after.passage == pytest.approx(before.passage)
    assert after.sentences == pytest.approx([odds + 1.0 for odds in before.sentences])


def test_a_passage_is_read_alike_alone_and_among_others(reader: OnnxReader) -> None:
    others = [passage("Something else altogether. " * n) for n in range(1, 30)]
    alone = reader.read("When is the rent due?", [passage(*LEASE)])[0]
    among = reader.read("When is the rent due?", [*others, passage(*LEASE)])[-1]
    # quantised activations share a scale within a batch
    assert among.passage == pytest.approx(alone.passage, abs=0.6)


def test_a_sentence_beyond_the_window_states_nothing(reader: OnnxReader) -> None:
    (found,) = reader.read("When is the rent due?", [passage("word " * 900, LEASE[1])])
    assert found.sentences[1] == -20


def test_nothing_to_read_states_nothing(reader: OnnxReader) -> None:
    assert reader.read("When?", []) == []
    assert stated([]) == -20


def test_the_best_passage_counts() -> None:
    assert stated([Reading(-3.0, (-5.0, -1.0)), Reading(2.0, (1.0,)), Reading(-9.0, ())]) == 1.5


def test_what_was_learned_is_refused_on_other_weights(files: ModelFiles) -> None:
    other = replace(files, sha256="0" * 64)
    assert fits(files)
    assert not fits(other)
    with pytest.raises(ModelError, match="other weights"):
        OnnxReader(other)


def test_a_change_of_nothing_leaves_a_matrix_as_it_was_to_the_last_step() -> None:
    matrix = np.arange(-60, 60, dtype=np.int8).reshape(10, 12)
    stored = {"m_quantized": matrix, "m_scale": np.array(0.01, np.float32)}
    learned = {
        "m.up": np.zeros((12, 2), np.float16),
        "m.down": np.ones((2, 10), np.float16),
        "b": np.ones(3, np.float16),
    }
    found = changed(learned, stored)
    assert set(found) == {"m_quantized", "m_scale", "b"}
    assert found["m_quantized"].dtype == np.int8
    np.testing.assert_allclose(
        found["m_quantized"] * found["m_scale"], matrix * 0.01, atol=found["m_scale"] / 2
    )


def test_a_learned_change_is_added_to_the_matrix() -> None:
    stored = {"m_quantized": np.zeros((10, 12), np.int8), "m_scale": np.array(0.01, np.float32)}
    rng = np.random.default_rng(1)
    up, down = rng.normal(size=(12, 2)), rng.normal(size=(2, 10))
    found = changed({"m.up": up, "m.down": down}, stored)
    np.testing.assert_allclose(
        found["m_quantized"] * found["m_scale"], (up @ down).T, atol=float(found["m_scale"]) / 2 + 1e-6
    )


def test_the_adapter_is_small_and_holds_no_objects() -> None:
    assert all(value.dtype != object for value in adapter().values())
    assert sum(value.nbytes for value in adapter().values()) < 4 << 20


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> Index:
    folder = tmp_path_factory.mktemp("lease")
    (folder / "lease.txt").write_text("Lease of the warehouse at Pier 4\n\n" + " ".join(LEASE) + "\n")
    with Index.open(folder / "data", writable=True) as opened:
        opened.sync(folder)
        yield opened


def test_a_search_says_how_far_its_hits_state_what_is_asked(index: Index) -> None:
    asked = index.search("When is the rent due?")
    other = index.search("Who owns the warehouse?")
    assert asked.stated is not None
    assert other.stated is not None
    assert asked.stated > other.stated + 1
    assert asked.hits[0].scores["stated"] == asked.stated


def test_a_claim_is_not_read(index: Index) -> None:
    found = index.search("The rent of the warehouse is due on the first working day of each quarter.")
    assert found.hits
    assert found.stated is None
    assert "stated" not in found.hits[0].scores


def test_there_is_no_reader_without_the_reranker_that_it_was_fitted_to(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("The rent is due in May.\n")
    with Index.open(tmp_path / "data", writable=True, reranker="off") as opened:
        opened.sync(tmp_path)
        assert opened.reader is None
        assert opened.search("When is the rent due?").stated is None
