"""What the chat shows, and where: pieces of an answer as they come, then its citations."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol, TextIO

from qa.render import PLAIN, Neutraliser, Style, abstention_text, notes_text, sources_text, visible
from qa.types import Answer


class Waiting(Protocol):
    """Shows that an answer is being looked for, until the first of it is there."""

    def tick(self) -> None:
        """Time goes by."""

    def stop(self) -> None:
        """Leave nothing behind."""


class Silent:
    """Shows nothing: off a terminal."""

    def tick(self) -> None:
        """Nothing."""

    def stop(self) -> None:
        """Nothing."""


@dataclass(slots=True)
class Screen:
    """Where the chat writes, in which style, and how it shows that it waits."""

    out: TextIO
    style: Style = PLAIN
    waiting: Callable[[], Waiting] = Silent
    browse: Callable[[str], bool] = lambda _: False

    def say(self, text: str) -> None:
        """A block of text and an empty line."""
        self.out.write(f"{text}\n\n")
        self.out.flush()

    def piece(self, text: str) -> None:
        """A part of a line."""
        self.out.write(text)
        self.out.flush()


class Shown:
    """The answer as it grows on the screen."""

    def __init__(self, screen: Screen) -> None:
        self._screen = screen
        self._safe = Neutraliser()
        self._text = ""

    def add(self, text: str) -> None:
        """Show one more piece."""
        self._text += text
        self._screen.piece(self._safe.feed(text))

    def close(self) -> None:
        """End the line, if one was begun."""
        if self._text:
            self._screen.piece(self._safe.end() + "\n")

    def finish(self, answer: Answer) -> None:
        """Show what had not been shown, then the citations and notes."""
        style, screen = self._screen.style, self._screen
        if answer.abstention is not None:
            self.close()
            screen.say(abstention_text(answer.abstention, style))
        else:
            # the stream is shown as it came; where the final text differs, the final text is what counts
            if answer.answer.startswith(self._text):
                self.add(answer.answer[len(self._text) :])
            elif answer.answer.strip() != self._text.strip():
                self.close()
                screen.piece(visible(answer.answer))
            screen.say(self._safe.end())
            if answer.citations:
                screen.say(sources_text(answer, style))
        if notes := notes_text(answer, style):
            screen.say(notes)
