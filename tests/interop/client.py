"""The client of the Python SDK, through what our fixture offers.

    client.py legacy|modern http|sse URL
    client.py legacy|modern stdio COMMAND [ARGUMENT ...]

Prints one line of JSON with what came of it, and ends with 1 where something is not as it should be.
"""

import json
import sys

import anyio
import mcp_types as types
from mcp import Client, StdioServerParameters
from mcp.client.sse import sse_client

era, kind, target, *rest = sys.argv[1:]
is_modern = era == "modern"
heard: list[str] = []
changed = anyio.Event()


async def elicit(_context, params):
    fields = params.requested_schema["properties"]
    return types.ElicitResult(action="accept", content={field: "Ada" for field in fields})


async def sample(_context, _params):
    text = types.TextContent(type="text", text="sampled there")
    return types.CreateMessageResult(role="assistant", content=text, model="none")


async def roots(_context):
    return types.ListRootsResult(roots=[types.Root(uri="file:///interop")])


async def log(params):
    heard.append(params.data)


async def message(incoming):
    if "ToolListChanged" in type(incoming).__name__:
        changed.set()


def server():
    if kind == "stdio":
        return StdioServerParameters(command=target, args=rest)
    return target if kind == "http" else sse_client(target)


async def wait_for_change(client: Client):
    async def trigger():
        while not changed.is_set():
            await client.call_tool("test_trigger_tool_change")
            await anyio.sleep(0.2)

    with anyio.fail_after(10):
        if not is_modern:
            return await trigger()
        async with client.listen(tools_list_changed=True) as events, anyio.create_task_group() as tasks:
            tasks.start_soon(trigger)
            async for _ in events:
                changed.set()
                break


async def walk(client: Client) -> dict:
    async def call(name: str, arguments: dict | None = None, **options) -> str:
        result = await client.call_tool(name, arguments or {}, **options)
        return "\n".join(block.text for block in result.content)

    said: dict = {}
    said["tools"] = len((await client.list_tools()).tools) > 5
    said["text"] = await call("test_simple_text")
    said["failure"] = (await client.call_tool("test_error_handling", {})).is_error

    reports: list[float] = []

    async def report(progress, _total, _message):
        reports.append(progress)

    await call("test_tool_with_progress", progress_callback=report)
    said["progress"] = reports

    said["resources"] = len((await client.list_resources()).resources)
    said["resource"] = (await client.read_resource("test://static-text")).contents[0].text
    said["template"] = json.loads((await client.read_resource("test://template/7/data")).contents[0].text)["id"]
    prompt = await client.get_prompt("test_prompt_with_arguments", {"arg1": "one", "arg2": "two"})
    said["prompt"] = prompt.messages[0].content.text
    ref = types.PromptReference(type="ref/prompt", name="test_prompt_with_arguments")
    said["completion"] = (await client.complete(ref, {"name": "arg1", "value": "test"})).completion.values

    said["elicited"] = "Ada" in await call("test_elicitation", {"message": "Who?"})
    said["sampled"] = await call("test_sampling", {"prompt": "x"})
    said["roots"] = await call("test_input_required_result_list_roots")
    said["rounds"] = await call("test_input_required_result_multi_round")

    if not is_modern:
        await client.set_logging_level("info")
        await call("test_tool_with_logging")
        with anyio.fail_after(10):
            while len(heard) < 3:
                await anyio.sleep(0.02)
        await client.send_ping()
    await wait_for_change(client)

    with anyio.move_on_after(0.02) as gone:
        await call("test_tool_with_progress")
    assert gone.cancelled_caught
    said["after"] = await call("test_simple_text")
    if kind == "http" and not is_modern:
        said["resumed"] = await call("test_reconnection")
    return said


async def main() -> None:
    client = Client(
        server(),
        mode="2026-07-28" if is_modern else "legacy",
        elicitation_callback=elicit,
        sampling_callback=sample,
        list_roots_callback=roots,
        logging_callback=log,
        message_handler=message,
        read_timeout_seconds=20,
    )
    async with client:
        said = await walk(client)
    print(json.dumps(said))


anyio.run(main)
