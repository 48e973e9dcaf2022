import contextlib
import json
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import apsw
import pytest
from plain_parts import HashEmbedder, built_by, upsert
from store_contract import ALL, CAT, SHIP

from index.backup import MANIFEST_NAME, backup, read_manifest, restore
from index.catalog import CATALOG_NAME
from index.errors import CorruptError, InputError, LockedError, MismatchError, NotFoundError, StorageError
from index.store import LocalStore

Opener = Callable[..., LocalStore]
ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def filled(store: LocalStore) -> LocalStore:
    embedder = HashEmbedder()
    store.apply("default", [upsert("a.txt", CAT, embedder), upsert("b.txt", SHIP, embedder)])
    store.snapshot()
    return store


@pytest.fixture
def kept(filled: LocalStore, tmp_path: Path) -> Path:
    """A backup of the filled store."""
    target = tmp_path / "backup"
    backup(filled.folder, target)
    return target


def paths(folder: Path) -> list[str]:
    """The documents of a data folder, once nothing is wrong with it."""
    with LocalStore.open(folder, built_by(HashEmbedder()), writable=True) as store:
        assert store.check().problems == ()
        return [info.path for info in store.documents("default")]


def flip(path: Path, place: int) -> None:
    data = bytearray(path.read_bytes())
    data[place] ^= 0x10
    path.write_bytes(data)


def test_a_backup_restores_to_the_same_index(kept: Path, tmp_path: Path) -> None:
    manifest = restore(kept, tmp_path / "new")
    assert (manifest.contents.documents, manifest.contents.paragraphs, manifest.contents.passages) == (
        2,
        6,
        6,
    )
    assert manifest.contents.collections == ("default",)
    assert paths(tmp_path / "new") == ["a.txt", "b.txt"]


def test_what_is_derived_is_made_anew_after_a_restore(kept: Path, tmp_path: Path) -> None:
    assert sorted(file.name for file in kept.iterdir()) == [CATALOG_NAME, MANIFEST_NAME]
    restore(kept, tmp_path / "new")
    query = HashEmbedder().embed_queries(["The cat sat on the mat"])[0]
    with LocalStore.open(tmp_path / "new", built_by(HashEmbedder()), writable=True) as store:
        (best, _), *_ = store.dense("default", query, 6, ALL)
        assert store.passages("default", [best])[0].passage.text == "The cat sat on the mat"


def test_a_backup_is_of_one_moment_while_others_write(filled: LocalStore, tmp_path: Path) -> None:
    embedder, stop = HashEmbedder(), threading.Event()

    def write() -> None:
        for number in range(1000):
            if stop.is_set():
                return
            pair = [upsert(f"{side}.txt", f"{side} {number}\n" + "word " * 900, embedder) for side in "xy"]
            filled.apply("default", pair)

    writer = threading.Thread(target=write)
    writer.start()
    try:
        for number in range(5):
            backup(filled.folder, tmp_path / f"b{number}")
    finally:
        stop.set()
        writer.join()
    for number in range(5):
        restore(tmp_path / f"b{number}", tmp_path / f"n{number}")
        assert paths(tmp_path / f"n{number}")[:2] == ["a.txt", "b.txt"]


def test_a_restored_index_goes_on_by_itself(kept: Path, filled: LocalStore, tmp_path: Path) -> None:
    restore(kept, tmp_path / "new")
    with LocalStore.open(tmp_path / "new", built_by(HashEmbedder()), writable=True) as other:
        other.apply("default", [upsert("c.txt", CAT, HashEmbedder())])
    assert paths(tmp_path / "new") == ["a.txt", "b.txt", "c.txt"]
    assert [info.path for info in filled.documents("default")] == ["a.txt", "b.txt"]


def test_the_manifest_tells_what_the_backup_holds(kept: Path, filled: LocalStore) -> None:
    manifest = read_manifest(kept)
    assert manifest.contents.sequence == filled.sequence()
    assert manifest.size == (kept / CATALOG_NAME).stat().st_size
    checksum = subprocess.run(
        ["sha256sum", kept / CATALOG_NAME], capture_output=True, text=True, check=True
    ).stdout.split()[0]
    assert manifest.sha256 == checksum


def test_a_backup_never_overwrites(kept: Path, filled: LocalStore) -> None:
    before = (kept / MANIFEST_NAME).read_bytes()
    with pytest.raises(InputError, match="exists already"):
        backup(filled.folder, kept)
    assert (kept / MANIFEST_NAME).read_bytes() == before


def test_a_folder_without_an_index_cannot_be_backed_up(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError):
        backup(tmp_path, tmp_path / "backup")
    assert list(tmp_path.iterdir()) == []


def test_a_damaged_index_is_not_backed_up(filled: LocalStore, data: Path, tmp_path: Path) -> None:
    filled.close()
    with (data / CATALOG_NAME).open("r+b") as file:
        file.seek(4096 * 3)
        file.write(b"\xff" * 4096)
    with pytest.raises(CorruptError):
        backup(data, tmp_path / "backup")
    assert [path.name for path in tmp_path.iterdir()] == ["data"]


@pytest.mark.parametrize("share", [0.0, 0.3, 0.6, 0.999])
def test_a_damaged_catalog_is_refused(kept: Path, tmp_path: Path, share: float) -> None:
    catalog = kept / CATALOG_NAME
    flip(catalog, int(catalog.stat().st_size * share))
    with pytest.raises(CorruptError, match="SHA-256"):
        restore(kept, tmp_path / "new")
    assert not (tmp_path / "new" / CATALOG_NAME).exists()


def test_every_damage_of_the_manifest_that_matters_is_refused(kept: Path, tmp_path: Path) -> None:
    manifest = kept / MANIFEST_NAME
    whole, sound = manifest.read_bytes(), read_manifest(kept)
    for place in range(len(whole)):
        flip(manifest, place)
        with contextlib.suppress(CorruptError, MismatchError):
            told = restore(kept, tmp_path / f"new{place}")
            assert replace(told, made_at=sound.made_at) == sound
        manifest.write_bytes(whole)


@pytest.mark.parametrize("missing", [CATALOG_NAME, MANIFEST_NAME])
def test_half_a_backup_is_refused(kept: Path, tmp_path: Path, missing: str) -> None:
    (kept / missing).unlink()
    with pytest.raises((CorruptError, NotFoundError), match="missing"):
        restore(kept, tmp_path / "new")
    assert not (tmp_path / "new" / CATALOG_NAME).exists()


def test_the_catalog_of_another_backup_is_refused(kept: Path, filled: LocalStore, tmp_path: Path) -> None:
    filled.apply("default", [upsert("c.txt", CAT, HashEmbedder())])
    backup(filled.folder, tmp_path / "later")
    shutil.copy(tmp_path / "later" / CATALOG_NAME, kept / CATALOG_NAME)
    with pytest.raises(CorruptError):
        restore(kept, tmp_path / "new")


def test_a_backup_of_a_newer_version_is_refused(kept: Path, tmp_path: Path) -> None:
    values = json.loads((kept / MANIFEST_NAME).read_text())
    (kept / MANIFEST_NAME).write_text(json.dumps(values | {"format": 99}))
    with pytest.raises(MismatchError, match="newer version"):
        restore(kept, tmp_path / "new")


def test_nothing_is_restored_over_an_index(kept: Path, filled: LocalStore, data: Path) -> None:
    filled.close()
    with pytest.raises(InputError, match="not empty"):
        restore(kept, data)
    assert paths(data) == ["a.txt", "b.txt"]


def test_nothing_is_restored_into_a_folder_in_use(kept: Path, data: Path) -> None:
    with pytest.raises(LockedError):
        restore(kept, data)


def test_an_empty_data_folder_may_hold_models(kept: Path, tmp_path: Path) -> None:
    (tmp_path / "new" / "models").mkdir(parents=True)
    restore(kept, tmp_path / "new")
    assert paths(tmp_path / "new") == ["a.txt", "b.txt"]


def test_an_index_open_for_writing_elsewhere_can_be_backed_up(filled: LocalStore, tmp_path: Path) -> None:
    code = "import sys; from pathlib import Path; from index.backup import backup; backup(*map(Path, sys.argv[1:]))"
    command = [sys.executable, "-c", code, filled.folder, tmp_path / "backup"]
    subprocess.run(command, check=True, timeout=60, cwd=ROOT)
    filled.apply("default", [upsert("c.txt", CAT, HashEmbedder())])
    assert read_manifest(tmp_path / "backup").contents.documents == 2


def test_progress_runs_to_the_end(filled: LocalStore, tmp_path: Path) -> None:
    steps: list[tuple[int, int]] = []
    backup(filled.folder, tmp_path / "backup", progress=lambda done, total: steps.append((done, total)))
    restore(tmp_path / "backup", tmp_path / "new", progress=lambda done, total: steps.append((done, total)))
    assert [done for done, total in steps if done == total]
    assert all(0 < done <= total for done, total in steps)


KILLED = """
import sys
from pathlib import Path
from index.backup import backup, restore
do = backup if sys.argv[1] == "backup" else restore
do(Path(sys.argv[2]), Path(sys.argv[3]))
print("done")
"""


@pytest.mark.parametrize("when", [1, 2, 3, 5, 8])
@pytest.mark.parametrize("calls", ["write,pwrite64", "fsync,fdatasync", "rename,unlink,unlinkat"])
def test_a_killed_backup_or_restore_leaves_nothing_that_passes_for_one(
    filled: LocalStore, strace: list[str], tmp_path: Path, calls: str, when: int
) -> None:
    inject = [*strace, "-e", f"inject={calls}:signal=SIGKILL:when={when}", sys.executable, "-Bc", KILLED]
    done = subprocess.run(
        [*inject, "backup", filled.folder, tmp_path / "backup"],
        capture_output=True,
        text=True,
        timeout=50,
        cwd=ROOT,
        check=False,
    )
    assert (tmp_path / "backup").exists() or "done" not in done.stdout
    if not (tmp_path / "backup").exists():
        backup(filled.folder, tmp_path / "backup")
    subprocess.run(
        [*inject, "restore", tmp_path / "backup", tmp_path / "new"],
        capture_output=True,
        timeout=50,
        cwd=ROOT,
        check=False,
    )
    if not (tmp_path / "new" / CATALOG_NAME).exists():
        restore(tmp_path / "backup", tmp_path / "new")
    assert paths(tmp_path / "new") == ["a.txt", "b.txt"]


@pytest.mark.parametrize("when", [1, 2, 4, 7])
def test_a_full_disk_leaves_no_backup(
    filled: LocalStore, strace: list[str], tmp_path: Path, when: int
) -> None:
    inject = [*strace, "-e", f"inject=pwrite64:error=ENOSPC:when={when}+", sys.executable, "-Bc", KILLED]
    done = subprocess.run(
        [*inject, "backup", filled.folder, tmp_path / "backup"],
        capture_output=True,
        text=True,
        timeout=50,
        cwd=ROOT,
        check=False,
    )
    assert "DiskFullError" in done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["data"]


def test_a_backup_that_cannot_be_written_says_so(filled: LocalStore) -> None:
    with pytest.raises(StorageError):
        backup(filled.folder, Path("/proc/nutgraf/backup"))


def test_the_backup_is_one_plain_sqlite_file(kept: Path) -> None:
    db = apsw.Connection(str(kept / CATALOG_NAME), flags=apsw.SQLITE_OPEN_READONLY)
    assert db.execute("PRAGMA journal_mode").fetchall() == [("delete",)]
    assert db.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    db.close()
