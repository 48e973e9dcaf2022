"""The objects that are sent to clients of the OpenAI protocol, as the schema documents them."""

from typing import Literal

from pydantic import BaseModel, ConfigDict

from qa.wire import AnswerOut

Attributes = dict[str, str | int | float | bool]


class Out(BaseModel):
    """An object, or a part of one."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class UsageOut(Out):
    """Tokens, as the LLM's endpoint counts them."""

    prompt_tokens: int
    completion_tokens: int
    total_tokens: int


class UrlOut(Out):
    """Where a citation leads: `start_index` to before `end_index` is its marker in the text."""

    start_index: int
    end_index: int
    title: str
    url: str


class UrlCitationOut(Out):
    """A citation of a chat message."""

    type: Literal["url_citation"]
    url_citation: UrlOut


class ChatMessageOut(Out):
    """The assistant's message; `context` is the answer as `POST /v1/query` gives it."""

    role: Literal["assistant"]
    content: str
    refusal: None
    annotations: list[UrlCitationOut]
    context: AnswerOut


class ChoiceOut(Out):
    """The one choice there is."""

    index: Literal[0]
    message: ChatMessageOut
    logprobs: None
    finish_reason: Literal["stop", "length", "content_filter"]


class ChatOut(Out):
    """A chat completion."""

    id: str
    object: Literal["chat.completion"]
    created: int
    model: str
    choices: list[ChoiceOut]
    usage: UsageOut | None


class ResultOut(Out):
    """A paragraph that the search of a response found."""

    file_id: str
    filename: str
    score: float
    attributes: Attributes
    text: str


class SearchCallOut(Out):
    """The search of a response."""

    type: Literal["file_search_call"]
    id: str
    status: Literal["completed"]
    queries: list[str]
    results: list[ResultOut] | None


class FileCitationOut(Out):
    """A citation of a response: `index` is where its marker begins in the text; the rest says where in the file."""

    type: Literal["file_citation"]
    file_id: str
    filename: str
    index: int
    paragraph: int
    line_start: int
    line_end: int
    start_char_index: int
    end_char_index: int
    cited_text: str
    sha256: str
    url: str


class TextPartOut(Out):
    """The text of a response."""

    type: Literal["output_text"]
    text: str
    annotations: list[FileCitationOut]
    logprobs: list[str]


class OutputMessageOut(Out):
    """The message of a response; `context` is the answer as `POST /v1/query` gives it."""

    type: Literal["message"]
    id: str
    role: Literal["assistant"]
    status: Literal["completed", "incomplete"]
    content: list[TextPartOut]
    context: AnswerOut


class InputDetailsOut(Out):
    """Nothing is cached."""

    cached_tokens: int
    cache_write_tokens: int


class OutputDetailsOut(Out):
    """Reasoning is not counted apart."""

    reasoning_tokens: int


class ResponseUsageOut(Out):
    """Tokens, as the LLM's endpoint counts them."""

    input_tokens: int
    input_tokens_details: InputDetailsOut
    output_tokens: int
    output_tokens_details: OutputDetailsOut
    total_tokens: int


class IncompleteOut(Out):
    """Why a response is incomplete."""

    reason: Literal["max_output_tokens", "content_filter"]


class ResponseOut(Out):
    """A response: a search, and a message."""

    id: str
    object: Literal["response"]
    created_at: int
    status: Literal["completed", "incomplete"]
    background: bool
    error: None
    incomplete_details: IncompleteOut | None
    instructions: None
    max_output_tokens: None
    metadata: dict[str, str]
    model: str
    output: list[SearchCallOut | OutputMessageOut]
    parallel_tool_calls: bool
    previous_response_id: None
    store: bool
    temperature: None
    text: dict[str, dict[str, str]]
    tool_choice: Literal["auto"]
    tools: list[str]
    top_p: None
    truncation: Literal["disabled"]
    usage: ResponseUsageOut | None


class ModelOut(Out):
    """A collection as a model; when it was made is not recorded."""

    id: str
    object: Literal["model"] = "model"
    created: int = 0
    owned_by: str = "nutgraf"


class ModelsOut(Out):
    """The models there are."""

    object: Literal["list"] = "list"
    data: list[ModelOut]


class EmbeddingOut(Out):
    """One vector: numbers, or little-endian float32 in base64."""

    object: Literal["embedding"] = "embedding"
    index: int
    embedding: list[float] | str


class EmbeddingUsageOut(Out):
    """Tokens that the embedding model read."""

    prompt_tokens: int
    total_tokens: int


class EmbeddingsOut(Out):
    """Vectors in the order of the texts."""

    object: Literal["list"] = "list"
    data: list[EmbeddingOut]
    model: str
    usage: EmbeddingUsageOut


class TextOut(Out):
    """A text."""

    type: Literal["text"] = "text"
    text: str


class StoreHitOut(Out):
    """A paragraph found in a collection."""

    file_id: str
    filename: str
    score: float
    attributes: Attributes
    content: list[TextOut]


class StorePageOut(Out):
    """The one page of what was found."""

    object: Literal["vector_store.search_results.page"] = "vector_store.search_results.page"
    search_query: list[str]
    data: list[StoreHitOut]
    has_more: bool = False
    next_page: None = None
