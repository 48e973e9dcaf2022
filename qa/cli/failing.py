"""From any error to one line on standard error and an exit code of sysexits.h."""

import os
import sys
import traceback
from pathlib import Path

from index.errors import (
    CorruptError,
    InputError,
    LockedError,
    MismatchError,
    MissingFolderError,
    ModelError,
    NotFoundError,
    NutgrafError,
    RejectedError,
    StorageError,
    StoreUnavailableError,
)
from qa.errors import LLMError, QuestionError, SettingsError
from qa.render import one_line

USAGE, DATA, NO_INPUT, UNAVAILABLE, INTERNAL, IO, LOCKED, NOT_ALLOWED, CONFIG = (
    2,
    65,
    66,
    69,
    70,
    74,
    75,
    77,
    78,
)
PROBLEMS, ABSTAINED = 1, 3

CODES: tuple[tuple[type[NutgrafError], int], ...] = (
    (QuestionError, USAGE),
    (NotFoundError, NO_INPUT),
    (MissingFolderError, NO_INPUT),
    (RejectedError, DATA),
    (InputError, USAGE),
    (LockedError, LOCKED),
    (MismatchError, CONFIG),
    (CorruptError, DATA),
    (StoreUnavailableError, UNAVAILABLE),
    (StorageError, IO),
    (ModelError, UNAVAILABLE),
    (SettingsError, CONFIG),
    (LLMError, UNAVAILABLE),
)
"""The first row whose class fits gives the exit code."""


class CommandError(Exception):
    """A command cannot go on; the message and the exit code say why."""

    def __init__(self, message: str, code: int) -> None:
        super().__init__(message)
        self.code = code


def complain(message: str) -> None:
    """One line on standard error, whatever the message holds."""
    sys.stderr.write(f"nutgraf: {one_line(message)}\n")


def exit_code_of(error: Exception) -> int:
    """Say what went wrong on one line and give the exit code for it."""
    complain(_words(error))
    if isinstance(error, CommandError):
        return error.code
    if isinstance(error, NutgrafError):
        return _ours(error)
    return IO if isinstance(error, OSError) else INTERNAL


def _ours(error: NutgrafError) -> int:
    status = getattr(error, "status", None)
    if status is not None:
        return NOT_ALLOWED if status in (401, 403) else UNAVAILABLE
    return next((code for kind, code in CODES if isinstance(error, kind)), INTERNAL)


def _words(error: Exception) -> str:
    if isinstance(error, OSError):
        # of an OSError's parts, the path and the reason are what helps
        reason = os.strerror(error.errno) if error.errno else type(error).__name__
        return f"{error.filename}: {reason}" if error.filename else reason
    if isinstance(error, NutgrafError | CommandError):
        return str(error) or error.__class__.__name__
    return f"internal error ({type(error).__name__} {_where(error)}); please report it"


def _where(error: Exception) -> str:
    """The last of our own lines that it went through: enough to find it, and tells no text."""
    ours = [
        f"at {'/'.join(Path(frame.filename).parts[-2:])}:{frame.lineno}"
        for frame in traceback.extract_tb(error.__traceback__)
        if {"qa", "index"} & set(Path(frame.filename).parts)
    ]
    return ours[-1] if ours else "somewhere"
