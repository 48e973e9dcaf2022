"""A draft as JSON: the shape asked of the model, and its sentences read while it is still being written."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence

from qa.prompt import REFUSAL

_LIST = re.compile(r'^\s*(?:```(?:json)?\s*)?\{\s*"sentences"\s*:\s*\[')
_FENCE, _OPENING = "```json", '{"sentences":['
_BETWEEN = re.compile(r"[\s,]*")
_END = re.compile(r"\s*\]")

_decoder = json.JSONDecoder()


def draft_schema(labels: Sequence[str]) -> Mapping[str, object]:
    """JSON Schema of a draft, in the subset that OpenAI's strict mode takes: sentences, each with its source."""
    item = {
        "type": "object",
        "properties": {"text": {"type": "string"}, "source": {"type": "string", "enum": list(labels)}},
        "required": ["text", "source"],
        "additionalProperties": False,
    }
    return {
        "type": "object",
        "properties": {"sentences": {"type": "array", "items": item}},
        "required": ["sentences"],
        "additionalProperties": False,
    }


class DraftText:
    """The plain text of a draft that may come as JSON: each sentence is a line, an empty list is a refusal.

    An endpoint that does not know the shape answers in plain text, which passes through as it comes.
    """

    def __init__(self) -> None:
        self._raw = ""
        self._read = 0
        self._sentences = 0
        self._kind: str | None = None

    def feed(self, piece: str) -> str:
        """Take more of the draft; gives the plain text that is known by now."""
        self._raw += piece
        if self._kind == "plain":
            return piece
        if self._kind is None:
            start = _LIST.match(self._raw)
            if start is not None:
                self._kind, self._read = "json", start.end()
            elif not _may_be_list(self._raw):
                self._kind = "plain"
                return self._raw
        return "".join(self._items()) if self._kind == "json" else ""

    def finish(self) -> str:
        """The draft is over: what is left of it as plain text."""
        if self._kind is None:  # too short to tell
            return self._raw
        empty = self._kind == "json" and not self._sentences and _END.match(self._raw, self._read)
        return REFUSAL if empty else ""

    def _items(self) -> Iterator[str]:
        while True:
            between = _BETWEEN.match(self._raw, self._read)
            start = between.end() if between else self._read
            try:
                item, self._read = _decoder.raw_decode(self._raw, start)
            except ValueError:  # not whole yet, or the end of the list
                return
            text = item.get("text") if isinstance(item, dict) else item
            if isinstance(text, str) and text.strip():
                self._sentences += 1
                yield " ".join(text.split()) + "\n"


def _may_be_list(text: str) -> bool:
    """Whether more text could make this the beginning of a list of sentences."""
    bare = "".join(text.split())
    if _FENCE.startswith(bare):
        return True
    return _OPENING.startswith(bare.removeprefix(_FENCE).removeprefix("```"))
