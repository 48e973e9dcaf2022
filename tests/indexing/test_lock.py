import os
import subprocess
import sys
from pathlib import Path

import pytest

from index.errors import LockedError, StorageError
from index.lock import LOCK_NAME, FolderLock

HOLDER = """
import sys
from pathlib import Path
from index.lock import FolderLock
lock = FolderLock.acquire(Path(sys.argv[1]))
print("held", flush=True)
sys.stdin.read()
"""


def holder(folder: Path) -> subprocess.Popen[str]:
    process = subprocess.Popen(
        [sys.executable, "-c", HOLDER, folder], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "held\n"
    return process


def taken(folder: Path) -> bool:
    """Whether the folder can be locked, and is then held."""
    lock = FolderLock.acquire(folder)
    try:
        with pytest.raises(LockedError):
            FolderLock.acquire(folder)
    finally:
        lock.release()
    return True


def test_a_second_process_is_told_who_holds_the_folder_and_since_when(tmp_path: Path) -> None:
    with holder(tmp_path) as process:
        with pytest.raises(LockedError, match=rf"held by pid {process.pid} since \d{{4}}-\d\d-\d\dT"):
            FolderLock.acquire(tmp_path)
        process.kill()


def test_a_killed_holder_leaves_no_lock_behind(tmp_path: Path) -> None:
    with holder(tmp_path) as process:
        process.kill()
        process.wait()
        assert taken(tmp_path)


def test_one_process_cannot_hold_it_twice(tmp_path: Path) -> None:
    lock = FolderLock.acquire(tmp_path)
    with pytest.raises(LockedError, match=f"pid {os.getpid()}"):
        FolderLock.acquire(tmp_path)
    lock.release()


def test_it_can_be_taken_again_once_released(tmp_path: Path) -> None:
    first = FolderLock.acquire(tmp_path)
    first.release()
    first.release()
    assert taken(tmp_path)


def test_a_lock_file_from_a_dead_process_locks_nobody_out(tmp_path: Path) -> None:
    (tmp_path / LOCK_NAME).write_text('{"pid": 1, "since": "2020-01-01"}')
    assert taken(tmp_path)


@pytest.mark.parametrize("content", ["", "garbage", "[]", '{"pid": 3}'])
def test_an_unreadable_signature_is_no_reason_to_fail_otherwise(tmp_path: Path, content: str) -> None:
    lock = FolderLock.acquire(tmp_path)
    (tmp_path / LOCK_NAME).write_text(content)
    with pytest.raises(LockedError, match="held by another process"):
        FolderLock.acquire(tmp_path)
    lock.release()


def test_a_folder_that_cannot_be_locked_is_a_storage_error(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="cannot lock"):
        FolderLock.acquire(tmp_path / "gone")


def test_a_link_in_place_of_the_lock_file_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").write_text("precious")
    (tmp_path / LOCK_NAME).symlink_to(tmp_path / "elsewhere")
    with pytest.raises(StorageError):
        FolderLock.acquire(tmp_path)
    assert (tmp_path / "elsewhere").read_text() == "precious"


def test_the_lock_does_not_pass_on_to_a_started_program(tmp_path: Path) -> None:
    lock = FolderLock.acquire(tmp_path)
    with subprocess.Popen(["sleep", "30"], close_fds=False) as child:
        lock.release()
        assert taken(tmp_path)
        child.kill()
