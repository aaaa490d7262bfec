"""A process on a host that ends: its people have most of the time to go, and alone it ends as ever."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from server.fleet.cluster.known_nodes import Hosts, Place
from server.fleet.ipc.ipc_link import Kind, Message
from server.fleet.ipc.ipc_peers import HUB
from server.fleet.processes.session_lookup import stays
from server.fleet.processes.shutdown_time_budget import LAST, WorkerEvacuation, span
from server.fleet.roaming import evacuation
from server.ops.security.secret_keys import Keys
from tests.server.fleet.cluster.evacuated import Cell, cell, meet, name
from tests.server.fleet.migrate.rig import until
from tests.server.fleet.processes.rig import Host


@pytest.fixture
async def two(secret: Keys) -> AsyncIterator[Cell]:
    async with cell(secret) as made:
        yield made


def there() -> int:
    return 1


def departing(two: Cell, hosts: Hosts) -> WorkerEvacuation:
    """Of the worker of the first host."""
    one = two.workers[0]
    return WorkerEvacuation("worker 1", one.worker, lambda: one.links, hosts, asyncio.Event())


def hosts(*states: str) -> Hosts:
    """As the hub told of them last."""
    made = Hosts()
    nodes = ("00000000bb", "00000000cc")
    made.take(None, [[node, "x:1", "1.0", state, 5, 0.0] for node, state in zip(nodes, states, strict=False)])
    return made


def message(kind: Kind, *records: object) -> Message:
    return Message(kind, 1, list(records), [], [])


@pytest.mark.parametrize(("drain", "people"), [(10.0, 7.0), (4.0, 2.0), (0.0, 0.0), (60.0, 57.0)])
def test_those_who_are_told_to_come_back_have_the_last_seconds(drain: float, people: float) -> None:
    assert span(drain) == people
    assert drain - span(drain) <= LAST


@pytest.mark.parametrize("why", ["no way", "nobody there", "nobody serves"])
async def test_alone_all_of_the_time_is_for_those_who_are_told_to_come_back(two: Cell, why: str) -> None:
    await meet(two, "sailing", there)
    if why != "no way":
        two.workers[0].links.cross = two.send
    made = departing(
        two, hosts() if why == "nobody there" else hosts("draining") if why == "nobody serves" else hosts("serving")
    )
    assert await made.run(10.0, lambda: True) == 10.0
    assert made.moved == ()
    assert len(two.workers[0].sessions) == 2


async def test_the_hub_is_told_that_nobody_is_to_come_and_so_is_one_that_is_new(made: Host) -> None:
    async def nobody(*_: object) -> bool:
        raise AssertionError

    hub, one = made.play(HUB), made.worker(1)
    await made.joined()
    one.links.cross = nobody
    leaves = WorkerEvacuation("worker 1", one.worker, lambda: one.links, hosts("serving"), asyncio.Event())
    leaves.tell_hub()
    await leaves.run(10.0, lambda: True)
    leaves.tell_hub()
    for _ in range(2):
        assert (await hub.next(Kind.LEAVING)).records == [True]
    assert hub.of(Kind.LEAVING) == [], "before it was to go it said nothing"


async def test_people_go_and_the_supervisor_is_told_how_many(two: Cell) -> None:
    await meet(two, "sailing", there)
    two.workers[0].links.cross = two.send
    made = departing(two, hosts("serving"))
    left = await made.run(10.0, lambda: True)
    assert LAST <= left <= 10.0
    assert made.moved == (2, 1, 0)
    assert two.workers[0].links.session_lookup._goes is stays
    made.tell_hub()


async def test_the_hub_s_last_word_says_where_people_may_go(two: Cell) -> None:
    await meet(two, "sailing", there)
    two.workers[0].links.cross = two.send
    made = departing(two, hosts("serving", "serving"))
    made.handlers[Kind.PLACES]("hub", message(Kind.PLACES, list(Place(name(1), 0))))
    await made.run(10.0, lambda: True)
    assert two.asked == [name(1)]


async def test_an_operator_gives_more_time_and_a_second_word_takes_it_back(
    two: Cell, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(evacuation, "GIVEN_UP", 1e9)
    await meet(two, "sailing", there)
    two.workers[0].links.cross = two.send
    two.takes[1] = False
    made = departing(two, hosts("serving"))
    made.handlers[Kind.EVACUATE]("supervisor", message(Kind.EVACUATE, 300.0))
    assert made._stop.is_set()
    running = asyncio.create_task(made.run(0.0, lambda: True))
    await until(lambda: two.asked)
    assert not running.done()
    made.handlers[Kind.EVACUATE]("supervisor", message(Kind.EVACUATE, 0.0))
    async with asyncio.timeout(10):
        assert await running == 0.0
    assert made.moved == (0, 0, 2)
