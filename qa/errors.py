"""Errors of answering; the base and the index's own stand in `index.errors`.

NutgrafError (index.errors)
├── SettingsError        a setting is wrong: names the variable and what it takes
├── QuestionError        a question, history or filter is out of bounds
└── LLMError             the endpoint could not be used; `code` says how
    ├── LLMTimeoutError, LLMRateLimitedError, LLMAuthError, LLMBadResponseError, LLMContextError
    └── LLMUnavailableError
"""

from index.errors import InputError, NutgrafError


class SettingsError(NutgrafError):
    """A setting is wrong; the message names the variable, the kind of value given and what it takes."""

    code = "settings"


class QuestionError(InputError):
    """A question, history or filter is out of bounds."""

    code = "invalid_question"


class LLMError(NutgrafError):
    """The LLM endpoint could not be used."""

    code = "llm_unavailable"
    retryable = True


class LLMUnavailableError(LLMError):
    """The endpoint does not answer or answers with a server error."""


class LLMTimeoutError(LLMError):
    """A deadline passed: first token, gap between tokens, or total."""

    code = "llm_timeout"


class LLMRateLimitedError(LLMError):
    """The endpoint says too many requests."""

    code = "llm_rate_limited"


class LLMAuthError(LLMError):
    """The endpoint refuses the key."""

    code = "llm_auth"
    retryable = False


class LLMBadResponseError(LLMError):
    """The endpoint's answer is not what the protocol promises."""

    code = "llm_bad_response"


class LLMContextError(LLMError):
    """The prompt is too long for the model."""

    code = "context_overflow"
    retryable = False
