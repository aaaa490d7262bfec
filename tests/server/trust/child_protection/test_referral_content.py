"""Test gathering: all of a marked case, with a line of the audit log first, and never a part of it."""

from __future__ import annotations

import pytest

from server.data.objects.sealed_objects import Sealed
from server.data.privacy import audit_log
from server.data.retention import legal_holds
from server.ops.config.moderation_policy import DAY
from server.trust.child_protection import referral_content
from server.trust.sanctions.sanction_scale import Refused
from tests.server.data.conftest import NOW, Kit, address
from tests.server.trust.moderation.people import NONE, acted, cases, desk, pictures, reported, text


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
    assert (found.case, found.source.address, found.reasons, found.mode) == (ident, address(22), ("known",), "text")
    assert {one.body for one in found.pictures} == {one.body for one in shown}
    assert [one.viewed for one in found.pictures] == [True, False, False]
    assert [line.text for line in found.texts[0].lines] == ["hello", "and so on"]
    await at.referred(ident, "eva", "the law", "4711")
    assert (await trail(kit))[:3] == [
        ("safety referred", "reported as 4711"), ("safety referral", "3 pictures, 1 texts"), ("safety referral", "asked"),
    ]  # fmt: skip


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
    assert why.value.key == referral_content.GONE


async def held_until(kit: Kit) -> int:
    """Return when the only hold ends."""
    (one,) = await legal_holds.list_holds(kit.database)
    return one.until


async def test_a_case_is_held_for_a_year_from_the_submission_of_its_report(kit: Kit) -> None:
    shown = pictures()
    ident = (await cases(kit).take(acted("known", said=text("hello"), shown=shown))).hex()
    at = desk(kit)
    assert await held_until(kit) == NOW + 365 * DAY  # from the mark on
    kit.now = NOW + 10 * DAY
    await at.referred(ident, "eva", "the law", "4711")
    assert await held_until(kit) == NOW + 375 * DAY
    kit.now = NOW + 20 * DAY
    await at.referred(ident, "eva", "reported by form", "4712", NOW + 15 * DAY)
    assert await held_until(kit) == NOW + 380 * DAY
    await at.referred(ident, "eva", "reported by form", "4710", NOW + 1 * DAY)
    assert await held_until(kit) == NOW + 380 * DAY, "a hold never becomes shorter"
    await at.decide(ident, "eva", "told the police", NONE)
    for days, left in ((379, 4), (381, 0)):  # three pictures, one text
        kit.now = NOW + days * DAY
        await kit.purge().run()
        assert await kit.count("evidence") == left
    assert [name async for name in kit.objects.names("child")] == []


async def test_a_time_to_come_or_an_unmarked_case_is_no_report(kit: Kit) -> None:
    marked = (await cases(kit).take(acted("known"))).hex()
    unmarked = (await cases(kit).take(reported(about=23))).hex()
    for ident, when, key in (
        (marked, NOW + 1, "refused.referral.when"),
        (marked, NOW - 366 * DAY, "refused.referral.when"),
        (unmarked, NOW, "refused.referral"),
    ):
        with pytest.raises(Refused) as why:
            await desk(kit).referred(ident, "eva", "the law", "4711", when)
        assert why.value.key == key
    assert "safety referred" not in [action for action, _ in await trail(kit)]


async def test_a_case_of_text_alone_is_gathered_too(kit: Kit) -> None:
    ident = (await cases(kit).take(reported(reason="minor", said=text("how old are you", "15", "send pics")))).hex()
    await desk(kit).mark(ident, "eva", "enticement")
    found = await desk(kit).gather(ident, "eva", "the law")
    assert found.pictures == ()
    assert [line.text for line in found.texts[0].lines] == ["how old are you", "15", "send pics"]
