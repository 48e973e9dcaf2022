"""`nutgraf index --watch`: indexes what changes in a folder, until Ctrl-C or SIGTERM."""

import argparse
import contextlib
import signal
import sys
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from index.errors import MissingFolderError, StorageError
from index.watch import watch
from qa.cli.failing import NO_INPUT, CommandError, complain
from qa.cli.progress import progress_bar, reason_of
from qa.cli.shared import is_terminal, opened, put, put_json, settings_of
from qa.payload import sync_payload
from qa.render import one_line, sync_text

if TYPE_CHECKING:
    from index.types import Skipped, SyncReport
    from qa.service import Service


def follow(root: Path, args: argparse.Namespace, env: Mapping[str, str]) -> int:
    """Keep the collection up to date with the folder; prints a report, with `--json` a line, for each change."""
    with opened(args, env, writable=True) as service, _ended_like_ctrl_c():
        following = _Following(service, root, args)
        if is_terminal(sys.stderr):
            sys.stderr.write(f"Watching {one_line(str(root))}; Ctrl-C ends.\n")
        try:
            watch(root, following.sync, threading.Event(), exclude=settings_of(args, env).data_dir)
        except KeyboardInterrupt:
            return 0  # the way this command ends; everything that was reported is on disk
        except MissingFolderError as error:
            raise CommandError(str(error), NO_INPUT) from None
    return 0


class _Following:
    """Syncs again and again, and says only what is new."""

    def __init__(self, service: "Service", root: Path, args: argparse.Namespace) -> None:
        self._service = service
        self._root = root
        self._args = args
        self._told: frozenset[Skipped] = frozenset()
        self._first = True

    def sync(self) -> bool:
        """Bring the collection up to date; False when the disk is full or the like, which may pass."""
        try:
            with progress_bar() as progress:
                report = self._service.sync(self._root, collection=self._args.collection, progress=progress)
        except MissingFolderError as error:
            complain(str(error))  # empty for the moment, or for good: either shows in the next change
            return True
        except StorageError as error:
            if not error.retryable:
                raise
            complain(str(error))
            return False
        self._tell(report)
        return True

    def _tell(self, report: "SyncReport") -> None:
        for skipped in report.skipped:
            if skipped not in self._told:
                complain(f"skipped {reason_of(skipped)}")
        self._told = frozenset(report.skipped)
        if self._first or report.added + report.changed + report.moved + report.removed:
            self._first = False
            if self._args.json:
                put_json(sync_payload(report))
            else:
                put(sync_text(report))
            sys.stdout.flush()


@contextlib.contextmanager
def _ended_like_ctrl_c() -> Iterator[None]:
    """Let SIGTERM, by which services are ended, do what Ctrl-C does."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
