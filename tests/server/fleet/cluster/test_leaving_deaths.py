"""A host leaves its cell, and a process of it, or of the one that takes its people, is killed at each named point.

A chat goes on whole, or both are told that it is over and meet anew.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path

import aiohttp
import pytest

from tests.server.fleet.cluster.judged import Pair
from tests.server.fleet.cluster.killed import Two, two
from tests.server.fleet.cluster.test_leaving import Balancer, drained, ended

pytestmark = [pytest.mark.blocking, pytest.mark.timeout(600)]  # runs servers, kills them, and waits for them

LEAVES, STAYS = 0, 1  # the places of the hosts
OWN = ("release", "sent", "asked", "go", "given", "away", "told")
OTHERS = ("passing", "passed", "arrived", "held", "took", "taken")
WHOLE, OVER = "whole", "over"
LOST = ("release", "sent", "asked")  # where it is killed there nobody of the host that leaves has been taken yet
SOME = ("given", "away", "told", "passed")  # of which one at least is whole


@pytest.fixture
async def cell(tmp_path: Path) -> AsyncIterator[Two]:
    async with two(tmp_path) as made:
        yield made


async def leaves(cell: Two, point: str) -> list[Pair]:
    """Two pairs talk on a host that leaves, one over both, one on the other host; a process is killed at the point, and all talk on or anew."""
    async with aiohttp.ClientSession() as http, Balancer(cell.servers, http) as balancer, AsyncExitStack() as stack:
        away, here = balancer.url, cell.url(STAYS)
        pairs = [
            Pair(cell, f"{point}{number}", urls=urls)
            for number, urls in enumerate(((away, away), (away, away), (away, here), (here, here)))
        ]
        for pair in pairs:
            await stack.enter_async_context(pair)
        for pair in pairs:
            await pair.together()
        await cell.grown()
        cell.arm(point)
        leaving = cell.servers[LEAVES]
        draining = asyncio.create_task(drained(leaving))
        fallen = await cell.fell(point)
        assert (fallen.at, fallen.name) == (
            STAYS if point in OTHERS else LEAVES,
            "frontend" if point in ("passing", "passed") else "worker 1",
        )
        for pair in pairs:
            await pair.together()
        await draining
        await ended(leaving)
        await cell.again(LEAVES)
        await cell.have(2 * len(pairs))
        for pair in pairs:
            await pair.end()
        return pairs


def became(pair: Pair) -> str:
    """Of their chat. Whoever was told that it is over, so was the other one, once."""
    one, other = pair.people
    assert (one.chats, one.left) == (other.chats, other.left), pair
    assert len(one.left) <= 1, pair
    return OVER if one.left else WHOLE


@pytest.mark.parametrize("points", [OWN, OTHERS], ids=["leaves", "takes"])
async def test_who_dies_as_a_host_leaves(cell: Two, points: tuple[str, ...]) -> None:
    for point in points:
        *inside, over, there = await leaves(cell, point)
        found = {became(pair) for pair in inside}
        assert WHOLE not in found or point not in LOST, (point, inside)
        assert WHOLE in found or point not in SOME, (point, inside)
        became(over)
        if point in OWN or point in ("passing", "passed"):
            assert became(there) == WHOLE, (point, there)
            assert [person.drops for person in there.people] == [0, 0], (point, there)
