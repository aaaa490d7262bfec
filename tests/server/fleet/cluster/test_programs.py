"""Programs of Omegle's protocol at several hosts that run: they find each other as people do, and what becomes of a host is told them."""

from __future__ import annotations

import asyncio
import os
import re
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import pytest

from tests.server.fleet.cluster.test_leaving import drained, ended
from tests.server.fleet.cluster.test_proxy_hosts import Two, both, metric
from tests.server.main.processes.test_process_group import Several
from tests.server.site.omegle.conftest import Caller
from tests.support import services

pytestmark = [pytest.mark.blocking, pytest.mark.timeout(180)]  # runs servers and waits for them


async def meet(two: Two, topic: str, *randids: str) -> tuple[Caller, Caller]:
    """A program of each host, which find each other over a topic."""
    callers = Caller(two.sessions[0]), Caller(two.sessions[1])
    for caller, randid in zip(callers, randids or ("", ""), strict=True):
        await caller.start(topics=f'["{topic}"]', randid=randid)
    for caller in callers:
        if "connected" not in str(caller.first):
            async with asyncio.timeout(20):
                await caller.until("connected")
    return callers


async def talk(one: Caller, other: Caller, text: str) -> None:
    """Each types and says a line."""
    for speaker, hearer in ((one, other), (other, one)):
        assert await speaker.post("/typing") == "win"
        assert await hearer.until("typing") == ["typing"]
        assert await speaker.post("/send", msg=text) == "win"
        assert await hearer.until("gotMessage") == ["gotMessage", text]


@asynccontextmanager
async def met(folder: Path) -> AsyncIterator[tuple[Two, tuple[Several, Caller], tuple[Several, Caller]]]:
    """Two who have: the host at which they are and its program, and the other host and its own."""
    async with both(folder) as two:
        one, other = await meet(two, "knots")
        await talk(one, other, "hello")
        here, there = (two.here, one), (two.there, other)
        tunnels = [await metric(server, "serendip_tunnels") for server, _ in (here, there)]
        assert sorted(tunnels) == [0, 1]
        yield two, *((here, there) if tunnels[1] else (there, here))


async def test_they_talk_and_either_leaves_and_each_is_upgraded_meanwhile(tmp_path: Path) -> None:
    async with met(tmp_path) as (two, (home, near), (edge, far)):
        for number, server in enumerate((edge, home, edge)):
            poll = asyncio.create_task(far.events())
            assert (await server.upgrade())[0] == 0
            assert await poll == []
            await talk(near, far, f"after {number}")
        assert await metric(edge, "serendip_tunnels") == 1
        assert await far.post("/disconnect") == "win"
        assert await near.until("strangerDisconnected")
        one, other = await meet(two, "kites")
        await talk(one, other, "once more")
        assert await one.post("/disconnect") == "win"
        assert await other.until("strangerDisconnected")
        assert await other.events() is None
        for server in (home, edge):
            assert not server.events("loop.fault")
            assert not server.events("worker.fault")


def killed(server: Several) -> None:
    """All of a host at once."""
    for pid in {line["pid"] for line in server.events("process.ready")} | {server.pid}:
        os.kill(pid, signal.SIGKILL)


@pytest.mark.parametrize("who", ["home", "edge"])
async def test_a_host_that_is_killed_is_the_end_of_its_programs_chats_and_the_other_is_told(
    tmp_path: Path, who: str
) -> None:
    async with met(tmp_path) as (_, (home, near), (edge, far)):
        killed(home if who == "home" else edge)
        async with asyncio.timeout(60):
            assert await (far if who == "home" else near).until("strangerDisconnected")


@pytest.mark.parametrize("who", ["home", "edge"])
async def test_a_frontend_that_is_killed_takes_its_programs_along_and_the_other_is_told(
    tmp_path: Path, who: str
) -> None:
    async with met(tmp_path) as (_, (home, near), (edge, far)):
        await (home if who == "home" else edge).kill("frontend")
        async with asyncio.timeout(60):
            assert await (far if who == "home" else near).until("strangerDisconnected")


@pytest.mark.parametrize("places", [(0, 1, 1), (1, 1, 0)])
async def test_who_asks_and_who_discuss_are_at_several_hosts(tmp_path: Path, places: tuple[int, int, int]) -> None:
    async with both(tmp_path) as two:
        asker, one, other = (Caller(two.sessions[place]) for place in places)
        await asker.start(ask="Why is it so at all?")
        for caller in (one, other):
            await caller.start(wantsspy="1")
        for caller in (asker, one, other):
            if "question" not in str(caller.first):
                assert (await caller.until("question"))[1] == "Why is it so at all?"
        assert await one.post("/send", msg="nobody knows") == "win"
        assert await other.until("gotMessage") == ["gotMessage", "nobody knows"]
        assert (await asker.until("spyMessage"))[2] == "nobody knows"
        assert await one.post("/disconnect") == "win"
        assert await other.until("strangerDisconnected")
        assert (await asker.until("spyDisconnected"))[1].startswith("Stranger ")


@pytest.mark.parametrize("who", ["home", "edge"])
async def test_programs_of_a_host_that_leaves_talk_on_until_their_chat_ends(tmp_path: Path, who: str) -> None:
    async with met(tmp_path) as (_, (home, near), (edge, far)):
        leaves = home if who == "home" else edge
        draining = asyncio.create_task(drained(leaves))
        await leaves.told("host.leaving")
        await talk(near, far, "still there?")
        assert not draining.done()
        assert await far.post("/disconnect") == "win"
        assert await near.until("strangerDisconnected")
        assert (await draining)[-1]["done"] is True
        assert await ended(leaves) == 0


async def saved(session: aiohttp.ClientSession, randid: str) -> str:
    """What a program saves of its chat, which is an account of its own where none is known."""
    log = '[["You:", "my own account"]]'
    async with session.post("/generate", data={"randid": randid, "log": log}) as answer:
        found = re.search(r'href="http://[^/]+(/log/[^"]+)"', await answer.text())
    assert found is not None
    async with session.get(found[1], params={"as": "text"}) as answer:
        return await answer.text()


async def test_each_of_the_two_saves_what_was_said(tmp_path: Path) -> None:
    with services.postgres() as database, services.s3() as bucket:
        kept = {
            "SERENDIP_STORE__ENABLED": "true",
            "SERENDIP_STORE__URL": database.url("postgres"),
            "SERENDIP_OBJECTS__URL": f"s3://{bucket.bucket}/x",
            "SERENDIP_OBJECTS__ENDPOINT": bucket.endpoint,
            "SERENDIP_OBJECTS__ACCESS_KEY": bucket.access_key,
            "SERENDIP_OBJECTS__SECRET_KEY": bucket.secret_key,
        }
        async with both(tmp_path, **kept) as two:
            randids = "DDDD4444", "EEEE4444"
            one, other = await meet(two, "knots", *randids)
            await talk(one, other, "of both hosts")
            assert await one.post("/disconnect") == "win"
            assert await other.until("strangerDisconnected")
            for session, randid in zip(two.sessions, randids, strict=True):
                assert "of both hosts" in await saved(session, randid)
