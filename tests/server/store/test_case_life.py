"""Cases and bans end by the clock: aged, lapsed, forgotten; what is held stays."""

from __future__ import annotations

from server.privacy import holds
from server.safety import receipts
from server.safety.appeals import Appeals
from tests.server.safety.people import NONE, ban, bans, cases, desk, reported, text
from tests.server.safety.test_bans import banned

from .conftest import NOW, Kit

DAY = 86_400
TABLES = ('"case"', "case_subject", "report", "evidence")


async def rows(kit: Kit) -> list[int]:
    """Rows of the tables of a case."""
    return [await kit.count(table) for table in TABLES]


async def test_a_case_that_nobody_looked_at_ages_and_its_text_goes(kit: Kit) -> None:
    one = reported(said=text("hello"))
    await cases(kit).take(one)
    kit.now = NOW + 29 * DAY
    await kit.purge().run()
    assert await rows(kit) == [1, 1, 1, 1]
    kit.now = NOW + 31 * DAY
    await kit.purge().run()
    assert await rows(kit) == [1, 1, 1, 0]
    assert [name async for name in kit.objects.names("evidence")] == []
    found = await receipts.find(kit.database, kit.pseudonyms, one.receipt)
    assert found is not None
    assert found.state == "aged"
    kit.now = NOW + (31 + 121) * DAY
    done = await kit.purge().run()
    assert done.proved
    assert await rows(kit) == [0, 0, 0, 0]


async def test_a_decided_case_leaves_in_its_time_and_its_text_before(kit: Kit) -> None:
    ident = await cases(kit).take(reported(said=text("hello")))
    await desk(kit).decide(ident.hex(), "ada", "harmless", NONE)
    kit.now = NOW + 4 * DAY
    await kit.purge().run()
    assert await rows(kit) == [1, 1, 1, 0]
    kit.now = NOW + 121 * DAY
    await kit.purge().run()
    assert await rows(kit) == [0, 0, 0, 0]


async def test_a_hold_on_the_person_keeps_all_of_it(kit: Kit) -> None:
    ident = await cases(kit).take(reported(said=text("hello")))
    await desk(kit).decide(ident.hex(), "ada", "adverts", ban("R5"))
    number = await holds.place(
        kit.database, kit.pseudonyms, holds.Selector("identity", "22"), authority="court", reason="order", now=NOW,
        until=NOW + 300 * DAY, secret=False,
    )  # fmt: skip
    kit.now = NOW + 200 * DAY
    done = await kit.purge().run()
    assert done.proved
    assert await rows(kit) == [1, 1, 1, 1]
    assert await kit.count("ban") == 2
    assert await holds.release(kit.database, number, int(kit.now))
    await kit.purge().run()
    assert await rows(kit) == [0, 0, 0, 0]
    assert await kit.count("ban") == 0


async def test_an_appeal_that_nobody_answers_lifts_a_short_ban_and_no_long_one(kit: Kit) -> None:
    known, appeals = bans(kit), Appeals(kit.database, kit.pseudonyms, clock=lambda: kit.now)
    short = await cases(kit).take(reported())
    await desk(kit).decide(short.hex(), "ada", "adverts", ban("R5", 30))
    long = await cases(kit).take(reported(about=33))
    await desk(kit).decide(long.hex(), "ada", "threats", ban("R3", 90))
    for ident in (short, long):
        await appeals.write(known.path(ident).rpartition("/")[2], "please")
    kit.now = NOW + 15 * DAY
    await kit.purge().run()
    await known.refresh()
    assert known.find(22, "") is None
    assert known.find(33, "") is not None
    told = await appeals.read(known.path(short).rpartition("/")[2])
    assert told is not None
    assert told.appealed == "lapsed"


async def test_a_ban_is_known_for_120_days_after_its_end(kit: Kit) -> None:
    await banned(kit)
    kit.now = NOW + 120 * DAY
    await kit.purge().run()
    assert await kit.count("ban") == 2
    kit.now = NOW + 122 * DAY
    await kit.purge().run()
    assert await kit.count("ban") == 0
