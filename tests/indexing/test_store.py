import os
import signal
import stat
import subprocess
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from plain_parts import HashEmbedder, built_by, upsert
from store_contract import ALL, CAT, SHIP, StoreContract

from index.catalog import CATALOG_NAME
from index.errors import CorruptError, InputError, LockedError, MismatchError, NotFoundError, StorageError
from index.store import LocalStore
from index.types import BuiltBy, Filters, Paragraph, Remove

Opener = Callable[..., LocalStore]
FAKES = Path(__file__).resolve().parents[1] / "fakes"

WRITER = """
import sys
from pathlib import Path
sys.path.insert(0, sys.argv[1])
from plain_parts import HashEmbedder, built_by, upsert
from index.store import LocalStore
embedder = HashEmbedder()
store = LocalStore.open(Path(sys.argv[2]), built_by(embedder), writable=True)
store.create_collection("default")
print("open", flush=True)
for line in sys.stdin:
    store.apply("default", [upsert(line.strip(), f"Title {line}Words of {line}", embedder)])
    print("done", flush=True)
store.close()
"""


class TestLocalStore(StoreContract):
    """The local store keeps the contract."""


def writer(folder: Path, *before: str) -> subprocess.Popen[str]:
    process = subprocess.Popen(
        [*before, sys.executable, "-c", WRITER, FAKES, folder],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "open\n"
    return process


def tell(process: subprocess.Popen[str], path: str) -> None:
    assert process.stdin is not None
    assert process.stdout is not None
    print(path, file=process.stdin, flush=True)
    assert process.stdout.readline() == "done\n"


def listed(store: LocalStore) -> list[str]:
    return [info.path for info in store.documents("default")]


# ---------------------------------------------------------------------------------------- opening


def test_a_new_folder_and_all_in_it_are_for_the_owner_alone(store: LocalStore, data: Path) -> None:
    store.apply("default", [upsert("a.txt", CAT, HashEmbedder())])
    store.snapshot()
    modes = {stat.S_IMODE(path.stat().st_mode) for path in data.rglob("*") if path.is_file()}
    assert (stat.S_IMODE(data.stat().st_mode), modes) == (0o700, {0o600})


def test_reading_where_nothing_is_says_what_to_do(open_store: Opener, data: Path) -> None:
    with pytest.raises(NotFoundError, match="nutgraf index"):
        open_store(writable=False)
    assert not data.exists()


def test_a_second_writer_is_refused_in_the_same_process(store: LocalStore, open_store: Opener) -> None:
    with pytest.raises(LockedError, match=f"held by pid {os.getpid()}"):
        open_store()


def test_a_second_writer_is_refused_across_processes_and_the_first_is_unharmed(
    data: Path, open_store: Opener
) -> None:
    with writer(data) as process:
        with pytest.raises(LockedError, match=f"held by pid {process.pid} since"):
            open_store()
        tell(process, "a.txt")
        process.communicate("")
    assert listed(open_store()) == ["a.txt"]


def test_a_killed_writer_leaves_what_it_acknowledged_and_no_lock(data: Path, open_store: Opener) -> None:
    with writer(data) as process:
        tell(process, "a.txt")
        tell(process, "b.txt")
        process.send_signal(signal.SIGKILL)
    store = open_store()
    assert listed(store) == ["a.txt", "b.txt"]
    assert len(store.dense("default", np.ones(16, np.float32), 9, ALL)) == 4
    assert store.check().ok


def test_a_reader_beside_a_writer_sees_each_commit_after_a_refresh(data: Path, open_store: Opener) -> None:
    with writer(data) as process:
        tell(process, "a.txt")
        reader = open_store(writable=False)
        query = HashEmbedder().embed_queries(["Words of b.txt"])[0]
        assert len(reader.dense("default", query, 9, ALL)) == 2
        tell(process, "b.txt")
        reader.refresh()
        assert len(reader.dense("default", query, 9, ALL)) == 4
        assert len(reader.lexical("default", ["b.txt"], 9, ALL)) == 2
        process.communicate("")
    reader.refresh()
    assert listed(reader) == ["a.txt", "b.txt"]


@pytest.mark.parametrize(
    "other",
    [
        BuiltBy("other", "x", 16, 1),
        replace(built_by(HashEmbedder()), model_sha256="y"),
        replace(built_by(HashEmbedder()), splitter=2),
        BuiltBy("", "", 0, 2),
    ],
)
def test_an_index_built_by_something_else_is_refused(
    store: LocalStore, open_store: Opener, other: BuiltBy
) -> None:
    store.close()
    for writable in (True, False):
        with pytest.raises(MismatchError, match=r"'default' was built by hash-16 .*: reindex"):
            open_store(by=other, writable=writable)


def test_a_refused_writer_leaves_the_lock_to_others(store: LocalStore, open_store: Opener) -> None:
    store.close()
    with pytest.raises(MismatchError):
        open_store(by=BuiltBy("other", "x", 3, 1))
    open_store()


def test_a_new_model_s_collection_is_built_beside_the_old(store: LocalStore, open_store: Opener) -> None:
    wide = HashEmbedder(32)
    store.apply("default", [upsert("a.txt", CAT, HashEmbedder())])
    store.close()
    beside = open_store(by=built_by(wide), beside=True)
    beside.create_collection("default")
    beside.apply("default", [upsert("b.txt", SHIP, wide)])
    old = open_store(writable=False)
    assert (listed(old), listed(beside)) == (["a.txt"], ["b.txt"])
    beside.delete_superseded()
    with pytest.raises(NotFoundError):
        listed(old)
    assert listed(open_store(by=built_by(wide), writable=False)) == ["b.txt"]
    assert beside.check().ok


def test_an_index_with_vectors_opens_without_a_model_for_lexical_search(
    store: LocalStore, open_store: Opener
) -> None:
    store.apply("default", [upsert("a.txt", CAT, HashEmbedder())])
    store.close()
    plain = open_store(by=BuiltBy("", "", 0, 1))
    plain.apply("default", [upsert("b.txt", SHIP)])
    assert len(plain.lexical("default", ["cat", "ship"], 9, ALL)) == 4
    plain.close()
    assert len(open_store().dense("default", np.ones(16, np.float32), 9, ALL)) == 3


def test_an_index_without_vectors_gets_them_later(open_store: Opener) -> None:
    plain = open_store(by=BuiltBy("", "", 0, 1))
    plain.create_collection("default")
    plain.apply("default", [upsert("a.txt", CAT)])
    assert plain.dense("default", np.ones(16, np.float32), 9, ALL) == []
    plain.close()
    store, embedder = open_store(), HashEmbedder()
    waiting = store.unembedded("default", 10)
    rows = embedder.embed_documents([stored.passage.text for stored in waiting])
    store.set_vectors("default", {stored.id: row for stored, row in zip(waiting, rows, strict=True)})
    assert store.unembedded("default", 10) == []
    assert len(store.dense("default", rows[0], 9, ALL)) == 3
    with pytest.raises(MismatchError):
        open_store(by=BuiltBy("other", "x", 3, 1), writable=False)


# -------------------------------------------------------------------------------------- collections


def test_collections_do_not_see_each_other(store: LocalStore) -> None:
    embedder = HashEmbedder()
    store.create_collection("other")
    store.apply("default", [upsert("a.txt", CAT, embedder)])
    alone = store.lexical("default", ["cat", "mat"], 9, ALL)
    store.apply("other", [upsert(f"{n}.txt", f"cat\ncat mat {n}", embedder) for n in range(50)])
    assert store.lexical("default", ["cat", "mat"], 9, ALL) == alone
    assert store.passages("default", range(4, 200)) == []
    assert len(store.dense("default", np.ones(16, np.float32), 99, ALL)) == 3
    assert store.term_frequencies("default", ["cat"]) == {"cat": 1}


def test_a_deleted_collection_takes_everything_with_it(store: LocalStore, data: Path) -> None:
    store.create_collection("other")
    store.apply("other", [upsert("a.txt", "Zanzibar\nquixotic", HashEmbedder())])
    store.snapshot()
    store.delete_collection("other")
    assert store.collections() == ["default"]
    assert store.check().passages == 0
    store.close()
    assert [path.name for path in (data / "snapshots").iterdir()] == ["1.dense"]
    assert b"uixotic" not in (data / CATALOG_NAME).read_bytes()


def test_a_collection_made_twice_stays(store: LocalStore) -> None:
    store.apply("default", [upsert("a.txt", CAT, HashEmbedder())])
    store.create_collection("default")
    assert store.passage_count("default") == 3


@pytest.mark.parametrize("name", ["", "Upper", "a b", "../x", "x" * 65, "a;b", "-a", "a\n"])
def test_a_name_that_is_no_collection_name_is_refused(store: LocalStore, name: str) -> None:
    with pytest.raises(InputError):
        store.create_collection(name)


# ------------------------------------------------------------------------------------------ documents


def test_a_document_is_found_by_path_and_id(store: LocalStore) -> None:
    store.apply("default", [upsert("a/b.txt", CAT, HashEmbedder(), "2022-04-20")])
    info = store.find("default", "a/b.txt")
    assert info is not None
    assert store.document("default", info.id) == info
    assert (info.title, info.date, info.paragraphs, info.passages) == ("Animals", "2022-04-20", 3, 3)
    assert store.find("default", "a/c.txt") is None
    with pytest.raises(NotFoundError):
        store.document("default", "f" * 32)


def test_an_id_is_that_of_the_place(store: LocalStore) -> None:
    store.apply("default", [upsert("a.txt", CAT, HashEmbedder())])
    first = store.documents("default")[0].id
    store.apply("default", [Remove("a.txt"), upsert("a.txt", SHIP, HashEmbedder())])
    assert store.documents("default")[0].id == first
    assert len(first) == 32


def test_the_whole_text_comes_back_to_the_letter(store: LocalStore) -> None:
    text = "\n\n  Title\r\n\n\nline\ttwo  \n end\n\n"
    change = upsert("a.txt", "x", HashEmbedder())
    paragraphs = (Paragraph(1, 3, 3, 4, 9), Paragraph(2, 6, 6, 13, 21))
    document = replace(change.document, text=text, paragraphs=paragraphs)
    store.apply(
        "default", [replace(change, document=document, passages=(), vectors=np.zeros((0, 0), np.float32))]
    )
    info = store.documents("default")[0]
    assert store.text("default", info.id) == text
    assert [p.text for p in store.paragraphs("default", info.id)] == ["Title", "line\ttwo"]


@pytest.mark.parametrize("paragraphs", [(Paragraph(2, 1, 1, 0, 1),), (Paragraph(1, 1, 1, 0, 99),)])
def test_paragraphs_that_are_no_part_of_the_text_are_a_programming_error(
    store: LocalStore, paragraphs: tuple[Paragraph, ...]
) -> None:
    change = upsert("a.txt", "x", HashEmbedder())
    with pytest.raises(ValueError, match="out of order"):
        store.apply("default", [replace(change, document=replace(change.document, paragraphs=paragraphs))])
    assert store.documents("default") == []


def test_vectors_that_do_not_fit_the_passages_are_a_programming_error(store: LocalStore) -> None:
    change = upsert("a.txt", CAT, HashEmbedder())
    with pytest.raises(ValueError, match="2 vectors for 3 passages"):
        store.apply("default", [replace(change, vectors=change.vectors[:2])])


@pytest.mark.parametrize(
    "path", ["", "/etc/passwd", "../a.txt", "a/../b.txt", "a//b.txt", "./a.txt", "a\0b", "a/"]
)
def test_a_path_that_leads_elsewhere_is_refused(store: LocalStore, path: str) -> None:
    change = upsert("a.txt", CAT, HashEmbedder())
    with pytest.raises(InputError):
        store.apply("default", [replace(change, document=replace(change.document, path=path))])


def test_a_vector_no_search_can_use_leaves_its_passage_to_lexical_search(store: LocalStore) -> None:
    change = upsert("a.txt", CAT, HashEmbedder())
    vectors = change.vectors.copy()
    vectors[0], vectors[1] = 0, np.nan
    store.apply("default", [replace(change, vectors=vectors)])
    assert len(store.dense("default", np.ones(16, np.float32), 9, ALL)) == 1
    assert len(store.lexical("default", ["animals"], 9, ALL)) == 3
    assert store.unembedded("default", 9) == []
    assert store.check().ok


def test_embedded_text_is_remembered(store: LocalStore) -> None:
    embedder = HashEmbedder()
    store.apply("default", [upsert("a.txt", CAT, embedder)])
    (row,) = (
        store._catalog._borrow().execute("SELECT embed_sha256 FROM passage WHERE paragraph = 2").fetchall()
    )
    found = store.cached_vectors([row[0].hex(), "00" * 32])
    assert list(found) == [row[0].hex()]
    assert np.array_equal(found[row[0].hex()], upsert("a.txt", CAT, embedder).vectors[1])


def test_a_filter_that_is_too_long_is_refused(store: LocalStore) -> None:
    with pytest.raises(InputError):
        store.lexical("default", ["a"], 1, Filters(path="*" * 5000))


def test_no_byte_of_a_deleted_document_stays_once_the_log_is_gone(
    store: LocalStore, data: Path, open_store: Opener
) -> None:
    embedder = HashEmbedder()
    store.apply(
        "default",
        [upsert("a.txt", CAT, embedder), upsert("secret.txt", "Quixotic\nzanzibar zephyr", embedder)],
    )
    store.snapshot()
    secret = upsert("secret.txt", "Quixotic\nzanzibar zephyr", embedder).vectors[1].tobytes()
    assert any(secret in path.read_bytes() for path in data.rglob("*") if path.is_file())
    store.apply("default", [Remove("secret.txt")])
    store.close()
    left = b"".join(path.read_bytes() for path in data.rglob("*") if path.is_file())
    assert [word for word in (b"uixotic", b"zanzib", b"zephyr", b"ecret.txt", secret) if word in left] == []


# ------------------------------------------------------------------------------------------ faults


def test_a_catalog_gone_from_under_its_snapshots_is_no_new_start(
    store: LocalStore, data: Path, open_store: Opener
) -> None:
    store.apply("default", [upsert("a.txt", CAT, HashEmbedder())])
    store.close()
    (data / CATALOG_NAME).unlink()
    for writable in (True, False):
        with pytest.raises(CorruptError, match="missing"):
            open_store(writable=writable)
    assert not (data / CATALOG_NAME).exists()


def test_a_log_without_its_catalog_is_no_new_start(data: Path, open_store: Opener) -> None:
    data.mkdir()
    (data / f"{CATALOG_NAME}-wal").write_bytes(b"x")
    with pytest.raises(CorruptError, match="missing"):
        open_store()


def test_a_creation_killed_half_way_is_begun_anew(data: Path, open_store: Opener) -> None:
    data.mkdir()
    (data / f".{CATALOG_NAME}.tmp").write_bytes(b"half")
    (data / f".{CATALOG_NAME}.tmp-wal").write_bytes(b"half")
    open_store().close()
    assert sorted(path.name for path in data.iterdir()) == ["LOCK", CATALOG_NAME, "snapshots"]


def damage_catalog(data: Path, old: bytes, new: bytes) -> None:
    path = data / CATALOG_NAME
    content = path.read_bytes()
    assert old in content
    path.write_bytes(content.replace(old, new))


def test_a_damaged_paragraph_is_left_out_and_never_cited(
    store: LocalStore, data: Path, open_store: Opener
) -> None:
    store.apply("default", [upsert("a.txt", CAT, HashEmbedder())])
    store.close()
    damage_catalog(data, b"barked at night", b"barked at noon!")
    again = open_store()
    hits = again.lexical("default", ["cat", "dog"], 9, ALL)
    assert [p.passage.text for p in again.passages("default", [id_ for id_, _ in hits])] == [
        "The cat sat on the mat"
    ]
    info = again.documents("default")[0]
    assert [p.paragraph.number for p in again.paragraphs("default", info.id)] == [1, 2]
    with pytest.raises(CorruptError, match=r"a\.txt is damaged"):
        again.text("default", info.id)


def test_a_damaged_path_is_never_cited(store: LocalStore, data: Path, open_store: Opener) -> None:
    store.apply("default", [upsert("unmistakable.txt", CAT, HashEmbedder())])
    store.close()
    damage_catalog(data, b"unmistakable.txt", b"unmistaqable.txt")
    again = open_store()
    assert again.passages("default", [1, 2, 3]) == []


def test_a_damaged_vector_is_left_out_of_dense_search(
    store: LocalStore, data: Path, open_store: Opener
) -> None:
    change = upsert("a.txt", CAT, HashEmbedder())
    store.apply("default", [change])
    store.close()
    damage_catalog(data, change.vectors[1].tobytes(), bytes(64))
    for snapshot in (data / "snapshots").iterdir():
        snapshot.unlink()
    again = open_store()
    assert len(again.dense("default", change.vectors[1], 9, ALL)) == 2
    assert len(again.passages("default", [1, 2, 3])) == 3


def test_many_threads_search_while_one_writes(store: LocalStore) -> None:
    embedder, done = HashEmbedder(), threading.Event()
    store.apply("default", [upsert("a.txt", CAT, embedder)])

    def search() -> int:
        found = 0
        while not done.is_set():
            ids = [id_ for id_, _ in store.dense("default", np.ones(16, np.float32), 5, ALL)]
            found += len(store.passages("default", ids))
            store.lexical("default", ["cat", "title"], 5, Filters(path="*.txt"))
        return found

    with ThreadPoolExecutor(4) as pool:
        searching = [pool.submit(search) for _ in range(4)]
        try:
            for number in range(40):
                store.apply("default", [upsert(f"{number % 7}.txt", f"Title {number}\nwords", embedder)])
                if number % 10 == 0:
                    store.snapshot()
        finally:
            done.set()
        assert all(search.result() > 0 for search in searching)
    assert store.check().ok


def test_a_closed_store_says_so(store: LocalStore) -> None:
    store.close()
    store.close()
    with pytest.raises(StorageError, match="closed"):
        store.documents("default")
