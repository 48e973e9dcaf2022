"""What is wrong with a request, in words that never repeat what was given."""

from collections.abc import Mapping, Sequence
from typing import Any

MOST = 3
"""Errors that are spelled out; the others are counted."""


def complaint(errors: Sequence[Mapping[str, Any]], *, skip: int = 0) -> str:
    """Validation errors as `where: what it takes`; `skip` parts of each place are the caller's own."""
    details = "; ".join(_said(error, skip) for error in errors[:MOST])
    more = f" (and {len(errors) - MOST} more)" if len(errors) > MOST else ""
    return details + more


def place(error: Mapping[str, Any], *, skip: int = 0) -> str:
    """The field that a validation error is about."""
    return ".".join(_named(part) for part in error["loc"][skip:]) or ".".join(map(str, error["loc"][:1]))


def _said(error: Mapping[str, Any], skip: int) -> str:
    what = "unknown field" if error["type"] == "extra_forbidden" else str(error["msg"])
    return f"{place(error, skip=skip)}: {what.removeprefix('Value error, ')}"


def _named(part: str | int) -> str:
    return str(part) if isinstance(part, int) else ascii(part)[1:-1][:40]
