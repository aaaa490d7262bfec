"""The bench of challenges: each solution is taken once, and a turn that stands still is seen."""

import asyncio
import time

import pytest

from bench.safety.challenges import Turns, lines, measured, solved


@pytest.mark.timeout(60)
def test_all_are_made_and_each_solution_is_right() -> None:
    row = asyncio.run(measured(solved(20), 40, 0.5))
    assert (row["made"], row["right"]) == (20, 20)
    assert 0 < row["look_us"] < row["made_p99_ms"] * 1_000
    assert "| 20 of 20 |" in lines(row)


def test_a_turn_that_stands_still_is_the_longest() -> None:
    turns = Turns()

    async def stall() -> None:
        await asyncio.sleep(0.05)
        time.sleep(0.05)  # noqa: ASYNC251 - what is to be seen
        await asyncio.sleep(0.05)

    asyncio.run(turns.during(stall()))
    assert turns.longest(1.0) >= 50
    assert turns.longest(0.0) < 50
