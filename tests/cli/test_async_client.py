"""The client for asyncio against a real server: the values and failures of the other one, and tasks that can be cancelled."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

import pytest
from scripted import ScriptedSource, answer, citation, document, hit, paragraphs

from index.errors import InputError, NotFoundError
from qa import AsyncClient, Client
from qa.client import ServerError
from qa.settings import Secret
from qa.types import Question, Turn

pytestmark = pytest.mark.enable_socket

T = TypeVar("T")
KEY = "k" * 32


def asked(url: str, what: Callable[[AsyncClient], Awaitable[T]], **more: object) -> T:
    async def run() -> T:
        async with AsyncClient(url, **more) as client:
            return await what(client)

    return asyncio.run(run())


def test_it_has_the_methods_of_the_other_client() -> None:
    assert {name for name in dir(Client) if not name.startswith("_")} <= set(dir(AsyncClient))


def test_an_answer_arrives_as_it_was_given(serve) -> None:
    source, turns = ScriptedSource([answer()]), (Turn("user", "Hi"), Turn("assistant", "Hello"))
    given = asked(serve(source), lambda c: c.ask("How long?", history=turns, collection="other"))
    assert given == answer()
    assert source.asked == [Question("How long?", "other", turns)]


def test_what_is_stored_can_be_read(serve) -> None:
    async def everything(client: AsyncClient) -> None:
        assert await client.collections() == ["default", "other"]
        assert [d.path for d in await client.documents()] == [f"{n:04}.txt" for n in range(450)]
        assert await client.document("default", "d1") == document()
        assert await client.paragraphs("default", "d1") == paragraphs()
        assert (await client.search("call", k=3)).hits == (hit(),)
        assert (await client.verify("It lasted.")).citations == (citation(),)

    asked(serve(ScriptedSource()), everything)


async def streamed(client: AsyncClient) -> list[str]:
    return [event.name async for event in client.events("How long?")]


def test_a_streamed_answer_tells_its_steps(serve) -> None:
    names = asked(serve(ScriptedSource([answer()], ["The call", " lasted"])), streamed)
    assert names == ["search", "delta", "delta", "final", "done"]


def test_an_error_in_the_stream_is_raised(serve) -> None:
    source = ScriptedSource([NotFoundError("no such collection")], ["The"])
    with pytest.raises(NotFoundError, match="no such collection"):
        asked(serve(source), streamed)


@pytest.mark.parametrize("way", ["whole", "streamed"])
def test_cancelling_the_task_ends_the_question_at_the_server(serve, way: str) -> None:
    source = ScriptedSource([answer()], waits=True)

    async def leave(client: AsyncClient) -> None:
        task = asyncio.create_task(client.ask("How long?") if way == "whole" else streamed(client))
        await asyncio.to_thread(source.entered.wait, 10)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asked(serve(source), leave)
    assert source.cancelled.wait(10)


def test_many_questions_go_side_by_side(serve) -> None:
    async def many(client: AsyncClient) -> list[object]:
        return await asyncio.gather(*[client.ask("How long?") for _ in range(20)])

    assert asked(serve(ScriptedSource([answer()])), many) == [answer()] * 20


def test_failures_are_those_of_the_other_client(serve) -> None:
    with pytest.raises(InputError):
        asked(serve(ScriptedSource([answer()])), lambda c: c.ask(" "))
    with pytest.raises(ServerError) as caught:
        asked(serve(ScriptedSource(), api_key=Secret(KEY)), lambda c: c.collections())
    assert caught.value.reason == "unauthorized"
    with pytest.raises(ServerError, match="cannot be reached"):
        asked("http://127.0.0.1:1", lambda c: c.collections())


def test_a_key_opens_a_server_that_needs_one(serve) -> None:
    url = serve(ScriptedSource(), api_key=Secret(KEY))
    assert asked(url, lambda c: c.collections(), api_key=KEY) == ["default", "other"]
