"""Test that with several workers the session's own worker asks the provider and gets the verdict."""

import asyncio
from pathlib import Path
from typing import Any

import aiohttp
import orjson

from tests.server.site.web.servers import Server
from tests.support.forkserver import START, forked
from tests.support.siteverify import Siteverify as Stub

# Everybody is asked, for the hardest one, and the machine may be slow.
FIRST = (
    "from engine.conduct import friction_points as friction\nfriction._LEVELS = (3,) * 9\n"
    "from server.trust.challenge import captcha_verdicts as siteverify\nsiteverify.PATIENCE = 60.0\n"
)
forked(FIRST + START)
PEOPLE = 6


async def until(socket: aiohttp.ClientWebSocketResponse, *types: str) -> dict[str, Any]:
    """The next frame of one of these types."""
    while True:
        frame: dict[str, Any] = orjson.loads((await socket.receive()).data)
        if frame["type"] in types:
            return frame


async def test_each_worker_asks_of_its_own_people(tmp_path: Path) -> None:
    theirs = Stub()
    settings = {"SERENDIP_CHALLENGE__ENABLED": "true", "SERENDIP_CHALLENGE__FIRST": "true", "SERENDIP_WORKERS": "2"}
    server = Server(tmp_path, FIRST, **settings, **theirs.environment)
    try:
        async with aiohttp.ClientSession(server.url) as web, asyncio.timeout(60):
            sockets = [await web.ws_connect("/ws") for _ in range(PEOPLE)]
            for number, socket in enumerate(sockets):
                await socket.send_str('{"type":"find"}')
                made = await until(socket, "challenge")
                assert made["kind"] == "turnstile"
                answer = {"type": "solution", "kind": made["kind"], "response": f"good-{number}"}
                await socket.send_str(orjson.dumps(answer).decode())
                await until(socket, "solved")
                await socket.send_str('{"type":"find"}')
            for socket in sockets:
                await until(socket, "matched")
                await socket.close()
    finally:
        server.stop()
        theirs.stop()
    assert len(theirs.asked) == PEOPLE
