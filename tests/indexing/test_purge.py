import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from plain_parts import HashEmbedder, upsert
from store_contract import ALL, CAT, SHIP

from index.catalog import CATALOG_NAME
from index.errors import LockedError, StorageError
from index.purge import folder_size
from index.store import LocalStore
from index.types import Remove

Opener = Callable[..., LocalStore]
ROOT = Path(__file__).resolve().parents[2]

SECRET = "Zqxjungfrau\n" + "\n".join(
    f"Kwyjibopolis paid wombat{number} {number * 7919} dinars to Brzeczyszczykiewicz" for number in range(400)
)
TRACES = [b"zqxjungfrau", b"kwyjibopol", b"wombat", b"brzeczyszcz", b"secret-path"]


def found(data: Path, traces: list[bytes]) -> set[bytes]:
    """The traces that any file of the folder holds, in any case of its letters."""
    files = [path.read_bytes() for path in data.rglob("*") if path.is_file()]
    return {trace for trace in traces if any(trace.lower() in file.lower() for file in files)}


@pytest.fixture
def deleted(store: LocalStore) -> LocalStore:
    """A store that held a secret, moved it, replaced it and deleted it, with snapshots in between."""
    embedder = HashEmbedder()
    store.apply("default", [upsert("a.txt", CAT, embedder), upsert("secret-path.txt", SECRET, embedder)])
    store.snapshot()
    store.apply(
        "default", [upsert("secret-path.txt", SECRET + "\nmore", embedder), upsert("b.txt", SHIP, embedder)]
    )
    store.snapshot()
    store.apply("default", [Remove("secret-path.txt")])
    return store


def test_without_a_purge_traces_may_stay(deleted: LocalStore, data: Path) -> None:
    """The search for traces finds them where they are."""
    assert found(data, TRACES) == set(TRACES)


def test_a_purge_leaves_no_byte_of_what_was_deleted(deleted: LocalStore, data: Path) -> None:
    deleted.purge()
    assert found(data, TRACES) == set()
    deleted.close()
    assert found(data, TRACES) == set()


def test_a_purge_leaves_no_vector_of_what_was_deleted(deleted: LocalStore, data: Path) -> None:
    lines = SECRET.split("\n")
    vectors = HashEmbedder().embed_documents([f"{lines[0]}\n{line}" for line in lines[1:]])
    traces = [np.ascontiguousarray(vector, "<f4").tobytes() for vector in vectors]
    assert any(trace in path.read_bytes() for path in data.rglob("*") if path.is_file() for trace in traces)
    deleted.purge()
    files = [path.read_bytes() for path in data.rglob("*") if path.is_file()]
    assert not any(trace in file for file in files for trace in traces)


def test_what_was_kept_is_whole_after_a_purge(deleted: LocalStore, open_store: Opener) -> None:
    deleted.purge()
    assert deleted.check().problems == ()
    assert [info.path for info in deleted.documents("default")] == ["a.txt", "b.txt"]
    assert deleted.lexical("default", ["barking"], 5, ALL)
    deleted.apply("default", [upsert("c.txt", SHIP, HashEmbedder())])
    deleted.close()
    assert open_store().check().problems == ()


def test_a_purge_gives_space_back(deleted: LocalStore, data: Path) -> None:
    before = folder_size(data)
    deleted.purge()
    assert folder_size(data) < before / 2
    assert (data / f"{CATALOG_NAME}-wal").stat().st_size == 0


def test_a_purge_removes_what_was_set_aside(deleted: LocalStore, data: Path) -> None:
    (data / "pre-migrate-0.db").write_bytes(b"secret-path")
    (data / ".catalog.db.1234.tmp").write_bytes(b"secret-path")
    (data / "snapshots" / "1.dense.bad-17").write_bytes(b"secret-path")
    deleted.purge()
    assert found(data, TRACES) == set()


def test_a_purge_reaches_collections_that_were_deleted(deleted: LocalStore, data: Path) -> None:
    deleted.create_collection("other")
    deleted.apply("other", [upsert("x.txt", SECRET, HashEmbedder())])
    deleted.snapshot()
    deleted.delete_collection("other")
    deleted.purge()
    assert found(data, TRACES) == set()


def test_a_reader_elsewhere_is_waited_for_and_then_named(
    deleted: LocalStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    deleted._catalog.require_writable().set_busy_timeout(50)
    with deleted._catalog.reading() as db:
        db.execute("SELECT count(*) FROM passage").fetchall()
        with pytest.raises(LockedError, match="reading"):
            deleted.purge()
    deleted.purge()
    assert deleted.check().ok


def test_a_reader_sees_the_same_index_after_a_purge(deleted: LocalStore, open_store: Opener) -> None:
    reader = open_store(writable=False)
    before = reader.lexical("default", ["cat"], 5, ALL)
    deleted.purge()
    reader.refresh()
    assert reader.lexical("default", ["cat"], 5, ALL) == before
    assert reader.check().ok


def test_only_a_writer_may_purge(store: LocalStore, open_store: Opener) -> None:
    with pytest.raises(StorageError, match="reading only"):
        open_store(writable=False).purge()


KILLED = """
import sys
from pathlib import Path
sys.path.insert(0, sys.argv[1])
from plain_parts import HashEmbedder, built_by
from index.store import LocalStore
LocalStore.open(Path(sys.argv[2]), built_by(HashEmbedder()), writable=True).purge()
"""


@pytest.mark.parametrize("when", [1, 5, 20, 60])
@pytest.mark.parametrize("calls", ["write,pwrite64", "fsync,fdatasync,ftruncate,unlink,rename"])
def test_a_killed_purge_loses_nothing(
    deleted: LocalStore, open_store: Opener, data: Path, strace: list[str], calls: str, when: int
) -> None:
    deleted.close()
    inject = [*strace, "-e", f"inject={calls}:signal=SIGKILL:when={when}", sys.executable, "-Bc", KILLED]
    fakes = Path(__file__).parents[1] / "fakes"
    subprocess.run([*inject, fakes, data], capture_output=True, timeout=50, cwd=ROOT, check=False)
    store = open_store()
    assert store.check().problems == ()
    assert [info.path for info in store.documents("default")] == ["a.txt", "b.txt"]
    store.purge()
    assert found(data, TRACES) == set()
