"""The ASGI protocol, named once."""

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]


async def gone(receive: Receive) -> None:
    """Return when the client has left; whatever else arrives is dropped."""
    while (await receive())["type"] != "http.disconnect":
        pass
