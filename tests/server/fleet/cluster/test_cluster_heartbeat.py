"""A host among others as its hub has it: it says that it is there, hears who else is, and notices when nothing comes back."""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import orjson
import pytest
from structlog.testing import capture_logs

from engine.matching.thresholds import Thresholds
from engine.rooms.hub import Hub
from server.fleet.cluster import cluster_heartbeat
from server.fleet.cluster.cluster_heartbeat import EVERY, HEARD, NO_MORE, ClusterNode
from server.fleet.cluster.known_nodes import NOT_YET
from server.fleet.cluster.membership import DEAD, Beat, Host, Post, Share, order
from server.fleet.cluster.shared_room import SharedRoom
from server.fleet.cluster.waiting_room_messages import ROOM
from server.fleet.ipc.process_names import Names
from server.fleet.nats.nats_bus import Handler, NatsBus
from server.fleet.rpc.rpc_envelope import SKEW
from server.fleet.rpc.rpc_seal import Seal
from server.ops.config.cluster_settings import Cluster
from server.ops.security import secret_keys
from server.ops.security.random_ids import Ids
from tests.server.fleet.nats.test_nats_bus import until
from tests.support import services


class Made:
    """What a hub makes of a cell."""

    def __init__(self, settings: Cluster, seal: Seal, people: int, more: Mapping[str, Handler] = NO_MORE) -> None:
        self.told: list[list[Host]] = []
        node = secrets.token_hex(5)
        self.room = SharedRoom(node, Hub.build(Thresholds(), Ids()), Thresholds(), 1, lambda _, __: None, self._say)
        self.cell = ClusterNode(node, settings, seal, lambda: people, self.told.append, self.room, more=more)
        self.worker = Names(node).number("worker 1")

    def _say(self, subject: str, body: bytes) -> None:
        self.cell.bus.say(subject, body)

    def hears(self) -> list[int]:
        """How many people there are at each other host."""
        return [one.people for one in self.told[-1]] if self.told else []


@pytest.fixture
async def seal(tmp_path: Path) -> Seal:
    return Seal(await asyncio.to_thread(secret_keys.load, tmp_path))


@asynccontextmanager
async def hub(settings: Cluster, seal: Seal, people: int = 0) -> AsyncIterator[Made]:
    made = Made(settings, seal, people)
    tasks = [asyncio.create_task(run()) for run in (made.cell.bus.run, made.cell.run)]
    try:
        yield made
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def named(nats: services.Nats, **more: Any) -> Cluster:
    return Cluster(**{"nats": (nats.url,), "address": "127.0.0.1:1", "name": secrets.token_hex(8), **more})


async def test_hosts_of_a_cell_hear_each_other_and_those_of_another_do_not(nats: services.Nats, seal: Seal) -> None:
    settings = named(nats)
    other = Cluster(**{**settings.model_dump(), "id": "2"})
    async with hub(settings, seal, 3) as one, hub(settings, seal, 4) as two, hub(other, seal, 5) as third:
        await until(lambda: one.hears() == [4] and two.hears() == [3])
        assert (one.cell.people_elsewhere, two.cell.people_elsewhere) == (4, 3)
        await two.cell.end()
        await until(lambda: one.hears() == [])
        assert third.hears() == []
        assert third.cell.standing()["away"] is None


async def test_figures_say_who_is_there(nats: services.Nats, seal: Seal) -> None:
    settings = named(nats)
    async with hub(settings, seal, 3) as one, hub(settings, seal, 4) as two:
        await until(lambda: one.hears() == [4] and two.hears() == [3])
        found = one.cell.reading()
        assert found["serendip_nats_up"] == 1
        assert sum(found["serendip_members"].values()) == 1
        assert found["serendip_members_clock_seconds"] < SKEW
        ((node, address, _, state, people, _),) = one.cell.standing()["others"]
        assert (node, address, state, people) == (two.cell.standing()["node"], "127.0.0.1:1", "serving", 4)


async def test_what_is_sealed_and_no_beat_is_counted(nats: services.Nats, seal: Seal) -> None:
    async with hub(named(nats), seal) as one:
        await until(lambda: one.cell.bus.up)
        for body in (b"", b"{", b"[]", b'{"node":1}'):
            one.cell.bus.say("all", body)
        await until(lambda: one.cell.bus.dropped["unreadable"] == 4)


async def test_who_does_not_hear_itself_makes_its_connection_anew(
    nats: services.Nats, seal: Seal, monkeypatch: pytest.MonkeyPatch
) -> None:
    came = NatsBus._came

    async def swallows(self: NatsBus, message: Any) -> None:
        if self.connects > 1:
            await came(self, message)

    monkeypatch.setattr(NatsBus, "_came", swallows)
    async with hub(named(nats), seal) as one, hub(named(nats), seal) as other:
        await until(lambda: one.cell.bus.connects == 2 and other.cell.bus.connects == 2)
        await until(lambda: one.cell.members.own is not None)


async def test_a_clock_that_is_far_off_is_told_once_until_it_is_right(nats: services.Nats, seal: Seal) -> None:
    cell = Made(named(nats), seal, 1).cell
    off, right = [
        [Host("b", "10.0.0.2:9467", "1.0", "serving", 1, ahead), Host("c", "10.0.0.3:9467", "1.0", "serving", 1, 0.0)]
        for ahead in (-SKEW - 1, SKEW)
    ]
    for others, told in ((off, 1), (off, 0), (right, 0), (off, 1)):
        with capture_logs() as said:
            cell._look_at_clocks(others)
        assert [(one["event"], one["said"]) for one in said] == [("cluster.clock_off", "10.0.0.2:9467: -31 s")] * told


async def test_who_drains_is_told_so_by_its_next_beat_and_nobody_goes_there(nats: services.Nats, seal: Seal) -> None:
    settings = named(nats)
    async with hub(settings, seal, 3) as one, hub(settings, seal, 4) as two:
        for made, people in ((one, 3), (two, 4)):
            made.room.joined(made.worker, False, False)
            made.room.load(made.worker, people)
        await until(lambda: [place.people for place in one.cell.places()] == [4] and two.cell.places())
        two.room.leaves(two.worker, True)
        two.cell.drain()
        await until(lambda: [host.state for host in (one.told or [[]])[-1]] == ["draining"])
        assert one.cell.places() == []
        assert [place.people for place in two.cell.places()] == [3]


async def test_who_is_there_is_known_once_each_had_time_to_be_heard(
    seal: Seal, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = 1000.0
    monkeypatch.setattr(cluster_heartbeat, "time", SimpleNamespace(monotonic=lambda: now, time=lambda: now))
    made = Made(Cluster(nats=("nats://127.0.0.1:1",), address="127.0.0.1:1", name=secrets.token_hex(8)), seal, 1)
    why = []
    for fault, within in (("refused", DEAD), (None, HEARD * EVERY), ("closed", DEAD)):
        made.cell.bus.fault = fault
        for seconds in (0.0, within / 2, within / 2):
            now += seconds
            made.cell._look()
            why.append(made.cell.trouble)
    assert why == [NOT_YET, NOT_YET, "refused", NOT_YET, NOT_YET, None, NOT_YET, NOT_YET, "closed"]


@pytest.mark.parametrize("ends", [True, False], ids=["it ends", "it is silent"])
async def test_the_room_is_at_no_host_that_is_not_heard(
    ends: bool, seal: Seal, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Tickets would wait for ever at an owner to which no stream leads (`SharedRoom.lost`)."""
    now = 1000.0
    monkeypatch.setattr(cluster_heartbeat, "time", SimpleNamespace(monotonic=lambda: now, time=lambda: now))
    made = Made(Cluster(nats=("nats://127.0.0.1:1",), address="127.0.0.1:1", name=secrets.token_hex(8)), seal, 1)
    here = made.room.node
    first, last = sorted(["00000000aa", "00000000bb"], key=order)

    def hears(node: str, ends: bool = False) -> None:
        share = Share(ROOM, node, (Post(1, 0, False, False),))
        made.cell._heard(orjson.dumps(Beat(node, "127.0.0.1:2", "1", 0, now, ends, share).said()))

    owners = []
    for node in (first, last):
        hears(node)
        owners.append(made.room.owner)
    for node in (last, first):
        if ends:
            hears(node, ends=True)
        else:
            now += DEAD
            if node == last:
                hears(first)
            made.cell._look()
        owners.append(made.room.owner)
    hears(last)
    assert [*owners, made.room.owner] == [first, last, first, here, last]


async def test_a_host_is_told_of_as_soon_as_it_is_heard(seal: Seal) -> None:
    made = Made(Cluster(nats=("nats://127.0.0.1:1",), address="127.0.0.1:1", name=secrets.token_hex(8)), seal, 1)
    nodes, found = ["00000000aa", "00000000bb"], []
    for node in nodes:
        made.cell._heard(orjson.dumps(Beat(node, "127.0.0.1:2", "1", 0, time.time()).said()))
        found.append([one.node for one in made.told[-1]])
    assert found == [nodes[:1], nodes]


async def test_a_host_whose_connection_begins_says_so_and_does_not_know_the_others(seal: Seal) -> None:
    made = Made(Cluster(nats=("nats://127.0.0.1:1",), address="127.0.0.1:1", name=secrets.token_hex(8)), seal, 1)
    made.cell._since -= DEAD
    made.cell._look()
    alone = made.cell.trouble
    made.cell.bus.fault = None
    made.cell.bus._begun()
    assert alone != made.cell.trouble == NOT_YET
    assert made.cell.bus._unsent.qsize() == 1


async def test_further_subjects_are_heard(nats: services.Nats, seal: Seal) -> None:
    heard: list[bytes] = []
    cell = Made(named(nats), seal, 1, {"who": heard.append}).cell
    task = asyncio.create_task(cell.bus.run())
    await until(lambda: cell.bus.up)
    cell.bus.say("who", b"is there?")
    await until(lambda: heard == [b"is there?"])
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
