"""Test the feed of new cases: each exactly once, whatever came when, and a lost place is said."""

from __future__ import annotations

from pathlib import Path

import pytest

from server.trust.cases.case_feed import LATE, CaseFeed
from server.trust.cases.case_queues import OpenedCases
from tests.server.data.conftest import Kit
from tests.server.trust.moderation.people import cases, desk, reported


@pytest.fixture
def url(tmp_path: Path) -> str:
    """The query is asked of both kinds of database by the queues' tests."""
    return f"sqlite+aiosqlite:///{tmp_path / 'serendip.db'}"


async def opened(kit: Kit, about: int, ago: int = 0) -> str:
    """Open a case, reported `ago` seconds before now. Return its id."""
    return (await cases(kit).take(reported(about=about, at=int(kit.now) - ago))).hex()


def told(feed: CaseFeed, place: str) -> list[str] | None:
    """Return the ids of the cases after a place."""
    found = feed.after(place)
    return None if found is None else [event.case.id for event in found]


async def test_each_new_case_is_told_once_and_a_follower_continues_behind_what_it_had(kit: Kit) -> None:
    await opened(kit, 21)
    feed = CaseFeed(desk(kit), period=0)
    await feed.look()
    begun = feed.place()
    assert told(feed, begun) == [], "what waits already is no news"
    one = await opened(kit, 22)
    await feed.look()
    after_one = feed.place()
    kit.now += 5
    two, late = await opened(kit, 23), await opened(kit, 24, ago=LATE - 10)
    await feed.look()
    await feed.look()
    assert set(told(feed, begun) or ()) == {one, two, late}
    assert set(told(feed, after_one) or ()) == {two, late}
    assert told(feed, feed.place()) == []


async def test_what_was_opened_while_nobody_followed_is_found_at_the_next_look(kit: Kit) -> None:
    feed = CaseFeed(desk(kit), period=0)
    await feed.look()
    place = feed.place()
    kit.now += 2 * LATE
    meanwhile = await opened(kit, 22, ago=LATE + 60)
    await feed.look()
    assert told(feed, place) == [meanwhile]


async def test_a_place_that_is_lost_or_invented_is_none(kit: Kit) -> None:
    feed = CaseFeed(desk(kit), period=0, ring=4)
    await feed.look()
    begun = feed.place()
    for about in range(21, 24):
        await opened(kit, about)
    await feed.look()
    assert len(told(feed, begun) or ()) == 3
    for about in range(24, 27):
        await opened(kit, about)
        await feed.look()
    assert told(feed, begun) is None, "the ring has the last four"
    for place in ("", "x", "-", begun.partition("-")[0], f"{begun}9", "00000000-0", begun.replace("-0", "--1")):
        assert told(feed, place) is None, place
    last = feed.place()
    kit.now += 60
    for about in range(31, 36):
        await opened(kit, about)
    await feed.look()
    assert told(feed, last) is None, "five came at once, and four can be told"
    assert told(feed, feed.place()) == []


async def test_a_case_that_is_written_too_late_to_be_found_is_a_lost_place(kit: Kit) -> None:
    feed = CaseFeed(desk(kit), period=0, ring=4, count_every=0)
    await feed.look()
    for about, ago in ((21, LATE + 60), (22, 29 * LATE)):  # by a host that did not reach the database for so long
        place = feed.place()
        await opened(kit, about, ago)
        await feed.look()
        assert told(feed, place) is None
    for about in range(23, 29):
        await opened(kit, about)
        await feed.look()
    place = feed.place()
    kit.now += 60
    await opened(kit, 30, ago=3600)  # later than six that the list of four has pushed out
    await feed.look()
    assert told(feed, place) is None
    place = feed.place()
    await feed.look()
    assert told(feed, place) == []


async def test_a_clock_that_is_set_back_has_no_case_told_twice(kit: Kit) -> None:
    feed = CaseFeed(desk(kit), period=0, count_every=0)
    await opened(kit, 21, ago=LATE - 50)
    await feed.look()
    place = feed.place()
    for step in (100, 0, -90, 0):  # its report is older than a day for a while
        kit.now += step
        await feed.look()
    assert told(feed, place) is None
    place = feed.place()
    one = await opened(kit, 22)
    await feed.look()
    assert told(feed, place) == [one]


class Counting:
    """Queues that count how often more than a number was asked for."""

    def __init__(self, kit: Kit) -> None:
        self._desk = desk(kit)
        self.asked = 0

    def __getattr__(self, name: str) -> object:
        """Whatever else queues can do."""
        return getattr(self._desk, name)

    async def opened_since(self, *words: int) -> OpenedCases:
        """Count it."""
        self.asked += 1
        return await self._desk.opened_since(*words)


async def test_a_look_that_finds_the_same_number_of_recent_cases_asks_no_more(kit: Kit) -> None:
    queues = Counting(kit)
    feed = CaseFeed(queues, period=0)  # type: ignore[arg-type]
    await opened(kit, 21)
    await feed.look()
    place = feed.place()
    for _ in range(3):
        kit.now += 1
        await feed.look()
    assert queues.asked == 1
    one = await opened(kit, 22, ago=LATE - 10)
    await feed.look()
    await feed.look()
    assert (queues.asked, told(feed, place)) == (2, [one])
    kit.now -= 60
    await feed.look()
    assert queues.asked == 3, "the clock was set back"


async def test_a_closed_feed_ends_the_waiting_of_its_followers(kit: Kit) -> None:
    feed = CaseFeed(desk(kit), period=0.01)
    assert await feed.pause()
    feed.close()
    assert not await feed.pause()
