"""Test a chat that a user left by `find` with `keep`: they come back into it at any worker of the host."""

import asyncio
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from serendip_client.events import Kept, Partner, React
from tests.server.fleet.processes.hosts import Host, client, hosting, meet

pytestmark = [pytest.mark.blocking, pytest.mark.timeout(120)]  # several processes


async def back_at(
    http: aiohttp.ClientSession, host: Host, worker: str, cookie: str, kept: Kept, chat: str
) -> aiohttp.ClientWebSocketResponse:
    """Resume a kept seat over a connection to this worker."""
    other = "worker 2" if worker == "worker 1" else "worker 1"
    headers = {"Cookie": f"id={cookie}", "X-Forwarded-For": f"192.0.2.{sum(cookie.encode()) % 250}"}
    host.hold(other)
    try:
        socket = await http.ws_connect(f"ws://127.0.0.1:{host.port}/ws", headers=headers)
    finally:
        host.go_on(other)
    await socket.send_json({"type": "resume", "token": kept.token, "last": 0, "chat": chat})
    return socket


async def frame_of(socket: aiohttp.ClientWebSocketResponse, *kinds: str) -> dict[str, Any]:
    """Read until a frame of one of these types."""
    async with asyncio.timeout(20):
        while True:
            frame: dict[str, Any] = await socket.receive_json()
            if frame["type"] in kinds:
                return frame


async def test_a_user_who_moved_on_comes_back_at_another_worker_with_the_reactions_of_the_chat(tmp_path: Path) -> None:
    one, two = "k" * 22, "l" * 22
    async with (
        hosting(tmp_path, 2) as host,
        client(host, two) as stays,
        client(host, one) as moves,
        aiohttp.ClientSession() as http,
    ):
        await meet(moves, stays, "the way back", "hello")
        await moves.react(1, "heart")
        assert (await stays.next(React)) == React(1, "heart")
        await moves.find(["nobody else"], keep=True)
        kept = await moves.next(Kept)
        assert (await stays.next(Partner)).state == "away"
        chat = stays.chat.chat if stays.chat is not None else ""
        first = await back_at(http, host, "worker 1", one, kept, chat)
        resumed = await frame_of(first, "resumed", "error")
        assert resumed.get("reactions") == [{"seq": 1, "face": "heart", "own": True}], resumed
        assert (await stays.next(Partner)).state == "back"
        await first.send_json({"type": "find", "interests": ["nobody else"], "keep": True})
        again = Kept((await frame_of(first, "kept"))["token"], 3)
        second = await back_at(http, host, "worker 2", one, again, chat)
        assert (await frame_of(second, "resumed", "error"))["chat"] == chat
        await stays.say("still here")
        assert (await frame_of(second, "message"))["text"] == "hello"
        assert (await frame_of(second, "message"))["text"] == "still here"
        for socket in (first, second):
            await socket.close()
