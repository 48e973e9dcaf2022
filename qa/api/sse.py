"""Server-sent events: one JSON line of data for each named event."""

import json
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

MEDIA_TYPE = "text/event-stream"

SCHEMA: Mapping[str, Any] = MappingProxyType(
    {
        "type": "object",
        "description": "One event; `data` is a line of JSON.",
        "properties": {"event": {"type": "string"}, "data": {"type": "string"}},
        "required": ["data"],
    }
)
"""What an OpenAPI document says of a stream: before version 3.2 it describes each event, as a reader parses it."""

BEAT = b": heartbeat\n\n"
"""A comment, which every client passes over."""

DONE = b"data: [DONE]\n\n"
"""The end of a stream of the OpenAI protocol."""

_BREAKS = {0x85: "\\u0085", 0x2028: "\\u2028", 0x2029: "\\u2029", 0xFEFF: "\\ufeff"}
"""Characters that some clients take for the end of a line, or drop; JSON itself escapes the ASCII ones."""


def frame(name: str, data: Mapping[str, object]) -> bytes:
    """One event, as bytes. Text can neither end the data line nor begin another field."""
    if not name.isidentifier():
        raise ValueError("an event is named by a plain word")
    return f"event: {name}\n".encode() + unnamed(data)


def unnamed(data: Mapping[str, object]) -> bytes:
    """An event of data alone, as the OpenAI protocol streams chat."""
    line = json.dumps(data, ensure_ascii=False, allow_nan=False, separators=(",", ":")).translate(_BREAKS)
    return f"data: {line}\n\n".encode(errors="replace")
