"""What each end of the process costs, as `docs/store.md` says: SIGTERM nothing, kill -9 the chats that ran."""

from __future__ import annotations

import asyncio
import signal
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
from sqlalchemy import select

from server.data.schema.record_schema import chat
from server.ops.config.settings import Objects
from tests.server.data.conftest import make_kit
from tests.server.data.privacy.drive import Person, Running, Sinks


@pytest.mark.blocking  # runs a server and waits for it
@pytest.mark.parametrize(("end", "left"), [(signal.SIGTERM, ["restart", "stranger"]), (signal.SIGKILL, ["stranger"])])
async def test_what_ran_is_recorded_at_a_stop_and_lost_at_a_kill(
    tmp_path: Path, end: signal.Signals, left: list[str]
) -> None:
    server = Running(tmp_path / "data", tmp_path / "server.ops.log", SERENDIP_STORE__LINGER="0")
    url = f"sqlite+aiosqlite:///{tmp_path / 'data' / 'serendip.db'}"
    async with AsyncExitStack() as stack:
        stack.push_async_callback(asyncio.to_thread, server.stop)
        await server.ready()
        people = [Person(name, "127.0.0.1", server.port, Sinks()) for name in "abcd"]
        for pair in (people[:2], people[2:]):
            for who in pair:
                stack.push_async_callback(who.close)
                await who.connect()
                await who.say(type="find", interests=["ends"])
            for who in pair:
                await who.hear("matched")
        await people[0].say(type="leave")
        await people[1].hear("left")
        kit = await asyncio.to_thread(make_kit, url, tmp_path / "data", Objects())
        stack.push_async_callback(kit.database.close)
        async with asyncio.timeout(40):
            while await kit.count("chat") < 1:  # noqa: ASYNC110 - it has no event
                await asyncio.sleep(0.02)
        await asyncio.to_thread(server.stop, end)
        async with kit.database.read() as connection:
            assert sorted((await connection.execute(select(chat.c.how))).scalars()) == left
