import os
import socket
from collections.abc import Callable
from pathlib import Path

import pytest

from index.errors import MissingFolderError
from index.walk import MAX_DEPTH, FileSkipped, Found, read_file, walk


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path / "corpus"
    folder.mkdir()
    return folder


def paths(root: Path, exclude: Path | None = None) -> list[str]:
    return [found.path for found in walk(root, exclude=exclude).files]


def reasons(root: Path) -> dict[str, str]:
    return {skipped.path: skipped.reason for skipped in walk(root).skipped}


def add(root: Path, *names: str) -> None:
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(name)


def test_files_come_by_path_with_folders_within_folders(root: Path) -> None:
    add(root, "b.txt", "a/z.txt", "a/b/c.txt", "a.txt")
    assert paths(root) == ["a.txt", "a/b/c.txt", "a/z.txt", "b.txt"]


def test_hidden_files_and_folders_are_passed_over(root: Path) -> None:
    add(root, ".hidden", ".git/config", "seen.txt")
    assert (paths(root), reasons(root)) == (["seen.txt"], {})


def test_the_data_folder_is_passed_over_wherever_it_is(root: Path) -> None:
    add(root, "a.txt", "deep/data/catalog.txt")
    assert paths(root, exclude=root / "deep" / ".." / "deep" / "data") == ["a.txt"]


def test_links_are_named_and_never_followed(root: Path, tmp_path: Path) -> None:
    add(root, "a.txt")
    add(tmp_path, "secret.txt")
    (root / "inside.txt").symlink_to(root / "a.txt")
    (root / "outside.txt").symlink_to(tmp_path / "secret.txt")
    (root / "up").symlink_to(tmp_path)
    (root / "loop").symlink_to(root / "loop")
    assert paths(root) == ["a.txt"]
    assert reasons(root) == {
        "inside.txt": "symlink",
        "outside.txt": "outside_root",
        "up": "outside_root",
        "loop": "symlink",
    }


def test_pipes_and_sockets_are_skipped_without_being_opened(root: Path) -> None:
    os.mkfifo(root / "pipe.txt")
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(os.path.relpath(root / "s.txt"))
        assert reasons(root) == {"pipe.txt": "not_regular", "s.txt": "not_regular"}


def test_a_root_that_is_a_link_is_walked(root: Path, tmp_path: Path) -> None:
    add(root, "a.txt")
    (tmp_path / "link").symlink_to(root)
    assert paths(tmp_path / "link") == ["a.txt"]
    assert read_file(tmp_path / "link", Found("a.txt", ("a.txt",))) == b"a.txt"


@pytest.mark.parametrize(("name", "why"), [("gone", "no such folder"), ("file", "not a folder")])
def test_a_root_that_is_no_folder_is_named(tmp_path: Path, name: str, why: str) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(MissingFolderError, match=f"{name}: {why}"):
        walk(tmp_path / name)


def test_folders_too_deep_are_named(root: Path) -> None:
    deep = "/".join(["d"] * (MAX_DEPTH + 1))
    add(root, f"{deep}/a.txt", "a.txt")
    assert paths(root) == ["a.txt"]
    assert reasons(root) == {deep: "too_deep"}


@pytest.mark.parametrize(
    "name", ["new\nline.txt", "\u202ertl.txt", "x" * 251 + ".txt", "dot.txt.", "CON", "ü.txt", "u\u0308.txt"]
)
def test_any_name_is_data(root: Path, name: str) -> None:
    (root / name).write_bytes(b"content")
    (found,) = walk(root).files
    assert found.path == name
    assert read_file(root, found) == b"content"


def test_a_name_that_is_not_utf_8_is_shown_and_read(root: Path) -> None:
    (root / os.fsdecode(b"caf\xe9.txt")).write_bytes(b"content")
    (found,) = walk(root).files
    assert found.path == r"caf\xe9.txt"
    assert read_file(root, found) == b"content"


def test_a_file_over_the_limit_is_not_read(root: Path) -> None:
    with (root / "sparse.txt").open("wb") as file:
        file.truncate(1 << 40)
    with pytest.raises(FileSkipped) as caught:
        read_file(root, walk(root).files[0])
    assert (caught.value.reason, caught.value.gone) == ("too_large", True)


def test_a_file_at_the_limit_is_read(root: Path) -> None:
    (root / "a.txt").write_bytes(b"12345")
    assert read_file(root, Found("a.txt", ("a.txt",)), limit=5) == b"12345"


def test_a_file_that_vanishes_is_skipped(root: Path) -> None:
    with pytest.raises(FileSkipped) as caught:
        read_file(root, Found("gone.txt", ("gone.txt",)))
    assert (caught.value.reason, caught.value.gone) == ("vanished", True)


@pytest.mark.parametrize("names", [("link.txt",), ("folder", "secret.txt")])
def test_a_link_that_took_the_place_of_a_file_or_folder_is_not_followed(
    root: Path, tmp_path: Path, names: tuple[str, ...]
) -> None:
    add(tmp_path, "elsewhere/secret.txt")
    (root / "link.txt").symlink_to(tmp_path / "elsewhere" / "secret.txt")
    (root / "folder").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(FileSkipped):
        read_file(root, Found("x", names))


def test_a_pipe_that_took_the_place_of_a_file_does_not_block(root: Path) -> None:
    os.mkfifo(root / "a.txt")
    with pytest.raises(FileSkipped) as caught:
        read_file(root, Found("a.txt", ("a.txt",)))
    assert caught.value.reason == "not_regular"


def test_a_file_that_is_never_as_long_as_it_says_is_left_for_the_next_time() -> None:
    with pytest.raises(FileSkipped) as caught:  # as one that is being written; files of /proc say 0 bytes
        read_file(Path("/proc/self"), Found("status", ("status",)))
    assert (caught.value.reason, caught.value.gone) == ("changed_while_reading", False)


def test_a_folder_that_may_not_be_entered_is_named_and_its_content_left_open(
    root: Path, unreadable: Callable[[Path], None]
) -> None:
    add(root, "locked/a.txt")
    unreadable(root / "locked")
    found = walk(root)
    assert [(skipped.path, skipped.reason) for skipped in found.skipped] == [("locked", "permission")]
    assert found.unread == ("locked",)


def test_a_file_that_may_not_be_read_is_named_and_kept(
    root: Path, unreadable: Callable[[Path], None]
) -> None:
    add(root, "a.txt")
    unreadable(root / "a.txt")
    with pytest.raises(FileSkipped) as caught:
        read_file(root, walk(root).files[0])
    assert (caught.value.reason, caught.value.gone) == ("permission", False)
