"""The first of several things is waited for, and the rest is ended."""

import asyncio

from server.ops.process.first_done import first_of


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
