"""`nutgraf mcp`: the tools for a client that starts this program itself."""

import argparse
from collections.abc import Mapping

from qa.cli.shared import offer_source, settings_of, source_of


def add_mcp(parser: argparse.ArgumentParser) -> None:
    """What to ask."""
    parser.epilog = "Speaks the Model Context Protocol over standard input and output; started by its client."
    offer_source(parser)


def run_mcp(args: argparse.Namespace, env: Mapping[str, str]) -> int:
    """Serve until the client closes our input."""
    with source_of(args, env) as source:
        from qa.mcp.server import serve_stdio
        from qa.mcp.tools import Place

        base_url = args.url or settings_of(args, env).public_base_url
        serve_stdio(source, Place(base_url.rstrip("/"), args.collection))
    return 0
