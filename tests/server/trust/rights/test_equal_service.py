"""Test that a data request changes nothing of the service: two hundred searches before, during and after it, and the same limits."""

from __future__ import annotations

import asyncio
import json
import random
import re
import secrets
from collections.abc import Awaitable, Callable
from typing import Any

import aiohttp
import pytest

from tests.server.site.web.servers import Server
from tests.server.trust.rights.visitor import Visitor

pytestmark = pytest.mark.timeout(240)
FINDS = 200
SEED = 20261126
PATIENCE = 10.0
STEP = 3.0  # seconds until a search takes less than it asked for (`matching.any_after`)
VOLATILE = {
    "session",
    "chat",
    "token",
    "online",
    "widens",
}  # drawn anew, or counted, or set by how fast this test searches
Deed = Callable[[], Awaitable[object]]


class Socket:
    """One connection, with the frames that it was sent."""

    def __init__(self, http: aiohttp.ClientSession, server: Server, cookie: str) -> None:
        self._http = http
        self._url = server.url.replace("http", "ws", 1) + "ws"
        self._headers = {"Cookie": f"id={cookie}"}
        self.heard: list[dict[str, Any]] = []

    async def __aenter__(self) -> Socket:
        self._socket = await self._http.ws_connect(self._url, headers=self._headers)
        await self.until("hello")
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._socket.close()

    async def say(self, **frame: object) -> None:
        """Send a frame."""
        await self._socket.send_str(json.dumps(frame))

    async def until(self, *kinds: str) -> dict[str, Any]:
        """The next frame of one of these types; those on the way are kept."""
        while True:
            found: dict[str, Any] = json.loads(await asyncio.wait_for(self._socket.receive_str(), PATIENCE))
            self.heard.append(found)
            if found["type"] in kinds:
                return found


def plain(frame: dict[str, Any]) -> str:
    """A frame without what is drawn anew each time."""
    return json.dumps({key: value for key, value in frame.items() if key not in VOLATILE}, sort_keys=True)


async def searches(http: aiohttp.ClientSession, server: Server, cookie: str, deeds: dict[int, Deed]) -> list[list[str]]:
    """FINDS searches of one browser, by the seed: every frame that it was sent, and what who must not be met was sent.

    `deeds`: before which search what is done.
    """
    dice, told = random.Random(SEED), []
    async with Socket(http, server, cookie) as me:
        for turn in range(FINDS):
            if turn in deeds:
                await deeds[turn]()
            topic, other, first = f"topic{dice.randrange(50)}", f"else{turn}", dice.random() < 0.5
            begun = len(me.heard)
            if first:  # nobody is there yet
                await me.say(type="find", interests=[topic])
                await me.until("waiting")
            async with (
                Socket(http, server, secrets.token_urlsafe(16)) as near,
                Socket(http, server, secrets.token_urlsafe(16)) as far,
            ):
                for who, wanted in sorted(((far, other), (near, topic)), key=lambda _: dice.random()):
                    await who.say(type="find", interests=[wanted])
                    await who.until("waiting", "matched")
                if not first:
                    await me.say(type="find", interests=[topic])
                await me.until("matched")
                if not any(frame["type"] == "matched" for frame in near.heard):
                    await near.until("matched")
                await me.say(type="leave")
                await near.until("left")
            told.append([*(plain(frame) for frame in me.heard[begun:]), *(plain(frame) for frame in far.heard)])
    return told


async def waited(http: aiohttp.ClientSession, server: Server) -> tuple[int, int]:
    """How many people met by text so far, and how many of them before any step of a search was over, as the metrics have it."""
    events = [json.loads(line) for line in server.before.splitlines() if line.startswith("{")]
    (port,) = [event["port"] for event in events if event["event"] == "metrics.ready"]
    async with http.get(f"http://127.0.0.1:{port}/metrics") as answer:
        text = await answer.text()
    found = dict(re.findall(r'serendip_match_wait_seconds_bucket{le="([^"]+)",mode="text"} (\d+)', text))
    return int(found["+Inf"]), int(found[max((le for le in found if le != "+Inf" and float(le) <= STEP), key=float)])


async def headers(http: aiohttp.ClientSession, server: Server, cookie: str) -> list[dict[str, str]]:
    """What the page, the settings and the status say to this browser."""
    found = []
    for path in ("", "api/config", "privacy"):
        async with http.get(server.url + path, headers={"Cookie": f"id={cookie}"}) as answer:
            found.append({name: value for name, value in answer.headers.items() if name != "Date"})
            assert answer.status == 200
    return found


async def test_two_hundred_searches_are_the_same_before_during_and_after(server: Server) -> None:
    cookie = secrets.token_urlsafe(16)
    async with aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as http, Visitor(server, cookie) as me:

        async def erase() -> None:
            token = (await me.send("delete")).token
            assert (await me.send("delete/confirm", token=token, records="1", logs="1")).status == 200

        counts = [await waited(http, server)]
        before = await searches(http, server, cookie, {}), await headers(http, server, cookie)
        counts.append(await waited(http, server))
        deeds: dict[int, Deed] = {
            20: lambda: me.send("see"),
            40: lambda: me.send("download"),
            60: erase,
            100: lambda: me.send("delete/cancel"),
            120: lambda: me.send("restrict"),
            140: lambda: me.send("release"),
            160: lambda: me.send("object", text="my situation"),
            180: erase,
        }
        during = await searches(http, server, cookie, deeds), await headers(http, server, cookie)
        counts.append(await waited(http, server))
        after = await searches(http, server, cookie, {}), await headers(http, server, cookie)
        counts.append(await waited(http, server))
    assert before[0] == during[0] == after[0]
    assert any('"accepts": "good"' in frame for told in before[0] for frame in told)
    waits = [
        tuple(now - then for now, then in zip(*pair, strict=True)) for pair in zip(counts[1:], counts, strict=False)
    ]
    assert waits == [(2 * FINDS, 2 * FINDS)] * 3, "two a search, and nobody waited for a step"
    assert before[1] == during[1] == after[1]
    assert f"id={cookie}" in before[1][0]["Set-Cookie"], "the same cookie is renewed"
    assert len({json.dumps(one) for one in before[0]}) > 2, "the searches differ from each other"


async def test_the_limits_of_who_asked_are_those_of_who_never_did(tmp_path_factory: pytest.TempPathFactory) -> None:
    server = Server(tmp_path_factory.mktemp("limits"))
    try:
        async with aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as http:
            bursts = [await burst(http, server, act) for act in ("", "see", "delete", "object")]
    finally:
        server.stop()
    assert bursts[0][0] > 1
    assert all(one == bursts[0] for one in bursts)


async def burst(http: aiohttp.ClientSession, server: Server, act: str) -> tuple[int, str]:
    """How many searches at once a person has who did `act`, and what the next one is told."""
    async with Visitor(server) as me, Socket(http, server, me.cookie) as socket:
        if act == "delete":
            token = (await me.send("delete")).token
            assert (await me.send("delete/confirm", token=token, records="1")).status == 200
        elif act:
            assert (await me.send(act, text="because")).status == 200
        for count in range(100):
            await socket.say(type="find", interests=[f"nobody {act} {count}"])
            if (said := await socket.until("waiting", "error"))["type"] == "error":
                return count, said["code"]
            await socket.say(type="leave")
        raise AssertionError("no limit stopped it")
