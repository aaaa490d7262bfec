"""The first of several things is waited for, and the rest is ended."""

import asyncio

import pytest

from server.ops.process.first_done import first_of, is_set_within


async def test_what_is_not_waited_for_any_more_is_ended() -> None:
    never, set_ = asyncio.Event(), asyncio.Event()
    ended: list[str] = []

    async def work(name: str) -> None:
        try:
            await never.wait()
        finally:
            ended.append(name)

    task = asyncio.create_task(work("task"))
    asyncio.get_running_loop().call_soon(set_.set)
    await first_of(set_, never, task, work("coroutine"))
    assert sorted(ended) == ["coroutine", "task"]
    assert task.cancelled()


async def test_a_coroutine_that_is_over_is_enough() -> None:
    async def over() -> None:
        return

    await first_of(asyncio.Event(), over())


@pytest.mark.parametrize("turns", range(6))
async def test_who_is_cancelled_as_the_event_comes_is_cancelled(turns: int) -> None:
    event = asyncio.Event()
    task = asyncio.create_task(is_set_within(event, 60))
    await asyncio.sleep(0)
    event.set()
    for _ in range(turns):
        await asyncio.sleep(0)
    asked = task.cancel()
    (outcome,) = await asyncio.gather(task, return_exceptions=True)
    assert isinstance(outcome, asyncio.CancelledError) if asked else outcome is True


async def test_an_event_is_waited_for_no_longer_than_it_is_said() -> None:
    event = asyncio.Event()
    assert not await is_set_within(event, 0.001)
    event.set()
    assert await is_set_within(event, 60)
