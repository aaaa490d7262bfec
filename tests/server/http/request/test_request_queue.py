"""Many requests at once hold nobody up: a few begin in each turn of the loop, in order, and chat lines are read between them."""

import asyncio
import contextlib
from collections import Counter
from typing import cast

from aiohttp import web
from aiohttp.test_utils import make_mocked_request

from server.http.request.request_queue import MOST, RequestQueue

MANY = 20 * MOST


class Clock:
    """Counts the turns of the loop."""

    def __init__(self) -> None:
        self.now = 0
        self._loop = asyncio.get_running_loop()
        self._tick()

    def _tick(self) -> None:
        self.now += 1
        self._due = self._loop.call_soon(self._tick)

    def stop(self) -> None:
        self._due.cancel()


async def begun(turns: RequestQueue, many: int) -> list[tuple[int, int]]:
    """(number, turn of the loop) of requests that come at once, in the order in which they begin."""
    found: list[tuple[int, int]] = []
    clock = Clock()

    async def ask(number: int) -> None:
        async def answer(_: web.Request) -> web.StreamResponse:
            found.append((number, clock.now))
            return web.Response()

        await turns.take(make_mocked_request("GET", "/"), answer)

    async with asyncio.timeout(20):
        await asyncio.gather(*(ask(number) for number in range(many)))
    clock.stop()
    return found


async def test_a_few_begin_in_each_turn_of_the_loop_and_all_in_order() -> None:
    found = await begun(RequestQueue(lambda: None), MANY)
    assert [number for number, _ in found] == list(range(MANY))
    assert (
        max(Counter(turn for _, turn in found).values()) <= 2 * MOST
    )  # a turn of ours may stand across two of the clock's
    assert found[-1][1] - found[0][1] >= MANY // MOST // 2


async def test_who_comes_alone_does_not_wait() -> None:
    turns = RequestQueue(lambda: None)
    for _ in range(MANY):
        [(_, turn)] = await begun(turns, 1)
        assert turn == 2  # the one after the clock began
        await asyncio.sleep(0)


async def test_who_gives_up_takes_nobodys_turn() -> None:
    turns = RequestQueue(lambda: None)
    answered: list[int] = []

    async def ask(number: int) -> None:
        async def answer(_: web.Request) -> web.StreamResponse:
            answered.append(number)
            return web.Response()

        await cast(web.StreamResponse, turns.take(make_mocked_request("GET", "/"), answer))

    asked = [asyncio.create_task(ask(number)) for number in range(2 * MANY)]
    await asyncio.sleep(0)
    for task in asked[MOST:MANY]:
        task.cancel()
    async with asyncio.timeout(20):
        await asyncio.gather(*asked, return_exceptions=True)
    assert answered == [*range(MOST), *range(MANY, 2 * MANY)]


async def test_chat_lines_are_read_before_a_request_waits() -> None:
    steps: list[int] = []
    turns, over = RequestQueue(lambda: steps.append(1)), asyncio.Event()

    async def answer(_: web.Request) -> web.StreamResponse:
        await over.wait()
        return web.Response()

    async def ask() -> None:
        await cast(web.StreamResponse, turns.take(make_mocked_request("GET", "/"), answer))

    asked = [asyncio.create_task(ask()) for _ in range(MANY)]
    await asyncio.sleep(0)
    assert len(steps) == MANY, "in one turn of the loop, in which MOST of them begin"
    over.set()
    async with asyncio.timeout(20):
        await asyncio.gather(*asked)


async def test_chat_lines_are_read_before_and_behind_each_request() -> None:
    done: list[str] = []
    turns = RequestQueue(lambda: done.append("lines"))

    async def answer(_: web.Request) -> web.StreamResponse:
        done.append("begun")
        await asyncio.sleep(0)
        done.append("ready")
        return web.Response()

    async def fail(_: web.Request) -> web.StreamResponse:
        raise web.HTTPNotFound

    await cast(web.StreamResponse, turns.take(make_mocked_request("GET", "/"), answer))
    assert done == ["lines", "begun", "ready", "lines"]
    with contextlib.suppress(web.HTTPNotFound):
        await cast(web.StreamResponse, turns.take(make_mocked_request("GET", "/"), fail))
    assert done[4:] == ["lines", "lines"]
