"""What clients of the OpenAI protocol send. A field that is not named here is refused.

A field of type `Ignored` is taken and has no effect: answers come from the documents, word for word or checked
sentence by sentence, and no knob of a sampler changes that.
"""

from collections.abc import Sequence
from typing import Annotated, Any, Literal, Self

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    TypeAdapter,
    ValidationError,
    field_validator,
    model_validator,
)

from qa.wire import MAX_TEXT_BYTES, MAX_TURNS, Asked, fits

Ignored = Annotated[Any, Field(description="Taken, without effect.")]
Empty = Annotated[list[Any], Field(max_length=0)]
ModelName = Annotated[str, Field(min_length=1, max_length=256), fits(1024)]

MAX_MESSAGES = 1000
_ASKED: TypeAdapter[str] = TypeAdapter(Asked)
_TURN: TypeAdapter[str] = TypeAdapter(Annotated[str, fits(MAX_TEXT_BYTES)])


class In(BaseModel):
    """A request, or a part of one."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)


class PartIn(In):
    """A part of a message: text, and nothing else is read."""

    type: Literal["text", "input_text", "output_text"]
    text: str
    annotations: Ignored = None
    logprobs: Ignored = None
    prompt_cache_breakpoint: Ignored = None


class MessageIn(In):
    """A message. An assistant's may come back as this server sent it."""

    role: Literal["system", "developer", "user", "assistant"]
    content: str | list[PartIn] | None = None
    name: Ignored = None
    refusal: Ignored = None
    annotations: Ignored = None
    context: Ignored = None
    audio: None = None
    function_call: None = None
    tool_calls: Empty | None = None

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if self.content is None and self.role != "assistant":
            raise ValueError("content is missing")
        return self


class ItemIn(In):
    """An item of a response's input: a message, or a search that an earlier response reported."""

    type: Literal["message", "file_search_call"] = "message"
    role: Literal["system", "developer", "user", "assistant"] | None = None
    content: str | list[PartIn] | None = None
    id: Ignored = None
    status: Ignored = None
    phase: Ignored = None
    context: Ignored = None
    queries: Ignored = None
    results: Ignored = None

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if self.type == "message" and (self.role is None or self.content is None):
            raise ValueError("a message has a role and content")
        return self


class StreamOptionsIn(In):
    """How a stream is told."""

    include_usage: bool | None = None
    include_obfuscation: Ignored = None


class TextFormatIn(In):
    """The one format there is."""

    type: Literal["text"]


class TextIn(In):
    """How a response's text is given."""

    format: TextFormatIn | None = None
    verbosity: Ignored = None


class ChatIn(In):
    """A request for `POST /v1/chat/completions`."""

    model: ModelName
    messages: Annotated[list[MessageIn], Field(min_length=1, max_length=MAX_MESSAGES)]
    stream: bool | None = None
    stream_options: StreamOptionsIn | None = None
    n: Literal[1] | None = None
    logprobs: Literal[False] | None = None
    top_logprobs: Literal[0] | None = None
    modalities: Annotated[list[Literal["text"]], Field(max_length=1)] | None = None
    response_format: TextFormatIn | None = None
    tools: Empty | None = None
    tool_choice: Literal["none", "auto"] | None = None
    frequency_penalty: Ignored = None
    logit_bias: Ignored = None
    max_completion_tokens: Ignored = None
    max_tokens: Ignored = None
    metadata: Ignored = None
    parallel_tool_calls: Ignored = None
    presence_penalty: Ignored = None
    prompt_cache_key: Ignored = None
    prompt_cache_options: Ignored = None
    prompt_cache_retention: Ignored = None
    reasoning_effort: Ignored = None
    safety_identifier: Ignored = None
    seed: Ignored = None
    service_tier: Ignored = None
    stop: Ignored = None
    store: Ignored = None
    temperature: Ignored = None
    top_p: Ignored = None
    user: Ignored = None
    verbosity: Ignored = None

    @field_validator("messages")
    @classmethod
    def _ends_with_a_question(cls, messages: list[MessageIn]) -> list[MessageIn]:
        conversation(_said(messages))
        return messages

    @property
    def said(self) -> list[tuple[str, str]]:
        """Role and words of each message."""
        return _said(self.messages)


class ResponseIn(In):
    """A request for `POST /v1/responses`."""

    model: ModelName
    input: str | Annotated[list[ItemIn], Field(min_length=1, max_length=MAX_MESSAGES)]
    stream: bool | None = None
    include: list[Literal["file_search_call.results"]] | None = None
    background: Literal[False] | None = None
    conversation: None = None
    previous_response_id: None = None
    prompt: None = None
    text: TextIn | None = None
    tools: Empty | None = None
    tool_choice: Literal["none", "auto"] | None = None
    top_logprobs: Literal[0] | None = None
    instructions: Ignored = None
    max_output_tokens: Ignored = None
    max_tool_calls: Ignored = None
    metadata: Ignored = None
    parallel_tool_calls: Ignored = None
    prompt_cache_key: Ignored = None
    prompt_cache_options: Ignored = None
    prompt_cache_retention: Ignored = None
    reasoning: Ignored = None
    safety_identifier: Ignored = None
    service_tier: Ignored = None
    store: Ignored = None
    stream_options: StreamOptionsIn | None = None
    temperature: Ignored = None
    top_p: Ignored = None
    truncation: Ignored = None
    user: Ignored = None

    @field_validator("input")
    @classmethod
    def _ends_with_a_question(cls, given: str | list[ItemIn]) -> str | list[ItemIn]:
        conversation(_said(given))
        return given

    @property
    def said(self) -> list[tuple[str, str]]:
        """Role and words of each message."""
        return _said(self.input)


class EmbeddingsIn(In):
    """A request for `POST /v1/embeddings`; `input_type` is ours and says on which side of a search the text stands."""

    model: ModelName
    input: Asked | Annotated[list[Asked], Field(min_length=1, max_length=256)]
    encoding_format: Literal["float", "base64"] | None = None
    dimensions: Annotated[int, Field(ge=1, le=1_000_000)] | None = None
    input_type: Literal["document", "query"] = "document"
    user: Ignored = None

    @property
    def texts(self) -> list[str]:
        """The texts, one or many."""
        return [self.input] if isinstance(self.input, str) else self.input


def _said(given: str | Sequence[MessageIn | ItemIn]) -> list[tuple[str, str]]:
    if isinstance(given, str):
        return [("user", given)]
    return [(item.role, _text_of(item.content)) for item in given if item.role is not None]


def _text_of(content: str | list[PartIn] | None) -> str:
    if isinstance(content, list):
        return "\n".join(part.text for part in content)
    return content or ""


def conversation(said: list[tuple[str, str]]) -> tuple[str, list[tuple[str, str]]]:
    """The question, and up to 50 turns before it. What `system` and `developer` say is left out.

    Raises:
        ValueError: the last turn is not a question, or a text is out of bounds.
    """
    turns = [(role, text) for role, text in said if role in {"user", "assistant"}]
    if not turns or turns[-1][0] != "user":
        raise ValueError("the last message must be the user's question")
    history = [(role, text) for role, text in turns[-MAX_TURNS - 1 : -1] if text]
    try:
        question = _ASKED.validate_python(turns[-1][1])
        for _, text in history:
            _TURN.validate_python(text)
    except ValidationError as error:
        raise ValueError(str(error.errors()[0]["msg"]).removeprefix("Value error, ")) from None
    return question, history
