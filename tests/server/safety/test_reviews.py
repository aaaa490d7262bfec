"""What another operator than who decided does: bans that are taken back without an appeal."""

from __future__ import annotations

import pytest

from server.safety import receipts
from server.safety.appeals import Appeals
from server.safety.measures import DAY, Decision, Refused
from tests.server.store.conftest import NOW, Kit

from .people import NONE, ban, bans, cases, desk, reported


async def test_a_ban_is_taken_back_by_another_operator_alone(kit: Kit) -> None:
    one, at_desk, known = reported(), desk(kit), bans(kit)
    ident = (await cases(kit).take(one)).hex()
    await at_desk.decide(ident, "ada", "so", ban())
    with pytest.raises(Refused, match="somebody else"):
        await at_desk.unban(ident, "ada", "so")
    await at_desk.unban(ident, "bob", "so")
    await known.refresh()
    assert known.find(22, "") is None
    receipt = await receipts.find(kit.database, kit.pseudonyms, one.receipt)
    assert receipt is not None
    assert receipt.state == "reversed"
    with pytest.raises(Refused, match="no ban"):
        await at_desk.unban(ident, "bob", "so")
    later = (await cases(kit).take(reported(by=12, at=NOW + 10))).hex()
    assert (await at_desk.show(later, "bob", "so")).steps["R5"] == DAY  # what was taken back is no step


async def test_an_appeal_is_answered_and_not_passed_over(kit: Kit) -> None:
    at_desk = desk(kit)
    ident = await cases(kit).take(reported())
    await at_desk.decide(ident.hex(), "ada", "so", Decision("ban", "R5", DAY, "Adverts."))
    token = bans(kit).path(ident).rpartition("/")[2]
    await Appeals(kit.database, kit.pseudonyms, clock=lambda: kit.now).write(token, "please")
    with pytest.raises(Refused, match="an appeal waits"):
        await at_desk.unban(ident.hex(), "bob", "so")
    (waits,) = await at_desk.appeals()
    assert (waits.queue, waits.measure, waits.rule, waits.since, waits.until, waits.words) == (
        "spam", "ban", "R5", NOW, NOW + DAY, "Adverts.",
    )  # fmt: skip


async def test_where_nothing_was_done_nothing_is_taken_back(kit: Kit) -> None:
    ident = (await cases(kit).take(reported())).hex()
    await desk(kit).decide(ident, "ada", "so", NONE)
    with pytest.raises(Refused, match="no ban"):
        await desk(kit).unban(ident, "bob", "so")
