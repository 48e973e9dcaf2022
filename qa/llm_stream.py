"""Reads the body of a chat completion, streamed or whole, from whoever sent it.

The client library reports neither a stream that ends early, nor a page of HTML with status 200, nor `choices`
that are null (all measured), so bytes are read here: pure functions, every odd body a `BadResponseError`.
"""

import codecs
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import chain

from qa.llm_outcome import Complete, Outcome, Refused, Truncated, Unavailable

USAGE = ("prompt_tokens", "completion_tokens", "total_tokens")


class BadResponseError(Exception):
    """A body that is not what the protocol promises."""


class ErrorEventError(Exception):
    """The endpoint says, in a well-formed body, that it failed."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class CutShortError(Exception):
    """The body ends in the middle of an event."""


@dataclass(frozen=True, slots=True)
class Piece:
    """What one event added. `progress` is false for keep-alives, roles and other events without a token."""

    text: str = ""
    progress: bool = False
    refusal: str = ""
    finish: str | None = None
    usage: Mapping[str, int] = field(default_factory=dict)
    model: str = ""


def pieces(blocks: Iterable[bytes]) -> Iterator[Piece]:
    """The pieces of a response body: server-sent events, or the one object of a server that does not stream.

    Raises:
        BadResponseError: neither of the two, or an event that is malformed.
        ErrorEventError: an event or object that reports an error.
        CutShortError: the last event is incomplete.
    """
    incoming = iter(blocks)
    head = b""
    while not head.strip():
        block = next(incoming, None)
        if block is None:
            raise BadResponseError("an empty body")
        head += block
    whole = chain([head], incoming)
    start = head.lstrip().removeprefix(codecs.BOM_UTF8)[:1]
    if start == b"{":
        yield _whole(b"".join(whole))
    elif start in (b"<", b"["):
        raise BadResponseError("neither events nor a JSON object")
    else:
        yield from _streamed(whole)


def _whole(body: bytes) -> Piece:
    return _piece(_json(body), part="message")


def _streamed(blocks: Iterable[bytes]) -> Iterator[Piece]:
    for data in event_data(blocks):
        if data.startswith("[DONE]"):
            return
        yield _piece(_json(data), part="delta")


def event_data(blocks: Iterable[bytes]) -> Iterator[str]:
    """The `data` of each server-sent event, by the rules of the HTML standard; all other lines are skipped.

    Raises:
        BadResponseError: bytes that are not UTF-8.
        CutShortError: the body ends inside an event whose data is not complete JSON.
    """
    data: list[str] = []
    for line in _lines(blocks):
        if not line:
            if data:
                yield "\n".join(data)
            data = []
            continue
        name, _, value = line.partition(":")
        if name == "data":
            data.append(value.removeprefix(" "))
    if data:
        yield _last("\n".join(data))


def _last(data: str) -> str:
    """Data that no blank line ended: whole when it parses, else cut."""
    if not data.startswith("[DONE]"):
        try:
            json.loads(data)
        except (ValueError, RecursionError):
            raise CutShortError("the last event is incomplete") from None
    return data


def _lines(blocks: Iterable[bytes]) -> Iterator[str]:
    decoder = codecs.getincrementaldecoder("utf-8-sig")("strict")
    rest: list[str] = []
    after_cr = False
    for block in blocks:
        try:
            text = decoder.decode(block)
        except UnicodeDecodeError:
            raise BadResponseError("bytes that are not UTF-8") from None
        if not text:
            continue
        # a CR that ends one block and an LF that starts the next are one line end
        whole, after_cr = text.removeprefix("\n") if after_cr else text, text.endswith("\r")
        first, *more = whole.replace("\r\n", "\n").replace("\r", "\n").split("\n")
        rest.append(first)
        for line in more:
            yield "".join(rest)
            rest = [line]
    if last := "".join(rest):
        yield last


def _json(text: str | bytes) -> Mapping[str, object]:
    try:
        data = json.loads(text)
    except (ValueError, RecursionError):
        raise BadResponseError("JSON that does not parse") from None
    if not isinstance(data, dict):
        raise BadResponseError("JSON that is not an object")
    return data


def _piece(data: Mapping[str, object], part: str) -> Piece:
    if data.get("error"):
        raise ErrorEventError(_error_code(data["error"]))
    choices = data.get("choices")
    if not (choices is None or isinstance(choices, list)):
        raise BadResponseError("`choices` is not a list")
    usage, model = _usage(data.get("usage")), data.get("model")
    name = model if isinstance(model, str) else ""
    for choice in choices or ():
        if not isinstance(choice, dict):
            raise BadResponseError("a choice is not an object")
        if choice.get("index") in (0, None):
            return _choice_piece(choice, part, usage, name)
    return Piece(usage=usage, model=name)


def _choice_piece(choice: Mapping[str, object], part: str, usage: Mapping[str, int], model: str) -> Piece:
    message = choice.get(part)
    if message is None:
        message = {}
    finish = choice.get("finish_reason")
    if not isinstance(message, dict) or not (finish is None or isinstance(finish, str)):
        raise BadResponseError(f"a choice whose `{part}` or `finish_reason` has the wrong type")
    text, refusal = _text(message.get("content")), _text(message.get("refusal"))
    thought = message.get("reasoning_content") or message.get("reasoning")
    return Piece(text, bool(text or refusal or thought), refusal, finish or None, usage, model)


def _text(content: object) -> str:
    """The text of a `content`: a string, null, or the typed parts some servers send."""
    if content is None:
        return ""
    if isinstance(content, str):
        return content
    if isinstance(content, list) and all(isinstance(item, dict) for item in content):
        texts = [item.get("text", "") for item in content if item.get("type") == "text"]
        if all(isinstance(text, str) for text in texts):
            return "".join(texts)
    raise BadResponseError("`content` is not text")


def _usage(usage: object) -> dict[str, int]:
    if not isinstance(usage, dict):
        return {}
    given = {name: usage.get(name) for name in USAGE}
    return {name: n for name, n in given.items() if type(n) is int and 0 <= n < 1 << 53}


def _error_code(error: object) -> str:
    if isinstance(error, dict):
        for key in ("code", "type"):
            if isinstance(error.get(key), str | int):
                return str(error[key])
    return "error"


@dataclass(slots=True)
class Reading:
    """What has arrived of one answer so far."""

    texts: list[str] = field(default_factory=list)
    refused: bool = False
    finish: str | None = None
    usage: dict[str, int] = field(default_factory=dict)
    model: str = ""
    started: bool = False

    @property
    def text(self) -> str:
        """All the text that has arrived."""
        return "".join(self.texts)

    def add(self, piece: Piece) -> None:
        """Take in one piece; text after the finish reason does not count."""
        self.usage.update(piece.usage)
        self.model = piece.model or self.model
        if self.finish is not None:
            return
        self.started = self.started or piece.progress
        self.refused = self.refused or bool(piece.refusal)
        self.texts.append(piece.text or piece.refusal)
        self.finish = piece.finish

    def outcome(self, cut: str | None = None) -> Outcome:
        """What the answer came to; `cut` names what ended it when the body did not end by itself."""
        text = self.text
        if self.refused or self.finish == "content_filter":
            return Refused(text, self.usage, self.model)
        if self.finish == "length":
            return Truncated(text, self.usage, self.model)
        if not text.strip():
            return Unavailable("llm_bad_response", "the endpoint sent no text")
        if self.finish == "stop":
            return Complete(text, self.usage, self.model)
        return Truncated(text, self.usage, self.model, self.finish or cut or "no_finish_reason")
