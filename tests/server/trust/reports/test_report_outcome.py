"""Test the outcome that a reporter reads."""

from __future__ import annotations

from server.trust.reports import report_outcome
from tests.server.data.conftest import NOW, Kit
from tests.server.trust.moderation.people import ban, cases, desk, reported


async def test_a_receipt_tells_its_own_report_alone(kit: Kit) -> None:
    one, two = reported(by=11), reported(by=12, about=33)
    ident = await cases(kit).take(one)
    await cases(kit).take(two)
    await desk(kit).decide(ident.hex(), "ada", "adverts", ban("R5"))
    found = await report_outcome.find(kit.database, kit.pseudonyms, one.receipt)
    other = await report_outcome.find(kit.database, kit.pseudonyms, two.receipt)
    assert found is not None
    assert other is not None
    assert (found.state, found.at, found.closed) == ("acted", NOW, NOW)
    assert (other.state, other.closed) == ("received", None)


async def test_a_guess_finds_nothing(kit: Kit) -> None:
    await cases(kit).take(reported())
    assert await report_outcome.find(kit.database, kit.pseudonyms, bytes(16)) is None
