"""Watching a folder. The only module that imports watchfiles."""

import threading
import time
from collections.abc import Callable, Generator
from contextlib import closing
from pathlib import Path

import watchfiles

from index.errors import MissingFolderError

QUIET_MS = 200
"""A burst of changes is over when nothing more changed for so long ..."""

LONGEST_MS = 5_000
"""... or when it has lasted so long."""

RETRY_S = 10.0
"""How long after a failure that may pass it is tried again."""

GONE_S = 1.0
"""How long a folder may be gone while another one is put in its place."""

_TICK_MS = 250

Act = Callable[[], bool]
"""Does what a change asks for; False when it could not, and is to be called again in a while."""

Identity = tuple[int, int] | None


def watch(root: Path, act: Act, stop: threading.Event, *, exclude: Path, retry_s: float = RETRY_S) -> None:
    """Call `act` once the folder is watched, and again after each burst of changes in it, until `stop` is set.

    Hidden files and the `exclude` folder, where `act` itself may write, are passed over. What changes while `act`
    runs makes it run again, and so does its giving False, after a while.

    Raises:
        MissingFolderError: the folder is not there, or no longer.
        OSError: the system cannot watch it, for example because of its limit on watches.
    """
    while not stop.is_set():
        identity = _identity(root)
        if identity is None and stop.wait(GONE_S):
            return
        identity = identity or _identity(root)
        if identity is None:
            raise MissingFolderError(f"{root}: no such folder")
        candidates = _Candidates(root, exclude)
        due: float | None = (
            0.0  # by the first tick the watch stands, so nothing slips between it and the first run
        )
        with closing(_bursts(root, stop)) as bursts:
            for burst in bursts:
                now = time.monotonic()
                if (due is not None and now >= due) or any(candidates.holds(path) for _, path in burst):
                    due = None if act() else now + retry_s
                if _identity(root) != identity:
                    break  # another folder stands in the place of this one; the system's watch would not see it


def _bursts(root: Path, stop: threading.Event) -> Generator[set[tuple[watchfiles.Change, str]], None, None]:
    """What changed, burst by burst, and an empty set at each tick."""
    return watchfiles.watch(
        root,
        watch_filter=None,
        stop_event=stop,
        step=QUIET_MS,
        debounce=LONGEST_MS,
        rust_timeout=_TICK_MS,
        yield_on_timeout=True,
        ignore_permission_denied=True,
    )


class _Candidates:
    """Says of a changed path whether it could be a document."""

    def __init__(self, root: Path, exclude: Path) -> None:
        self._root = root.absolute()
        self._exclude = exclude.resolve()

    def holds(self, path: str) -> bool:
        """Whether a path beneath the root is one that a sync would read."""
        inside = Path(path).absolute().relative_to(self._root)
        if any(name.startswith(".") for name in inside.parts):
            return False
        return not (self._root.resolve() / inside).is_relative_to(self._exclude)


def _identity(root: Path) -> Identity:
    try:
        status = root.stat()
    except OSError:
        return None
    return status.st_dev, status.st_ino
