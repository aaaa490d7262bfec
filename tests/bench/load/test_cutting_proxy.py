"""The proxy that cuts: what goes through it goes on, and no end of it stays open."""

import asyncio
from typing import Any

import pytest

from bench.load.cutting_proxy import Cutter


async def test_who_leaves_before_there_is_a_way_to_the_server_leaves_nothing_open(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    said: asyncio.Queue[bytes] = asyncio.Queue()

    async def served(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        said.put_nowait(await reader.read())  # until it is closed
        writer.close()

    loop, may = asyncio.get_running_loop(), asyncio.Event()
    server = await asyncio.start_server(served, "127.0.0.1", 0)
    make = loop.create_connection

    async def late(*given: Any, **named: Any) -> Any:
        await may.wait()
        return await make(*given, **named)

    async with server, Cutter(server.sockets[0].getsockname()[1]) as cutter, asyncio.timeout(10):
        monkeypatch.setattr(loop, "create_connection", late)
        transport, _ = await make(asyncio.Protocol, "127.0.0.1", cutter.port)
        while not cutter.open:  # noqa: ASYNC110 - no event says so
            await asyncio.sleep(0.001)
        transport.write(b"goodbye")
        transport.close()
        while cutter.open:  # noqa: ASYNC110 - no event says so
            await asyncio.sleep(0.001)
        may.set()
        assert await said.get() == b"goodbye"
