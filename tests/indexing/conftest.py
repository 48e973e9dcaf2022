"""Parts the tests of the index share: an open store, and ways to make the system fail under it."""

import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from plain_parts import HashEmbedder, built_by

from index.store import LocalStore
from index.types import BuiltBy

NOBODY = 65534


@pytest.fixture
def unreadable(tmp_path: Path) -> Iterator[Callable[[Path], None]]:
    """Takes every right to a path away; from root too, who has to be somebody else for a while."""
    modes = {path: path.stat().st_mode for path in tmp_path.parents[:3]}
    was_root = os.geteuid() == 0

    def locked(path: Path) -> None:
        modes[path] = path.stat().st_mode
        path.chmod(0)
        if was_root:
            for folder in modes.keys() - {path}:
                folder.chmod(folder.stat().st_mode | 0o711)
            for inside in (tmp_path, *tmp_path.rglob("*")):
                os.chown(inside, NOBODY, -1)
            os.seteuid(NOBODY)

    yield locked
    os.seteuid(os.getuid())
    for path, mode in modes.items():
        path.chmod(mode)


@pytest.fixture
def read_only_mount(tmp_path: Path) -> Iterator[Callable[[Path], Path]]:
    """Shows a folder anew, on a mount that nobody can write to."""
    places: list[Path] = []

    def mounted(folder: Path) -> Path:
        place = tmp_path / f"read-only-{len(places)}"
        place.mkdir()
        bind = subprocess.run(["mount", "--bind", folder, place], check=False, capture_output=True)
        if bind.returncode:
            pytest.skip("mounting is not allowed here")
        places.append(place)
        subprocess.run(["mount", "-o", "remount,ro,bind", place], check=True, capture_output=True)
        return place

    yield mounted
    for place in places:
        subprocess.run(["umount", place], check=True, capture_output=True)


@pytest.fixture
def embedder() -> HashEmbedder:
    return HashEmbedder()


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return tmp_path / "data"


@pytest.fixture
def open_store(data: Path, embedder: HashEmbedder) -> Iterator[Callable[..., LocalStore]]:
    """Opens stores on the data folder; closes those that are still open at the end."""
    stores: list[LocalStore] = []

    def opened(*, writable: bool = True, by: BuiltBy | None = None, **options: bool) -> LocalStore:
        store = LocalStore.open(data, by or built_by(embedder), writable=writable, **options)
        stores.append(store)
        return store

    yield opened
    for store in stores:
        store.close()


@pytest.fixture
def store(open_store: Callable[..., LocalStore]) -> LocalStore:
    opened = open_store()
    opened.create_collection("default")
    return opened
