"""Cases and bans end by the clock: aged, lapsed, forgotten; what is held stays."""

from __future__ import annotations

import pytest

from server.data.retention import legal_holds
from server.trust.cases.user_appeals import Appeals
from server.trust.reports import report_outcome
from server.trust.sanctions.ban_loader import Bans
from server.trust.sanctions.ban_table import path_of
from server.trust.sanctions.sanction_scale import Decision, Grade
from tests.server.data.conftest import NOW, Kit, address
from tests.server.trust.moderation.people import NONE, ban, bans, cases, desk, pictures, reported, text
from tests.server.trust.sanctions.test_ban_loader import banned

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
    found = await report_outcome.find(kit.database, kit.pseudonyms, one.receipt)
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


@pytest.mark.parametrize(
    ("decision", "text_days", "picture_days"),
    [(NONE, 3, 3), (Decision("age", "R1"), 3, 3), (Decision("warning", "R2"), 30, 120), (ban("R5", 60), 60, 120)],
    ids=["none", "age", "warning", "ban"],
)
async def test_pictures_leave_after_three_days_where_nothing_follows_else_after_120(
    kit: Kit, decision: Decision, text_days: int, picture_days: int
) -> None:
    ident = await cases(kit).take(reported(said=text("hello"), shown=pictures()))
    await desk(kit).decide(ident.hex(), "ada", "looked", decision, Grade.LEAD)
    last = {"evidence": text_days * DAY, "snaps": picture_days * DAY}
    for at in sorted({one for end in last.values() for one in (end - 1, end)}):
        kit.now = NOW + at
        await kit.purge().run()
        for folder, end in last.items():
            assert ([name async for name in kit.objects.names(folder)] != []) == (at < end), (folder, at)
    assert await kit.count("evidence") == 0


async def test_an_undo_gives_the_pictures_back_and_nobody_looks_for_thirty_days_and_they_go(kit: Kit) -> None:
    ident = await cases(kit).take(reported(shown=pictures()))
    await desk(kit).decide(ident.hex(), "ada", "looked", NONE)
    await desk(kit).undo(ident.hex(), "ada")
    kit.now = NOW + 29 * DAY
    await kit.purge().run()
    assert await kit.count("evidence") == 3
    kit.now = NOW + 31 * DAY
    await kit.purge().run()
    assert await kit.count("evidence") == 0
    assert [name async for name in kit.objects.names("snaps")] == []


async def test_a_hold_on_the_person_keeps_all_of_it(kit: Kit) -> None:
    ident = await cases(kit).take(reported(said=text("hello")))
    await desk(kit).decide(ident.hex(), "ada", "adverts", ban("R5"))
    number = await legal_holds.place(
        kit.database, kit.pseudonyms, legal_holds.Selector("identity", "22"), authority="court", reason="order", now=NOW,
        until=NOW + 300 * DAY, secret=False,
    )  # fmt: skip
    kit.now = NOW + 200 * DAY
    done = await kit.purge().run()
    assert done.proved
    assert await rows(kit) == [1, 1, 1, 1]
    assert await kit.count("ban") == 2
    assert await legal_holds.release(kit.database, number, int(kit.now))
    await kit.purge().run()
    assert await rows(kit) == [0, 0, 0, 0]
    assert await kit.count("ban") == 0


@pytest.mark.parametrize(
    ("kind", "value"),
    [("identity", "22"), ("identity", "11"), ("address", address(22))],
    ids=["reported", "reporter", "address"],
)
async def test_a_hold_on_any_of_its_people_keeps_case_report_note_evidence_ban_and_appeal(
    kit: Kit, kind: str, value: str
) -> None:
    open_one = await cases(kit).take(reported(note="sells gold", said=text("hello")))
    number = await held(kit, kind, value)
    kit.now = NOW + 31 * DAY
    await kit.purge().run()
    shown = await desk(kit).show(open_one.hex(), "ada", "an order")
    assert [noted.note for noted in shown.reports] == ["sells gold"]
    assert len(shown.texts) == 1
    ident = await cases(kit).take(reported(said=text("hello"), at=int(kit.now)))
    await desk(kit).decide(ident.hex(), "ada", "adverts", Decision("ban", "R5", 7 * DAY))
    appeals = Appeals(kit.database, kit.pseudonyms, clock=lambda: kit.now)
    await appeals.write(path_of(kit.pseudonyms, ident).rpartition("/")[2], "please")
    await desk(kit).answer(ident.hex(), "bob", "read", uphold=True, words="")
    selector = legal_holds.Selector(kind, value)
    assert (await legal_holds.count_matches(kit.database, legal_holds.values(selector, kit.pseudonyms)))["cases"] == 2
    kit.now = NOW + 400 * DAY
    assert (await kit.purge().run()).proved
    assert await rows(kit) == [2, 2, 2, 2]
    assert (await kit.count("ban"), await kit.count("appeal")) == (2, 1)
    assert await legal_holds.release(kit.database, number, int(kit.now))
    await kit.purge().run()
    assert await rows(kit) == [0, 0, 0, 0]
    assert (await kit.count("ban"), await kit.count("appeal")) == (0, 0)


async def test_a_hold_on_somebody_banned_for_long_reaches_the_ban_whose_case_has_left(kit: Kit) -> None:
    ident = await cases(kit).take(reported())
    await desk(kit).decide(ident.hex(), "ada", "threats", Decision("ban", "R3", 90 * DAY))
    kit.now = NOW + 130 * DAY  # the case has left, the ban is known for 120 days after its end
    await kit.purge().run()
    assert await kit.count('"case"') == 0
    await held(kit, "identity", "22")
    kit.now = NOW + 400 * DAY
    await kit.purge().run()
    assert await kit.count("ban") == 1  # the identity's; the network's was over


async def held(kit: Kit, kind: str, value: str) -> int:
    """A hold for three years, from the test's time on."""
    return await legal_holds.place(
        kit.database, kit.pseudonyms, legal_holds.Selector(kind, value), authority="court", reason="order", now=int(kit.now),
        until=int(kit.now) + 1000 * DAY, secret=False,
    )  # fmt: skip


async def test_an_appeal_that_nobody_answers_lifts_a_short_ban_and_no_long_one(kit: Kit) -> None:
    known, appeals = bans(kit), Appeals(kit.database, kit.pseudonyms, clock=lambda: kit.now)
    short = await cases(kit).take(reported())
    await desk(kit).decide(short.hex(), "ada", "adverts", ban("R5", 30))
    long = await cases(kit).take(reported(about=33))
    await desk(kit).decide(long.hex(), "ada", "threats", ban("R3", 90))
    for ident in (short, long):
        await appeals.write(path_of(kit.pseudonyms, ident).rpartition("/")[2], "please")
    other = await cases(kit).take(reported(about=44))
    await desk(kit).decide(other.hex(), "ada", "adverts", ban("R5", 30))
    await appeals.write(path_of(kit.pseudonyms, other, network=True).rpartition("/")[2], "it is my flat too")
    kit.now = NOW + 15 * DAY
    await kit.purge().run()
    await known.refresh()
    assert known.find(22, "") is None
    assert known.find(33, "") is not None
    assert known.find(44, "") is not None, "an appeal of the network lifts no ban of the person"
    told = await appeals.read(path_of(kit.pseudonyms, short).rpartition("/")[2])
    assert told is not None
    assert told.appealed == "lapsed"


async def test_an_appeal_that_nobody_answers_takes_the_mark_of_a_ban_that_has_ended_too(kit: Kit) -> None:
    lifted: list[bytes] = []
    known = Bans(kit.database, kit.pseudonyms, clock=lambda: kit.now, on_lifted=lifted.append)
    ident = await banned(kit)
    await known.refresh()
    appeals = Appeals(kit.database, kit.pseudonyms, clock=lambda: kit.now)
    await appeals.write(path_of(kit.pseudonyms, ident).rpartition("/")[2], "please")
    kit.now = NOW + 15 * DAY
    await kit.purge().run()
    await known.refresh()
    assert set(lifted) == {ident}, "its puzzles end"
    later = (await cases(kit).take(reported(by=13, at=int(kit.now)))).hex()
    assert (await desk(kit).show(later, "bob", "so")).steps["R5"] == DAY, "it is no step"


async def test_a_ban_is_known_for_120_days_after_its_end(kit: Kit) -> None:
    await banned(kit)
    kit.now = NOW + 120 * DAY
    await kit.purge().run()
    assert await kit.count("ban") == 2
    kit.now = NOW + 122 * DAY
    await kit.purge().run()
    assert await kit.count("ban") == 0
