"""Test that an answer names what a deletion keeps, with reason and end, and never what must not be disclosed."""

from __future__ import annotations

import pytest

from server.data.retention.legal_holds import Selector
from server.trust.data_requests.deletion_exemptions import TICKET, Exempted, Exemption, kept
from tests.server.data.conftest import NOW, Kit, address, ended, people, transcript
from tests.server.trust.moderation.people import NONE, ban, cases, desk, reported
from tests.server.trust.rights.test_deletion import DAY, A, B, hold

ALWAYS = (Exempted(Exemption.TRAIL, None), Exempted(Exemption.TICKET, NOW + TICKET))


async def named(kit: Kit) -> tuple[Exempted, ...]:
    """Of person A, beside what is always named."""
    pseudonyms = kit.pseudonyms
    values = [*pseudonyms.live_identities(A), pseudonyms.kept_identity(A), pseudonyms.safety_identity(A)]
    async with kit.database.read() as connection:
        found = await kept(connection, values, NOW, int(kit.now))
    assert found[-2:] == ALWAYS
    return found[:-2]


@pytest.mark.parametrize("kind", ["identity", "address", "log", "log-address"])
@pytest.mark.parametrize("secret", [False, True], ids=["told", "secret"])
async def test_a_hold_is_named_with_its_end_unless_it_is_secret(kit: Kit, kind: str, secret: bool) -> None:
    if kind in ("identity", "address"):
        await kit.write(ended(1))
    saved = await kit.logs.save(transcript(), people())
    log = await kit.logs.find(saved.log) or b""
    await hold(
        kit,
        {
            "identity": Selector("identity", str(A)),
            "address": Selector("address", address(A)),
            "log": Selector("log", log.hex()),
            "log-address": Selector("address", address(A)),
        }[kind],
        secret=secret,
    )
    assert await named(kit) == (() if secret else (Exempted(Exemption.HOLD, NOW + 90 * DAY),))
    kit.now = NOW + 90 * DAY
    assert await named(kit) == ()


async def test_somebody_elses_hold_is_not_named(kit: Kit) -> None:
    await kit.write(ended(1))
    await hold(kit, Selector("identity", str(B)), secret=False)
    await hold(kit, Selector("address", address(B)), secret=False)
    assert await named(kit) == ()


async def test_an_open_report_by_or_about_somebody_is_named_until_it_is_decided(kit: Kit) -> None:
    for by, about in ((A, B), (B, A)):
        ident = await cases(kit).take(reported(by=by, about=about, at=NOW - DAY))
        assert await named(kit) == (Exempted(Exemption.MODERATION, None),)
        await desk(kit).decide(ident.hex(), "ada", "nothing", NONE)
        assert await named(kit) == ()


async def test_a_ban_is_named_with_its_end(kit: Kit) -> None:
    ident = await cases(kit).take(reported(by=B, about=A, at=NOW - DAY))
    await desk(kit).decide(ident.hex(), "ada", "threats", ban("R3"))
    assert await named(kit) == (Exempted(Exemption.MODERATION, NOW + 7 * DAY),)
    kit.now = NOW + 7 * DAY
    assert await named(kit) == ()
