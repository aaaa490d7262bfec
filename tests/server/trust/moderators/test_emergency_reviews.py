"""Test the review of emergencies: each is due within 48 hours, and only by an operator who had no part in it."""

from __future__ import annotations

from pathlib import Path

import pytest

from server.data.privacy import audit_log
from server.trust.moderators.emergency_reviews import LAWFUL, UNLAWFUL, WITHIN_S, EmergencyReviews
from server.trust.moderators.moderator_accounts import Refused
from server.trust.moderators.roles import Action
from tests.server.data.conftest import NOW, Kit
from tests.server.trust.legal_orders.orders import (
    ADA,
    BOB,
    Cat,
    approvals,
    approved,
    officers,
    order,
    orders,
    production,
    stored,
)

CASE = bytes(range(16))


def reviews(kit: Kit) -> EmergencyReviews:
    return EmergencyReviews(kit.database, lambda: kit.now)


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return tmp_path / "answer"


async def test_an_emergency_order_is_reviewed_within_48_hours_by_who_had_no_part_in_it(kit: Kit, out: Path) -> None:
    await officers(kit, "ada", "bob", "cyd")
    await stored(kit)
    plain = await orders(kit).new(order("demand", Cat.A), "ada")
    await approved(kit, plain, out.with_name("plain"))
    assert await reviews(kit).listed() == [], "an order that is no emergency needs none"
    number = await orders(kit).new(order("emergency", Cat.A, due=None), "ada")
    await approved(kit, number, out)
    (due,) = await reviews(kit).listed()
    assert (due.what, due.by, due.due, due.parties) == (Action.PRODUCE, "ada", NOW + WITHIN_S, {"ada", "bob"})
    assert await reviews(kit).counts() == ({"waiting": 1}, NOW + 48 * 3600)
    for party in ("ada", "bob", "ADA"):
        with pytest.raises(Refused, match="had a part"):
            await reviews(kit).review(due.number, party, LAWFUL, "it was right")
    for wrong in (
        ("x", LAWFUL, "so"),
        (due.number, "good", "so"),
        (due.number, LAWFUL, " "),
        (due.number, LAWFUL, "x" * 501),
    ):
        with pytest.raises(Refused):
            await reviews(kit).review(wrong[0], "cyd", *wrong[1:])
    kit.now = NOW + WITHIN_S + 3600
    assert (await reviews(kit).counts())[1] == kit.now - 3600, "it is late, and still waits"
    await reviews(kit).review(due.number, "cyd", UNLAWFUL, "nobody was in danger")
    assert await reviews(kit).listed() == []
    (made,) = await reviews(kit).listed(every=True)
    assert (made.reviewed, made.reviewed_by, made.verdict, made.finding) == (
        kit.now, "cyd", UNLAWFUL, "nobody was in danger",
    )  # fmt: skip
    assert await reviews(kit).counts() == ({"unlawful": 1}, None)
    with pytest.raises(Refused, match="No emergency"):
        await reviews(kit).review(due.number, "dee", LAWFUL, "again")
    newest = (await audit_log.recent_entries(kit.database, 0))[0]
    assert (newest.operator, newest.action) == ("cyd", "emergency review")


async def test_an_officer_who_is_alone_is_reviewed_too(kit: Kit, out: Path) -> None:
    await officers(kit, "ada")
    await stored(kit)
    number = await orders(kit).new(order("emergency", Cat.A, due=None), "ada")
    assert (await production(kit).produce(number, "ada", out)).state == "done"
    (due,) = await reviews(kit).listed()
    assert (due.by, due.parties) == ("ada", {"ada"}), "once, although its approval was an emergency as well"


async def test_an_action_of_the_console_that_was_marked_is_reviewed(kit: Kit) -> None:
    await officers(kit, "ada", "bob")
    _, asked = approvals(kit)
    await asked.ask(ADA, Action.REVEAL, CASE, "a threat", emergency=True)
    await asked.ask(BOB, Action.EXPORT, CASE, "an order")
    (due,) = await reviews(kit).listed()
    assert (due.what, due.subject, due.by) == (Action.REVEAL, CASE.hex()[:12], "ada")
    await reviews(kit).review(due.number, "bob", LAWFUL, "the police came in time")
    assert await reviews(kit).counts() == ({"lawful": 1}, None)


async def test_a_review_is_kept_for_two_years_and_a_restore_does_not_lose_it(kit: Kit) -> None:
    _, asked = approvals(kit)
    await officers(kit, "ada")
    await asked.ask(ADA, Action.REVEAL, CASE, "a threat", emergency=True)
    for days, left in ((730, 1), (731, 0)):
        kit.now = NOW + days * 86_400
        await kit.purge().run()
        assert await kit.count("emergency_review") == left
