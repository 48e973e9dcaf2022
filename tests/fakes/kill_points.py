"""A writer that works through a plan while one system call kills it or fails, and what must be found in its folder then.

Run as a program it serves: each line on standard input asks for one fresh process (forked, since no model is loaded
here), which waits until it is traced.
"""

import contextlib
import json
import os
import random
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Self, TypeVar

import numpy as np
from plain_parts import HashEmbedder, built_by, upsert

from index.backup import MANIFEST_NAME, backup, restore
from index.dense import EXACT_UP_TO
from index.errors import DiskFullError
from index.store import LocalStore
from index.types import Filters, Move, Remove

CALLS = "fdatasync,fsync,pwrite64,write,rename,renameat,renameat2,unlink,unlinkat,ftruncate"
ALL = Filters()
WRITES = "pwrite64,write"
LINES = 4
Done = TypeVar("Done")
State = dict[str, str]


@dataclass(frozen=True)
class Step:
    """One thing to do, and which documents there are afterwards, with their versions."""

    what: str
    path: str
    to: str
    after: State


def plan(seed: int, length: int = 5) -> list[Step]:
    chance = random.Random(seed)
    held: State = {}
    steps = []
    for number in range(length):
        path, to = chance.choice("abcd") + ".txt", f"moved{number}.txt"
        what = chance.choice(["put", "put", "put", "snapshot", "backup", "remove", "move"])
        if what in {"remove", "move"} and path not in held:
            what = "put"
        if what == "put":
            to = f"v{seed}x{number}"
            held = {**held, path: to}
        elif what == "remove":
            held = {name: version for name, version in held.items() if name != path}
        elif what == "move":
            held = {to if name == path else name: version for name, version in held.items()}
        elif what == "backup":
            to = f"backup{number}"
        steps.append(Step(what, path, to, held))
    return steps


def do(store: LocalStore, step: Step, embedder: HashEmbedder) -> None:
    if step.what == "put":
        text = f"{step.path} {step.to}\n" + "\n".join(f"It says {step.to} {n}" for n in range(LINES))
        change = upsert(step.path, text, embedder)
        store.apply("default", [replace(change, origin="upload", original=original(step.to))])
    elif step.what == "remove":
        store.apply("default", [Remove(step.path)])
    elif step.what == "move":
        store.apply("default", [Move(step.path, step.to)])
    elif step.what == "snapshot":
        store.snapshot()
    else:
        backup(store.folder, store.folder.parent / step.to)


def original(version: str) -> bytes:
    """The file of a version: more than a page of the catalog holds."""
    return version.encode() * 2_000


def work(folder: Path, seed: int, *, early: bool) -> None:
    """Work through a plan; a byte is written for each step that is acknowledged, too early where that is asked for.

    In every other plan the dense index becomes a compressed one as soon as there are two documents.

    On a full disk each step is tried once more, which has to do, and what was there can be read meanwhile.
    """
    acks = os.open(folder.parent / "acks", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    embedder = HashEmbedder()
    exact_up_to = LINES + 1 if seed % 2 else EXACT_UP_TO
    store = twice(lambda: LocalStore.open(folder, built_by(embedder), writable=True, exact_up_to=exact_up_to))
    for step in plan(seed):
        if early:
            tell(acks)
        twice(partial(do, store, step, embedder), lambda: store.documents("default"))
        if not early:
            tell(acks)
    with contextlib.suppress(DiskFullError):
        store.close()


def tell(acks: int) -> None:
    os.writev(acks, [b"."])  # not one of CALLS: no point is spent on it


def twice(act: Callable[[], Done], meanwhile: Callable[[], object] = lambda: None) -> Done:
    try:
        return act()
    except DiskFullError:
        meanwhile()
        return act()


def found(folder: Path, versions: list[str]) -> State:
    """The documents and their versions, after every surface was found to agree on them."""
    embedder = HashEmbedder()
    with LocalStore.open(folder, built_by(embedder), writable=True) as store:
        assert store.check().problems == ()
        documents = store.documents("default")
        held = {info.path: info.title.split()[-1] for info in documents}
        for info in documents:
            assert store.original("default", info.id) == original(held[info.path])
        hits = [id_ for id_, _ in store.dense("default", np.ones(16, np.float32), 1000, ALL)]
        assert len(set(hits)) == len(hits) == (LINES + 1) * len(held)
        assert len(store.passages("default", hits)) == len(hits)
        for version in versions:
            ids = [id_ for id_, _ in store.lexical("default", [version], 1000, ALL)]
            assert len(ids) == (LINES + 1) * sum(kept == version for kept in held.values())
    assert [path for path in folder.rglob("*") if ".tmp" in path.name] == []
    return held


class Killer:
    """Starts writers and kills each at the call that is asked for."""

    def __init__(self, home: Path, strace: list[str]) -> None:
        self._home = home
        self._strace = strace
        self._pristine = home / "pristine"
        with LocalStore.open(self._pristine, built_by(HashEmbedder()), writable=True) as store:
            store.create_collection("default")
        one_thread = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
        self._server = subprocess.Popen(
            [sys.executable, "-B", __file__],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, **one_thread, "PYTHONPATH": str(Path(__file__).parent)},
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._server.communicate()

    def kill(self, seed: int, when: int, *, early: bool = False) -> tuple[bool, str]:
        """Whether the writer was killed before it had ended, and what is wrong with what it left; empty when nothing."""
        home = self._fresh()
        status, _ = self._run(home, [seed, early], CALLS, f"signal=SIGKILL:when={when}")
        assert status in {0, -9}, f"the writer failed by itself: {status}"
        acks = home / "acks"
        return status == -9, wrong(home, plan(seed), acks.stat().st_size if acks.exists() else 0)

    def fill(self, seed: int, when: int) -> tuple[bool, str]:
        """Whether a write found the disk full, and what is wrong with what came of it."""
        home = self._fresh()
        status, full = self._run(home, [seed, False], WRITES, f"error=ENOSPC:when={when}")
        if status:
            return full, f"the writer ended with {status}"
        steps = plan(seed)
        done = (home / "acks").stat().st_size
        return full, wrong(home, steps, done) if done == len(steps) else f"{done} of {len(steps)} steps"

    def _fresh(self) -> Path:
        home = self._home / "one"
        shutil.rmtree(home, ignore_errors=True)
        shutil.copytree(self._pristine, home / "data")
        return home

    def _run(self, home: Path, work: list[object], calls: str, inject: str) -> tuple[int, bool]:
        """The writer's exit status, and whether what was to happen to a call happened."""
        assert self._server.stdin is not None
        assert self._server.stdout is not None
        print(json.dumps([str(home / "data"), *work]), file=self._server.stdin, flush=True)
        pid = int(self._server.stdout.readline())
        trace, inject = home / "trace", f"inject={calls}:{inject}"
        command = [*self._strace[:-1], str(trace), "-e", f"trace={calls}", "-e", inject, "-p", str(pid)]
        with subprocess.Popen(command):
            status = int(self._server.stdout.readline())
        return status, "INJECTED" in trace.read_text(encoding="utf-8", errors="replace")


def wrong(home: Path, steps: list[Step], done: int) -> str:
    """What a kill broke, after so many acknowledged steps: the next step is there whole or not at all."""
    states: list[State] = [{}, *(step.after for step in steps)]
    versions = [step.to for step in steps if step.what == "put"]
    held = found(home / "data", versions)
    if held not in states[done : done + 2]:
        return f"{held} after {done} steps, not one of {states[done : done + 2]}"
    for number, step in enumerate(steps):
        target = home / step.to
        if step.what != "backup" or (number > done and not target.exists()):
            continue
        if number < done and not (target / MANIFEST_NAME).exists():
            return f"{step.to} was acknowledged and is not there"
        if target.exists():
            restore(target, home / f"restored{number}")
            if found(home / f"restored{number}", versions) != step.after:
                return f"{step.to} holds another state"
    return ""


def serve() -> None:
    for line in sys.stdin:
        folder, seed, early = json.loads(line)
        pid = os.fork()
        if pid == 0:
            while "TracerPid:\t0" in Path("/proc/self/status").read_text():
                time.sleep(0.001)
            time.sleep(0.002)
            try:
                work(Path(folder), seed, early=early)
            except BaseException:  # noqa: BLE001 - the child of a fork may go nowhere else
                os._exit(1)
            os._exit(0)
        print(pid, flush=True)
        print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), flush=True)


if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
    serve()
