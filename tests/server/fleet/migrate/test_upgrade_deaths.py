"""Whoever of the two processes dies at whatever moment: a chat has both ends or none, and no descriptor stays behind.

One server serves all moments at which its successor dies. The other moments are a chain: each process hands over, dies of it, and the
next one, which has what it was given, is the server for the next moment.
"""

import asyncio
import re
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import aiohttp
import pytest

from server.fleet.migrate.migration_order import BATCH
from tests.server.fleet.migrate.upgrades import Deployed, Person, deployed, meet, people
from tests.server.site.web.servers import ROOT
from tests.support.forkserver import START

PAIRS = 2 * BATCH  # more people than two messages hold

pytestmark = [pytest.mark.blocking, pytest.mark.timeout(600)]  # runs servers and waits for them


def dies(folder: Path, point: str) -> Path:
    """This server as a program that dies at a point; "": at none."""
    file = folder / f"dies-{point or 'never'}"
    command = f'exec "{sys.executable}" -c "{START}" "$@"'
    file.write_text(f'#!/bin/sh\ncd "{ROOT}"\nHANDOVER_FAULT={point} {command}\n')
    file.chmod(0o755)
    return file


async def alive(person: Person) -> bool:
    """Whether a connection is served."""
    try:
        await person.say("ping")
        await person.hear("pong")
    except (TypeError, ConnectionError, aiohttp.ClientError):
        return False
    return True


class Crowd:
    """Chats in every state, each whole or gone. `living`: how many of them are there, by state."""

    def __init__(self, http: aiohttp.ClientSession, port: int) -> None:
        self._http = http
        self._port = port

    async def come(self) -> "Crowd":
        """Everybody comes."""
        http, port = self._http, self._port
        self.waiting = (await people(http, port, 1))[0]
        await self.waiting.say("find", interests=["patience"], strict=True)
        await self.waiting.hear("waiting")
        self.away, self.partner = await meet(http, port, "away")
        self.away.cut()
        await self.partner.hear("partner")
        self.spied = await people(http, port, 3)
        await self.spied[0].say("find", role="spy", question="what is the meaning of this?")
        for person in self.spied[1:]:
            await person.say("find", role="discuss")
        for person in self.spied:
            await person.hear("matched")
        self.video = await meet(http, port, "video", mode="video")
        await self.video[0].say("signal", description={"type": "offer", "sdp": "v=0\r\n"})
        await self.video[1].hear("signal")
        self.saved = await meet(http, port, "save")
        await self.saved[0].say("message", text="to be kept")
        await self.saved[1].hear("message")
        self.talking = [await meet(http, port, f"pair {number}") for number in range(PAIRS)]
        return self

    @property
    def here(self) -> list[Person]:
        """Who is connected."""
        pairs = [person for pair in (self.video, self.saved, *self.talking) for person in pair]
        return [self.waiting, self.partner, *self.spied, *pairs]

    async def living(self) -> dict[str, int]:
        """Chats by state; fails where one has an end without the other."""
        found = {"waiting": int(await alive(self.waiting))}
        found["away"] = await self._away()
        for state, chats in (
            ("spied", [self.spied]), ("video", [self.video]), ("saved", [self.saved]), ("talking", self.talking),
        ):  # fmt: skip
            ends = [[await alive(person) for person in chat] for chat in chats]
            assert all(len(set(each)) == 1 for each in ends), (state, ends)
            found[state] = sum(each[0] for each in ends)
        return found

    async def _away(self) -> int:
        there = await alive(self.partner)
        back = await Person(self._http, self._port).open()
        await back.say("resume", token=self.away.token, last=0)
        resumed = (await back.hear("resumed", "error"))["type"] == "resumed"
        assert resumed is there
        if there:
            assert (await self.partner.hear("partner"))["state"] == "back"
        else:
            await back.socket.close()
        return int(there)

    async def goes_on(self, living: dict[str, int]) -> None:
        """What was begun is to be had, of those who are there."""
        if living["video"]:
            await self.video[1].say("signal", description={"type": "answer", "sdp": "v=0\r\n"})
            assert (await self.video[0].hear("signal"))["description"]["type"] == "answer"
        if living["spied"]:
            await self.spied[1].say("message", text="well")
            for person in (self.spied[0], self.spied[2]):
                assert (await person.hear("message"))["text"] == "well"
        if living["saved"]:
            await self.saved[0].say("save")
            assert (await self.saved[0].hear("saved", "error"))["type"] == "saved"
        if living["waiting"]:
            one = (await people(self._http, self._port, 1))[0]
            await one.say("find", interests=["patience"], strict=True)
            for person in (one, self.waiting):
                await person.hear("matched")
            await one.socket.close()

    async def go(self) -> None:
        """All hang up."""
        for person in self.here:
            await person.socket.close()


ALL = {"waiting": 1, "away": 1, "spied": 1, "video": 1, "saved": 1, "talking": PAIRS}
NOBODY = dict.fromkeys(ALL, 0)


def descriptors(pid: int) -> list[str]:
    """What a process has open, by what it is, without the CPU meters of threads, which come and go with these."""
    found = []
    for entry in Path(f"/proc/{pid}/fd").iterdir():
        with suppress(FileNotFoundError):  # closed since
            where = str(entry.readlink())
            if not re.match(r"/proc/\d+/task/", where):
                found.append(re.sub(r"^/proc/\d+", "/proc", where).partition(":")[0])
    return sorted(found)


async def settles(pid: int, count: int) -> None:
    """Wait until a process has that many sockets open."""
    try:
        async with asyncio.timeout(20):
            while descriptors(pid).count("socket") != count:  # noqa: ASYNC110 - another process
                await asyncio.sleep(0.05)
    except TimeoutError:
        raise AssertionError(f"{descriptors(pid).count('socket')} sockets, not {count}") from None


async def screened(server: Deployed) -> None:
    """Wait until what screens answers: a start opens nothing after that, and what is asked here is closed by then."""
    said = b""
    async with asyncio.timeout(20):
        while b'serendip_screening_up{process="server"} 1.0' not in said:
            reader, writer = await asyncio.open_connection("127.0.0.1", server.metrics)
            writer.write(b"GET /metrics HTTP/1.0\r\nHost: localhost\r\n\r\n")
            said = await reader.read()
            writer.close()


@asynccontextmanager
async def serving(folder: Path, **more: str) -> AsyncIterator[tuple[Deployed, aiohttp.ClientSession]]:
    """A server, and who asks it."""
    async with deployed(folder, **more) as server, aiohttp.ClientSession() as http:
        yield server, http


async def test_a_successor_that_dies_takes_with_it_whom_it_had_and_nobody_else(tmp_path: Path) -> None:
    async with serving(tmp_path, SERENDIP_SESSION__GRACE="120") as (server, http):
        await screened(server)
        empty = descriptors(server.pid).count("socket")
        for point in ("ready", "took", "took:2", "taken"):
            crowd = await Crowd(http, server.port).come()
            status, done = await server.upgrade(dies(tmp_path, point))
            assert (status, done["done"]) == (1, False)
            assert "signal 9" in done["said"]
            living = await crowd.living()
            assert living == ALL if point == "ready" else NOBODY != living != ALL, (point, living)
            await crowd.goes_on(living)
            await crowd.go()
        await settles(server.pid, empty)
        status, done = await server.upgrade()
        assert (status, done["done"]) == (0, True), done


async def test_a_server_that_dies_as_it_hands_over_leaves_what_was_taken(tmp_path: Path) -> None:
    points = ["sockets", "begin", "release", "sent:2", "end"]
    async with serving(tmp_path, HANDOVER_FAULT=points[0], SERENDIP_SESSION__GRACE="120") as (server, http):
        for number, point in enumerate(points, 1):
            crowd = await Crowd(http, server.port).come()
            status, done = await server.upgrade(dies(tmp_path, (*points, "")[number]))
            assert (status, done["done"]) == (1, False)
            assert "ended before it had answered" in done["said"]
            await server.told("server.ready", number + 1)
            living = await crowd.living()
            if point == "sent:2":
                assert NOBODY != living != ALL
            else:
                assert living == (ALL if point == "end" else NOBODY), point
            await crowd.goes_on(living)
            await crowd.go()
