import errno
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from index.durable import (
    durable_write,
    private_folder,
    remove_temporaries,
    storage_error,
)
from index.errors import DiskFullError, StorageError

WRITER = """
import sys
from pathlib import Path
from index.durable import durable_write
from index.errors import DiskFullError
try:
    durable_write(Path(sys.argv[1]), b"n" * 200_000)
except DiskFullError:
    sys.exit(75)
"""


def test_what_was_written_is_read_back_whole(tmp_path: Path) -> None:
    durable_write(tmp_path / "a", b"one", b"", memoryview(b"two"))
    assert (tmp_path / "a").read_bytes() == b"onetwo"


def test_only_the_owner_can_read_it(tmp_path: Path) -> None:
    durable_write(tmp_path / "a", b"x")
    assert stat.S_IMODE((tmp_path / "a").stat().st_mode) == 0o600


def test_what_was_there_is_replaced(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"much longer than the new")
    durable_write(tmp_path / "a", b"new")
    assert (tmp_path / "a").read_bytes() == b"new"


def test_no_temporary_file_stays(tmp_path: Path) -> None:
    durable_write(tmp_path / "a", b"x")
    assert [path.name for path in tmp_path.iterdir()] == ["a"]


def test_a_missing_folder_is_a_storage_error(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="cannot write a"):
        durable_write(tmp_path / "gone" / "a", b"x")


def test_a_failed_rename_leaves_neither_temporary_nor_change(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    with pytest.raises(StorageError):
        durable_write(tmp_path / "a", b"x")
    assert [path.name for path in tmp_path.iterdir()] == ["a"]


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT])
def test_a_full_disk_or_quota_is_told_apart(number: int) -> None:
    assert isinstance(storage_error(OSError(number, os.strerror(number)), "cannot write"), DiskFullError)


def test_another_fault_is_no_full_disk() -> None:
    assert type(storage_error(OSError(errno.EIO, "I/O error"), "cannot write")) is StorageError


@pytest.mark.parametrize("step", ["write:error=ENOSPC", "fsync:error=ENOSPC", "rename:error=EDQUOT"])
def test_no_space_at_any_step_keeps_the_old_file(tmp_path: Path, step: str, strace: list[str]) -> None:
    target = tmp_path / "a"
    target.write_bytes(b"old")
    done = subprocess.run(
        [*strace, "-e", f"inject={step}:when=1", sys.executable, "-Bc", WRITER, target], check=False
    )
    assert done.returncode == 75
    assert target.read_bytes() == b"old"
    assert [path.name for path in tmp_path.iterdir()] == ["a"]


@pytest.mark.parametrize("step", ["write:when=1", "fsync:when=1", "rename:when=1", "fsync:when=2"])
def test_a_writer_killed_at_any_step_leaves_old_or_new(tmp_path: Path, step: str, strace: list[str]) -> None:
    target = tmp_path / "a"
    target.write_bytes(b"old")
    call, when = step.split(":")
    inject = f"inject={call}:signal=SIGKILL:{when}"
    subprocess.run([*strace, "-e", inject, sys.executable, "-Bc", WRITER, target], check=False)
    assert target.read_bytes() in {b"old", b"n" * 200_000}


def test_folders_are_made_for_the_owner_alone(tmp_path: Path) -> None:
    private_folder(tmp_path / "x" / "data")
    assert stat.S_IMODE((tmp_path / "x" / "data").stat().st_mode) == 0o700


def test_a_folder_that_cannot_be_made_is_a_storage_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(StorageError, match="cannot make the folder"):
        private_folder(tmp_path / "file" / "data")


def test_leftovers_of_a_killed_writer_are_removed(tmp_path: Path) -> None:
    (tmp_path / ".a.0123.tmp").write_bytes(b"half")
    (tmp_path / "kept").write_bytes(b"whole")
    remove_temporaries(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["kept"]
