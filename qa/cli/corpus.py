"""`nutgraf index`, `check` and `status`."""

import argparse
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from index.errors import MissingFolderError
from qa.cli.failing import DATA, NO_INPUT, PROBLEMS, USAGE, CommandError, complain
from qa.cli.progress import progress_bar, reason_of
from qa.cli.shared import (
    offer_collection,
    offer_data_dir,
    offer_json,
    opened,
    put,
    put_json,
    require_index,
    settings_of,
    style_of,
)
from qa.payload import check_payload, sync_payload
from qa.render import check_text, json_text, status_text, sync_text

if TYPE_CHECKING:
    from index.types import SyncReport

SNIFFED = 8192


def add_index(parser: argparse.ArgumentParser) -> None:
    """The folder, and the collection it becomes."""
    parser.add_argument("path", nargs="?", metavar="PATH", help="folder of documents (else NUTGRAF_CORPUS)")
    parser.add_argument("--watch", action="store_true", help="go on, and index what changes, until Ctrl-C")
    offer_json(parser)
    offer_data_dir(parser)
    offer_collection(parser)


def run_index(args: argparse.Namespace, env: Mapping[str, str]) -> int:
    """Bring the collection up to date with the folder and print what was done."""
    root = _root(args, env)
    if args.watch:
        from qa.cli.watching import follow

        return follow(root, args, env)
    with opened(args, env, writable=True) as service, progress_bar() as progress:
        try:
            report = service.sync(root, collection=args.collection, progress=progress)
        except MissingFolderError as error:
            # it was there a moment ago: what is missing is a document
            raise CommandError(str(error), DATA if root.is_dir() else NO_INPUT) from None
    for skipped in report.skipped:
        complain(f"skipped {reason_of(skipped)}")
    if args.json:
        put_json(sync_payload(report))
    else:
        put(sync_text(report))
    return _verdict(root, report)


def add_check(parser: argparse.ArgumentParser) -> None:
    """Whether to mend what can be mended."""
    parser.add_argument("--repair", action="store_true", help="rebuild what can be rebuilt")
    offer_json(parser)
    offer_data_dir(parser)


def run_check(args: argparse.Namespace, env: Mapping[str, str]) -> int:
    """Print what is damaged; exit 1 when something is."""
    require_index(args, env)
    with opened(args, env, writable=args.repair) as service:
        report = service.check(repair=args.repair)
    if args.json:
        put_json(check_payload(report))
    else:
        put(check_text(report, style_of(sys.stdout)))
    return 0 if report.ok else PROBLEMS


def add_status(parser: argparse.ArgumentParser) -> None:
    """Nothing but the index."""
    offer_json(parser)
    offer_data_dir(parser)


def run_status(args: argparse.Namespace, env: Mapping[str, str]) -> int:
    """Print what is indexed and which parts are at hand."""
    with opened(args, env) as service:
        status = service.status()
    put(json_text(status) if args.json else status_text(status))
    return 0


def _root(args: argparse.Namespace, env: Mapping[str, str]) -> Path:
    """The folder to index.

    Raises:
        CommandError: none was named, it is not there, or it is a file.
    """
    root = Path(args.path) if args.path is not None else settings_of(args, env).corpus
    if root is None:
        raise CommandError("name the folder to index, or set NUTGRAF_CORPUS", USAGE)
    if not root.exists():
        raise CommandError(f"{root}: no such folder", NO_INPUT)
    if root.is_file():
        with root.open("rb") as file:
            binary = b"\0" in file.read(SNIFFED)
        reason = "not_text: the file is not text" if binary else "is a file; name the folder it is in"
        raise CommandError(f"{root}: {reason}", DATA)
    if not root.is_dir():
        raise CommandError(f"{root}: not a folder", DATA)
    return root


def _verdict(root: Path, report: "SyncReport") -> int:
    if report.added + report.changed + report.moved + report.unchanged:
        return 0
    complain(f"{root}: no file in it could be indexed" if report.skipped else f"{root}: holds no document")
    return DATA
