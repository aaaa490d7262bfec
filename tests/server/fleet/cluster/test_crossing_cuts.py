"""A crossing is cut at a byte: each person is at one host when it is over, both meet, and no line is lost or comes twice."""

from __future__ import annotations

import asyncio
from typing import NamedTuple

import pytest

from server.fleet.roaming import migration_source, migration_target
from server.fleet.rpc.rpc_envelope import ANSWER, CHALLENGE, HEAD
from server.fleet.rpc.rpc_seal import SEALED
from server.ops.security.secret_keys import Keys
from tests.server.fleet.cluster.rig import Cell, There, all_closed, cell, lines
from tests.server.fleet.processes.rig import Visitor, Working
from tests.support.descriptors import opened

ANSWERED = ANSWER.size + SEALED  # bytes of TAKEN; behind it TOOK
LAST = 24  # bytes before the end of what an edge says that are tried one by one: the request's last, and GO


@pytest.fixture(autouse=True)
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who waits for a word that does not come waits less."""
    monkeypatch.setattr(migration_source, "TAKEN_WITHIN", 0.05)
    monkeypatch.setattr(migration_source, "TOOK_WITHIN", 0.05)
    monkeypatch.setattr(migration_target, "GO_WITHIN", 0.05)


class Talker(NamedTuple):
    """Somebody who looks for who says the same word."""

    visitor: Visitor
    id: int
    door: tuple[There, Working]


async def looks(there: There, worker: Working) -> Talker:
    """Somebody new."""
    visitor, id, _ = await there.host.visitor(worker)
    visitor.find("sailing")
    return Talker(visitor, id, (there, worker))


async def in_one_chat(made: Cell, people: list[Talker]) -> list[Talker]:
    """Until two talk with each other at one host. Whoever was left has met the other one, so that somebody else comes in their place."""
    stands: dict[int, str] = {}
    async with asyncio.timeout(20):
        while True:
            await made.settled()
            for place, one in enumerate(people):
                for frame in one.visitor.hear():
                    if frame["type"] in ("matched", "left"):
                        stands[one.id] = str(frame["type"])
                if stands.get(one.id) == "left":
                    assert len(made.owners(one.id)) == 1
                    people[place] = await looks(*one.door)
            owners = [owner for one in people for owner in made.owners(one.id)]
            if [stands.get(one.id) for one in people] == ["matched"] * 2 and len(owners) == 2 and len(set(owners)) == 1:
                return people
            await asyncio.sleep(0.001)


async def cut(secret: Keys, there: int | None, back: int | None, closes: bool, *, begun: bool = True) -> None:
    """Two of two hosts look for each other, and the first connection between them is cut. Not `begun`: both ports have just begun."""
    async with cell(secret) as made:
        (one,), (other,) = made.workers
        for host in made.hosts:
            if not begun:
                host.port.pause()
                host.port.start()
            host.relay.stop(there, back, closes)
        people = [await looks(made.hosts[0], one), await looks(made.hosts[1], other)]
        first, second = await in_one_chat(made, people)
        await lines(first.visitor, second.visitor, 0, 20)
        await lines(second.visitor, first.visitor, 0, 20)
        assert [len(made.owners(one.id)) for one in (first, second)] == [1, 1]
        counted = next(host.relay.counted[0] for host in made.hosts if host.relay.counted)
        assert back is None or counted[1] == back


@pytest.mark.parametrize("closes", [True, False], ids=["ended", "silent"])
async def test_what_the_edge_says_is_cut(secret: Keys, closes: bool) -> None:
    before = opened()
    for there in [0, 1, HEAD.size - 1, HEAD.size, HEAD.size + SEALED, HEAD.size + SEALED + 4, *range(-LAST, 0)]:
        await cut(secret, there, None, closes)
    await all_closed(before)


@pytest.mark.parametrize("closes", [True, False], ids=["ended", "silent"])
async def test_what_the_home_says_is_cut_before_took(secret: Keys, closes: bool) -> None:
    before = opened()
    for back in range(ANSWERED + 1):
        await cut(secret, None, back, closes)
    await all_closed(before)


@pytest.mark.parametrize("closes", [True, False], ids=["ended", "silent"])
async def test_a_home_that_has_just_begun_is_asked_twice_and_cut_in_between(secret: Keys, closes: bool) -> None:
    before, again = opened(), ANSWERED + CHALLENGE
    for back in (None, 0, again - 1, again, again + 1, again + ANSWERED - 1, again + ANSWERED):
        await cut(secret, None, back, closes, begun=False)
    await all_closed(before)
