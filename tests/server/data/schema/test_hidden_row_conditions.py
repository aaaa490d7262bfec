"""What is erased is hidden from its readers: rows by value and time, a log by either of its people, a case less what is exempt."""

from __future__ import annotations

from sqlalchemy import insert, select

from server.data.schema.deletion_schema import erased
from server.data.schema.hidden_row_conditions import erased_row, exempt_case, shown_case, shown_log
from server.data.schema.moderation_schema import case, case_subject
from server.data.schema.record_schema import log, party
from server.trust.reports import report_outcome
from tests.server.data.conftest import NOW, Kit, ended, people, transcript
from tests.server.trust.moderation.people import NONE, ban, cases, desk, reported

A, B = 11, 22


async def erase(kit: Kit, value: bytes, before: int = NOW) -> None:
    """As a request does it."""
    async with kit.database.write() as connection:
        await connection.execute(insert(erased).values(value=value, number="0" * 13, before=before))


async def test_a_row_is_erased_by_its_value_until_that_second(kit: Kit) -> None:
    await kit.write(ended(now=NOW - 1), ended(now=NOW), ended(now=NOW + 1))
    for value in kit.pseudonyms.live_identities(A):
        await erase(kit, value)
    wanted = (
        select(party.c.ended, party.c.side).where(erased_row(party.c.identity, party.c.ended)).order_by(party.c.ended)
    )
    async with kit.database.read() as connection:
        assert [tuple(row) for row in (await connection.execute(wanted)).all()] == [(NOW - 1, 0), (NOW, 0)]


async def test_a_log_is_not_shown_once_either_of_its_people_asked(kit: Kit) -> None:
    for other in (B, 33):
        await kit.logs.save(transcript(), people(A, other))
    await kit.logs.save(transcript(), people(44, 55))
    await erase(kit, kit.pseudonyms.kept_identity(33))
    async with kit.database.read() as connection:
        assert len((await connection.execute(select(log.c.id).where(shown_log()))).all()) == 2
    await erase(kit, kit.pseudonyms.kept_identity(A), before=NOW - 1)
    async with kit.database.read() as connection:
        assert len((await connection.execute(select(log.c.id).where(shown_log()))).all()) == 2


async def test_a_decided_case_is_hidden_and_an_open_one_is_exempt(kit: Kit) -> None:
    open_, decided, banned = [await cases(kit).take(reported(by=B, about=about, at=NOW - 60)) for about in (A, 33, 44)]
    await desk(kit).decide(decided.hex(), "ada", "nothing", NONE)
    await desk(kit).decide(banned.hex(), "ada", "threats", ban("R3"))
    for who in (A, 33, 44):
        await erase(kit, kit.pseudonyms.safety_identity(who))
    seen = shown_case(NOW, case_subject.c.identity, case.c.opened, case.c.id)
    wanted = select(case.c.id).join(case_subject, case_subject.c.case == case.c.id)
    async with kit.database.read() as connection:
        shown = set((await connection.execute(wanted.where(seen))).scalars())
        exempt = set((await connection.execute(select(case.c.id).where(exempt_case(NOW, case.c.id)))).scalars())
    assert shown == exempt == {open_, banned}


async def test_whoever_asked_no_longer_reads_the_receipt_of_a_decided_report(kit: Kit) -> None:
    mine = reported(by=A, about=B, at=NOW - 60)
    ident = await cases(kit).take(mine)
    await erase(kit, kit.pseudonyms.safety_identity(A))
    assert await report_outcome.find(kit.database, kit.pseudonyms, mine.receipt) is not None
    await desk(kit).decide(ident.hex(), "ada", "nothing", NONE)
    assert await report_outcome.find(kit.database, kit.pseudonyms, mine.receipt) is None
