"""`nutgraf remove`, `backup`, `restore`, `purge` and `migrate`."""

import argparse
from collections.abc import Mapping
from pathlib import Path

from qa.cli.failing import NO_INPUT, PROBLEMS, USAGE, CommandError, complain
from qa.cli.shared import (
    offer_collection,
    offer_data_dir,
    offer_json,
    opened,
    put,
    put_json,
    require_index,
    settings_of,
)
from qa.payload import backup_payload, migration_payload
from qa.render import one_line


def add_remove(parser: argparse.ArgumentParser) -> None:
    """Which documents."""
    parser.add_argument("paths", nargs="+", metavar="PATH", help="path of a document, as `search` shows it")
    offer_json(parser)
    offer_data_dir(parser)
    offer_collection(parser)


def run_remove(args: argparse.Namespace, env: Mapping[str, str]) -> int:
    """Take the documents away; exit 66 when one of them was not there."""
    require_index(args, env)
    removed, missing = [], []
    with opened(args, env, writable=True) as service:
        for path in dict.fromkeys(args.paths):
            info = service.find(args.collection, path)
            if info is None:
                missing.append(path)
            else:
                service.remove(args.collection, info.id)
                removed.append(path)
    for path in missing:
        complain(f"{path}: no such document")
    if args.json:
        put_json({"removed": removed, "missing": missing})
    else:
        put(f"{len(removed)} removed")
    return NO_INPUT if missing else 0


def add_backup(parser: argparse.ArgumentParser) -> None:
    """Where to."""
    parser.add_argument("folder", metavar="DIR", help="folder to make; nothing may be there yet")
    offer_json(parser)
    offer_data_dir(parser)


def run_backup(args: argparse.Namespace, env: Mapping[str, str]) -> int:
    """Copy the index as it is at this moment."""
    require_index(args, env)
    from index.backup import backup

    manifest = backup(settings_of(args, env).data_dir, Path(args.folder))
    if args.json:
        put_json(backup_payload(manifest, Path(args.folder)))
    else:
        put(f"{manifest.contents.documents} documents backed up to {one_line(args.folder)}")
    return 0


def add_restore(parser: argparse.ArgumentParser) -> None:
    """Where from."""
    parser.add_argument("folder", metavar="DIR", help="folder that `backup` made")
    offer_json(parser)
    offer_data_dir(parser)


def run_restore(args: argparse.Namespace, env: Mapping[str, str]) -> int:
    """Verify the backup and put it into the data folder, which has to be empty."""
    from index.backup import restore

    data_dir = settings_of(args, env).data_dir
    manifest = restore(Path(args.folder), data_dir)
    if args.json:
        put_json(backup_payload(manifest, Path(args.folder)))
    else:
        put(f"{manifest.contents.documents} documents restored into {one_line(str(data_dir))}")
    return 0


def add_purge(parser: argparse.ArgumentParser) -> None:
    """Nothing but the index."""
    offer_json(parser)
    offer_data_dir(parser)


def run_purge(args: argparse.Namespace, env: Mapping[str, str]) -> int:
    """Rewrite the index without what was deleted."""
    require_index(args, env)
    from index.purge import folder_size

    folder = settings_of(args, env).data_dir
    with opened(args, env, writable=True) as service:
        before = folder_size(folder)
        service.purge()
        after = folder_size(folder)
    if args.json:
        put_json({"bytes_before": before, "bytes_after": after})
    else:
        put(f"purged; the index takes {after:,} bytes, {before:,} before")
    return 0


def add_migrate(parser: argparse.ArgumentParser) -> None:
    """Where to."""
    parser.add_argument(
        "--to",
        required=True,
        metavar="STORE",
        help="milvus+http://HOST:PORT/DATABASE, or local (as NUTGRAF_STORE)",
    )
    offer_json(parser)
    offer_data_dir(parser)


def run_migrate(args: argparse.Namespace, env: Mapping[str, str]) -> int:
    """Bring the vectors there and compare; exit 1 when something differs."""
    require_index(args, env)
    from index.address import store_address
    from index.errors import InputError
    from index.migrate import migrate

    settings = settings_of(args, env)
    try:
        to = store_address(args.to, settings.store_token.reveal() if settings.store_token else "")
    except InputError as error:
        raise CommandError(f"--to takes {error}", USAGE) from None
    proofs = migrate(settings.data_dir, to)
    if args.json:
        put_json(migration_payload(proofs))
    else:
        for proof in proofs:
            put(
                f"{proof.collection}: {proof.vectors:,} vectors, top 10 as searched exactly: {proof.overlap:.1%}"
            )
            put(f"  sha256 {proof.sha256}")
    for proof in proofs:
        for problem in proof.problems:
            complain(f"{proof.collection}: {problem}")
    return 0 if all(proof.equal for proof in proofs) else PROBLEMS
