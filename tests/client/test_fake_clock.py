"""Test the clock that a test moves."""

import asyncio

import pytest
import uvloop

from serendip_client import fake_clock
from serendip_client.testing import FakeClock


async def test_each_timer_runs_at_its_own_time_and_what_it_causes_before_the_next() -> None:
    loop = asyncio.get_running_loop()
    ran: list[tuple[str, float]] = []

    async def twice() -> None:
        for _ in range(2):
            await asyncio.sleep(10)
            ran.append(("twice", loop.time() - began))

    async def late() -> None:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(15):
                await asyncio.Event().wait()
        ran.append(("late", loop.time() - began))

    began = loop.time()
    loop.call_at(began + 3600, ran.append, ("hour", 3600.0))  # from before the clock stood still
    async with FakeClock() as clock:
        began = loop.time()
        tasks = [asyncio.create_task(twice()), asyncio.create_task(late())]
        await clock.advance(9.9)
        assert ran == []
        await clock.advance(20)
        assert [(name, round(at)) for name, at in ran] == [("twice", 10), ("late", 15), ("twice", 20)]
        await clock.advance(3600)
        assert ran[-1] == ("hour", 3600.0)
        await asyncio.gather(*tasks)
    assert not {"time", "call_at"} & vars(loop).keys()
    await asyncio.sleep(0.001)


async def test_a_clock_that_nobody_moves_goes_on_by_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fake_clock, "PATIENCE_S", 0.01)
    async with FakeClock():
        await asyncio.sleep(0.02)


def test_a_loop_with_a_clock_of_its_own_is_refused() -> None:
    async def begin() -> None:
        with pytest.raises(RuntimeError, match="uvloop"):
            await FakeClock().__aenter__()

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(begin())
