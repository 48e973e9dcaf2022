"""A folder that is watched by the real system; waits are bounds for a slow machine, never measured."""

import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from index.errors import MissingFolderError
from index.watch import watch

LONG = 20.0


class Watched:
    """A folder that is watched in a thread, and what was seen in it at each call."""

    def __init__(self, root: Path, exclude: Path, answers: list[bool] | None = None) -> None:
        self.root = root
        self.seen: list[list[str]] = []
        self.error: Exception | None = None
        self.called = threading.Condition()
        self._answers = answers or []
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, args=(exclude,))
        self._thread.start()

    def _run(self, exclude: Path) -> None:
        try:
            watch(self.root, self._act, self._stop, exclude=exclude, retry_s=0.1)
        except Exception as error:  # noqa: BLE001 - looked at by the test
            self.error = error
        with self.called:
            self.called.notify_all()

    def _act(self) -> bool:
        with self.called:
            self.seen.append(sorted(path.name for path in self.root.iterdir()))
            self.called.notify_all()
            return self._answers.pop(0) if self._answers else True

    def wait(self, condition: Callable[[], bool]) -> None:
        with self.called:
            assert self.called.wait_for(condition, LONG), (self.seen, self.error)

    def end(self) -> None:
        self._stop.set()
        self._thread.join(LONG)
        assert not self._thread.is_alive()


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path / "corpus"
    folder.mkdir()
    (folder / "a.txt").write_text("one")
    return folder


@pytest.fixture
def watched(root: Path) -> Iterator[Callable[..., Watched]]:
    started: list[Watched] = []

    def start(exclude: Path | None = None, answers: list[bool] | None = None) -> Watched:
        watching = Watched(root, exclude or root.parent / "data", answers)
        started.append(watching)
        watching.wait(lambda: bool(watching.seen))
        return watching

    yield start
    for watching in started:
        watching.end()


def quiet(watching: Watched) -> int:
    """The number of calls once nothing more comes."""
    calls = -1
    while calls != len(watching.seen):
        calls = len(watching.seen)
        time.sleep(0.8)
    return calls


def test_what_is_there_already_is_taken_at_once(watched: Callable[..., Watched]) -> None:
    assert watched().seen == [["a.txt"]]


def test_every_kind_of_change_is_seen(watched: Callable[..., Watched], root: Path) -> None:
    watching = watched()
    (root / "b.txt").write_text("two")
    watching.wait(lambda: watching.seen[-1] == ["a.txt", "b.txt"])
    (root / "b.txt").rename(root / "c.txt")
    watching.wait(lambda: watching.seen[-1] == ["a.txt", "c.txt"])
    calls = quiet(watching)
    (root / "a.txt").write_text("edited")
    watching.wait(lambda: len(watching.seen) > calls)
    (root / "a.txt").unlink()
    watching.wait(lambda: watching.seen[-1] == ["c.txt"])
    assert watching.error is None


def test_a_folder_made_later_is_watched_too(watched: Callable[..., Watched], root: Path) -> None:
    watching = watched()
    (root / "sub" / "deeper").mkdir(parents=True)
    watching.wait(lambda: "sub" in watching.seen[-1])
    calls = quiet(watching)
    (root / "sub" / "deeper" / "b.txt").write_text("two")
    watching.wait(lambda: len(watching.seen) > calls)
    assert watching.error is None


def test_a_burst_of_changes_is_taken_together(watched: Callable[..., Watched], root: Path) -> None:
    watching = watched()
    for number in range(200):
        (root / f"{number}.txt").write_text("x")
    watching.wait(lambda: len(watching.seen[-1]) == 201)
    assert quiet(watching) <= 6


def test_hidden_files_and_the_data_folder_make_nothing_run(
    watched: Callable[..., Watched], root: Path
) -> None:
    data = root / "data"
    data.mkdir()
    (root / ".git").mkdir()
    watching = watched(exclude=data)
    calls = quiet(watching)
    (data / "catalog.db").write_text("x")
    (root / ".git" / "index").write_text("x")
    (root / ".swp").write_text("x")
    assert quiet(watching) == calls


def test_what_could_not_be_done_is_tried_again(watched: Callable[..., Watched]) -> None:
    watching = watched(answers=[False, False, True])
    watching.wait(lambda: len(watching.seen) == 3)
    assert quiet(watching) == 3


def test_a_folder_put_in_the_place_of_the_watched_one_is_watched(
    watched: Callable[..., Watched], root: Path, tmp_path: Path
) -> None:
    watching = watched()
    other = tmp_path / "other"
    other.mkdir()
    (other / "z.txt").write_text("new")
    root.rename(tmp_path / "old")
    other.rename(root)
    watching.wait(lambda: watching.seen[-1] == ["z.txt"])
    (root / "y.txt").write_text("newer")
    watching.wait(lambda: watching.seen[-1] == ["y.txt", "z.txt"])
    assert watching.error is None


def test_a_folder_that_goes_ends_the_watching(watched: Callable[..., Watched], root: Path) -> None:
    watching = watched()
    (root / "a.txt").unlink()
    root.rmdir()
    watching.wait(lambda: watching.error is not None)
    assert isinstance(watching.error, MissingFolderError | FileNotFoundError)


def test_a_folder_that_is_not_there_cannot_be_watched(tmp_path: Path) -> None:
    with pytest.raises(MissingFolderError):
        watch(tmp_path / "nope", lambda: True, threading.Event(), exclude=tmp_path / "data")
