"""Watching a folder. The only module that imports watchfiles."""

import threading
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import watchfiles

from index.errors import MissingFolderError

QUIET_MS = 200
"""A burst of changes is over when nothing more changed for so long ..."""

LONGEST_MS = 5_000
"""... or when it has lasted so long."""

_TICK_MS = 250

Identity = tuple[int, int] | None


def watch(root: Path, act: Callable[[], None], stop: threading.Event, *, exclude: Path) -> None:
    """Call `act` once the folder is watched, and again after each burst of changes in it, until `stop` is set.

    Hidden files and the `exclude` folder, where `act` itself may write, are passed over. What changes while `act`
    runs makes it run again.

    Raises:
        MissingFolderError: the folder is not there, or no longer.
        OSError: the system cannot watch it, for example because of its limit on watches.
    """
    while not stop.is_set():
        identity = _identity(root)
        if identity is None:
            raise MissingFolderError(f"{root}: no such folder")
        _until_replaced(root, act, stop, _Candidates(root, exclude), identity)


def _until_replaced(
    root: Path, act: Callable[[], None], stop: threading.Event, candidates: "_Candidates", identity: Identity
) -> None:
    """Watch until another folder stands in the place of this one, which the system's watch would not see."""
    bursts = watchfiles.watch(
        root,
        watch_filter=None,
        stop_event=stop,
        step=QUIET_MS,
        debounce=LONGEST_MS,
        rust_timeout=_TICK_MS,
        yield_on_timeout=True,
        ignore_permission_denied=True,
    )
    due = True  # by the first tick the watch stands, so nothing can slip between it and the first run
    with closing(bursts):
        for burst in bursts:
            if due or any(candidates.holds(path) for _, path in burst):
                due = False
                act()
            if _identity(root) != identity:
                return


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
