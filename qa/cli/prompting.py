"""The line editor of `nutgraf chat`: history, completion, and questions of several lines."""

import contextlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from prompt_toolkit.history import History
    from prompt_toolkit.key_binding import KeyBindings, KeyPressEvent


def prompted(env: Mapping[str, str], commands: tuple[str, ...]) -> Iterator[str]:
    """Questions typed at a prompt, of one line or several; Ctrl-C clears the line, Ctrl-D ends."""
    from prompt_toolkit import PromptSession
    from prompt_toolkit.auto_suggest import AutoSuggestFromHistory
    from prompt_toolkit.completion import WordCompleter

    session: PromptSession[str] = PromptSession(
        history=_history(env),
        auto_suggest=AutoSuggestFromHistory(),
        completer=WordCompleter(list(commands), sentence=True),
        complete_while_typing=False,
        enable_open_in_editor=False,
        key_bindings=_bindings(),
        multiline=True,
        prompt_continuation="· ",
    )
    while True:
        try:
            yield session.prompt("> ")
        except KeyboardInterrupt:
            continue
        except EOFError:
            return


def _history(env: Mapping[str, str]) -> "History":
    from prompt_toolkit.history import FileHistory, InMemoryHistory

    state = Path(env.get("XDG_STATE_HOME") or Path.home() / ".local/state", "nutgraf")
    with contextlib.suppress(OSError):  # a folder that cannot be written keeps no history
        state.mkdir(parents=True, exist_ok=True)
        path = state / "chat_history"
        path.touch(mode=0o600)
        return FileHistory(path)
    return InMemoryHistory()


def _bindings() -> "KeyBindings":
    """Enter sends; Alt-Enter, or Enter after a backslash, begins another line."""
    from prompt_toolkit.key_binding import KeyBindings

    keys = KeyBindings()

    @keys.add("enter")
    def _(event: "KeyPressEvent") -> None:
        buffer = event.current_buffer
        if buffer.document.text_before_cursor.endswith("\\"):
            buffer.delete_before_cursor()
            buffer.insert_text("\n")
        else:
            buffer.validate_and_handle()

    @keys.add("escape", "enter")
    def _(event: "KeyPressEvent") -> None:
        event.current_buffer.insert_text("\n")

    return keys
