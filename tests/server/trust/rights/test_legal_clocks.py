"""The clocks of orders and incidents are numbers, and go with what set them."""

from __future__ import annotations

from typing import Any, cast

from server.data.privacy.registry_model import Category
from server.trust.moderators import emergency_reviews
from server.trust.moderators.roles import Action
from server.trust.rights.incidents import Incidents
from server.trust.rights.legal_clocks import LegalClocks
from tests.server.data.conftest import NOW, Kit
from tests.server.trust.legal_orders.orders import DAY, order, orders


async def test_the_nearest_order_and_the_72_hours_are_numbers(kit: Kit) -> None:
    clocks = LegalClocks(cast(Any, kit), lambda: kit.now)
    await orders(kit).new(order(due=NOW + 5 * DAY), "ada")
    number = await orders(kit).new(order(), "ada")
    ident = await Incidents(kit.database, lambda: kit.now).new("ada", NOW, "Datatilsynet", [Category.A], 0, "A disk")
    await clocks.look()
    assert clocks.incident == {"since": NOW}
    assert [one.number for one in await clocks.published()] == [ident]
    assert clocks.reading(NOW + 60) == {
        "serendip_orders": {("open",): 2, ("held",): 0, ("produced",): 0, ("refused",): 0}, "serendip_order_gags_ended": 0,
        "serendip_emergency_reviews": {("waiting",): 0, ("lawful",): 0, ("unlawful",): 0},
        "serendip_order_due_seconds": DAY - 60, "serendip_incident_due_seconds": 3 * DAY - 60,
    }  # fmt: skip
    await orders(kit).refuse(number, "ada", "of no court")
    await Incidents(kit.database, lambda: kit.now).close("ada", ident, NOW, "")
    assert (await clocks.published())[0].closed is None, (
        "as of the last look: readers of the page cost the database nothing"
    )
    await clocks.look()
    assert (await clocks.published())[0].closed == NOW
    assert clocks.reading(NOW)["serendip_order_due_seconds"] == 5 * DAY
    assert "serendip_incident_due_seconds" not in clocks.reading(NOW)


async def test_the_next_end_of_a_secrecy_is_a_number_once_its_order_is_answered(kit: Kit) -> None:
    clocks = LegalClocks(cast(Any, kit), lambda: kit.now)
    number = await orders(kit).new(order(gag_until=NOW + 9 * DAY), "ada")
    await clocks.look()
    assert "serendip_order_gag_end_seconds" not in clocks.reading(NOW), "its person reads nothing at its end"
    await orders(kit).close_produced((await orders(kit).read(number))[0], "ada")
    await clocks.look()
    assert clocks.reading(NOW + 60)["serendip_order_gag_end_seconds"] == 9 * DAY - 60
    await orders(kit).gag(number, "ada", NOW, "as the court said")
    await clocks.look()
    assert "serendip_order_gag_end_seconds" not in clocks.reading(NOW)


async def test_the_48_hours_of_an_emergency_are_a_number_until_it_is_reviewed(kit: Kit) -> None:
    clocks = LegalClocks(cast(Any, kit), lambda: kit.now)
    async with kit.database.write() as connection:
        await emergency_reviews.begin(connection, Action.REVEAL, bytes(16), "ada", NOW)
    await clocks.look()
    assert clocks.reading(NOW + 49 * 3600)["serendip_emergency_review_due_seconds"] == -3600
    assert clocks.reading(NOW)["serendip_emergency_reviews"] == {("waiting",): 1, ("lawful",): 0, ("unlawful",): 0}
    reviews = emergency_reviews.EmergencyReviews(kit.database, lambda: kit.now)
    await reviews.review((await reviews.listed())[0].number, "bob", "lawful", "in time")
    await clocks.look()
    assert "serendip_emergency_review_due_seconds" not in clocks.reading(NOW)
    assert clocks.reading(NOW)["serendip_emergency_reviews"] == {("waiting",): 0, ("lawful",): 1, ("unlawful",): 0}
