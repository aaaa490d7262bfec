"""Test gathering: all of a marked case, with a line of the audit log first, and never a part of it."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from server.data.objects.sealed_objects import Sealed
from server.data.privacy import audit_log
from server.data.schema.record_schema import hold
from server.ops.config.moderation_policy import DAY
from server.trust.child_protection import referral_source
from server.trust.sanctions.sanction_scale import Refused
from tests.server.data.conftest import Kit, address
from tests.server.trust.moderation.people import acted, cases, desk, pictures, reported, text


async def trail(kit: Kit) -> list[tuple[str, str]]:
    """The newest first."""
    return [(one.action, one.outcome.partition(": ")[2]) for one in await audit_log.recent_entries(kit.database, 0)]


async def test_all_of_a_marked_case_is_gathered_with_the_address_and_who_looked(kit: Kit) -> None:
    shown = pictures()
    ident = (await cases(kit).take(acted("known", said=text("hello", "and so on"), shown=shown))).hex()
    at = desk(kit)
    opened = await at.show(ident, "eva", "looking")
    await at.look(ident, opened.pictures[0].id, "eva", "is it?", role=True)
    found = await at.gather(ident, "eva", "the law")
    assert (found.case, found.address, found.reasons, found.mode) == (ident, address(22), ("known",), "text")
    assert {one.body for one in found.pictures} == {one.body for one in shown}
    assert [one.viewed for one in found.pictures] == [True, False, False]
    assert [line.text for line in found.texts[0].lines] == ["hello", "and so on"]
    await at.referred(ident, "eva", "the law", "4711")
    assert (await trail(kit))[:3] == [
        ("safety referred", "reported as 4711"), ("safety referral", "3 pictures, 1 texts"), ("safety referral", "asked"),
    ]  # fmt: skip


async def test_the_year_of_the_hold_counts_from_the_report(kit: Kit) -> None:
    ident = (await cases(kit).take(acted("known", said=text("hello"), shown=pictures()))).hex()
    marked = await held_until(kit)
    kit.now += 10 * DAY
    await desk(kit).referred(ident, "eva", "the law", "4711")
    assert await held_until(kit) == marked + 10 * DAY


async def held_until(kit: Kit) -> int:
    """Return when the only hold ends."""
    async with kit.database.read() as connection:
        return int((await connection.execute(select(hold.c.until))).scalar_one())


async def test_what_is_not_marked_is_not_reported(kit: Kit) -> None:
    ident = (await cases(kit).take(reported(shown=pictures()))).hex()
    with pytest.raises(Refused):
        await desk(kit).gather(ident, "eva", "the law")
    assert (await trail(kit))[0] == ("safety referral", "asked")


async def test_where_a_picture_is_not_there_nothing_is_gathered(kit: Kit, monkeypatch: pytest.MonkeyPatch) -> None:
    ident = (await cases(kit).take(acted("known", shown=pictures()))).hex()

    async def gone(*_: object) -> None:
        """There is no such object."""

    monkeypatch.setattr(Sealed, "get", gone)
    with pytest.raises(Refused) as why:
        await desk(kit).gather(ident, "eva", "the law")
    assert why.value.key == referral_source.GONE
