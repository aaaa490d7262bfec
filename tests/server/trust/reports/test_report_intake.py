"""Test the queue of reports: in order, bounded, retried while the store is away."""

from __future__ import annotations

import asyncio
from typing import Any, cast

from server.data.errors import StoreAway
from server.trust.cases.report_cases import Cases
from server.trust.evidence.reported_chat import Reported
from server.trust.reports import report_intake
from server.trust.reports.report_intake import Intake
from tests.server.trust.moderation.people import pictures, reported


class Store:
    """Takes reports, or fails as it is told."""

    def __init__(self) -> None:
        self.taken: list[Reported] = []
        self.weighed: list[Reported] = []
        self.fails: Exception | None = None
        self.away = 0  # times that the store is away when a report is weighed

    async def take(self, one: Reported) -> bytes:
        if self.fails is not None:
            raise self.fails
        self.taken.append(one)
        return b""

    async def weigh(self, one: Reported) -> bool:
        if self.away:
            self.away -= 1
            raise StoreAway("away")
        return True

    async def filed(self, _case: bytes, one: Reported, weighs: bool) -> None:
        """Note what counts."""
        if weighs:
            self.weighed.append(one)


def made() -> tuple[Intake, Store]:
    store = Store()
    return Intake(cast(Cases, store), store.weigh, store.filed), store


async def test_reports_are_stored_in_order() -> None:
    queue, store = made()
    ones = [reported() for _ in range(5)]
    for one in ones:
        assert queue.take(one)
    task = asyncio.create_task(queue.run())
    assert await queue.flush(5) == 0
    task.cancel()
    assert store.taken == ones
    assert queue.taken == 5


async def test_what_waits_is_kept_while_the_store_is_away(monkeypatch: Any) -> None:
    monkeypatch.setattr(report_intake, "BACKOFF", (0.001, 0.002))
    queue, store = made()
    store.fails = StoreAway("away")
    one = reported()
    queue.take(one)
    task = asyncio.create_task(queue.run())
    async with asyncio.timeout(5):
        while queue.failures < 3:  # noqa: ASYNC110 - it has no event
            await asyncio.sleep(0)
    assert queue.holds(one.receipt)
    store.fails = None
    assert await queue.flush(5) == 0
    task.cancel()
    assert store.taken == [one]
    assert not queue.holds(one.receipt)


async def test_a_report_that_could_not_be_weighed_is_weighed_when_the_store_is_back(monkeypatch: Any) -> None:
    monkeypatch.setattr(report_intake, "BACKOFF", (0.001, 0.002))
    queue, store = made()
    store.away = 2
    one = reported()
    queue.take(one)
    task = asyncio.create_task(queue.run())
    assert await queue.flush(5) == 0
    task.cancel()
    assert (store.taken, store.weighed, queue.failures) == ([one], [one], 2)


async def test_a_fault_costs_its_report_and_not_the_next() -> None:
    queue, store = made()
    store.fails = RuntimeError("ours")
    queue.take(reported())
    task = asyncio.create_task(queue.run())
    assert await queue.flush(5) == 0
    assert queue.lost == 1
    store.fails = None
    queue.take(reported())
    assert await queue.flush(5) == 0
    task.cancel()
    assert len(store.taken) == 1


async def test_beyond_the_bound_the_newest_is_lost_and_counted(monkeypatch: Any) -> None:
    monkeypatch.setattr(report_intake, "BOUND", 2)
    queue, _ = made()
    assert [queue.take(reported()) for _ in range(3)] == [True, True, False]
    assert (queue.waiting, queue.lost) == (2, 1)
    assert await queue.flush(0.01) == 2


async def test_pictures_that_wait_are_bounded_by_themselves_and_the_report_is_taken_all_the_same(
    monkeypatch: Any,
) -> None:
    shown = pictures()
    monkeypatch.setattr(report_intake, "PICTURES", sum(len(one.body) for one in shown))
    queue, store = made()
    ones = [reported(shown=shown) for _ in range(3)]
    for one in ones:
        assert queue.take(one)
    task = asyncio.create_task(queue.run())
    assert await queue.flush(5) == 0
    assert [one.shown for one in store.taken] == [shown, (), ()]
    assert [one.receipt for one in store.taken] == [one.receipt for one in ones]
    assert queue.unseen == 6
    queue.take(ones[0])  # there is room again
    assert await queue.flush(5) == 0
    task.cancel()
    assert store.taken[-1].shown == shown
