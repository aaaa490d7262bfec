"""A background task that ends by a fault is logged, counted and started again; one that is told to end ends."""

import asyncio
import contextlib

import orjson
import pytest

from server.ops import log
from server.ops.config.settings import Log
from server.ops.health.background_tasks import Tasks


async def test_a_task_that_fails_is_logged_with_its_cause_counted_and_started_again(
    capfdbinary: pytest.CaptureFixture[bytes],
) -> None:
    log.configure(Log(), strict=True)
    tasks = Tasks(first=0.001)
    begun = asyncio.Queue[int]()
    count = 0

    async def run() -> None:
        nonlocal count
        count += 1
        begun.put_nowait(count)
        if count < 4:
            raise ValueError("what somebody wrote")
        await asyncio.Event().wait()

    tasks.start("store-purge", run)
    assert tasks.unwell() == []
    async with asyncio.timeout(10):
        while await begun.get() < 4:
            pass
    assert tasks.reading() == {"serendip_task_failures": {("store-purge",): 3}}
    assert tasks.unwell() == ["task store-purge: failed and was started again"]
    await tasks.end("store-purge")
    assert await asyncio.to_thread(log.sink().flush)
    lines = [orjson.loads(line) for line in capfdbinary.readouterr().err.splitlines()]
    assert [(line["event"], line["task"], line["error"]) for line in lines] == [
        ("task.failed", "store-purge", "ValueError")
    ] * 3
    assert all("test_background_tasks.py:" in line["where"] and "somebody" not in str(line) for line in lines)


async def test_a_cancellation_within_is_a_fault_and_one_from_outside_is_the_end() -> None:
    tasks = Tasks(first=0.001)
    inner: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    again = asyncio.Event()

    async def run() -> None:
        if inner.cancelled():
            again.set()
            await asyncio.Event().wait()
        await inner

    tasks.start("store-sweep", run)
    await asyncio.sleep(0)
    inner.cancel()
    async with asyncio.timeout(10):
        await again.wait()
    assert tasks.failures == {"store-sweep": 1}
    async with asyncio.timeout(10):
        await tasks.end("store-sweep")
    assert tasks.failures == {"store-sweep": 1}


async def test_a_task_that_returns_is_done_and_may_be_started_anew_after_its_end() -> None:
    tasks = Tasks()
    done = asyncio.Event()

    async def run() -> None:
        done.set()

    tasks.start("store-open", run)
    await done.wait()
    await tasks.end("store-open")
    tasks.start("store-open", run)
    await tasks.end("store-open")
    assert tasks.failures == {"store-open": 0}


@pytest.mark.parametrize("name", ["reload", "nothing of ours"])
async def test_a_name_that_runs_or_that_no_list_has_is_refused(name: str) -> None:
    tasks = Tasks()

    async def run() -> None:
        await asyncio.Event().wait()

    tasks.start("reload", run)
    with pytest.raises(ValueError, match=name):
        tasks.start(name, run)
    await tasks.end("reload")
    await tasks.end("reload")


async def test_a_task_whose_library_swallows_a_cancellation_ends_by_another_one() -> None:
    tasks, swallowed = Tasks(again=0.01), asyncio.Event()

    async def run() -> None:
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.Event().wait()
        swallowed.set()
        await asyncio.Event().wait()

    tasks.start("store-purge", run)
    await asyncio.sleep(0)
    async with asyncio.timeout(10):
        await tasks.end("store-purge")
    assert swallowed.is_set()


async def test_a_task_whose_library_makes_another_error_of_a_cancellation_ends() -> None:
    tasks = Tasks(first=0.001)
    count = 0

    async def run() -> None:
        nonlocal count
        count += 1
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            raise ValueError from None

    tasks.start("store-purge", run)
    await asyncio.sleep(0)
    async with asyncio.timeout(10):
        await tasks.end("store-purge")
    assert (count, tasks.failures) == (1, {"store-purge": 1})


async def test_a_task_that_never_ends_is_logged_with_its_place_and_left(
    capfdbinary: pytest.CaptureFixture[bytes],
) -> None:
    log.configure(Log(), strict=True)
    tasks, over = Tasks(again=0.01), asyncio.Event()

    async def run() -> None:
        while not over.is_set():
            with contextlib.suppress(asyncio.CancelledError):
                await over.wait()

    tasks.start("store-purge", run)
    await asyncio.sleep(0)
    async with asyncio.timeout(10):
        await tasks.end("store-purge")
    over.set()
    assert await asyncio.to_thread(log.sink().flush)
    (line,) = [orjson.loads(line) for line in capfdbinary.readouterr().err.splitlines()]
    assert (line["event"], line["task"]) == ("task.unended", "store-purge")
    assert "test_background_tasks.py:" in line["where"]
