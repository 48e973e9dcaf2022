"""A conversation on a terminal or through a pipe: questions in, checked and cited answers out.

What answers is a `Source`: the index itself or a running server. A question runs in a thread of its own, so that
Ctrl-C stops the answer and not the chat.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

from index.errors import NutgrafError
from index.types import Filters
from qa.chat_screen import Screen, streamed
from qa.footnotes import markdown
from qa.render import abstention_text, one_line, paragraph_text, sources_text
from qa.source import Source
from qa.types import Answer, Citation, Question, Turn

HELP = """\
Ask a question, or a follow-up to the last one. Commands:
  /sources            what the last answer cites
  /show N             the paragraph of citation N, with its neighbours
  /open N             the link to citation N; opens it when the server runs and a browser is at hand
  /collection [NAME]  which documents to ask; without a name, list them
  /new                forget the conversation
  /save FILE          write the conversation as Markdown with footnotes
  /help               this list
  /quit               leave (so does Ctrl-D)
Ctrl-C stops an answer. A line that ends with \\ goes on in the next one; so does Alt-Enter.
The arrow keys bring back earlier questions, Tab completes commands."""

COMMANDS = tuple(re.findall(r"^  (/[a-z]+)", HELP, flags=re.MULTILINE))

KEPT_TURNS = 20
"""Messages of the conversation that go with a question; a server takes 50."""
NEIGHBOURS = 2


@dataclass(frozen=True, slots=True)
class Options:
    """How questions of the chat are asked."""

    collection: str = "default"
    top_k: int = 8
    filters: Filters = Filters()


@dataclass(slots=True)
class Chat:
    """One conversation: its history, its last answer and its options."""

    source: Source
    screen: Screen
    options: Options = field(default_factory=Options)
    history: list[Turn] = field(default_factory=list)
    answers: list[tuple[str, Answer]] = field(default_factory=list)
    answered_in: str = "default"

    def run(self, lines: Iterator[str]) -> None:
        """Take lines until they end or one says /quit."""
        for line in whole_lines(lines):
            words = line.strip()
            if not words:
                continue
            if words in ("/quit", "/exit", "/q"):
                return
            try:
                self._command(words) if words.startswith("/") else self.ask(words)
            except KeyboardInterrupt:
                self.screen.say(self.screen.style.dim("(stopped)"))
            except (NutgrafError, OSError) as error:
                self.screen.say(self.screen.style.warning("Not done:") + f" {one_line(str(error))}")

    def ask(self, text: str) -> None:
        """Ask, show the answer as it is checked, and remember both."""
        recent = tuple(self.history[-KEPT_TURNS:])
        options = self.options
        question = Question(text, options.collection, recent, options.top_k, options.filters)
        answer = streamed(self.source, question, self.screen)
        if answer is None:
            self.screen.say(self.screen.style.dim("(stopped)"))
            return
        self.answers.append((text, answer))
        self.answered_in = options.collection
        self.history.append(Turn("user", text))
        said = answer.answer_plain or "I found no answer to this in the documents."
        self.history.append(Turn("assistant", said))

    def _command(self, line: str) -> None:
        name, _, rest = line.partition(" ")
        rest = rest.strip()
        commands: dict[str, Callable[[], None]] = {
            "/help": lambda: self.screen.say(HELP),
            "/sources": self._sources,
            "/show": lambda: self._show(rest),
            "/open": lambda: self._open(rest),
            "/collection": lambda: self._collection(rest),
            "/new": self._new,
            "/save": lambda: self._save(rest),
        }
        if name in commands:
            commands[name]()
        else:
            self.screen.say(f"{one_line(name)} is not a command; /help lists them.")

    def _sources(self) -> None:
        answer = self._last()
        if answer is None:
            return
        if answer.abstention is not None:
            self.screen.say(abstention_text(answer.abstention, self.screen.style))
        else:
            self.screen.say(sources_text(answer, self.screen.style))

    def _show(self, number: str) -> None:
        citation = self._citation(number)
        if citation is None:
            return
        # the collection may be another by now
        stored = self.source.paragraphs(self.answered_in, citation.document_id)
        near = [p for p in stored if abs(p.paragraph.number - citation.paragraph) <= NEIGHBOURS]
        cited = (citation.start_char_index, citation.end_char_index)
        self.screen.say(paragraph_text(near, citation.paragraph, self.screen.style, cited))

    def _open(self, number: str) -> None:
        citation = self._citation(number)
        if citation is None:
            return
        web = citation.url.startswith(("http://", "https://"))
        opened = web and self.screen.browse(citation.url)
        self.screen.say(("Opened " if opened else "Read it at ") + one_line(citation.url or citation.path))

    def _collection(self, name: str) -> None:
        known = self.source.collections()
        if not name:
            marked = [f"{'*' if each == self.options.collection else ' '} {one_line(each)}" for each in known]
            self.screen.say("\n".join(marked))
        elif name not in known:
            self.screen.say(f"There is no collection {one_line(name)}; /collection lists them.")
        else:
            self.options = replace(self.options, collection=name)
            self._new()

    def _new(self) -> None:
        self.history.clear()
        self.screen.say(f"A new conversation about {one_line(self.options.collection)}.")

    def _save(self, name: str) -> None:
        if not name:
            self.screen.say("Name a file: /save FILE")
            return
        path = Path(name).expanduser()
        # never over a file that is there: what it holds may matter more than a chat
        with path.open("x", encoding="utf-8") as file:
            file.write(markdown(self.answers))
        self.screen.say(f"Saved as {one_line(str(path))}")

    def _last(self) -> Answer | None:
        if not self.answers:
            self.screen.say("There is no answer yet.")
            return None
        return self.answers[-1][1]

    def _citation(self, number: str) -> Citation | None:
        answer = self._last()
        if answer is None:
            return None
        shown = answer.abstention.nearest if answer.abstention else answer.citations
        found = next((c for c in shown if str(c.marker) == number.strip("[]")), None)
        if found is None:
            have = ", ".join(str(citation.marker) for citation in shown) or "none"
            self.screen.say(
                f"The last answer has no citation {one_line(number) or '(say which)'}; it has: {have}"
            )
        return found


def whole_lines(lines: Iterator[str]) -> Iterator[str]:
    """Lines, each that ends with a backslash joined to the next."""
    begun: list[str] = []
    for line in lines:
        text = line.rstrip("\r\n")
        if text.endswith("\\"):
            begun.append(text[:-1])
            continue
        yield "\n".join([*begun, text])
        begun = []
    if begun:
        yield "\n".join(begun)
