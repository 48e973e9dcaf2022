"""The tools as a server of the official SDK, whatever carries its messages; and over standard input and output."""

import asyncio
import logging
import sys
import threading
from collections.abc import Awaitable, Callable, Mapping
from functools import cache
from typing import Any

from mcp.server.lowlevel import Server
from mcp.server.stdio import stdio_server
from mcp.server.streamable_http_manager import StreamableHTTPSessionManager
from mcp.shared.exceptions import MCPError
from mcp.types import (
    INVALID_PARAMS,
    CallToolRequestParams,
    CallToolResult,
    ListToolsResult,
    PaginatedRequestParams,
    TextContent,
    ToolAnnotations,
)
from mcp.types import Tool as ToolCard

from index.errors import NutgrafError
from qa.logs import LibraryHandler, Log, describe
from qa.mcp.tools import (
    INSTRUCTIONS,
    TOOLS,
    NoToolError,
    Place,
    Result,
    answered,
    explained,
    parsed,
    perform,
    question_of,
)
from qa.mcp.wire import AskIn
from qa.release import release
from qa.source import Source

Arguments = Mapping[str, object] | None
Call = Callable[[str, Arguments], Awaitable[Result]]
"""Does what a call asks for, by the tool's name."""

Explain = Callable[[Exception], tuple[str, str]]
"""The code of an error and words for whoever called."""

Context = Any


def server(call: Call, explain: Explain) -> Server[Any]:
    """A server of the tools. An error of a tool is its result, as `code: words`; never more of it."""

    async def list_tools(_context: Context, _params: PaginatedRequestParams | None) -> ListToolsResult:
        return ListToolsResult(tools=list(_cards()))

    async def call_tool(_context: Context, params: CallToolRequestParams) -> CallToolResult:
        try:
            result = await call(params.name, params.arguments)
        except NoToolError as error:
            raise MCPError(INVALID_PARAMS, f"{error.code}: {error}") from None
        except Exception as error:  # noqa: BLE001 - the edge: what a tool could not do is told as its result
            code, words = explain(error)
            return CallToolResult(content=[TextContent(text=f"{code}: {words}")], is_error=True)
        return CallToolResult(content=[TextContent(text=result.text)], structured_content=result.payload)

    return Server(
        "nutgraf",
        title="Nutgraf",
        version=release(),
        instructions=INSTRUCTIONS,
        on_list_tools=list_tools,
        on_call_tool=call_tool,
    )


def serve_stdio(source: Source, place: Place) -> None:
    """Serve the tools over standard input and output until the input ends. Logs go to standard error."""
    log = Log(sys.stderr, "warning")

    async def call(name: str, arguments: Arguments) -> Result:
        given = parsed(name, arguments)
        if not isinstance(given, AskIn):
            return await asyncio.to_thread(perform, given, source, place)
        cancelled = threading.Event()
        try:
            question = question_of(given, place)
            return answered(await asyncio.to_thread(source.ask, question, cancelled=cancelled))
        finally:
            cancelled.set()

    def explain(error: Exception) -> tuple[str, str]:
        if not isinstance(error, NutgrafError):
            log.error("failed", **describe(error))
        return explained(error)

    async def run() -> None:
        tools = server(call, explain)
        async with stdio_server() as (incoming, outgoing):
            await tools.run(incoming, outgoing, tools.create_initialization_options())

    logging.getLogger().addHandler(LibraryHandler(log))
    asyncio.run(run())


async def answer_http(tools: Server[Any], scope: Any, receive: Any, send: Any) -> None:
    """Answer one request of streamable HTTP, as an ASGI app. Host, Origin and key are for its caller to check."""
    manager = StreamableHTTPSessionManager(tools, stateless=True, json_response=True)
    async with manager.run():
        await manager.handle_request(scope, receive, send)


@cache
def _cards() -> tuple[ToolCard, ...]:
    """The tools as clients see them."""
    return tuple(
        ToolCard(
            name=tool.name,
            title=tool.title,
            description=tool.description,
            input_schema=tool.takes.model_json_schema(),
            output_schema=tool.gives.model_json_schema(mode="serialization"),
            annotations=ToolAnnotations(
                title=tool.title,
                read_only_hint=True,
                destructive_hint=False,
                idempotent_hint=True,
                open_world_hint=False,
            ),
        )
        for tool in TOOLS.values()
    )
