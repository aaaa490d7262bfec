"""Looking is an act: its line is there before it, whom it is about stands in it as a keyed value, and without the line nothing is done."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from server.data.errors import StoreAway
from server.data.privacy import audit_log
from server.data.schema.record_schema import audit as trail
from server.data.schema.record_schema import log_party
from tests.server.data.conftest import Kit, address, people, transcript
from tests.server.trust.moderation.people import cases, reported


async def lines(kit: Kit) -> list[tuple[str, bytes | None]]:
    """(outcome, subject) of each line."""
    async with kit.database.read() as connection:
        rows = (await connection.execute(select(trail.c.outcome, trail.c.subject).order_by(trail.c.id))).all()
    return [(row.outcome, row.subject) for row in rows]


async def test_the_line_before_is_there_before_and_the_outcome_after(kit: Kit) -> None:
    async with audit_log.act(kit.database, operator="ada", action="look", why="asked to", subject=b"s" * 17) as act:
        assert await lines(kit) == [("asked", b"s" * 17)]
        await act.about([b"t" * 17, b"u" * 17])
        assert len(await lines(kit)) == 3
        act.outcome = "found"
    assert await lines(kit) == [
        ("asked", b"s" * 17), ("about", b"t" * 17), ("about", b"u" * 17), ("found", b"s" * 17),
    ]  # fmt: skip
    (first, *_) = await audit_log.recent_entries(kit.database, 0)
    assert (first.operator, first.action, first.why, first.outcome) == ("ada", "look", "asked to", "found")


async def test_what_only_counts_is_a_look_and_what_fails_is_told_by_its_kind(kit: Kit) -> None:
    with pytest.raises(LookupError):
        async with audit_log.act(kit.database, operator="ada", action="look", why="w", dry=True):
            raise LookupError("somebody's secret")
    assert await lines(kit) == [("asked, to count only", None), ("failed: LookupError", None)]


async def shut(kit: Kit) -> None:
    """The trail takes no line any more."""
    async with kit.database.write() as connection:
        if kit.database.sqlite:
            await connection.exec_driver_sql(
                "CREATE TRIGGER shut BEFORE INSERT ON audit BEGIN SELECT RAISE(ABORT, 'shut'); END"
            )
            return
        await connection.exec_driver_sql(
            "CREATE OR REPLACE FUNCTION shut() RETURNS trigger AS $$ BEGIN RAISE EXCEPTION 'shut'; END $$ LANGUAGE plpgsql"
        )
        await connection.exec_driver_sql(
            "CREATE TRIGGER shut BEFORE INSERT ON audit FOR EACH ROW EXECUTE FUNCTION shut()"
        )


async def test_where_the_line_cannot_be_written_nothing_is_done(kit: Kit) -> None:
    await shut(kit)
    done = False
    with pytest.raises(StoreAway):
        async with audit_log.act(kit.database, operator="ada", action="look", why="w"):
            done = True
    assert not done


async def test_a_person_has_one_subject_beside_logs_and_one_beside_cases_and_none_joins_with_a_table(kit: Kit) -> None:
    hidden = kit.pseudonyms
    found = []
    for other in (22, 33):
        saved = await kit.logs.save(transcript(), people(11, other))
        ident = await kit.logs.find(saved.log)
        assert ident is not None
        found.append(await audit_log.log_subjects(kit.database, hidden, ident))
        assert audit_log.log_address_subject(hidden, saved.log) not in {ident, *found[-1]}
    assert found[0][0] == found[1][0] == hidden.audit_subject(hidden.kept_identity(11))
    assert found[0][1] != found[1][1]
    case = await cases(kit).take(reported(about=11))
    about = await audit_log.case_subject_of(kit.database, hidden, case)
    assert about == hidden.audit_subject(hidden.safety_identity(11))
    async with kit.database.read() as connection:
        stored = (await connection.execute(select(log_party.c.identity, log_party.c.address_mac))).all()
    assert not {about, *found[0], *found[1]} & {value for row in stored for value in row}


async def test_who_has_no_cookie_is_named_by_address_and_a_case_that_is_not_there_by_nothing(kit: Kit) -> None:
    saved = await kit.logs.save(transcript(), people(0, 22))
    ident = await kit.logs.find(saved.log)
    assert ident is not None
    subjects = await audit_log.log_subjects(kit.database, kit.pseudonyms, ident)
    assert subjects[0] == kit.pseudonyms.audit_subject(kit.pseudonyms.kept_address_mac(address(0)))
    case = await cases(kit).take(reported(about=0))
    network = kit.pseudonyms.safety_network(address(999))
    assert await audit_log.case_subject_of(kit.database, kit.pseudonyms, case) == kit.pseudonyms.audit_subject(network)
    assert await audit_log.case_subject_of(kit.database, kit.pseudonyms, b"?" * 16) is None
