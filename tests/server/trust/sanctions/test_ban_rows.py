"""Test the rows of a ban, and which decisions count as earlier steps."""

from __future__ import annotations

from dataclasses import replace

import pytest
from sqlalchemy import select, update

from server.data.schema.moderation_schema import ban as ban_table
from server.data.schema.moderation_schema import case, case_subject
from server.ops.config.moderation_policy import DAY
from server.trust.sanctions.ban_rows import TOLD, earlier_steps
from server.trust.sanctions.sanction_scale import Decision, Refused
from tests.server.data.conftest import NOW, Kit, address
from tests.server.trust.moderation.people import ban, cases, desk, reported


async def test_the_words_for_the_person_are_sealed(kit: Kit) -> None:
    ident = await cases(kit).take(reported())
    await desk(kit).decide(ident.hex(), "ada", "so", Decision("ban", "R5", DAY, "Adverts go elsewhere."))
    async with kit.database.read() as connection:
        rows = (await connection.execute(select(ban_table))).all()
    assert {(row.kind, row.measure, row.decided_by) for row in rows} == {
        ("identity", "ban", "ada"),
        ("network", "ban", "ada"),
    }
    words = {row.kind: row.words for row in rows}
    assert b"Adverts" not in words["identity"]
    assert kit.pseudonyms.open_text(TOLD, words["identity"]) == "Adverts go elsewhere."
    assert words["network"] is None, "whoever shares the network may read its refusal"


async def test_a_warning_is_a_step_until_it_is_taken_back(kit: Kit) -> None:
    first = await cases(kit).take(reported(reason="nudity"))
    await desk(kit).decide(first.hex(), "ada", "so", Decision("warning", "R4"))
    second = (await cases(kit).take(reported(by=12, reason="nudity", at=NOW + 10))).hex()
    assert (await desk(kit).show(second, "ada", "so")).steps["R4"] == DAY
    async with kit.database.write() as connection:
        await connection.execute(update(case).where(case.c.id == first).values(state="reversed"))
    assert (await desk(kit).show(second, "ada", "so")).steps["R4"] == 0


async def test_steps_are_found_of_all_rules_at_once_and_of_nobody_else_without_a_cookie(kit: Kit) -> None:
    at_desk = desk(kit)
    for number, decision in enumerate(
        (Decision("warning", "R4"), Decision("warning", "R6"), Decision("ban", "R5", DAY))
    ):
        for about in (22, 0):
            ident = await cases(kit).take(reported(about=about, by=12 + number, at=NOW + number))
            await at_desk.decide(ident.hex(), "ada", "so", decision)
    async with kit.database.write() as connection:
        await connection.execute(update(case_subject).where(case_subject.c.identity.is_(None)).values(network=None))
    met = []
    async with kit.database.read() as connection:
        for who in (case_subject.c.identity.is_not(None), case_subject.c.identity.is_(None)):
            subject = (await connection.execute(select(case_subject).where(who).limit(1))).one()
            met.append(await earlier_steps(connection, subject, NOW + DAY))
    assert {rule: [measure for measure, _ in found] for rule, found in met[0].items()} == {
        "R4": ["warning"],
        "R6": ["warning"],
        "R5": ["ban"],
    }
    assert met[1] == {}


async def test_the_first_offence_on_an_address_where_another_was_banned_is_a_first_step(kit: Kit) -> None:
    at_desk = desk(kit)
    for about in (22, 0):
        first = reported(about=about, reason="threat")
        ident = await cases(kit).take(replace(first, subject=replace(first.subject, address=address(7))))
        await at_desk.decide(ident.hex(), "ada", "so", ban("R3"))
    kit.now += 3_600
    for about in (33, 0):  # another cookie there, and somebody without one
        later = reported(about=about, reason="threat", by=12, at=int(kit.now))
        ident = await cases(kit).take(replace(later, subject=replace(later.subject, address=address(7))))
        shown = await at_desk.show(ident.hex(), "ada", "so")
        assert shown.steps["R3"] == 7 * DAY
        told = await at_desk.decide(ident.hex(), "ada", "so", ban("R3"))
        assert "network for 1 day" in told


async def test_whoever_cannot_be_told_apart_cannot_be_banned(kit: Kit) -> None:
    ident = await cases(kit).take(reported(about=0))
    async with kit.database.write() as connection:
        await connection.execute(update(case_subject).values(network=None))
    with pytest.raises(Refused, match="told apart"):
        await desk(kit).decide(ident.hex(), "ada", "so", ban())
    assert [one.state for one in await desk(kit).cases()] == ["open"]
