"""`nutgraf chat`: the conversation of `qa.chat` on a terminal or through a pipe."""

import argparse
import contextlib
import itertools
import sys
from collections.abc import Iterator, Mapping

from qa.chat import Chat, Options
from qa.chat_screen import Screen
from qa.cli.shared import filters_of, is_terminal, offer_search, offer_source, source_of, style_of

FRAMES = "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏"


def add_chat(parser: argparse.ArgumentParser) -> None:
    """Where to ask, and how."""
    offer_source(parser)
    offer_search(parser)


def run_chat(args: argparse.Namespace, env: Mapping[str, str]) -> int:
    """Talk until the input ends."""
    terminal = is_terminal(sys.stdin) and is_terminal(sys.stdout)
    with contextlib.suppress(AttributeError):  # a stream put in its place by a caller has no encoding to set
        sys.stdout.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]
    screen = Screen(sys.stdout, style_of(sys.stdout))
    if terminal:
        screen.waiting, screen.browse = Spinner, _browse
    options = Options(args.collection, args.top_k, filters_of(args))
    with source_of(args, env) as source:
        if terminal:
            screen.say(f"Ask about the documents of {args.collection}. /help lists the commands.")
        Chat(source, screen, options).run(_prompted(env) if terminal else iter(sys.stdin))
    return 0


class Spinner:
    """One turning character on standard error, gone without a trace when it stops."""

    def __init__(self) -> None:
        self._frames = itertools.cycle(FRAMES)
        self._shown = False

    def tick(self) -> None:
        """The next frame."""
        sys.stderr.write(f"\r{next(self._frames)} reading ")
        sys.stderr.flush()
        self._shown = True

    def stop(self) -> None:
        """Clear the line."""
        if self._shown:
            sys.stderr.write("\r\x1b[K")
            sys.stderr.flush()
            self._shown = False


def _prompted(env: Mapping[str, str]) -> Iterator[str]:
    """Lines typed at a prompt, with history and arrow keys; Ctrl-C clears the line, Ctrl-D ends."""
    from pathlib import Path

    from prompt_toolkit import PromptSession
    from prompt_toolkit.history import FileHistory, History, InMemoryHistory

    history: History = InMemoryHistory()
    state = Path(env.get("XDG_STATE_HOME") or Path.home() / ".local/state", "nutgraf")
    with contextlib.suppress(OSError):  # a folder that cannot be written keeps no history
        state.mkdir(parents=True, exist_ok=True)
        path = state / "chat_history"
        path.touch(mode=0o600)
        history = FileHistory(path)
    session: PromptSession[str] = PromptSession(history=history, enable_open_in_editor=False)
    while True:
        try:
            yield session.prompt("> ")
        except KeyboardInterrupt:
            continue
        except EOFError:
            return


def _browse(url: str) -> bool:
    import webbrowser

    return webbrowser.open(url)
