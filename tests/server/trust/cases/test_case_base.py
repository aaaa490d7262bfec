"""Test the look-up of a case by its digits, and that the audit log has a keyed value for its subject."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from server.data.schema.record_schema import audit
from server.trust.sanctions.sanction_scale import Refused
from tests.server.data.conftest import Kit
from tests.server.trust.moderation.people import NONE, cases, desk, reported


async def test_a_case_goes_by_the_digits_that_tell_it_apart(kit: Kit) -> None:
    ident = (await cases(kit).take(reported())).hex()
    assert await desk(kit).queue_of(f" {ident[:8].upper()} ") == "spam"
    assert await desk(kit).queue_of(f"{ident[:6]}…") == "spam", "as a narrow table prints it"
    for digits in (ident[:3], ident + "0", "zz" * 8, ""):
        with pytest.raises(Refused, match="hexadecimal"):
            await desk(kit).queue_of(digits)


async def test_the_trail_has_the_keyed_value_of_whom_it_is_about(kit: Kit) -> None:
    ident = (await cases(kit).take(reported())).hex()
    await desk(kit).show(ident, "ada", "so")
    await desk(kit).decide(ident, "ada", "so", NONE)
    async with kit.database.read() as connection:
        rows = (await connection.execute(select(audit.c.subject))).scalars().all()
    assert set(rows) == {kit.pseudonyms.audit_subject(kit.pseudonyms.safety_identity(22))}
