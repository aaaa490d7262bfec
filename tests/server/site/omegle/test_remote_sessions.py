"""Two programs of two hosts are matched, one goes by a wire to the other's frontend, and neither notices anything of it.

Rule: the service's frontends, ports, tunnels and adapters in one loop; the room is a real hub (`tests.server.fleet.cluster.rig`).
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import orjson
import pytest

from server.ops.config.settings import Settings
from server.ops.security.secret_keys import Keys, load
from server.site.omegle.omegle_adapter import OmegleAdapter
from server.site.omegle.omegle_client import QUEUE_EVENTS
from server.site.omegle.remote_sessions import RemoteState
from tests.server.fleet.cluster.rig import Cell, all_closed, cell
from tests.server.fleet.cluster.rig import There as Host
from tests.server.fleet.migrate.rig import until
from tests.support.descriptors import opened

SAILING = {"type": "find", "language": "en", "interests": ["sailing"], "strict": True}


class Program:
    """One client, by what its requests come to."""

    def __init__(self, adapter: OmegleAdapter, find: dict[str, Any], randid: str = "") -> None:
        made = adapter.start(find, randid, "192.0.2.1")
        assert made is not None
        self.adapter, self.client = adapter, made
        self.heard: list[Any] = []

    def poll(self) -> bool:
        """What waits is taken, without figures and digests."""
        client = self.client
        events = [orjson.loads(event) for event in client.events]
        if events:
            self.adapter.written(client, len(events))
            self.heard += [event for event in events if event[0] != "statusInfo"]
        return bool(self.heard)

    async def hears(self, name: str) -> list[Any]:
        """The next event of this name; those before it are forgotten."""
        while True:
            await until(lambda: self.heard or self.poll())
            event = self.heard.pop(0)
            if event[0] == name:
                return list(event)

    def say(self, text: str) -> None:
        """A line, which is taken."""
        assert self.adapter.send(self.client, text)


class Frontends:
    """Of a cell, with an adapter each."""

    def __init__(self, made: Cell) -> None:
        self.cell = made
        self.adapters = [self.open(there) for there in made.hosts]

    def open(self, there: Host) -> OmegleAdapter:
        """As the frontend does it."""
        frontend = there.frontend
        adapter = OmegleAdapter(frontend.worker, Settings(limits={"enabled": False}), shared=b"secret")  # type: ignore[arg-type]  # as it is configured
        there.host_migrations[frontend]._crossing._find_speaker = lambda: adapter.remote_clients
        frontend.links.tunnels.on_returned = adapter.remote_clients.home
        frontend.ports.on_frames = adapter.frames
        return adapter

    def start(self, host: int, find: dict[str, Any] = SAILING, randid: str = "") -> Program:
        """A client of a host."""
        return Program(self.adapters[host], find, randid)

    async def meet(
        self, first: int = 0, randids: tuple[str, str] = ("AAAA2222", "BBBB2222")
    ) -> tuple[Program, Program]:
        """Two of two hosts, who heard of each other: the one that stayed, and the one whose session is at the other's host."""
        one = self.start(first, randid=randids[0])
        await one.hears("waiting")
        two = self.start(1 - first, randid=randids[1])
        for program in (one, two):
            await program.hears("connected")
            assert (await program.hears("commonLikes"))[1] == ["sailing"]
        await self.cell.settled()
        return (one, two) if one.client.wire is None else (two, one)

    async def end(self) -> None:
        """Everybody goes."""
        for there in self.cell.hosts:
            there.relay.flows.set()
        for adapter in self.adapters:
            for client in list(adapter.clients.values()):
                adapter.leave(client)
        await self.empty()

    async def empty(self) -> None:
        """Wait until nobody is anywhere."""
        await until(
            lambda: (
                not any(
                    there.frontend.sessions or len(there.frontend.links.tunnels) or adapter.remote_clients._ended
                    for there, adapter in zip(self.cell.hosts, self.adapters, strict=True)
                )
            )
        )


@pytest.fixture
def secret(tmp_path: Path) -> Keys:
    return load(tmp_path)


@pytest.fixture
async def frontends(secret: Keys) -> AsyncIterator[Frontends]:
    async with cell(secret) as made:
        frontends = Frontends(made)
        yield frontends
        await frontends.end()


async def chat(one: Program, two: Program) -> None:
    """Each types, and is heard."""
    for speaker, hearer, text in ((one, two, "hello"), (two, one, "hello yourself")):
        speaker.adapter.typing(speaker.client, True)
        await hearer.hears("typing")
        speaker.adapter.typing(speaker.client, False)
        await hearer.hears("stoppedTyping")
        speaker.say(text)
        assert await hearer.hears("gotMessage") == ["gotMessage", text]


@pytest.mark.parametrize("first", [0, 1])
async def test_two_of_two_hosts_talk(frontends: Frontends, first: int) -> None:
    near, far = await frontends.meet(first)
    assert (near.client.wire, isinstance(far.client.session, RemoteState)) == (None, True)
    await chat(near, far)
    for number in range(50):
        near.say(f"near {number}")
        far.say(f"far {number}")
        await asyncio.sleep(0)
    for number in range(50):
        assert (await near.hears("gotMessage"))[1] == f"far {number}"
        assert (await far.hears("gotMessage"))[1] == f"near {number}"


async def test_many_of_two_hosts_find_each_other(frontends: Frontends) -> None:
    programs = [frontends.start(number % 2) for number in range(40)]
    for program in programs:
        await program.hears("connected")
    chats: dict[str, list[Program]] = {}
    for program in programs:
        chats.setdefault(program.client.chat, []).append(program)
    assert {len(pair) for pair in chats.values()} == {2}
    for one, two in chats.values():
        await chat(one, two)


@pytest.mark.parametrize("leaves", ["near", "far"])
async def test_whoever_leaves_the_other_is_told_and_nothing_stays(frontends: Frontends, leaves: str) -> None:
    near, far = await frontends.meet()
    await chat(near, far)
    one, other = (near, far) if leaves == "near" else (far, near)
    one.adapter.leave(one.client)
    assert await other.hears("strangerDisconnected") == ["strangerDisconnected"]
    await until(lambda: not any(adapter.clients for adapter in frontends.adapters))
    await frontends.empty()


async def test_nothing_stays_open(secret: Keys) -> None:
    async def two_meet() -> None:
        async with cell(secret) as made:
            frontends = Frontends(made)
            near, far = await frontends.meet()
            await chat(near, far)
            await frontends.end()

    before = opened()
    await two_meet()
    await all_closed(before)


async def test_what_was_said_is_there_for_a_log_at_both_hosts(secret: Keys) -> None:
    async with cell(secret) as made:
        for there in made.hosts:
            there.frontend.worker.engine._core.keeps = True
        frontends = Frontends(made)
        for leaves in (0, 1):
            randids = f"{leaves}AAA2222", f"{leaves}BBB2222"
            pair = await frontends.meet(leaves, randids)
            pair[0].say("to be kept")
            await pair[1].hears("gotMessage")
            pair[leaves].adapter.leave(pair[leaves].client)
            for program in (pair[leaves], pair[1 - leaves]):
                if program is not pair[leaves]:
                    await program.hears("strangerDisconnected")
                    await asyncio.sleep(0)  # what ended is cleared
                await program.adapter.remote_clients.known(program.client.person)
                found = [await program.adapter.lately(id, "192.0.2.1") for id in randids]
                said = [past.transcript() for past in found if past is not None]
                assert [line.text for one in said if one is not None for line in one.lines] == ["to be kept"]


async def test_who_cannot_go_over_waits_on_and_meets_later(frontends: Frontends) -> None:
    for there in frontends.cell.hosts:
        there.relay.stop(there=0)  # the next connection is cut at once
    near, far = await frontends.meet()
    await chat(near, far)


async def test_who_will_take_anybody_on_the_way_is_taken_at_the_word(frontends: Frontends) -> None:
    one = frontends.start(0)
    await one.hears("waiting")
    for there in frontends.cell.hosts:
        there.relay.flows.clear()
    two = frontends.start(1)
    programs = (one, two)
    await until(lambda: any(program.client.wire is not None for program in programs))
    (goes,) = [program for program in programs if program.client.wire is not None]
    assert not goes.adapter.send(goes.client, "to nobody yet")
    goes.adapter.typing(goes.client, True)
    goes.adapter.widen(goes.client)
    for there in frontends.cell.hosts:
        there.relay.stop(there=0)
    await until(lambda: goes.client.wire is None)
    for there in frontends.cell.hosts:
        there.relay.flows.set()
    assert "interests" not in goes.client.find
    session = goes.adapter._worker.engine.sessions[goes.client.session.id]
    assert session.query is not None
    assert not session.query.terms.strict


@pytest.mark.parametrize("arrives", [True, False])
async def test_who_leaves_on_the_way_is_met_by_nobody(frontends: Frontends, arrives: bool) -> None:
    one = frontends.start(0)
    await one.hears("waiting")
    for there in frontends.cell.hosts:
        there.relay.flows.clear()
    two = frontends.start(1)
    await until(lambda: one.client.wire is not None or two.client.wire is not None)
    goes, stays = (one, two) if one.client.wire is not None else (two, one)
    goes.adapter.leave(goes.client)
    if arrives:
        for there in frontends.cell.hosts:
            there.relay.flows.set()
        await stays.hears("strangerDisconnected")
    else:
        await until(lambda: not goes.adapter._worker.engine.sessions)
    for there in frontends.cell.hosts:
        there.relay.flows.set()
    await frontends.cell.settled()
    await until(lambda: not any(len(there.frontend.links.tunnels) for there in frontends.cell.hosts))


@pytest.mark.parametrize("widens", [False, True])
async def test_who_finds_nobody_there_comes_home_waits_on_and_meets_somebody_else(
    frontends: Frontends, widens: bool
) -> None:
    one = frontends.start(0)
    await one.hears("waiting")
    for there in frontends.cell.hosts:
        there.relay.flows.clear()
    two = frontends.start(1)
    await until(lambda: one.client.wire is not None or two.client.wire is not None)
    goes, stays = (one, two) if one.client.wire is not None else (two, one)
    stays.adapter.leave(stays.client)
    for there in frontends.cell.hosts:
        there.relay.flows.set()
    await until(lambda: goes.client.wire is None or goes.client.wire.is_open)
    if widens:
        goes.adapter.widen(goes.client)
    await until(lambda: goes.client.wire is None)
    await until(lambda: not any(len(there.frontend.links.tunnels) for there in frontends.cell.hosts))
    given = [there.frontend.links.tally.between_hosts["meet", "tunnel", "given"] for there in frontends.cell.hosts]
    assert sum(given) == 1, "it was there"
    find = {"type": "find", "language": "en"} if widens else SAILING
    other = frontends.start(frontends.adapters.index(goes.adapter), find)
    for program in (goes, other):
        await program.hears("connected")
    await chat(goes, other)


async def test_the_end_of_the_way_between_two_hosts_is_told_to_both(frontends: Frontends) -> None:
    near, far = await frontends.meet()
    await chat(near, far)
    for there in frontends.cell.hosts:
        await there.relay.close()
    for program in (near, far):
        assert await program.hears("strangerDisconnected")
    await until(lambda: not any(adapter.clients for adapter in frontends.adapters))


async def test_a_frontend_that_dies_takes_its_clients_along_at_once(frontends: Frontends) -> None:
    near, far = await frontends.meet()
    await chat(near, far)
    wire = far.client.wire
    assert wire is not None
    wire.hear = lambda _: None
    wire._close()  # as where its process is gone, and nothing is said
    assert await near.hears("strangerDisconnected")


async def test_who_polls_no_more_is_away_for_a_while_and_then_gone(frontends: Frontends) -> None:
    near, far = await frontends.meet()
    far.adapter.cut(far.client)
    near.say("are you there?")
    assert far.adapter.find(far.client.id) is far.client
    assert (await far.hears("gotMessage"))[1] == "are you there?"
    far.adapter.cut(far.client)
    assert far.client.wire is not None
    far.adapter._tick()
    assert far.adapter.clients
    far.client.wire.cut -= 60.0
    far.adapter._tick()
    assert not far.adapter.clients
    await near.hears("strangerDisconnected")


async def test_who_takes_nothing_slows_the_other_and_loses_nothing(frontends: Frontends) -> None:
    near, far = await frontends.meet()
    for number in range(2 * QUEUE_EVENTS):
        near.say(f"line {number}")
        await asyncio.sleep(0)
    await until(lambda: far.client.paused)
    for number in range(2 * QUEUE_EVENTS):
        assert (await far.hears("gotMessage"))[1] == f"line {number}"
    assert not far.client.paused


async def test_a_line_that_its_home_refuses_is_told(frontends: Frontends) -> None:
    near, far = await frontends.meet()
    far.say("\x00")
    assert (await far.hears("error"))[1]
    await chat(near, far)


async def moved(frontends: Frontends, far: Program) -> None:
    """Its client goes to another adapter, as to another frontend, by its wire's descriptor."""
    host = frontends.adapters.index(far.adapter)
    old, new = far.adapter, frontends.open(frontends.cell.hosts[host])
    assert old.ready(far.client)
    piece, blobs, descriptors = old.alone(far.client, time.monotonic())
    new.take_rest(orjson.loads(orjson.dumps(piece)), blobs, time.monotonic(), descriptors)
    frontends.adapters[host] = far.adapter = new
    far.client = new.clients[far.client.id]


async def test_another_frontend_goes_on_with_it(frontends: Frontends) -> None:
    near, far = await frontends.meet()
    await chat(near, far)
    near.say("while it goes")
    await moved(frontends, far)
    assert (await far.hears("gotMessage"))[1] == "while it goes"
    await chat(near, far)
    far.adapter.cut(far.client)
    await moved(frontends, far)
    assert far.client.wire is not None
    assert far.client.wire.cut
    assert far.adapter.find(far.client.id) is far.client
    await chat(far, near)
    near.adapter.leave(near.client)
    await far.hears("strangerDisconnected")
    await frontends.empty()


def spy(**fields: Any) -> dict[str, Any]:
    """A search of spy mode."""
    return {"type": "find", "language": "en", **fields}


ASKS = spy(role="spy", question="Why is it so at all?", share=False)


@pytest.mark.parametrize("places", [(0, 1, 1), (0, 0, 1), (0, 1, 2)])
async def test_three_of_spy_mode_at_several_hosts(secret: Keys, places: tuple[int, int, int]) -> None:
    async with cell(secret, hosts=3) as made:
        frontends = Frontends(made)
        watcher = frontends.start(places[0], ASKS)
        one, two = (frontends.start(place, spy(role="discuss")) for place in places[1:])
        for program in (watcher, one, two):
            assert (await program.hears("question"))[1] == "Why is it so at all?"
        one.say("nobody knows")
        assert (await two.hears("gotMessage"))[1] == "nobody knows"
        assert (await watcher.hears("spyMessage"))[2] == "nobody knows"
        two.adapter.leave(two.client)
        assert (await watcher.hears("spyDisconnected"))[1].startswith("Stranger ")
        assert await one.hears("strangerDisconnected")
        await frontends.end()
