"""Test that each process of a shared store learns of decisions, and reads nothing if nothing was written."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest

from server.data.errors import StoreAway
from server.data.records.address_country import Countries
from server.data.store.store_runner import Parts
from server.ops.config.moderation_policy import WAITING
from server.trust.moderation import service
from server.trust.moderation.service import Safety
from server.trust.moderation_protocol import SafetyPorts
from tests.server.data.conftest import Kit, ended
from tests.server.trust.moderation.people import ban, cases, desk, reported

sqlite_alone = pytest.mark.parametrize("url", ["sqlite"], indirect=True)


class Followed:
    """One that runs, and how often it looked."""

    def __init__(self, kit: Kit) -> None:
        self.kit = kit
        self.attended = False  # whether each queue has a reader
        self.told, self.asked = asyncio.Event(), asyncio.Event()
        self.looks = {"bans": 0, "notices": 0, "attended": 0, "versions": 0}
        parts = Parts(kit.database, kit.objects, kit.pseudonyms, kit.logs, None)  # type: ignore[arg-type]
        self._counted(kit.database, "commit_count", "versions")
        ports = SafetyPorts(on_attended=self.asked.set)
        self.safety = Safety(parts, Countries().find, kit.tasks, self._attended, ports=ports)
        self._counted(self.safety._bans, "refresh", "bans")
        self._counted(self.safety._notices, "refresh", "notices")

    async def _attended(self) -> frozenset[str]:
        self.looks["attended"] += 1
        return frozenset() if self.attended else WAITING

    def _counted(self, owner: Any, method: str, name: str) -> None:
        real: Callable[[], Awaitable[Any]] = getattr(owner, method)

        async def called() -> Any:
            self.looks[name] += 1
            return await real()

        setattr(owner, method, called)

    async def grows(self, *names: str, by: int = 1) -> None:
        """Until each of these is so much more than now."""
        await self.reach({name: self.looks[name] + by for name in names})

    async def reach(self, wanted: dict[str, int]) -> None:
        """Until each is as much."""
        async with asyncio.timeout(30):
            while any(self.looks[name] < count for name, count in wanted.items()):  # noqa: ASYNC110 - counts, not an event
                await asyncio.sleep(0.005)

    async def quiet(self) -> dict[str, int]:
        """Until nothing was looked at while whether anything was written was asked ten times; how often by then."""
        while True:
            before = {**self.looks, "versions": 0}
            await self.grows("versions", by=10)
            if {**self.looks, "versions": 0} == before:
                return before


@pytest.fixture
async def followed(kit: Kit, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Followed]:
    for name in ("EVERY", "LOOK"):
        monkeypatch.setattr(service, name, 0.01)
    made = Followed(kit)
    await made.safety.start(made.told.set)
    yield made
    await made.safety.close()


async def banned(kit: Kit) -> None:
    """An operator bans somebody, now: bans are read by the clock."""
    kit.now = time.time()
    ident = await cases(kit).take(reported(at=int(kit.now)))
    await desk(kit).decide(ident.hex(), "ada", "adverts", ban("R5"))


async def test_a_decision_is_told_once_it_is_in_the_store(followed: Followed) -> None:
    await followed.grows("versions", by=3)
    assert not followed.told.is_set()
    await banned(followed.kit)
    await asyncio.wait_for(followed.told.wait(), 30)
    assert len(followed.safety.bans) == 2


@sqlite_alone
async def test_nobody_looks_where_nobody_wrote_and_all_look_where_somebody_did(followed: Followed) -> None:
    before = await followed.quiet()
    assert min(before["bans"], before["notices"], before["attended"]) >= 1
    await followed.kit.write(ended())  # they may have looked before this has returned
    await followed.reach({name: before[name] + 1 for name in ("bans", "notices", "attended")})


@sqlite_alone
async def test_a_look_that_the_store_did_not_answer_is_repeated(
    followed: Followed, monkeypatch: pytest.MonkeyPatch
) -> None:
    away = True
    real = followed.safety._notices.refresh

    async def refresh() -> int:
        if away:
            followed.looks["notices"] += 1
            raise StoreAway("test")
        return await real()

    await followed.quiet()
    monkeypatch.setattr(followed.safety._notices, "refresh", refresh)
    await banned(followed.kit)
    await followed.grows("notices", by=3)
    away = False
    await followed.grows("notices")
    await followed.quiet()
    assert len(followed.safety.bans) == 2


@sqlite_alone
async def test_what_another_process_knew_of_notices_is_looked_for_though_nobody_wrote(followed: Followed) -> None:
    await followed.quiet()
    followed.safety.unpack(followed.safety.pack())
    await followed.grows("notices")
    await followed.quiet()


@sqlite_alone
async def test_all_is_looked_at_in_any_case_after_a_while(kit: Kit, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("EVERY", "LOOK", "IN_ANY_CASE"):
        monkeypatch.setattr(service, name, 0.01)
    made = Followed(kit)
    await made.safety.start(made.told.set)
    await made.grows("bans", "notices", "attended", by=3)
    await made.safety.close()


async def test_who_asks_whether_anybody_reads_reports_is_told_when_that_changes(followed: Followed) -> None:
    await followed.grows("versions", by=3)
    assert not followed.asked.is_set()
    for attended in (True, False):
        followed.attended = attended
        await followed.kit.write(ended())  # as who makes an account
        await asyncio.wait_for(followed.asked.wait(), 30)
        assert followed.safety.moderated is attended
        followed.asked.clear()
