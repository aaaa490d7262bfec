"""A program with one poll loop that skips to its next chat: the end of the old one is told at once, or never in its way."""

import asyncio
from collections.abc import Callable

import pytest

from tests.server.site.omegle.conftest import Caller, pair

Make = Callable[[], Caller]


def unknown(make: Make) -> asyncio.Future[object]:
    """A poll that is answered slowly, for who needs something to be sooner than."""
    nobody = make()
    nobody.id = "central1:" + "0" * 30
    return asyncio.ensure_future(nobody.events())


@pytest.mark.parametrize("late", [False, True], ids=["a fresh poll", "a parked poll"])
async def test_the_held_poll_of_who_leaves_ends_with_null_at_once(caller: Make, late: bool) -> None:
    one, two = await pair(caller, f"skipping {late}")
    held = asyncio.ensure_future(one.events())
    if late:
        await asyncio.wait([held], timeout=1.5)  # a poll is parked after a second
    else:
        assert await one.post("/typing") == "win"
        assert await two.until("typing")
    slow = unknown(caller)
    assert await one.post("/disconnect") == "win"
    await asyncio.wait([slow, held], return_when=asyncio.FIRST_COMPLETED)
    assert (held.done(), slow.done()) == (True, False)
    assert [await held, await slow] == [None, None]


async def test_the_first_poll_after_the_end_gets_null_at_once_and_later_ones_slowly(caller: Make) -> None:
    one, _two = await pair(caller, "polls after the end")
    assert await one.post("/disconnect") == "win"
    slow = unknown(caller)
    first = asyncio.ensure_future(one.events())
    await asyncio.wait([slow, first], return_when=asyncio.FIRST_COMPLETED)
    assert first.done()
    assert not slow.done()
    assert [await first, await slow, await one.events()] == [None] * 3


async def test_the_partner_is_told_and_then_null_at_once(caller: Make) -> None:
    one, two = await pair(caller, "left alone")
    assert await one.post("/disconnect") == "win"
    await two.until("strangerDisconnected")
    slow, first = unknown(caller), asyncio.ensure_future(two.events())
    await asyncio.wait([slow, first], return_when=asyncio.FIRST_COMPLETED)
    assert (first.done(), slow.done()) == (True, False)
    assert [await first, await slow] == [None, None]
