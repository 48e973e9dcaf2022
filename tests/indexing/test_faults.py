"""What a full disk or a failing disk leaves behind; for kills see test_kill_points.py."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from plain_parts import HashEmbedder, built_by, upsert
from store_contract import ALL

from index.catalog import CATALOG_NAME
from index.errors import DiskFullError
from index.store import LocalStore
from index.types import Upsert

FAKES = Path(__file__).resolve().parents[1] / "fakes"

# Opens the store and works through the steps, acknowledging each; one that fails is tried once more.
WORKER = """
import sys
from pathlib import Path
sys.path.insert(0, sys.argv[1])
from plain_parts import HashEmbedder, built_by, upsert
from index.errors import NutgrafError
from index.store import LocalStore
from index.types import Filters, Move, Remove
embedder = HashEmbedder()

def text(name, version):
    return f"{name} {version}\\n" + "\\n".join(f"{name} says {version} {n}" for n in range(20))

def steps(store):
    put = lambda path, version: store.apply("default", [upsert(path, text(path, version), embedder)])
    return [
        lambda: put("a.txt", "one"), lambda: put("b.txt", "one"), lambda: put("a.txt", "two"), store.snapshot,
        lambda: store.apply("default", [Remove("b.txt")]), lambda: store.apply("default", [Move("a.txt", "c.txt")]),
        lambda: put("d.txt", "one"), store.snapshot,
    ]

store = LocalStore.open(Path(sys.argv[2]), built_by(embedder), writable=True)
store.lexical("default", ["says"], 5, Filters())
print("open", flush=True)
for number, step in enumerate(steps(store)):
    for last in (False, True):
        try:
            step()
            print("ack", number, flush=True)
            break
        except NutgrafError as error:
            print("failed", error.code, error, flush=True)
            assert store.documents("default") is not None
    else:
        break
store.close()
print("closed", flush=True)
"""

STATES = [
    {},
    {"a.txt": "one"},
    {"a.txt": "one", "b.txt": "one"},
    {"a.txt": "two", "b.txt": "one"},
    {"a.txt": "two", "b.txt": "one"},
    {"a.txt": "two"},
    {"c.txt": "two"},
    {"c.txt": "two", "d.txt": "one"},
    {"c.txt": "two", "d.txt": "one"},
]
"""What the documents are after so many acknowledged steps; the value is the version."""


@pytest.fixture
def prepared(data: Path) -> Path:
    with LocalStore.open(data, built_by(HashEmbedder()), writable=True) as store:
        store.create_collection("default")
    return data


def work(data: Path, *before: str) -> subprocess.CompletedProcess[str]:
    command = [*before, sys.executable, "-Bc", WORKER, FAKES, data]
    return subprocess.run(command, check=False, capture_output=True, text=True, timeout=50)


def state(data: Path) -> dict[str, str]:
    """The documents and their versions, after every surface was found to agree on them."""
    embedder = HashEmbedder()
    with LocalStore.open(data, built_by(embedder), writable=True) as store:
        assert store.check().problems == ()
        found = {info.path: info.title.split()[-1] for info in store.documents("default")}
        hits = [id_ for id_, _ in store.dense("default", np.ones(16, np.float32), 1000, ALL)]
        assert len(store.passages("default", hits)) == len(hits) == 21 * len(found)
        for version in ("one", "two"):
            ids = [id_ for id_, _ in store.lexical("default", [version], 1000, ALL)]
            assert len(ids) == 21 * sum(held == version for held in found.values())
    assert [path for path in data.rglob("*") if ".tmp" in path.name] == []
    return found


@pytest.mark.parametrize("when", [1, 3, 8, 15, 30, 50])
def test_a_full_disk_at_a_write_is_told_and_passes(prepared: Path, strace: list[str], when: int) -> None:
    done = work(prepared, *strace, "-e", f"inject=pwrite64:error=ENOSPC:when={when}")
    failures = [line for line in done.stdout.splitlines() if "failed" in line]
    assert all(line.startswith("failed disk_full") for line in failures), done.stdout + done.stderr
    if "open" in done.stdout:
        assert done.stdout.count("ack") == len(STATES) - 1
        assert state(prepared) == STATES[-1]
    else:
        assert "DiskFullError" in done.stderr
        assert state(prepared) == STATES[0]


@pytest.mark.parametrize("error", ["EIO", "ENOSPC"])
@pytest.mark.parametrize("when", [1, 2, 5])
def test_a_failed_sync_is_never_acknowledged(
    prepared: Path, strace: list[str], error: str, when: int
) -> None:
    done = work(prepared, *strace, "-e", f"inject=fdatasync:error={error}:when={when}")
    acknowledged = done.stdout.count("ack")
    assert state(prepared) in STATES[acknowledged : acknowledged + 2]


def test_after_a_failed_sync_nothing_is_written_until_it_is_opened_anew(
    prepared: Path, strace: list[str]
) -> None:
    done = work(prepared, *strace, "-e", "inject=fdatasync:error=EIO:when=3")
    assert "failed storage_error" in done.stdout
    assert "read-only until it is opened anew" in done.stdout
    assert "ack" not in done.stdout.split("failed", 1)[1]
    assert state(prepared) in STATES


def test_after_a_failed_sync_of_a_snapshot_too(prepared: Path, strace: list[str]) -> None:
    done = work(prepared, *strace, "-e", "inject=fsync:error=EIO:when=1")
    assert done.stdout.count("ack") == 3
    assert "read-only until it is opened anew" in done.stdout
    assert state(prepared) == STATES[3]


def test_a_full_disk_under_a_snapshot_keeps_the_old_one_and_passes(prepared: Path, strace: list[str]) -> None:
    done = work(prepared, *strace, "-e", "inject=fsync:error=ENOSPC:when=1")
    assert done.stdout.count("failed disk_full") == 1
    assert state(prepared) == STATES[-1]


LONG_LOG = """
import sys
from dataclasses import replace
from pathlib import Path
sys.path.insert(0, sys.argv[1])
from plain_parts import HashEmbedder, built_by, upsert
from index.errors import NutgrafError
from index.store import LocalStore
embedder = HashEmbedder()
store = LocalStore.open(Path(sys.argv[2]), built_by(embedder), writable=True)
for path in ("a.txt", "b.txt"):
    try:
        change = upsert(path, "Title\\n" + "many words " * 2_000_000)
        store.apply("default", [replace(change, passages=())])
        print("ack", (Path(sys.argv[2]) / "catalog.db").stat().st_size, flush=True)
    except NutgrafError as error:
        print("failed", error, flush=True)
store.close()
"""


def grown(data: Path, *before: str) -> str:
    command = [*before, sys.executable, "-Bc", LONG_LOG, FAKES, data]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def test_a_long_log_is_moved_into_the_catalog_while_it_is_open(prepared: Path) -> None:
    assert int(grown(prepared).split()[1]) > 20_000_000


def test_a_catalog_that_cannot_be_synced_takes_no_more_writes(prepared: Path, strace: list[str]) -> None:
    inject = ["-P", str(prepared / CATALOG_NAME), "-e", "inject=fdatasync:error=EIO"]
    first, second = grown(prepared, *strace, *inject).splitlines()
    assert first.startswith("ack")
    assert "read-only until it is opened anew" in second
    with LocalStore.open(prepared, built_by(HashEmbedder()), writable=True) as store:
        assert [info.path for info in store.documents("default")] == ["a.txt"]
        assert store.check().problems == ()


@pytest.mark.parametrize("when", [1, 3, 9])
def test_a_failed_read_is_a_storage_error(prepared: Path, strace: list[str], when: int) -> None:
    catalog = str(prepared / CATALOG_NAME)
    done = work(prepared, *strace, "-P", catalog, "-e", f"inject=pread64:error=EIO:when={when}")
    assert "index.errors." in done.stderr or "failed" in done.stdout, done.stdout + done.stderr
    acknowledged = done.stdout.count("ack")
    assert state(prepared) in STATES[acknowledged : acknowledged + 2]


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 2 MB."""
    place = tmp_path / "small"
    place.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=2m", "none", str(place)]
    if subprocess.run(mount, check=False, capture_output=True).returncode:
        pytest.skip("mounting is not allowed here")
    yield place
    subprocess.run(["umount", place], check=True)


def endless(embedder: HashEmbedder) -> Iterator[Upsert]:
    return (upsert(f"{n}.txt", f"Title\n{'words ' * 300}{n}", embedder) for n in range(10_000))


def test_a_full_disk_stops_writes_only_and_only_while_it_is_full(small_disk: Path) -> None:
    embedder = HashEmbedder()
    ballast = small_disk / "ballast"
    ballast.write_bytes(bytes(900_000))
    with LocalStore.open(small_disk / "data", built_by(embedder), writable=True) as store:
        store.create_collection("default")
        with pytest.raises(DiskFullError):
            store.apply("default", endless(embedder))
        stored = len(store.documents("default"))
        assert stored > 10
        with pytest.raises(DiskFullError):
            store.apply("default", [upsert("more.txt", "Title\n" + "more " * 2000, embedder)])
        assert len(store.lexical("default", ["words"], 10_000, ALL)) == stored
        assert store.check().problems == ()
        ballast.unlink()
        store.apply("default", [upsert("more.txt", "Title\n" + "more " * 2000, embedder)])
        store.snapshot()
        assert store.check().problems == ()
    with LocalStore.open(small_disk / "data", built_by(embedder)) as reader:
        assert len(reader.documents("default")) == stored + 1


def test_a_folder_on_a_full_disk_cannot_be_begun_and_says_so(small_disk: Path) -> None:
    (small_disk / "ballast").write_bytes(bytes(2 * 1024 * 1024 - 24 * 1024 - 4096))
    with pytest.raises(DiskFullError):
        LocalStore.open(small_disk / "data", built_by(HashEmbedder()), writable=True)
    (small_disk / "ballast").unlink()
    LocalStore.open(small_disk / "data", built_by(HashEmbedder()), writable=True).close()
