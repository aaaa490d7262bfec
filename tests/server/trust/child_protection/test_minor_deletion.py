"""Test that a minor's data is deleted: at their own statement at once, by a person's decision once they connect."""

from __future__ import annotations

import asyncio
import json

import pytest
from sqlalchemy import func, select

from server.data.errors import StoreAway
from server.data.retention.stale_cases import UNDO
from server.data.schema.moderation_schema import ban, evidence
from server.ops.config.moderation_policy import AGE, DAY
from server.trust.cases.user_appeals import Appeals
from server.trust.child_protection import minor_deletion as module
from server.trust.child_protection.minor_deletion import DELETE_AFTER_S, Minors
from server.trust.sanctions.ban_table import BanTable
from server.trust.sanctions.sanction_scale import AGE_FOR, Decision, Refused
from tests.server.data.conftest import NOW, Kit, address, ended
from tests.server.trust.moderation.people import acted, bans, cases, desk, reported, text
from tests.server.trust.rights.test_deletion import rights, seen, stored

SEEMS = Decision(AGE, "R1")


class Deleted(list[int]):
    """Whose records go; away for a while."""

    away = 0

    async def ask(self, identity: int, _now: int) -> None:
        if self.away:
            self.away -= 1
            raise StoreAway("away")
        self.append(identity)


def test_it_has_one_length_and_one_rule() -> None:
    assert SEEMS.checked() == Decision(AGE, "R1", AGE_FOR)
    assert Decision(AGE, "R1", AGE_FOR, "words").checked().words == "words"
    assert DELETE_AFTER_S > UNDO
    for wrong in (Decision(AGE, "R5"), Decision(AGE), Decision(AGE, "R1", DAY)):
        with pytest.raises(Refused):
            wrong.checked()


async def test_a_decision_deletes_what_is_stored_once_they_are_turned_away(kit: Kit) -> None:
    await kit.write(ended(b=22))
    ident = await cases(kit).take(reported(reason="minor", said=text("hi", "im 14")))
    await desk(kit).decide(ident.hex(), "ada", "a child", SEEMS)
    there = bans(kit)
    await there.refresh()
    found = there.find(22, "")
    assert found is not None
    assert found.minor
    assert there.find(0, address(22)) is None  # their home is not meant
    frame = json.loads(there.frame(found))
    assert (frame["measure"], frame["rule"], frame["until"], frame["by"]) == ("age", "R1", NOW + AGE_FOR, "person")
    reasons = await Appeals(kit.database, kit.pseudonyms, lambda: kit.now).read(frame["appeal"].rpartition("/")[2])
    assert reasons is not None
    assert (reasons.measure, reasons.running, reasons.program) == ("age", True, "")
    goes = Minors(there, rights(kit).ask, lambda: kit.now)
    goes.turned_away(22)
    await goes.look()
    assert await seen(kit, 22) == 1  # the decision may still be taken back
    kit.now = NOW + DELETE_AFTER_S
    await goes.look()
    assert await seen(kit, 22) == 0
    assert await stored(kit, 22) == 1
    async with kit.database.read() as connection:
        assert (await connection.execute(select(evidence.c.until))).scalar_one() == NOW + 3 * DAY
    kit.now = NOW + 4 * DAY
    await kit.purge().run()
    assert await stored(kit, 22) == 0
    assert await kit.count("evidence") == 0
    assert await kit.count("ban") == 1


async def test_one_that_was_taken_back_deletes_nothing(kit: Kit) -> None:
    await kit.write(ended(b=22))
    ident = await cases(kit).take(reported(reason="minor"))
    await desk(kit).decide(ident.hex(), "ada", "a child", SEEMS)
    there, gone = bans(kit), Deleted()
    await there.refresh()
    goes = Minors(there, gone.ask, lambda: kit.now)
    goes.turned_away(22)
    kit.now = NOW + UNDO - 1
    await desk(kit).undo(ident.hex(), "ada")
    await there.refresh()
    kit.now = NOW + DELETE_AFTER_S
    await goes.look()
    await goes.look()
    assert gone == []


async def test_a_program_opens_an_urgent_case_keeps_nobody_out_and_deletes_nothing(kit: Kit) -> None:
    ident = await cases(kit).take(acted("age.claim", said=text("hi", "im 14")))
    there, gone = bans(kit), Deleted()
    await there.refresh()
    goes = Minors(there, gone.ask, lambda: kit.now)
    assert (there.find(22, ""), there.find(0, address(22))) == (None, None)
    (one,) = await desk(kit).cases("urgent")
    assert one.id == ident.hex()
    kit.now = NOW + DELETE_AFTER_S
    await goes.look()
    assert gone == []


async def test_without_a_cookie_the_network_is_out_for_a_day(kit: Kit) -> None:
    ident = await cases(kit).take(reported(about=0, reason="minor"))
    await desk(kit).decide(ident.hex(), "ada", "a child", SEEMS)
    async with kit.database.read() as connection:
        row = (await connection.execute(select(ban))).one()
        assert (await connection.execute(select(func.count()).select_from(ban))).scalar_one() == 1
    assert (row.kind, row.until) == ("network", NOW + DAY)
    there = bans(kit)
    await there.refresh()
    found = there.find(5, address(999))
    assert found is not None
    assert not found.minor  # whoever comes from there is not known to be the one who was meant


async def test_who_said_so_goes_at_once_and_nobody_twice(kit: Kit) -> None:
    gone, there = Deleted(), bans(kit)
    goes = Minors(there, gone.ask, lambda: kit.now)
    goes.said(0)
    goes.said(5)
    gone.away = 1
    await goes.look()
    assert gone == []
    await goes.look()
    await goes.look()
    assert gone == [5]
    goes.turned_away(5)
    kit.now += DELETE_AFTER_S
    await goes.look()
    assert gone == [5]


async def test_it_is_bounded_and_runs(kit: Kit, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "BOUND", 2)
    monkeypatch.setattr(module, "EVERY", 0.001)
    gone, there = Deleted(), BanTable(kit.pseudonyms, lambda: kit.now)
    goes = Minors(there, gone.ask, lambda: kit.now)
    for identity in (5, 6, 7):
        goes.said(identity)
    task = asyncio.create_task(goes.run())
    async with asyncio.timeout(10):
        while len(gone) < 2:  # noqa: ASYNC110 - a task that has no event
            await asyncio.sleep(0.001)
    task.cancel()
    assert sorted(gone) == [6, 7]


async def test_at_the_end_what_is_due_goes_and_nothing_holds_the_end_up(kit: Kit) -> None:
    gone = Deleted()
    goes = Minors(BanTable(kit.pseudonyms, lambda: kit.now), gone.ask, lambda: kit.now)
    goes.said(5)
    goes.turned_away(6)
    await goes.close()
    assert gone == [5]

    async def never(_identity: int, _now: int) -> None:
        await asyncio.Event().wait()

    stuck = Minors(BanTable(kit.pseudonyms, lambda: kit.now), never, lambda: kit.now)
    stuck.said(5)
    await stuck.close(0.01)
