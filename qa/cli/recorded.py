"""`nutgraf answer`: what is kept of an answer."""

import argparse
import sys
from collections.abc import Mapping

from qa.cli.shared import offer_data_dir, offer_json, opened, put, put_json, style_of


def add_answer(parser: argparse.ArgumentParser) -> None:
    """Which answer."""
    parser.add_argument("id", metavar="ID", help="id of an answer, as in the output of ask --json")
    offer_json(parser)
    offer_data_dir(parser)


def run_answer(args: argparse.Namespace, env: Mapping[str, str]) -> int:
    """Print the record, with the state of each citation; exit 66 where there is none."""
    from qa.payload import record_payload
    from qa.render_record import record_text

    with opened(args, env) as service:
        record = service.record(args.id)
    if args.json:
        put_json(record_payload(record))
    else:
        put(record_text(record, style_of(sys.stdout)))
    return 0
