"""A real process is killed at each named point of a way to another host, and of the way back: each person is in one place, or in none and comes back.

Two look for each other, one at each host, so that one of them crosses; the process that comes to the point first is killed. Whatever it was, the
two talk in the end, each line once and in its order, and so does a crowd that is there from the first point to the last.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.server.fleet.cluster.judged import Crowd, Pair, Somebody
from tests.server.fleet.cluster.killed import Two, two

pytestmark = [pytest.mark.blocking, pytest.mark.timeout(600)]  # runs servers, kills them, and waits for them

# By the process that is killed, and what the other one's person notices of it.
EDGE = ("release", "asked", "go", "given", "opened")
HOME = ("arrived", "held", "took", "taken")
PASSES = ("passing", "passed")  # the home's frontend
BACK_HOME = ("homeward", "person", "read", "rest")
BACK_EDGE = ("coming", "returned", "back")


@pytest.fixture
async def cell(tmp_path: Path) -> AsyncIterator[Two]:
    async with two(tmp_path) as made:
        yield made


async def test_who_dies_as_somebody_goes_to_meet_somebody(cell: Two) -> None:
    async with Crowd(cell) as crowd:
        for point in (*EDGE, *PASSES, *HOME):
            await cell.grown()
            before = [crowd.drops(at) for at in (0, 1)]
            cell.arm(point)
            async with Pair(cell, point) as pair:
                fallen = await cell.fell(point)
                await pair.together()
                there, other = pair.of(fallen)
                assert fallen.name == ("frontend" if point in PASSES else "worker 1"), point
                noticed(point, there, other)
                await all_there(cell, crowd, pair)
            assert crowd.drops(1 - fallen.at) == before[1 - fallen.at], point
        await crowd.end()


async def all_there(cell: Two, crowd: Crowd, pair: Pair) -> None:
    """Everybody talks and is in one place; what the two said was heard, and they go."""
    await crowd.together()
    await cell.have(crowd.people + 2)
    await pair.end()
    await cell.have(crowd.people)


def noticed(point: str, there: Somebody, other: Somebody) -> None:
    """What each of two noticed. `there`: who was connected to the host whose process was killed."""
    assert other.drops <= (point in HOME), point  # told to come back, where no chat had been heard of
    assert there.drops == (0 if point in PASSES else 1), point
    for person in (there, other):  # a chat that ended was told to both, and only where it had begun
        assert len(person.left) == sum(map(bool, person.chats)) - 1, (point, person.chats, person.left)
    if point in ("release", "asked", *PASSES, "arrived", "held"):
        assert there.left == other.left == [], point  # nobody was at the home yet: they have not met before
    elif point in EDGE:
        assert other.left == [], point  # they are at the home, or were forgotten there before they met anybody


async def over(pair: Pair, how: str) -> None:
    """Their chat is over, and each looks for the next one, or for nobody."""
    for person in pair.people:
        person.idle = how == "leave"
        person.word = f"{pair.word}/2"
    for person in pair.people:
        await (person.look() if how == "look" else person.leave())


async def look(pair: Pair) -> None:
    """Who looked for nobody does."""
    for person in pair.people:
        if person.idle:
            person.idle = False
            await person.look()


@pytest.mark.parametrize("how", ["look", "leave"])
async def test_who_dies_as_somebody_goes_back(cell: Two, how: str) -> None:
    """They do not meet twice in ten minutes, except where one of them is somebody new, whose session was lost."""
    async with Crowd(cell) as crowd:
        for point in (*BACK_HOME, *BACK_EDGE):
            async with Pair(cell, point) as pair:
                await pair.together()
                await cell.grown()
                before = [crowd.drops(at) for at in (0, 1)]
                cell.arm(point)
                await over(pair, how)
                fallen = await cell.fell(point)
                await look(pair)
                await pair.together()
                there, other = pair.of(fallen)
                assert there.drops == 1, point
                assert other.drops <= (point in BACK_HOME), point  # told to come back, since they talk no more
                await all_there(cell, crowd, pair)
            assert crowd.drops(1 - fallen.at) == before[1 - fallen.at], point
        await crowd.end()
