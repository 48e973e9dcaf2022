"""A writer is killed at each write, sync, rename and removal of random plans: nothing is lost, doubled or made up."""

import os
import tempfile
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest
from kill_points import Killer

IN_MEMORY = Path("/dev/shm")
"""Files here outlive a killed process as they do on a disk, and a sync costs a quarter."""


@pytest.fixture
def killer(strace: list[str]) -> Iterator[Killer]:
    base = IN_MEMORY if os.access(IN_MEMORY, os.W_OK) else None
    with tempfile.TemporaryDirectory(dir=base) as home, Killer(Path(home), strace) as killer:
        yield killer


Hit = Callable[[int, int], tuple[bool, str]]


def each_call(hit: Hit, count: int) -> tuple[int, list[str]]:
    """Hit plan after plan at every call it makes, up to a count; also what was wrong, and where."""
    hits, seed, when, wrong = 0, 0, 1, []
    while hits < count:
        struck, problem = hit(seed, when)
        if problem:
            wrong.append(f"plan {seed}, call {when}: {problem}")
        hits += struck
        seed, when = (seed, when + 1) if struck else (seed + 1, 1)
    return hits, wrong


def counts(few: int, many: int) -> pytest.MarkDecorator:
    """The same test twice: with few points always, with many of them where long counts are asked for."""
    short = pytest.param(few, marks=pytest.mark.timeout(300))
    long = pytest.param(many, marks=[pytest.mark.deep, pytest.mark.timeout(7200)])
    return pytest.mark.parametrize("count", [short, long])


@counts(300, 5_000)
def test_no_kill_loses_doubles_or_invents_anything(killer: Killer, count: int) -> None:
    killed, wrong = each_call(killer.kill, count)
    assert killed >= count
    assert wrong == []


@counts(60, 1_000)
def test_a_disk_that_is_full_at_one_write_is_told_and_passes(killer: Killer, count: int) -> None:
    full, wrong = each_call(killer.fill, count)
    assert full >= count
    assert wrong == []


@pytest.mark.timeout(300)
def test_the_harness_catches_an_acknowledgement_before_the_commit(killer: Killer) -> None:
    _, wrong = each_call(partial(killer.kill, early=True), 25)
    assert wrong
