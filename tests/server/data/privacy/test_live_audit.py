"""The lines of orders about running sessions name the user by the keyed value under which they may ask for them."""

from __future__ import annotations

from sqlalchemy import select

from server.data.privacy.live_audit import LiveAudit
from server.data.schema.record_schema import audit as trail
from tests.server.data.conftest import Kit


async def test_a_user_is_named_by_identity_and_without_one_by_address(kit: Kit) -> None:
    audit, keyed = LiveAudit(kit.database, kit.pseudonyms), kit.pseudonyms
    async with audit.act("ada", "sessions end", "asked to", identity=7, address="192.0.2.1"):
        pass
    async with audit.act("ada", "sessions end", "asked to", address="192.0.2.1"):
        pass
    async with audit.act("ada", "sessions list", "a look"):
        pass
    async with kit.database.read() as connection:
        rows = (await connection.execute(select(trail.c.subject, trail.c.outcome).order_by(trail.c.id))).all()
    by_identity = keyed.audit_subject(keyed.kept_identity(7))
    by_address = keyed.audit_subject(keyed.kept_address_mac("192.0.2.1"))
    assert [row.subject for row in rows] == [by_identity] * 2 + [by_address] * 2 + [None] * 2
    assert [row.outcome for row in rows] == ["asked", ""] * 3
