"""Test apparent abuse material: kept for a year, in a folder and a queue of the role child alone. Pictures here are random bytes."""

from __future__ import annotations

import contextlib
from dataclasses import replace

import pytest
from sqlalchemy import select

from server.data.errors import ObjectsAway
from server.data.objects.sealed_objects import Sealed
from server.data.retention import legal_holds
from server.data.schema.moderation_schema import case, evidence
from server.ops.config.moderation_policy import DAY, NEUTRAL
from server.trust.cases.user_appeals import Appeals
from server.trust.evidence import child_abuse_material
from server.trust.evidence.reported_chat import Person
from server.trust.sanctions.ban_table import path_of
from tests.server.data.conftest import NOW, Kit
from tests.server.trust.moderation.people import NONE, acted, bans, cases, desk, pictures, reported, sealed, text


async def folders(kit: Kit) -> list[str]:
    """Where the pictures of all cases lie, by their rows."""
    async with kit.database.read() as connection:
        names = (await connection.execute(select(evidence.c.object).where(evidence.c.kind != "text"))).scalars().all()
    return sorted(name.partition("/")[0] for name in names)


async def bodies(kit: Kit) -> set[bytes | None]:
    """What they show."""
    async with kit.database.read() as connection:
        rows = (await connection.execute(select(evidence).where(evidence.c.kind != "text"))).all()
    return {await sealed(kit).get(row.object, row.object_key) for row in rows}


async def test_a_listed_picture_pauses_for_a_day_and_is_kept_apart_for_a_year(kit: Kit) -> None:
    shown = pictures()
    ident = await cases(kit).take(acted("known", said=text("hello"), shown=shown))
    assert await folders(kit) == ["child"] * 3
    assert await bodies(kit) == {one.body for one in shown}
    (held,) = await legal_holds.list_holds(kit.database)
    assert (held.secret, held.until, held.authority) == (True, NOW + 365 * DAY, child_abuse_material.AUTHORITY)
    known = bans(kit)
    await known.refresh()
    found = known.find(22, "")
    assert found is not None
    assert (found.rule, found.until) == (NEUTRAL, NOW + DAY)
    token = path_of(kit.pseudonyms, ident).rpartition("/")[2]
    told = await Appeals(kit.database, kit.pseudonyms, clock=lambda: kit.now).read(token)
    assert told is not None
    assert (told.measure, told.rule, told.program, told.running) == ("pause", NEUTRAL, "", True)
    (one,) = await desk(kit).cases("urgent")
    assert (one.id, one.points, one.reasons) == (ident.hex(), 120, ("known",))


async def test_what_is_marked_is_kept_for_a_year_and_apart(kit: Kit) -> None:
    shown = pictures()
    ident = await cases(kit).take(reported(reason="nudity", said=text("hello"), shown=shown))
    await desk(kit).mark(ident.hex(), "eva", "a child")
    assert await folders(kit) == ["child"] * 3
    assert await bodies(kit) == {one.body for one in shown}
    assert await kit.count("doomed") == 3
    await kit.logs.sweep()
    assert [name async for name in kit.objects.names("snaps")] == []
    await desk(kit).decide(ident.hex(), "eva", "told the police", NONE)
    kit.now = NOW + 364 * DAY
    await kit.purge().run()
    assert await bodies(kit) == {one.body for one in shown}
    assert await kit.count("evidence") == 4
    kit.now = NOW + 366 * DAY
    await kit.purge().run()
    assert await kit.count("evidence") == 0
    assert [name async for name in kit.objects.names("child")] == []


async def test_a_mark_pauses_until_the_case_is_decided(kit: Kit) -> None:
    ident = await cases(kit).take(reported())
    await desk(kit).mark(ident.hex(), "eva", "a child")
    known = bans(kit)
    await known.refresh()
    assert known.find(22, "") is not None
    assert await kit.count("ban") == 2
    await desk(kit).mark(ident.hex(), "eva", "once more")
    assert await kit.count("ban") == 2
    kit.now = NOW + 60
    await desk(kit).decide(ident.hex(), "eva", "an adult", NONE)
    await known.refresh()
    assert known.find(22, "") is None


async def test_a_second_one_is_kept_for_a_year_from_then_on_by_the_same_hold(kit: Kit) -> None:
    takes = cases(kit)
    await takes.take(acted("known"))
    kit.now = NOW + 100 * DAY
    await takes.take(acted("known", at=int(kit.now)))
    (held,) = await legal_holds.list_holds(kit.database)
    assert held.until == NOW + 465 * DAY


async def test_a_listed_picture_of_who_is_reported_marks_the_case_of_the_report_too(kit: Kit) -> None:
    takes, (strip, own, other) = cases(kit), pictures()
    listed = replace(strip, listed="a list: entry 7")
    ident = await takes.take(reported(reason="spam", shown=(listed, own, other)))
    assert await folders(kit) == ["child"] * 3
    (one,) = await desk(kit).cases("urgent")
    assert one.id == ident.hex()
    shots = await desk(kit).shots(ident)
    assert sorted((shot.kind, shot.listed) for shot in shots) == [
        ("own", ""),
        ("own", ""),
        ("strip", "a list: entry 7"),
    ]
    assert len(await legal_holds.list_holds(kit.database)) == 1


async def test_one_that_comes_after_the_report_brings_the_pictures_that_were_there_apart(kit: Kit) -> None:
    takes, shown = cases(kit), pictures()
    ident = await takes.take(reported(reason="spam", shown=shown))
    assert await folders(kit) == ["snaps"] * 3
    assert await takes.add_pictures(ident, 1, (replace(shown[2], listed="of the reporter's camera"),)) == 1
    assert await folders(kit) == ["snaps"] * 4, "the case is not about them"
    assert await takes.add_pictures(ident, 1, (replace(shown[0], listed="a list"),)) == 1
    assert await folders(kit) == ["child"] * 5
    assert [one.id for one in await desk(kit).cases("urgent")] == [ident.hex()]


async def test_pictures_that_come_later_go_to_the_same_folder(kit: Kit) -> None:
    takes = cases(kit)
    ident = await takes.take(acted("known"))
    await takes.add_pictures(ident, 1, pictures())
    assert await takes.take(reported(by=13, shown=pictures())) == ident
    assert await folders(kit) == ["child"] * 6


async def test_where_the_object_store_is_away_the_rest_is_moved_when_the_case_is_opened(
    kit: Kit, monkeypatch: pytest.MonkeyPatch
) -> None:
    takes, shown = cases(kit), pictures()
    ident = await takes.take(acted("known"))
    put = Sealed.put

    async def away(self: Sealed, folder: str, body: bytes, now: int) -> object:
        if folder == "child/":
            raise ObjectsAway("test")
        return await put(self, folder, body, now)

    monkeypatch.setattr(Sealed, "put", away)
    assert await takes.take(reported(by=13, shown=shown)) == ident
    assert await folders(kit) == ["snaps"] * 3
    with contextlib.suppress(ObjectsAway):
        await desk(kit).mark(ident.hex(), "eva", "a child")
    assert await folders(kit) == ["snaps"] * 3
    monkeypatch.undo()
    found = await desk(kit).show(ident.hex(), "eva", "looking")
    assert await folders(kit) == ["child"] * 3
    assert [one.child for one in found.pictures] == [True] * 3
    assert await bodies(kit) == {one.body for one in shown}


async def test_who_cannot_be_told_to_be_anybody_is_marked_without_a_hold(kit: Kit) -> None:
    nobody = reported()
    object.__setattr__(nobody, "subject", Person(0, ""))
    ident = await cases(kit).take(nobody)
    await desk(kit).mark(ident.hex(), "eva", "a child")
    assert await legal_holds.list_holds(kit.database) == []
    async with kit.database.read() as connection:
        assert (await connection.execute(select(case.c.child, case.c.queue))).one() == (NOW, "urgent")


async def test_nobody_looks_at_it_for_three_days_and_for_thirty_and_it_still_waits_for_a_person(kit: Kit) -> None:
    ident = await cases(kit).take(acted("known", shown=pictures()))
    for days in (4, 40):
        kit.now = NOW + days * DAY
        await kit.purge().run()
        (one,) = await desk(kit).cases("urgent")
        assert one.id == ident.hex()
    known = bans(kit)
    await known.refresh()
    assert known.find(22, "") is None
    assert await folders(kit) == ["child"] * 3
