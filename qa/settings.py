"""Settings: one frozen value, built from an injected mapping, that names every `NUTGRAF_*` variable."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields, replace
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Self

from qa import setting_kinds as kinds
from qa.errors import SettingsError
from qa.secret import Secret
from qa.setting_kinds import MIN_KEY_LENGTH

__all__ = ["MIN_KEY_LENGTH", "PREFIX", "Secret", "Settings", "settings_table"]

PREFIX = "NUTGRAF_"
_LOCAL_PATIENCE = {"llm_ttft_s": 120.0, "llm_total_s": 300.0}
"""A processor reads a prompt of a few paragraphs for half a minute and more."""


def _env(
    parse: Callable[[str], object], text: str, *names: str, shown: str | None = None
) -> Mapping[str, object]:
    """What a setting knows of itself: its variables, its parser and its line in the README."""
    return {"env": names, "help": text, "parse": parse, "shown": shown}


@dataclass(frozen=True, slots=True)
class Settings:
    """What can be set from outside. Build it with `from_env`; to override a value, override the mapping."""

    data_dir: Path = field(
        default=Path(".nutgraf"),
        metadata=_env(kinds.path, "Folder of the index; made when missing.", "NUTGRAF_DATA_DIR"),
    )
    store: str = field(
        default="local",
        metadata=_env(
            kinds.store,
            "Where the vectors are searched: `local`, or `milvus+http://HOST:PORT/DATABASE` (`https` for TLS; "
            "`pip install 'nutgraf[milvus]'`).",
            "NUTGRAF_STORE",
        ),
    )
    store_token: Secret | None = field(
        default=None,
        metadata=_env(kinds.secret, "Token of that server, or `user:password`.", "NUTGRAF_STORE_TOKEN"),
    )
    corpus: Path | None = field(
        default=None,
        metadata=_env(
            kinds.path,
            "Folder that is synced into the default collection when the server starts.",
            "NUTGRAF_CORPUS",
        ),
    )
    host: str = field(
        default="127.0.0.1",
        metadata=_env(kinds.host, "Address to bind; any but loopback needs an API key.", "NUTGRAF_HOST"),
    )
    port: int = field(
        default=8000,
        metadata=_env(kinds.whole(0, 65535), "Port to bind; 0 takes a free one.", "NUTGRAF_PORT"),
    )
    api_key: Secret | None = field(
        default=None,
        metadata=_env(
            kinds.api_key,
            "Key every request must bring as `Authorization: Bearer`; 16 characters or more.",
            "NUTGRAF_API_KEY",
        ),
    )
    public_base_url: str = field(
        default="",
        metadata=_env(
            kinds.url,
            "Where people reach the server; links of citations start with it.",
            "NUTGRAF_PUBLIC_BASE_URL",
            shown="`http://HOST:PORT`",
        ),
    )
    allowed_hosts: tuple[str, ...] = field(
        default=(),
        metadata=_env(
            kinds.hosts,
            "More values of the Host header to answer, with port, separated by commas.",
            "NUTGRAF_ALLOWED_HOSTS",
        ),
    )
    embedding_model: str = field(
        default="auto",
        metadata=_env(
            kinds.text,
            "Name or folder of a sentence-transformers model; `auto` takes the best at hand.",
            "NUTGRAF_EMBEDDING_MODEL",
        ),
    )
    reranker: str = field(
        default="auto",
        metadata=_env(
            kinds.text,
            "Name or folder of a cross-encoder; `auto` takes the one at hand, `off` does without.",
            "NUTGRAF_RERANKER",
        ),
    )
    offline: bool = field(
        default=True, metadata=_env(kinds.flag, "Never download a model.", "NUTGRAF_OFFLINE")
    )
    threads: int = field(
        default=2,
        metadata=_env(kinds.whole(1, 64), "Threads a model may use for one question.", "NUTGRAF_THREADS"),
    )
    llm_base_url: str | None = field(
        default=None,
        metadata=_env(
            kinds.url, "Base URL of an OpenAI-compatible endpoint.", "NUTGRAF_LLM_BASE_URL", "OPENAI_BASE_URL"
        ),
    )
    llm_model: str | None = field(
        default=None,
        metadata=_env(
            kinds.text,
            "Model to ask there; without it no LLM is used, whatever else is set.",
            "NUTGRAF_LLM_MODEL",
        ),
    )
    llm_api_key: Secret | None = field(
        default=None,
        metadata=_env(kinds.secret, "Key for that endpoint.", "NUTGRAF_LLM_API_KEY", "OPENAI_API_KEY"),
    )
    llm_gguf: Path | None = field(
        default=None,
        metadata=_env(
            kinds.path,
            "Instead of an endpoint: a model's GGUF file, run by llama.cpp in a process of our own "
            "(`pip install 'nutgraf[local]'`).",
            "NUTGRAF_LLM_GGUF",
        ),
    )
    llm_ttft_s: float = field(
        default=15.0,
        metadata=_env(
            kinds.seconds(600),
            "Longest wait for the first token.",
            "NUTGRAF_LLM_TTFT_S",
            shown="`15`, with a GGUF file `120`",
        ),
    )
    llm_gap_s: float = field(
        default=15.0,
        metadata=_env(kinds.seconds(600), "Longest wait between two tokens.", "NUTGRAF_LLM_GAP_S"),
    )
    llm_total_s: float = field(
        default=90.0,
        metadata=_env(
            kinds.seconds(3600),
            "Longest time for a whole draft.",
            "NUTGRAF_LLM_TOTAL_S",
            shown="`90`, with a GGUF file `300`",
        ),
    )
    llm_max_bytes: int = field(
        default=4 * 1024 * 1024,
        metadata=_env(
            kinds.whole(1024, 1 << 30), "Largest response of the endpoint, in bytes.", "NUTGRAF_LLM_MAX_BYTES"
        ),
    )
    llm_context_tokens: int = field(
        default=4096,
        metadata=_env(
            kinds.whole(512, 4_000_000), "Context window of the LLM, in tokens.", "NUTGRAF_LLM_CONTEXT_TOKENS"
        ),
    )
    llm_max_tokens: int = field(
        default=512,
        metadata=_env(kinds.whole(16, 65536), "Longest draft, in tokens.", "NUTGRAF_LLM_MAX_TOKENS"),
    )
    llm_structured: bool = field(
        default=True,
        metadata=_env(
            kinds.flag,
            "Ask for drafts in a JSON schema; an endpoint that knows none is asked in plain text.",
            "NUTGRAF_LLM_STRUCTURED",
        ),
    )
    otlp_endpoint: str | None = field(
        default=None,
        metadata=_env(
            kinds.url,
            "Where traces are sent; needs `nutgraf[otel]`.",
            "NUTGRAF_OTLP_ENDPOINT",
            "OTEL_EXPORTER_OTLP_ENDPOINT",
        ),
    )
    record_days: int = field(
        default=30,
        metadata=_env(
            kinds.whole(0, 36_500),
            "Days that a record is kept; 0 keeps none and drops those there are.",
            "NUTGRAF_RECORD_DAYS",
        ),
    )
    record_answers: int = field(
        default=10_000,
        metadata=_env(
            kinds.whole(1, 10_000_000), "Most records kept; the oldest go first.", "NUTGRAF_RECORD_ANSWERS"
        ),
    )
    record_text: bool = field(
        default=False,
        metadata=_env(
            kinds.flag,
            "Whether records keep the words of question, draft and sources, or only their SHA-256.",
            "NUTGRAF_RECORD_TEXT",
        ),
    )
    log_level: str = field(
        default="info",
        metadata=_env(
            kinds.one_of("debug", "info", "warning", "error"),
            "debug, info, warning or error.",
            "NUTGRAF_LOG_LEVEL",
        ),
    )

    def __post_init__(self) -> None:
        if not self.public_base_url:
            object.__setattr__(self, "public_base_url", self._own_url(self.port))

    @classmethod
    def from_env(cls, env: Mapping[str, str]) -> Self:
        """Read the variables of a mapping such as `os.environ`; a blank value counts as not set.

        Raises:
            SettingsError: an unknown `NUTGRAF_*` variable, or a value its setting does not take.
        """
        _refuse_unknown(env)
        values: dict[str, Any] = {}
        for item in fields(cls):
            name = next((name for name in item.metadata["env"] if env.get(name, "").strip()), None)
            if name is not None:
                values[item.name] = _parsed(name, env[name], item.metadata["parse"])
        if "llm_gguf" in values:
            values = _LOCAL_PATIENCE | values
        settings = cls(**values)
        _check_llm(settings, env)
        return settings

    @property
    def uses_llm(self) -> bool:
        """Whether an LLM is configured: a key alone, often set for other programs, configures nothing."""
        return self.llm_model is not None or self.llm_gguf is not None

    def bound_to(self, port: int) -> Self:
        """The same settings with the port that was really bound."""
        if self.public_base_url == self._own_url(self.port):
            return replace(self, port=port, public_base_url="")
        return replace(self, port=port)

    def _own_url(self, port: int) -> str:
        host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(self.host, self.host)  # noqa: S104 - shown, not bound
        return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def settings_table() -> str:
    """The README's table of settings, in Markdown."""
    lines = ["| variable | default | what it sets |", "|---|---|---|"]
    for item in fields(Settings):
        names = ", else ".join(f"`{name}`" for name in item.metadata["env"])
        lines.append(
            f"| {names} | {item.metadata['shown'] or _shown(item.default)} | {item.metadata['help']} |"
        )
    return "\n".join(lines) + "\n"


def _shown(default: object) -> str:
    if default is None or default == ():
        return "none"
    if isinstance(default, bool):
        return "`true`" if default else "`false`"
    return f"`{default:g}`" if isinstance(default, float) else f"`{default}`"


def _variables() -> list[str]:
    return [name for item in fields(Settings) for name in item.metadata["env"] if name.startswith(PREFIX)]


def _refuse_unknown(env: Mapping[str, str]) -> None:
    known = _variables()
    for name in sorted(env):
        if name.startswith(PREFIX) and name not in known:
            near = get_close_matches(name, known, n=1)
            hint = f"; did you mean {near[0]}?" if near else ""
            raise SettingsError(f"{name[:80]!r} is not a setting{hint}")


def _parsed(name: str, value: str, parse: Callable[[str], object]) -> object:
    try:
        return parse(value)
    except kinds.RefusedError as error:
        hidden = parse in (kinds.secret, kinds.api_key, kinds.store)
        given = (
            "a value that is not shown" if hidden else repr(value if len(value) <= 80 else value[:80] + "…")
        )
        raise SettingsError(f"{name} takes {error}; given: {given}") from None


def _check_llm(settings: Settings, env: Mapping[str, str]) -> None:
    if settings.llm_gguf is not None:
        if env.get("NUTGRAF_LLM_BASE_URL", "").strip():
            raise SettingsError("NUTGRAF_LLM_GGUF and NUTGRAF_LLM_BASE_URL name two LLMs; set one of them")
        return
    if settings.llm_model is None and env.get("NUTGRAF_LLM_BASE_URL", "").strip():
        raise SettingsError("NUTGRAF_LLM_BASE_URL needs NUTGRAF_LLM_MODEL, the name of a model there")
    if settings.llm_model is not None and settings.llm_base_url is None and settings.llm_api_key is None:
        raise SettingsError("NUTGRAF_LLM_MODEL needs NUTGRAF_LLM_BASE_URL, or a key for api.openai.com")
