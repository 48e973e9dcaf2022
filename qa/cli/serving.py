"""`nutgraf serve` and `eval`: both hand over to the package that does the work."""

import argparse
from collections.abc import Mapping

from qa.cli.shared import offer_data_dir, settings_of


def add_serve(parser: argparse.ArgumentParser) -> None:
    """Where to listen, and what to keep indexed."""
    parser.add_argument("--host", metavar="HOST", help="address to bind (else NUTGRAF_HOST, 127.0.0.1)")
    parser.add_argument("--port", metavar="PORT", help="port to bind (else NUTGRAF_PORT, 8000)")
    parser.add_argument("--corpus", metavar="PATH", help="folder to index first (else NUTGRAF_CORPUS)")
    offer_data_dir(parser)


def run_serve(args: argparse.Namespace, env: Mapping[str, str]) -> int:
    """Serve until a signal ends it."""
    from qa.api.server import serve

    serve(settings_of(args, env))
    return 0


def add_eval(parser: argparse.ArgumentParser) -> None:
    """Those of the evaluation."""
    from qa.evaluate.cli import add_arguments

    add_arguments(parser)
    offer_data_dir(parser)


def run_eval(args: argparse.Namespace, env: Mapping[str, str]) -> int:
    """Run the question file."""
    from qa.evaluate.cli import run

    return run(args, settings_of(args, env))
