"""From a question to a checked answer, and every way to ask one."""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from qa.async_client import AsyncClient
    from qa.client import Client

__all__ = ["AsyncClient", "Client"]

_WHERE = {"AsyncClient": "qa.async_client", "Client": "qa.client"}


def __getattr__(name: str) -> object:
    """The clients, loaded when asked for: `--help` must not pay for an HTTP library."""
    if name in _WHERE:
        return getattr(import_module(_WHERE[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
