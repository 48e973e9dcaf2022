"""Answering in a thread of its own, beside an event loop that sees the client leave and the server stop."""

import asyncio
import threading
from collections.abc import Callable
from typing import Any, TypeVar

from qa.api.asgi import Receive, gone
from qa.api.errors import ApiError

T = TypeVar("T")

ASK_THREAD = "nutgraf-ask"

DRAIN_S = 4.0
"""How long a running question may go on once the server has been told to stop."""


def in_thread(call: Callable[[], T]) -> "asyncio.Future[T]":
    """Run a call in a daemon thread, which a stuck endpoint cannot turn into a process that never exits."""
    loop = asyncio.get_running_loop()
    future: asyncio.Future[T] = loop.create_future()

    def settle(value: T | None, error: BaseException | None) -> None:
        if future.done():
            return
        if error is None:
            future.set_result(value)  # type: ignore[arg-type] # T may itself be None
        else:
            future.set_exception(error)

    def run() -> None:
        value: T | None = None
        error: BaseException | None = None
        try:
            value = call()
        except BaseException as raised:  # noqa: BLE001 - handed over, not swallowed
            error = raised
        try:
            loop.call_soon_threadsafe(settle, value, error)
        except RuntimeError:
            return  # the loop is closed: nobody waits any more

    threading.Thread(target=run, name=ASK_THREAD, daemon=True).start()
    return future


async def attended(
    work: "asyncio.Future[T]", receive: Receive, stopping: asyncio.Event, cancelled: threading.Event
) -> T:
    """Wait for a call; set `cancelled` as soon as the client leaves, or when a stopping server has drained.

    Raises:
        ApiError: the client left, or the server stopped first.
    """
    left: asyncio.Future[Any] = asyncio.ensure_future(gone(receive))
    stop: asyncio.Future[Any] = asyncio.ensure_future(stopping.wait())
    anything: list[asyncio.Future[Any]] = [work, left, stop]
    try:
        await asyncio.wait(anything, return_when=asyncio.FIRST_COMPLETED)
        if not work.done() and not left.done():
            await asyncio.wait(anything[:2], timeout=DRAIN_S, return_when=asyncio.FIRST_COMPLETED)
        if work.done():
            return work.result()
        raise ApiError("client_gone" if left.done() else "shutting_down")
    finally:
        cancelled.set()
        left.cancel()
        stop.cancel()
