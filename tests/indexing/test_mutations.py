"""Damage to any file of the data folder is refused, left out or rebuilt: nothing wrong is ever served."""

import random
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from plain_parts import HashEmbedder, built_by, upsert
from store_contract import ALL

from index import records
from index.catalog import CATALOG_NAME
from index.errors import NutgrafError, StorageError
from index.store import LocalStore
from index.types import StoredPassage

Truth = dict[tuple[str, int], tuple[object, ...]]
WORDS = ["cat", "dog", "ship", "harbour", "noon", "title"]


def facts(stored: StoredPassage) -> tuple[object, ...]:
    document, paragraph = stored.source.document, stored.source.paragraph
    where = (document.id, document.path, document.title, document.date, document.sha256)
    return (*where, paragraph, stored.passage, stored.source.text, stored.source.sha256)


def served(store: LocalStore) -> Truth:
    """Everything that searching gives, by path and paragraph; also that scores are those of the vectors."""
    found: Truth = {}
    query = np.full(16, 0.25, np.float32)
    dense = store.dense("default", query, 10_000, ALL)
    assert all(-1.001 < score < 1.001 for _, score in dense)
    for hits in (dense, store.lexical("default", WORDS, 10_000, ALL)):
        for stored in store.passages("default", [id_ for id_, _ in hits]):
            found[stored.source.document.path, stored.source.paragraph.number] = facts(stored)
    return found


@pytest.fixture(scope="module")
def pristine(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Truth, dict[str, str]]:
    folder, chance, embedder = tmp_path_factory.mktemp("pristine") / "data", random.Random(1), HashEmbedder()
    texts = {
        f"{n}.txt": f"Title {n}\n"
        + "\n".join(" ".join(chance.choices(WORDS, k=12)) + f" {n} {line}" for line in range(8))
        for n in range(12)
    }
    with LocalStore.open(folder, built_by(embedder), writable=True) as store:
        store.create_collection("default")
        store.create_collection("other")
        changes = (upsert(path, text, embedder, "2022-04-20") for path, text in texts.items())
        store.apply(
            "default", [replace(change, original=file_of(change.document.text)) for change in changes]
        )
        store.apply("other", [upsert("o.txt", "Other\nphantom", embedder)])
        store.snapshot()
        truth = served(store)
    assert len(truth) == 12 * 9
    return folder, truth, texts


def flip(content: bytes, chance: random.Random) -> bytes:
    place = chance.randrange(len(content))
    return content[:place] + bytes([content[place] ^ 1 << chance.randrange(8)]) + content[place + 1 :]


def truncate(content: bytes, chance: random.Random) -> bytes:
    return content[: chance.randrange(len(content))]


def zero(content: bytes, chance: random.Random) -> bytes:
    place, size = chance.randrange(len(content)), chance.randrange(1, 5000)
    return content[:place] + bytes(min(size, len(content) - place)) + content[place + size :]


def garble(content: bytes, chance: random.Random) -> bytes:
    place, size = chance.randrange(len(content)), chance.randrange(1, 200)
    return content[:place] + chance.randbytes(min(size, len(content) - place)) + content[place + size :]


def swap_pages(content: bytes, chance: random.Random) -> bytes:
    pages = [content[n : n + 4096] for n in range(0, len(content), 4096)]
    one, two = chance.randrange(len(pages)), chance.randrange(len(pages))
    pages[one], pages[two] = pages[two], pages[one]
    return b"".join(pages)


DAMAGE: list[Callable[[bytes, random.Random], bytes]] = [flip, truncate, zero, garble, swap_pages]
FILES = [CATALOG_NAME, "snapshots/1.dense"]


def survives(pristine: tuple[Path, Truth, dict[str, str]], data: Path, number: int) -> str:
    """Damage one file in a way the number decides; tell what came of it."""
    folder, truth, texts = pristine
    chance = random.Random(number)
    shutil.copytree(folder, data)
    name, damage = FILES[number % 2], chance.choice(DAMAGE)
    (data / name).write_bytes(damage((data / name).read_bytes(), chance))
    try:
        with LocalStore.open(data, built_by(HashEmbedder()), writable=bool(chance.randrange(2))) as store:
            found = served(store)
            assert found.items() <= truth.items(), (name, damage.__name__)
            if name != CATALOG_NAME:
                assert found == truth
            outcome = "whole" if found == truth else "part"
            for info in store.documents("default"):
                outcome = unharmed(store, info.id, texts, outcome)
            store.check()
    except StorageError:
        assert name == CATALOG_NAME
        outcome = "refused"
    shutil.rmtree(data)
    return outcome


def file_of(text: str) -> bytes:
    """The file of a document: a few pages of the catalog."""
    return text.encode() * 10


def unharmed(store: LocalStore, document: str, texts: dict[str, str], outcome: str) -> str:
    try:
        text = store.text("default", document)
        assert text in texts.values()
        assert store.original("default", document) in {None, file_of(text)}
    except NutgrafError:
        return "part"
    return outcome


@pytest.mark.parametrize(
    "count",
    [
        pytest.param(500, marks=pytest.mark.timeout(300)),
        pytest.param(10_000, marks=[pytest.mark.deep, pytest.mark.timeout(7200)]),
    ],
)
def test_damage_is_never_served(
    pristine: tuple[Path, Truth, dict[str, str]], tmp_path: Path, count: int
) -> None:
    outcomes = [survives(pristine, tmp_path / "data", number) for number in range(count)]
    assert len(outcomes) == count
    assert set(outcomes) == {"whole", "part", "refused"}


class Unverified(bytes):
    """A hash that every other one equals."""

    __slots__ = ()
    __hash__ = bytes.__hash__

    def __eq__(self, other: object) -> bool:
        return True


@pytest.mark.timeout(300)
def test_the_mutations_catch_a_store_that_does_not_verify(
    pristine: tuple[Path, Truth, dict[str, str]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("seal", "text_hash"):
        real = getattr(records, name)
        monkeypatch.setattr(records, name, lambda *fields, real=real: Unverified(real(*fields)))
    with pytest.raises(AssertionError):  # noqa: PT012 - any of them may be the one
        for number in range(0, 500, 2):
            survives(pristine, tmp_path / str(number), number)


def test_a_snapshot_of_another_collection_is_not_taken_for_this_one_s(
    pristine: tuple[Path, Truth, dict[str, str]], tmp_path: Path
) -> None:
    folder, truth, _ = pristine
    shutil.copytree(folder, tmp_path / "data")
    shutil.copy(folder / "snapshots" / "2.dense", tmp_path / "data" / "snapshots" / "1.dense")
    with LocalStore.open(tmp_path / "data", built_by(HashEmbedder()), writable=True) as store:
        assert served(store) == truth
    assert len(list((tmp_path / "data" / "snapshots").glob("1.dense.bad-*"))) == 1


def test_no_more_than_two_bad_snapshots_are_kept(
    pristine: tuple[Path, Truth, dict[str, str]], tmp_path: Path
) -> None:
    shutil.copytree(pristine[0], tmp_path / "data")
    for _ in range(4):
        (tmp_path / "data" / "snapshots" / "1.dense").write_bytes(b"bad")
        with LocalStore.open(tmp_path / "data", built_by(HashEmbedder()), writable=True) as store:
            assert served(store) == pristine[1]
    assert len(list((tmp_path / "data" / "snapshots").glob("*.bad-*"))) == 2


def test_a_snapshot_of_another_history_is_not_taken_for_this_one_s(tmp_path: Path) -> None:
    """The catalog comes back from a backup, and what is written then reaches the numbers of the snapshot."""
    data, embedder = tmp_path / "data", HashEmbedder()
    with LocalStore.open(data, built_by(embedder), writable=True) as store:
        store.create_collection("default")
    shutil.copy(data / CATALOG_NAME, tmp_path / "backup")
    for text in ("cat cat\ncat", "ship ship\nship"):
        shutil.copy(tmp_path / "backup", data / CATALOG_NAME)
        with LocalStore.open(data, built_by(embedder), writable=True) as store:
            store.apply("default", [upsert("a.txt", text, embedder)])
            found = store.dense("default", embedder.embed_queries([text])[0], 1, ALL)
            assert found[0][1] > 0.7
            assert store.check().ok
            store.snapshot()


def left_open(data: Path, embedder: HashEmbedder) -> Path:
    """A copy of a data folder as a killed writer leaves it: its last changes stand in the log only."""
    with LocalStore.open(data, built_by(embedder), writable=True) as store:
        store.apply("default", [upsert("new.txt", "New\nphantom", embedder)])
        return Path(shutil.copytree(data, data.with_name("left"), ignore=shutil.ignore_patterns("LOCK")))


def test_the_log_of_another_catalog_brings_in_no_phantom(
    pristine: tuple[Path, Truth, dict[str, str]], tmp_path: Path
) -> None:
    (tmp_path / "foreign").mkdir()
    foreign = left_open(tmp_path / "foreign" / "data", with_collection(tmp_path / "foreign" / "data"))
    data = Path(shutil.copytree(pristine[0], tmp_path / "data"))
    shutil.copy(foreign / f"{CATALOG_NAME}-wal", data)
    assert (data / f"{CATALOG_NAME}-wal").stat().st_size > 0
    try:
        with LocalStore.open(data, built_by(HashEmbedder()), writable=True) as store:
            assert served(store).items() <= pristine[1].items()
            assert "new.txt" not in {info.path for info in store.documents("default")}
    except StorageError:
        return


def with_collection(data: Path) -> HashEmbedder:
    embedder = HashEmbedder()
    with LocalStore.open(data, built_by(embedder), writable=True) as store:
        store.create_collection("default")
    return embedder


@pytest.mark.parametrize("content", [b"", b"garbage" * 1000])
def test_a_log_of_garbage_is_passed_over(
    pristine: tuple[Path, Truth, dict[str, str]], tmp_path: Path, content: bytes
) -> None:
    data = Path(shutil.copytree(pristine[0], tmp_path / "data"))
    (data / f"{CATALOG_NAME}-wal").write_bytes(content)
    (data / f"{CATALOG_NAME}-shm").write_bytes(content)
    with LocalStore.open(data, built_by(HashEmbedder()), writable=True) as store:
        assert served(store) == pristine[1]
        assert store.check().problems == ()


def test_the_log_a_killed_writer_left_is_taken_in(tmp_path: Path) -> None:
    embedder = with_collection(tmp_path / "data")
    left = left_open(tmp_path / "data", embedder)
    assert (left / f"{CATALOG_NAME}-wal").stat().st_size > 0
    with LocalStore.open(left, built_by(embedder)) as reader:
        assert [info.path for info in reader.documents("default")] == ["new.txt"]
    with LocalStore.open(left, built_by(embedder), writable=True) as store:
        assert store.check().problems == ()


def test_a_catalog_that_lost_its_log_goes_back_to_a_whole_state(
    pristine: tuple[Path, Truth, dict[str, str]], tmp_path: Path
) -> None:
    data, embedder = tmp_path / "data", HashEmbedder()
    shutil.copytree(pristine[0], data)
    with LocalStore.open(data, built_by(embedder), writable=True) as store:
        store.apply("default", [upsert("new.txt", "New\nphantom", embedder)])
        shutil.copytree(data, tmp_path / "copy", ignore=shutil.ignore_patterns("*-wal", "*-shm", "LOCK"))
    with LocalStore.open(tmp_path / "copy", built_by(embedder), writable=True) as store:
        assert served(store) == pristine[1]
        assert store.check().problems == ()
