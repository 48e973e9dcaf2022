"""The terminal that a question is asked from: its width, its spinner, and the browser beside it."""

import itertools
import os
import re
import socket
import sys
from collections.abc import Callable
from urllib.parse import SplitResult, urlsplit

from qa.chat_screen import Screen
from qa.cli.shared import is_terminal, style_of, width

FRAMES = "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏"
KNOCK_S = 0.5
_LINK = re.compile(r"https?://[A-Za-z0-9._~:/?#\[\]@!$&()*+,;=%-]+")


def screen_of(base_url: str) -> Screen:
    """Standard output as a screen; on a terminal with spinner, width, and links that open at the server named."""
    screen = Screen(sys.stdout, style_of(sys.stdout))
    if is_terminal(sys.stdout):
        screen.width = width
        screen.browse = _browser_for(base_url)
        if is_terminal(sys.stderr):
            screen.waiting = Spinner
    return screen


class Spinner:
    """One turning character on standard error, gone without a trace when it stops."""

    def __init__(self) -> None:
        self._frames = itertools.cycle(FRAMES)
        self._words = "searching"
        self._shown = False

    def tick(self) -> None:
        """The next frame."""
        sys.stderr.write(f"\r{next(self._frames)} {self._words} ")
        sys.stderr.flush()
        self._shown = True

    def found(self, paragraphs: int) -> None:
        """Say what takes the time now."""
        self.stop()
        self._words = f"reading {paragraphs} paragraphs" if paragraphs != 1 else "reading 1 paragraph"

    def stop(self) -> None:
        """Clear the line."""
        if self._shown:
            sys.stderr.write("\r\x1b[K")
            sys.stderr.flush()
            self._shown = False


def openable(url: str, base_url: str) -> bool:
    """Whether a link leads to that very server and holds nothing that a program could take for more than a link."""
    if not _LINK.fullmatch(url):
        return False
    try:
        link, base = urlsplit(url), urlsplit(base_url)
        same = (link.scheme, link.hostname, _port(link)) == (base.scheme, base.hostname, _port(base))
    except ValueError:
        return False
    return same and "@" not in link.netloc


def _port(link: SplitResult) -> int:
    return link.port or (443 if link.scheme == "https" else 80)


def _browser_for(base_url: str) -> Callable[[str], bool]:
    """Opens links of that server, while it listens, in a browser with a window of its own."""

    def browse(url: str) -> bool:
        if not (openable(url, base_url) and _has_window() and _listens(urlsplit(url))):
            return False
        import webbrowser

        return webbrowser.open(url)

    return browse


def _has_window() -> bool:
    """A browser without one would take this terminal over."""
    named = ("DISPLAY", "WAYLAND_DISPLAY", "BROWSER")
    return sys.platform == "darwin" or any(os.environ.get(name) for name in named)


def _listens(link: SplitResult) -> bool:
    try:
        with socket.create_connection((link.hostname or "", _port(link)), KNOCK_S):
            return True
    except OSError:
        return False
