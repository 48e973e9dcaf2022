"""Logs: JSON lines of ids, codes, counts and times; never questions, documents, query strings or keys."""

import json
import logging
import math
import threading
import time
import traceback
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import TextIO

LEVELS = MappingProxyType({"debug": 10, "info": 20, "warning": 30, "error": 40})

FIELDS = frozenset(
    {
        "answerer", "citations", "code", "collection_count", "degraded", "document_id", "documents", "done",
        "error", "hits", "id", "logger", "message", "method", "ms", "outcome", "passages", "pid", "port",
        "request_id", "route", "sentences", "skipped", "status", "stream", "timings_ms", "total", "where",
    }
)  # fmt: skip
"""Every field a line may hold beside time, level and event."""

MAX_VALUE = 200


class Log:
    """Writes events as JSON lines to one stream; safe to share between threads."""

    def __init__(self, stream: TextIO, level: str = "info", clock: Callable[[], float] = time.time) -> None:
        self._stream = stream
        self._least = LEVELS[level]
        self._clock = clock
        self._lock = threading.Lock()

    def debug(self, event: str, **values: object) -> None:
        """Write an event for whoever looks for a fault."""
        self.write("debug", event, values)

    def info(self, event: str, **values: object) -> None:
        """Write an event of normal life."""
        self.write("info", event, values)

    def warning(self, event: str, **values: object) -> None:
        """Write an event somebody should look at when there is time."""
        self.write("warning", event, values)

    def error(self, event: str, **values: object) -> None:
        """Write an event somebody has to look at."""
        self.write("error", event, values)

    def write(self, level: str, event: str, values: Mapping[str, object]) -> None:
        """Write one line.

        Raises:
            ValueError: a field that logs do not hold.
        """
        if unknown := values.keys() - FIELDS:
            raise ValueError(f"not a field of logs: {', '.join(sorted(unknown))}")
        if LEVELS[level] < self._least:
            return
        line: dict[str, object] = {"time": _iso(self._clock()), "level": level, "event": event}
        line |= {name: _plain(value) for name, value in values.items() if value is not None}
        with self._lock:
            self._stream.write(json.dumps(line, ensure_ascii=True, allow_nan=False) + "\n")
            self._stream.flush()


class LibraryHandler(logging.Handler):
    """Takes what libraries log: which logger and where, never the formatted message: it may hold anything."""

    def __init__(self, log: Log) -> None:
        super().__init__()
        self._log = log

    def emit(self, record: logging.LogRecord) -> None:
        """Write a library's record as one of our lines."""
        level = next(
            (name for name in ("error", "warning", "info") if record.levelno >= LEVELS[name]), "debug"
        )
        template = isinstance(record.msg, str) and record.name.startswith("uvicorn")
        values: dict[str, object] = {
            "logger": record.name,
            "where": f"{record.filename}:{record.lineno}",
            "message": record.msg.strip() if template else None,
        }
        if record.exc_info and record.exc_info[1] is not None:
            values |= describe(record.exc_info[1])
        self._log.write(level, "library", values)


def describe(error: BaseException) -> dict[str, object]:
    """An error as log fields: its type and the lines it passed through, without its message."""
    frames = traceback.extract_tb(error.__traceback__)[-4:]
    places = [f"{'/'.join(frame.filename.split('/')[-2:])}:{frame.lineno}" for frame in frames]
    return {"error": type(error).__name__, "where": " < ".join(reversed(places))}


def _iso(seconds: float) -> str:
    stamp = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds))
    return f"{stamp}.{int(seconds % 1 * 1000):03d}Z"


def _plain(value: object) -> object:
    if isinstance(value, Mapping):
        return {str(key)[:MAX_VALUE]: _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, float):
        return round(value, 3) if math.isfinite(value) else None
    return value if isinstance(value, bool | int) else str(value)[:MAX_VALUE]
