"""What is written where somebody is kept out, and what counts as an earlier step."""

from __future__ import annotations

import pytest
from sqlalchemy import select, update

from server.safety.ban_rows import TOLD
from server.safety.measures import DAY, Decision, Refused
from server.store.safety_schema import ban as ban_table
from server.store.safety_schema import case, case_subject
from tests.server.store.conftest import NOW, Kit

from .people import ban, cases, desk, reported


async def test_the_words_for_the_person_are_sealed(kit: Kit) -> None:
    ident = await cases(kit).take(reported())
    await desk(kit).decide(ident.hex(), "ada", "so", Decision("ban", "R5", DAY, "Adverts go elsewhere."))
    async with kit.database.read() as connection:
        rows = (await connection.execute(select(ban_table))).all()
    assert {(row.kind, row.measure, row.decided_by) for row in rows} == {
        ("identity", "ban", "ada"),
        ("network", "ban", "ada"),
    }
    for row in rows:
        assert b"Adverts" not in row.words
        assert kit.pseudonyms.open_text(TOLD, row.words) == "Adverts go elsewhere."


async def test_a_warning_is_a_step_until_it_is_taken_back(kit: Kit) -> None:
    first = await cases(kit).take(reported(reason="nudity"))
    await desk(kit).decide(first.hex(), "ada", "so", Decision("warning", "R2"))
    second = (await cases(kit).take(reported(by=12, reason="nudity", at=NOW + 10))).hex()
    assert (await desk(kit).show(second, "ada", "so")).steps["R2"] == DAY
    async with kit.database.write() as connection:
        await connection.execute(update(case).where(case.c.id == first).values(state="reversed"))
    assert (await desk(kit).show(second, "ada", "so")).steps["R2"] == 0


async def test_whoever_cannot_be_told_apart_cannot_be_banned(kit: Kit) -> None:
    ident = await cases(kit).take(reported(about=0))
    async with kit.database.write() as connection:
        await connection.execute(update(case_subject).values(network=None))
    with pytest.raises(Refused, match="told apart"):
        await desk(kit).decide(ident.hex(), "ada", "so", ban())
    assert [one.state for one in await desk(kit).cases()] == ["open"]
