"""From a question to a checked answer, and every way to ask one."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from qa.client import Client

__all__ = ["Client"]


def __getattr__(name: str) -> object:
    """`qa.Client`, loaded when asked for: `--help` must not pay for an HTTP library."""
    if name == "Client":
        from qa.client import Client  # noqa: PLC0415 - see above

        return Client
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
