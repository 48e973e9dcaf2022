"""What `nutgraf index` says while it runs, and of files it passed over."""

import contextlib
import sys
import time
from typing import TYPE_CHECKING

from qa.cli.shared import is_terminal
from qa.render import one_line

if TYPE_CHECKING:
    from collections.abc import Iterator

    from index.types import Progress, Skipped


def reason_of(skipped: "Skipped") -> str:
    """A file that was not indexed, and why, in one line."""
    return f"{skipped.path}: {skipped.reason}" + (f" ({skipped.detail})" if skipped.detail else "")


@contextlib.contextmanager
def progress_bar() -> "Iterator[Progress | None]":
    """A bar with rate and time left on a terminal; nothing elsewhere."""
    if not is_terminal(sys.stderr):
        yield None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    bar = Progress(
        TextColumn("Indexing"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[rate]}"),
        TimeRemainingColumn(),
        TextColumn("{task.fields[at]}", markup=False),
        console=Console(stderr=True),
        transient=True,
    )
    with bar:
        begun = time.monotonic()
        task = bar.add_task("", total=None, at="", rate="")

        def step(done: int, total: int, path: str) -> None:
            rate = f"{done / max(time.monotonic() - begun, 0.001):.1f} files/s"
            bar.update(task, completed=done, total=total, at=one_line(path)[-60:], rate=rate)

        yield step
