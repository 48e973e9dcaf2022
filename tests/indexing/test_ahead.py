"""Files are prepared ahead of their turn: in order, within bounds, and ended with the run."""

import threading
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import psutil
import pytest
from plain_parts import HashEmbedder, prepare

from index import ahead, jail
from index.ahead import Prepared, Read, in_order
from index.errors import RejectedError
from index.store import LocalStore
from index.sync import sync
from index.walk import FileSkipped, Found


def reads(*texts: str) -> Iterator[Read]:
    for number, text in enumerate(texts):
        yield Read(Found(f"{number}.txt", (f"{number}.txt",)), "", text.encode())


def taken(preparing: ahead.Prepare, *texts: str) -> list[str]:
    return [prepared()[0].text for _, prepared in in_order(preparing, reads(*texts))]


def test_what_is_prepared_late_still_comes_in_its_turn() -> None:
    def slow_first(data: bytes, path: str) -> Prepared:
        time.sleep(0.2 if path == "0.txt" else 0)
        return prepare(data, path)

    assert taken(slow_first, "one", "two", "three") == ["one", "two", "three"]


def test_more_than_one_file_is_prepared_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ahead, "_WORKERS", 2)
    both = threading.Barrier(2, timeout=10)

    def meeting(data: bytes, path: str) -> Prepared:
        both.wait()
        return prepare(data, path)

    assert taken(meeting, "one", "two") == ["one", "two"]


def test_no_more_files_are_read_ahead_than_allowed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ahead, "MOST_FILES", 3)
    seen: list[Read] = []

    def counted() -> Iterator[Read]:
        for read in reads(*("text" for _ in range(20))):
            seen.append(read)
            yield read

    with closing(in_order(prepare, counted())) as files:
        for number, _ in enumerate(files):
            assert len(seen) <= number + 1 + 3


@pytest.mark.parametrize("most", [0, 40])
def test_large_files_wait_until_there_is_room(monkeypatch: pytest.MonkeyPatch, most: int) -> None:
    monkeypatch.setattr(ahead, "MOST_BYTES", most)
    monkeypatch.setattr(ahead, "_WORKERS", 3)
    texts = [f"{number} " + "words " * 20 for number in range(30)]
    assert taken(prepare, *texts) == texts


def test_what_was_made_of_files_is_bounded_while_nobody_takes_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """The files are small and what is made of them is not."""
    monkeypatch.setattr(ahead, "MOST_BYTES", 1000)
    monkeypatch.setattr(ahead, "_WORKERS", 2)
    begun: list[str] = []

    def growing(data: bytes, path: str) -> Prepared:
        begun.append(path)
        return prepare(b"much " * 1000, path)

    with closing(in_order(growing, reads(*("a" for _ in range(90))))) as files:
        next(files)
        time.sleep(0.3)
        assert len(begun) <= 3
        assert sum(1 for _, prepared in files if prepared()) == 89


def test_a_rejection_comes_in_its_turn_and_the_rest_goes_on() -> None:
    found: list[str] = []
    for _, prepared in in_order(prepare, reads("one", " ", "three")):
        try:
            found.append(prepared()[0].text)
        except RejectedError as rejected:
            found.append(rejected.reason)
    assert found == ["one", "empty", "three"]


def test_files_that_were_not_read_keep_their_place() -> None:
    skipped = Read(Found("gone.txt", ("gone.txt",)), skipped=FileSkipped("vanished"))
    one, two = reads("one", "two")
    assert [read for read, _ in in_order(prepare, [one, skipped, two])] == [one, skipped, two]


def hanging(kind: str, extension: str) -> list[str]:
    return ["/bin/sleep", "60"]


def hangs(data: bytes, path: str) -> Prepared:
    if path == "0.txt":
        return prepare(data, path)
    jail.parse(data, "html", ".html")
    raise AssertionError


def test_a_run_that_ends_takes_its_parsers_along(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jail, "command", hanging)
    began = time.monotonic()
    with closing(in_order(hangs, reads("one", "two", "three", "four"))) as files:
        next(files)
        while not any("sleep" in child.name() for child in psutil.Process().children()):
            time.sleep(0.01)
    assert time.monotonic() - began < 20
    assert [child for child in psutil.Process().children() if "sleep" in child.name()] == []


@pytest.mark.parametrize("error", [KeyboardInterrupt, MemoryError])
def test_an_interrupted_run_ends_at_once_and_the_next_one_goes_on(
    tmp_path: Path, store: LocalStore, embedder: HashEmbedder, monkeypatch: pytest.MonkeyPatch, error: type
) -> None:
    monkeypatch.setattr(jail, "command", hanging)
    root = tmp_path / "root"
    root.mkdir()
    for number in range(6):
        (root / f"{number}.txt").write_text(f"Page {number} says something.")

    def interrupted(done: int, total: int, path: str) -> None:
        if done == 1:
            raise error

    began = time.monotonic()
    with pytest.raises(error):
        sync(store, embedder, hangs, root, progress=interrupted)
    assert time.monotonic() - began < 20
    assert [child for child in psutil.Process().children() if "sleep" in child.name()] == []
    assert sync(store, embedder, prepare, root).added == 6
