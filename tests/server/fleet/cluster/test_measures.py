"""What one host decides or learns of somebody holds on the other at once, and a session is found there: two real hosts and a NATS."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from serendip_client.disconnects import Disconnected
from serendip_client.events import Closed, Error, Left, Reported, Waiting
from server.main.commands.upgrade_commands import answer as ask
from server.ops.security import secret_keys
from tests.server.fleet.migrate.upgrades import Person
from tests.server.fleet.nats.test_nats_bus import started
from tests.server.fleet.processes.hosts import Host, client, hosting, meet
from tests.server.site.web.servers import ROOT
from tests.server.trust.moderation.test_age import claims
from tests.support import services
from tests.support.forkserver import START, forked

pytestmark = [pytest.mark.blocking, pytest.mark.timeout(180)]  # runs servers, and waits for them
NEVER = "from server.trust.moderation import service; service.EVERY = 1e9; "  # it looks when it is told to, and never by itself
# Video is off of who says that they are a minor, so that no camera has to be looked at for it; the age is not told, whose question comes before.
PAUSES = """
from server.main.processes.user_safety_broadcast import UserEventBroadcast
def paused(self, identity, stands, age, but=""):
    self.on_pause(identity, 600.0)
    self._server.video_off([(identity, 600.0)])
UserEventBroadcast._say_aged = paused
"""
GOOD, BAD, MINOR, OTHER, LATE = "g" * 22, "b" * 22, "m" * 22, "o" * 22, "l" * 22


@pytest.fixture(scope="module")
def store() -> Iterator[dict[str, str]]:
    """Settings of hosts that keep something."""
    with services.postgres() as database, services.s3() as bucket:
        yield {
            "SERENDIP_STORE__URL": database.url("postgres"),
            "SERENDIP_OBJECTS__URL": f"s3://{bucket.bucket}/logs",
            "SERENDIP_OBJECTS__ENDPOINT": bucket.endpoint,
            "SERENDIP_OBJECTS__ACCESS_KEY": bucket.access_key,
            "SERENDIP_OBJECTS__SECRET_KEY": bucket.secret_key,
        }


async def others(host: Host) -> list[Any]:
    """Whom it hears."""
    said = await asyncio.to_thread(ask, host.data, {"do": "status"}, show=False)
    found: list[Any] = said.get("cluster", {}).get("others", [])
    return found


class Cell:
    """Hosts that hear each other, each begun when the test wants it."""

    def __init__(self, folder: Path, settings: Mapping[str, str], nats: services.Nats, stack: AsyncExitStack) -> None:
        self._folder = folder
        self._settings = settings
        self._stack = stack
        self._ports = services.free_ports(2)
        self.nats = nats
        self.hosts: list[Host] = []

    async def begin(self, start: str) -> Host:
        """One more. `start`: Python that starts it."""
        port = self._ports[len(self.hosts)]
        data = self._folder / str(port) / "data"
        await asyncio.to_thread(shutil.copytree, self._folder / "first", data)
        cluster = {"SERENDIP_CLUSTER__NATS": self.nats.url, "SERENDIP_CLUSTER__ADDRESS": f"127.0.0.1:{port}"}
        host = hosting(self._folder / str(port), 1, start, **self._settings, **cluster)
        self.hosts.append(await self._stack.enter_async_context(host))
        return self.hosts[-1]

    async def heard(self) -> None:
        """Each hears the others."""
        async with asyncio.timeout(30):
            while not all([len(await others(host)) == len(self.hosts) - 1 for host in self.hosts]):  # noqa: ASYNC110 - other processes
                await asyncio.sleep(0.05)


@asynccontextmanager
async def cell(folder: Path, settings: Mapping[str, str]) -> AsyncIterator[Cell]:
    """Without a host, and the end of those that there are."""
    await asyncio.to_thread(secret_keys.load, folder / "first")
    async with AsyncExitStack() as stack:
        made = Cell(folder, settings, await stack.enter_async_context(started()), stack)
        yield made
        for host in made.hosts:
            assert [host.events(event) for event in ("task.failed", "loop.fault", "worker.fault", "cluster.fault")] == (
                [[], [], [], []]
            )


@asynccontextmanager
async def two(folder: Path, settings: Mapping[str, str], *starts: str) -> AsyncIterator[tuple[Host, Host]]:
    """Hosts that hear each other. `starts`: Python that starts each."""
    async with cell(folder, settings) as made:
        one, other = [await made.begin(start) for start in starts]
        await made.heard()
        yield one, other


async def command(host: Host, settings: Mapping[str, str], *words: str) -> str:
    """A command of `serendip safety` beside a host; what it prints."""
    looks = ("--operator", "ada", "--why", "a test") if words[0] != "cases" else ()
    called = [sys.executable, "-c", START, "safety", *words, "--data", str(host.data), *looks]
    ran = await asyncio.create_subprocess_exec(
        *called, cwd=ROOT, env={**os.environ, **settings}, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )
    out, _ = await asyncio.wait_for(ran.communicate(), 60)
    return out.decode()


async def test_a_ban_of_one_host_is_in_force_on_the_other_which_looks_when_it_is_told(
    tmp_path: Path, store: dict[str, str]
) -> None:
    async with two(tmp_path, store, START, forked(NEVER + START)) as (one, other):
        async with client(one, GOOD) as good, client(one, BAD) as bad, client(other, BAD) as elsewhere:
            await elsewhere.find(["nobody says this"], strict=True)
            await elsewhere.next(Waiting)
            await meet(good, bad, "report", "buy gold")
            await good.report("spam")
            await good.next(Reported)
            async with asyncio.timeout(40):
                while not (found := json.loads(await command(one, store, "cases", "--json"))):  # noqa: ASYNC110 - another process
                    await asyncio.sleep(0.05)
            told = await command(one, store, "decide", found[0]["id"], "--measure", "ban", "--rule", "R5")
            assert "identity for 1 day" in told
            assert (await good.next(Left)).by == "moderation"
            for banned in (bad, elsewhere):
                assert (await banned.next(Closed)).code == 4003
        async with client(other, BAD) as again:
            assert (await again.next(Closed)).code == 4003


KEEPS_NOTHING = {"SERENDIP_STORE__ENABLED": "false"}


async def test_who_says_that_they_are_a_minor_is_kept_out_on_the_other_host_too(tmp_path: Path) -> None:
    async with two(tmp_path, KEEPS_NOTHING, START, START) as (one, other), client(other, MINOR) as elsewhere:
        await elsewhere.find(["nobody says this"], strict=True)
        await elsewhere.next(Waiting)
        await says_minor(one, MINOR)
        assert (await elsewhere.next(Closed)).code == 4003


async def says_minor(host: Host, cookie: str) -> None:
    """Somebody says there that they are a minor."""
    async with client(host, OTHER) as first, client(host, cookie) as second:
        await meet(first, second, "age")
        await claims(first, second)
        await second.solve("age", "minor")
        assert (await second.next(Closed)).code == 4003


async def kept_out(host: Host, cookie: str) -> None:
    """Come until one is kept out there."""
    async with asyncio.timeout(40):
        while True:
            async with client(host, cookie) as late:
                with suppress(Disconnected):
                    await late.find(["nobody says this"], strict=True)
                said = await late.next(Closed, Waiting)
                if isinstance(said, Closed):
                    assert said.code == 4003
                    return
            await asyncio.sleep(0.05)


async def test_a_process_or_host_that_starts_later_or_was_away_keeps_out_who_is_kept_out(tmp_path: Path) -> None:
    async with cell(tmp_path, KEEPS_NOTHING) as made:
        one = await made.begin(START)
        await says_minor(one, MINOR)
        other = await made.begin(START)
        await made.heard()
        await kept_out(other, MINOR)
        for host in (one, other):
            host.kill("worker 1")
            await host.told("process.ready", 2, process="worker 1")
            await kept_out(host, MINOR)
        await asyncio.to_thread(made.nats.stop)
        async with asyncio.timeout(30):
            while await others(one) or await others(other):  # noqa: ASYNC110 - other processes
                await asyncio.sleep(0.05)
        await says_minor(one, LATE)
        await asyncio.to_thread(made.nats.start)
        await made.heard()
        await kept_out(other, LATE)


# As PAUSES, and the age is not known in any other process of the host either.
PAUSES_ALONE = """
from server.main.processes.user_safety_broadcast import UserEventBroadcast
def paused(self, name, message):
    self.on_pause(message.records[0], 600.0)
    self._server.video_off([(message.records[0], 600.0)])
UserEventBroadcast._aged = paused
"""


async def off(host: Host, cookie: str) -> None:
    """Come until one is told there that video is off."""
    async with asyncio.timeout(40):
        while True:
            async with client(host, cookie) as elsewhere:
                await elsewhere.find(["cameras"], mode="video")
                said = await elsewhere.next(Error, Waiting)
                if isinstance(said, Error) and said.code == "snaps":
                    assert 0 < (said.retry_after or 0) <= 600
                    return
            await asyncio.sleep(0.05)


async def test_video_that_is_off_is_off_on_a_host_that_starts_later(tmp_path: Path) -> None:
    async with cell(tmp_path, KEEPS_NOTHING) as made:
        one = await made.begin(forked(PAUSES_ALONE + START))
        async with client(one, OTHER) as first, client(one, MINOR) as second:
            await meet(first, second, "cameras")
            await claims(first, second)
        other = await made.begin(START)
        await off(other, MINOR)


async def test_video_that_is_off_on_one_host_is_off_on_the_other(tmp_path: Path) -> None:
    async with two(tmp_path, KEEPS_NOTHING, forked(PAUSES + START), START) as (one, other):
        async with client(one, OTHER) as first, client(one, MINOR) as second:
            await meet(first, second, "cameras")
            await claims(first, second)
        await off(other, MINOR)


async def figure(host: Host, http: aiohttp.ClientSession, line: str) -> bool:
    """Whether the metrics of a host say this."""
    port = host.events("metrics.ready")[0]["port"]
    async with http.get(f"http://127.0.0.1:{port}/metrics") as said:
        return line in (await said.text()).splitlines()


async def test_a_session_is_found_at_whatever_host_it_is_and_one_that_is_nowhere_is_answered(tmp_path: Path) -> None:
    settings = {**KEEPS_NOTHING, "SERENDIP_METRICS__ENABLED": "true", "SERENDIP_METRICS__PORT": "0"}
    async with two(tmp_path, settings, START, START) as (one, other), aiohttp.ClientSession() as http:
        away, gone = await Person(http, one.port).open(), await Person(http, one.port).open()
        away.cut()
        back = await Person(http, other.port).open()
        await back.say("resume", token=away.token, last=0)
        await back.hear("resumed", "error")
        async with asyncio.timeout(20):
            while not (  # noqa: ASYNC110 - other processes
                await figure(other, http, 'serendip_session_lookups_total{result="found"} 1.0')
                and await figure(one, http, 'serendip_session_lookups_total{result="answered"} 1.0')
            ):
                await asyncio.sleep(0.05)
        one.kill("worker 1")
        await one.told("process.ready", 2, process="worker 1")
        stranger = await Person(http, other.port).open()
        await stranger.say("resume", token=gone.token, last=0)
        assert (await stranger.hear("resumed", "error"))["code"] == "no_session"
        await stranger.say("ping")
        await stranger.hear("pong")
        assert await figure(other, http, 'serendip_session_lookups_total{result="asked"} 2.0')
