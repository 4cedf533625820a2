"""A server of the Python SDK, of both eras: `server.py stdio`, or `server.py streamable-http|sse` on `PORT`."""

import os
import sys
from typing import Annotated

import anyio
from mcp.server import MCPServer
from mcp.server.mcpserver import Context
from mcp.server.mcpserver.resolve import Elicit, Resolve, Sample
from mcp_types import CreateMessageResult, SamplingMessage, TextContent
from pydantic import BaseModel

mcp = MCPServer("foreign", version="1")


class Name(BaseModel):
    name: str


def who() -> Elicit[Name]:
    return Elicit("Who?", Name)


def said() -> Sample:
    message = SamplingMessage(role="user", content=TextContent(type="text", text="Say something"))
    return Sample([message], max_tokens=10)


@mcp.tool(structured_output=False)
def add(a: int, b: int) -> str:
    """Adds"""
    return str(a + b)


@mcp.tool(structured_output=False)
def fail() -> str:
    """Fails"""
    raise ValueError("on purpose")


@mcp.tool(structured_output=False)
async def progress(ctx: Context) -> str:
    """Reports"""
    for done in (1, 2, 3):
        await ctx.report_progress(done, 3)
    return "done"


@mcp.tool(structured_output=False)
def ask(name: Annotated[Name, Resolve(who)]) -> str:
    """Asks for a name"""
    return f"Hello, {name.name}!"


@mcp.tool(structured_output=False)
def sample(answer: Annotated[CreateMessageResult, Resolve(said)]) -> str:
    """Samples"""
    return answer.content.text


@mcp.tool(structured_output=False)
async def wait() -> str:
    """Takes a minute"""
    await anyio.sleep(60)
    return "late"


@mcp.tool(structured_output=False)
async def touch(ctx: Context) -> str:
    """Says that the note has changed"""
    await ctx.notify_resource_updated("note://one")
    return "touched"


@mcp.resource("note://one", name="note")
def note() -> str:
    return "a note"


@mcp.resource("greeting://{name}")
def greeting(name: str) -> str:
    return f"Hello, {name}!"


@mcp.prompt()
def greet(name: str) -> str:
    """Greets"""
    return f"Greet {name}"


if __name__ == "__main__":
    transport = sys.argv[1]
    options = {} if transport == "stdio" else {"host": "127.0.0.1", "port": int(os.environ["PORT"])}
    mcp.run(transport, **options)
