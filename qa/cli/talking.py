"""`nutgraf chat`: the conversation of `qa.chat` on a terminal or through a pipe."""

import argparse
import contextlib
import sys
from collections.abc import Mapping

from qa.chat import COMMANDS, Chat, Options
from qa.cli.screen import screen_of
from qa.cli.shared import filters_of, is_terminal, offer_search, offer_source, settings_of, source_of
from qa.render import one_line


def add_chat(parser: argparse.ArgumentParser) -> None:
    """Where to ask, and how."""
    offer_source(parser)
    offer_search(parser)


def run_chat(args: argparse.Namespace, env: Mapping[str, str]) -> int:
    """Talk until the input ends."""
    terminal = is_terminal(sys.stdin) and is_terminal(sys.stdout)
    with contextlib.suppress(AttributeError):  # a stream put in its place by a caller has no encoding to set
        sys.stdout.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]
    screen = screen_of(args.url or settings_of(args, env).public_base_url)
    chat_options = Options(args.collection, args.top_k, filters_of(args))
    with source_of(args, env) as source:
        chat = Chat(source, screen, chat_options)
        if not terminal:
            chat.run(iter(sys.stdin))
            return 0
        from qa.cli.prompting import prompted

        screen.say(f"Ask about the documents of {one_line(args.collection)}. /help lists the commands.")
        chat.run(prompted(env, COMMANDS))
    return 0
