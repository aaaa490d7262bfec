"""Test that a program's action lasts a day at most, always has a case, and ends with a decision or after three days unread."""

from __future__ import annotations

import json

import pytest
from sqlalchemy import select, update

from server.data.records.chat_rows import EndedChat, Party
from server.data.retention import monthly_counts, stale_cases
from server.data.retention.stale_cases import REVIEW
from server.data.schema.moderation_schema import ban, case
from server.data.schema.transparency_schema import month_figure
from server.ops.config.moderation_policy import DAY, DETECTIONS, HOUR
from server.trust.cases.automatic_bans import LATE
from server.trust.cases.user_appeals import Appeals
from server.trust.sanctions.ban_loader import Bans
from server.trust.sanctions.ban_rows import SHARED
from server.trust.sanctions.ban_table import path_of
from server.trust.sanctions.sanction_scale import Decision
from tests.server.data.conftest import NOW, Kit, address
from tests.server.trust.moderation.people import NONE, acted, bans, cases, desk, reported, text


async def known(kit: Kit) -> Bans:
    """The bans in force, as a server reads them."""
    found = bans(kit)
    await found.refresh()
    return found


def test_no_program_keeps_anybody_out_for_longer_than_a_day() -> None:
    steps = [row.step for row in DETECTIONS.values() if row.step is not None]
    assert steps
    assert all(0 < step.seconds <= DAY for step in steps)


async def test_it_pauses_the_person_and_their_network_and_says_so_and_opens_a_case_with_the_text(kit: Kit) -> None:
    ident = await cases(kit).take(acted(said=text("hello", "buy at example.com")))
    there = await known(kit)
    assert len(there) == 2
    found = there.find(22, "")
    assert found is not None
    frame = json.loads(there.frame(found))
    assert (frame["rule"], frame["by"], frame["until"]) == ("R5", "machine", NOW + HOUR)
    assert there.find(0, address(22)) is not None
    (one,) = await desk(kit).cases("machine")
    assert (one.id, one.reasons, one.reports) == (ident.hex(), ("repeat",), 0)
    shown = await desk(kit).show(one.id, "ada", "looking")
    assert shown.program == ("pause", "R5")
    assert [line.text for line in shown.texts[0].lines] == ["hello", "buy at example.com"]
    reasons = await Appeals(kit.database, kit.pseudonyms, lambda: kit.now).read(frame["appeal"].rpartition("/")[2])
    assert reasons is not None
    assert (reasons.measure, reasons.program, reasons.running) == ("pause", "repeat", True)


async def test_what_is_grave_stands_first_in_the_urgent_queue(kit: Kit) -> None:
    await cases(kit).take(acted("groom"))
    (one,) = await desk(kit).cases("urgent")
    assert one.points == 100
    found = (await known(kit)).find(22, "")
    assert found is not None
    assert (found.rule, found.until) == ("R7", NOW + DAY)


async def test_who_does_it_again_has_one_case_with_each_text_and_is_out_once_at_a_time(kit: Kit) -> None:
    takes = cases(kit)
    first = await takes.take(acted(said=text("a", "b")))
    assert await takes.take(acted(said=text("c", "d"))) == first
    assert await kit.count("ban") == 2
    kit.now = NOW + 2 * HOUR
    assert await takes.take(acted(at=int(kit.now), said=text("e", "f"))) == first
    assert await kit.count("ban") == 4
    assert await kit.count("evidence") == 3
    assert (await known(kit)).find(22, "") is not None


async def test_reports_join_its_case_and_it_joins_none_of_theirs(kit: Kit) -> None:
    takes = cases(kit)
    of_people = await takes.take(reported())
    ident = await takes.take(acted())
    assert ident != of_people
    kit.now += 1
    assert await takes.take(reported(by=12, about=33)) not in (ident, of_people)
    assert await takes.take(acted("groom", about=33)) not in (ident, of_people)


async def test_without_a_cookie_the_network_is_out_and_a_network_of_many_is_not(kit: Kit) -> None:
    await cases(kit).take(acted(about=0))
    assert (await known(kit)).find(0, address(999)) is not None
    kit.now = NOW + DAY
    for who in range(1, SHARED + 1):
        people = (Party(0, who, address(999)), Party(1, who + 100, address(who)))
        await kit.write(EndedChat("text", "left", kit.now - 60, kit.now, people))
    await cases(kit).take(acted(about=0, at=int(kit.now)))
    assert await kit.count("ban") == 1


async def test_one_that_waited_for_the_store_too_long_is_a_case_alone(kit: Kit) -> None:
    kit.now = NOW + LATE + 1
    ident = await cases(kit).take(acted())
    assert await kit.count("ban") == 0
    assert (await desk(kit).show(ident.hex(), "ada", "looking")).program is None


async def test_a_person_who_finds_nothing_in_it_ends_it_at_once(kit: Kit) -> None:
    ident = await cases(kit).take(acted())
    there = await known(kit)
    kit.now = NOW + 60
    await desk(kit).decide(ident.hex(), "ada", "harmless", NONE)
    await there.refresh()
    assert there.find(22, address(22)) is None


async def test_what_a_person_decides_of_it_is_theirs(kit: Kit) -> None:
    ident = await cases(kit).take(acted())
    there = await known(kit)
    kit.now = NOW + 60
    await desk(kit).decide(ident.hex(), "ada", "an advert", Decision("ban", "R5", 7 * DAY))
    await there.refresh()
    found = there.find(22, "")
    assert found is not None
    assert (json.loads(there.frame(found))["by"], found.until) == ("person", NOW + 60 + 7 * DAY)


@pytest.mark.parametrize("uphold", [True, False])
async def test_who_answers_the_appeal_has_looked_at_its_case(kit: Kit, uphold: bool) -> None:
    ident = await cases(kit).take(acted(said=text("a", "b")))
    there = await known(kit)
    found = there.find(22, "")
    assert found is not None
    await Appeals(kit.database, kit.pseudonyms, lambda: kit.now).write(
        path_of(kit.pseudonyms, found.case).rpartition("/")[2], "it was not me"
    )
    kit.now = NOW + 60
    await desk(kit).answer(ident.hex(), "ada", "an appeal", uphold=uphold, words="")
    await there.refresh()
    assert (there.find(22, "") is not None) == uphold
    async with kit.database.read() as connection:
        row = (await connection.execute(select(case))).one()
    assert (row.state, row.closed) == ("decided" if uphold else "reversed", NOW + 60)


@pytest.mark.parametrize(
    ("decision", "figure"),
    [
        (NONE, "program/nothing"),
        (Decision("ban", "R5", 7 * DAY), "person/R5/7 days"),
        (Decision("pause", "R5", 2 * HOUR), "person/R5/a day"),
        (Decision("warning", "R4"), "person/R4/no ban"),
        (None, "program/R5/a day"),
    ],
)
async def test_what_is_published_says_who_decided(kit: Kit, decision: Decision | None, figure: str) -> None:
    ident = await cases(kit).take(acted())
    kit.now = NOW + 60
    if decision is None:
        kit.now = NOW + REVIEW * HOUR + 60
        async with kit.database.write() as connection:
            await stale_cases.end_unreviewed_actions(connection, int(kit.now), 10)
    else:
        await desk(kit).decide(ident.hex(), "ada", "looked", decision)
    async with kit.database.write() as connection:
        await monthly_counts.count(connection, int(kit.now) + 2 * DAY)
        found = (await connection.execute(select(month_figure.c.name))).scalars().all()
    assert [name for name in found if name.startswith("decision/")] == [f"decision/{figure}"]


async def test_one_that_nobody_looked_at_is_lifted(kit: Kit) -> None:
    ident = await cases(kit).take(acted("groom"))
    async with kit.database.write() as connection:  # as if it were longer than any program may
        await connection.execute(update(ban).values(until=NOW + 30 * DAY))
    there = await known(kit)
    kit.now = NOW + REVIEW * HOUR + 60
    await kit.purge().run()
    await there.refresh()
    assert there.find(22, "") is None
    async with kit.database.read() as connection:
        row = (await connection.execute(select(case).where(case.c.id == ident))).one()
    assert row.state == "lifted"
