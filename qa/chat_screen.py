"""What a question shows, and where: pieces of an answer as they come, then its citations."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol, TextIO

from qa.render import PLAIN, Neutraliser, Style, abstention_text, notes_text, sources_text
from qa.source import Source, Work
from qa.types import Answer, Event, Question
from qa.wrap import Flow, wrapped


class Waiting(Protocol):
    """Shows that an answer is being looked for, until the first of it is there."""

    def tick(self) -> None:
        """Time goes by."""

    def found(self, paragraphs: int) -> None:
        """So many paragraphs are being read."""

    def stop(self) -> None:
        """Leave nothing behind."""


class Silent:
    """Shows nothing: off a terminal."""

    def tick(self) -> None:
        """Nothing."""

    def found(self, paragraphs: int) -> None:
        """Nothing."""

    def stop(self) -> None:
        """Nothing."""


@dataclass(slots=True)
class Screen:
    """Where the chat writes, in which style and width, and how it shows that it waits."""

    out: TextIO
    style: Style = PLAIN
    waiting: Callable[[], Waiting] = Silent
    browse: Callable[[str], bool] = lambda _: False
    width: Callable[[], int | None] = lambda: None

    def say(self, text: str) -> None:
        """A block of text and an empty line."""
        self.piece(f"{wrapped(text, self.width())}\n\n")

    def piece(self, text: str) -> None:
        """A part of a line."""
        self.out.write(text)
        self.out.flush()

    def flow(self) -> Flow:
        """Room for an answer that streams, its citation numbers set off."""
        return Flow(
            self.width(), paint=lambda word: re.sub(r"\[\d+\]", lambda m: self.style.marker(m[0]), word)
        )


class Shown:
    """The answer as it grows on the screen."""

    def __init__(self, screen: Screen) -> None:
        self._screen = screen
        self._begin()

    def _begin(self) -> None:
        self._safe = Neutraliser()
        self._flow = self._screen.flow()
        self._text = ""

    def add(self, text: str) -> None:
        """Show one more piece."""
        self._text += text
        self._screen.piece(self._flow.feed(self._safe.feed(text)))

    def close(self) -> None:
        """End the line, if one was begun."""
        if self._text:
            self._end("\n")

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
                self.add(answer.answer)
            self._end("\n\n")
            if answer.citations:
                screen.say(sources_text(answer, style))
        if notes := notes_text(answer, style):
            screen.say(notes)

    def _end(self, line_ends: str) -> None:
        self._screen.piece(self._flow.feed(self._safe.end()) + self._flow.end() + line_ends)
        self._begin()


def streamed(source: Source, question: Question, screen: Screen) -> Answer | None:
    """The answer, shown while it comes; None when Ctrl-C stopped it."""
    work = Work(source, question)
    shown, waiting = Shown(screen), screen.waiting()
    try:
        for event in work.events():
            if event is None:
                waiting.tick()
            elif event.name == "search":
                waiting.found(_hits(event))
            elif event.name == "delta":
                waiting.stop()
                shown.add(str(event.data.get("text", "")))
        waiting.stop()
        answer = work.answer()
    except KeyboardInterrupt:
        work.cancel()
        waiting.stop()
        shown.close()
        return None
    except Exception:
        waiting.stop()
        shown.close()
        raise
    shown.finish(answer)
    return answer


def _hits(event: Event) -> int:
    hits = event.data.get("hits")
    return len(hits) if isinstance(hits, list) else 0
