"""A model that is a script, and a question put to it over a real index."""

import threading
from collections.abc import Callable, Mapping, Sequence
from types import SimpleNamespace
from typing import TYPE_CHECKING, cast

from index.engine import Index
from qa.answer import Parts, answer
from qa.llm_outcome import Outcome
from qa.types import Answer, Event, Question

if TYPE_CHECKING:
    from qa.llm import LLM


class ScriptedLLM:
    """Gives its outcomes in turn and keeps what it was asked; streams a text in pieces of seven characters."""

    def __init__(self, *outcomes: Outcome, structured: bool = True) -> None:
        self.config = SimpleNamespace(model="scripted", structured=structured)
        self.schemas: list[Mapping[str, object] | None] = []
        self.asked: list[Sequence[Mapping[str, str]]] = []
        self._outcomes = list(outcomes)

    def count_tokens(self, _: str) -> None:
        return None

    def complete(
        self,
        messages: Sequence[Mapping[str, str]],
        *,
        on_text: Callable[[str], None] | None = None,
        cancelled: threading.Event | None = None,
        json_schema: Mapping[str, object] | None = None,
    ) -> Outcome:
        self.asked.append(messages)
        self.schemas.append(json_schema)
        outcome = self._outcomes.pop(0)
        for start in range(0, len(outcome.text), 7):
            if on_text:
                on_text(outcome.text[start : start + 7])
        return outcome


def ask(
    index: Index, question: Question | str, llm: ScriptedLLM | None = None, events: list[Event] | None = None
) -> Answer:
    asked = Question(question) if isinstance(question, str) else question
    parts = Parts(index, cast("LLM | None", llm), None, "http://x", 3000)
    return answer(asked, parts, events.append if events is not None else None)
