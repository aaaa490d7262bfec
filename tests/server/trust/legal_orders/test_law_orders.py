"""Orders are kept sealed, held, refused and listed; a closed one never opens again."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest
from sqlalchemy import select

from server.data.backup import non_restorable_state
from server.data.privacy import audit_log
from server.data.retention import legal_holds
from server.data.retention.legal_holds import Selector
from server.data.schema.disclosure_schema import disclosure_subject
from server.data.schema.law_order_schema import law_order
from server.trust.legal_orders.law_orders import OrderRefused
from tests.server.data.conftest import NOW, Kit
from tests.server.trust.legal_orders.orders import DAY, order, orders
from tests.server.trust.rights.people import A


async def test_whom_an_order_names_and_its_text_are_sealed(kit: Kit) -> None:
    number = await orders(kit).new(order(), "ada")
    async with kit.database.read() as connection:
        (row,) = (await connection.execute(select(law_order))).all()
    assert not any(
        mark in b"".join(value for value in row if isinstance(value, bytes)) for mark in (b"Order 7", str(A).encode())
    )
    found, selector, paper = await orders(kit).show(number, "ada", "to answer it")
    assert (found.state, found.country, selector, paper) == (
        "open",
        "NO",
        Selector("identity", str(A)),
        "Order 7: all of it",
    )
    assert [entry.action for entry in await audit_log.recent_entries(kit.database, 0)] == 2 * ["order show"] + 2 * [
        "order new"
    ]


@pytest.mark.parametrize(
    "wrong",
    [
        {"kind": "letter"}, {"authority": " "}, {"country": "NOR"}, {"country": "1x"}, {"country": "ßß"}, {"paper": " "}, {"paper": "x" * 8001},
        {"due": None}, {"age_key": "age1 -o x"}, {"age_key": "-r"}, {"age_key": "age1" + 117 * "q"}, {"selector": Selector("name", "A. Person")},
    ],
    ids=str,
)  # fmt: skip
async def test_an_incomplete_order_is_refused(kit: Kit, wrong: dict[str, object]) -> None:
    with pytest.raises((OrderRefused, legal_holds.BadHold)):
        await orders(kit).new(replace(order(), **wrong), "ada")  # type: ignore[arg-type]
    assert await kit.count("law_order") == 0


async def test_the_law_says_when_an_emergency_and_a_european_order_are_due(kit: Kit) -> None:
    for kind, due in (("emergency", 8 * 3600), ("epoc_content", 10 * DAY), ("epoc_subscriber", 10 * DAY)):
        number = await orders(kit).new(order(kind, due=None), "ada")
        assert (await orders(kit).read(number))[0].due == NOW + due


async def test_a_hold_is_secret_while_the_order_is_and_a_preservation_is_answered_by_it(kit: Kit) -> None:
    secret = await orders(kit).new(order(gag_until=NOW + DAY), "ada")
    await orders(kit).hold(secret, "ada", 90)
    preserve = await orders(kit).new(order("preservation", due=None), "ada")
    await orders(kit).hold(preserve, "ada", 60)
    assert [(hold.secret, hold.until) for hold in await legal_holds.list_holds(kit.database)] == [
        (False, NOW + 60 * DAY), (True, NOW + 90 * DAY),
    ]  # fmt: skip
    assert [(await orders(kit).read(number))[0].state for number in (secret, preserve)] == ["held", "produced"]
    with pytest.raises(OrderRefused):
        await orders(kit).hold(secret, "ada", 90)
    with pytest.raises(OrderRefused):
        await orders(kit).refuse(preserve, "ada", "so")


async def test_an_order_has_one_hold_also_if_two_officers_place_it_at_once(kit: Kit) -> None:
    number = await orders(kit).new(order(), "ada")
    found = await asyncio.gather(
        *(orders(kit).hold(number, name, 90) for name in ("ada", "bob")), return_exceptions=True
    )
    assert [type(one) for one in found].count(int) == 1
    assert any(isinstance(one, OrderRefused) for one in found)
    (hold,) = await legal_holds.list_holds(kit.database)
    assert (await orders(kit).read(number))[0].hold == hold.id


async def test_a_hold_of_an_order_that_runs_is_prolonged_and_one_that_has_ended_is_placed_anew(kit: Kit) -> None:
    number = await orders(kit).new(order(), "ada")
    first = await orders(kit).hold(number, "ada", 60)
    assert await orders(kit).hold(number, "bob", 90) == first
    assert [(one.id, one.until) for one in await legal_holds.list_holds(kit.database)] == [(first, NOW + 90 * DAY)]
    with pytest.raises(OrderRefused, match="ends no sooner"):
        await orders(kit).hold(number, "ada", 60)
    with pytest.raises(legal_holds.BadHold):
        await orders(kit).hold(number, "ada", legal_holds.LONGEST + 1)
    assert await legal_holds.release(kit.database, first, NOW)
    second = await orders(kit).hold(number, "ada", 30)
    assert second != first
    kit.now = NOW + 40 * DAY
    third = await orders(kit).hold(number, "ada", 30)
    (active,) = [
        one for one in await legal_holds.list_holds(kit.database) if one.released is None and one.until > kit.now
    ]
    assert (active.id, active.until) == (third, NOW + 70 * DAY)
    assert (await orders(kit).read(number))[0].hold == third


async def test_a_refusal_is_a_line_of_the_ledger_and_final(kit: Kit) -> None:
    number = await orders(kit).new(order(), "ada")
    await orders(kit).refuse(number, "ada", "of no court")
    (line,) = await orders(kit).ledger.lines()
    assert (line["phase"], line["law_order"], line["recipient"], line["who"]) == ("refused", number, "A court", None)
    for again in (orders(kit).refuse(number, "ada", "so"), orders(kit).hold(number, "ada", 9)):
        with pytest.raises(OrderRefused):
            await again
    with pytest.raises(OrderRefused):
        await orders(kit).read("0000-0000-0000-0")
    assert await orders(kit).listed(every=False) == []
    assert [one.state for one in await orders(kit).listed(every=True)] == ["refused"]


async def test_a_court_that_moves_the_secrecy_moves_that_of_the_hold_and_the_time_of_the_lines(kit: Kit) -> None:
    number = await orders(kit).new(order(), "ada")
    await orders(kit).hold(number, "ada", 90)
    before = await stamps(kit)
    order_, _, _ = await orders(kit).read(number)
    await orders(kit).ledger.intent(orders(kit).disclosure(order_, order_.asked), [b"s" * 17, b"t" * 17])
    other = await legal_holds.place(
        kit.database, kit.pseudonyms, Selector("identity", str(A)), authority="another court", reason="8", now=NOW,
        until=NOW + DAY, secret=True,
    )  # fmt: skip
    for until, since in ((NOW + 900 * DAY, NOW + 900 * DAY), (NOW - DAY, NOW)):
        await orders(kit).gag(number, "ada", until, "as the court said")
        secret = {hold.id: hold.secret for hold in await legal_holds.list_holds(kit.database)}
        assert secret == {order_.hold: until > NOW, other: True}
        async with kit.database.read() as connection:
            rows = await connection.execute(select(disclosure_subject.c.since).order_by(disclosure_subject.c.line))
            assert rows.scalars().all() == [since, since]
    assert (await orders(kit).ledger.verify()).problems == ()
    await orders(kit).gag(number, "ada", NOW + DAY, "again")
    assert await stamps(kit) != before, "a copy for a restore has it"


async def stamps(kit: Kit) -> list[int]:
    """Return the stamp of the copied holds without the number of holds and the times."""
    async with kit.database.read() as connection:
        return (await non_restorable_state.stamp(connection, non_restorable_state.PARTS[0]))[-1:]


async def test_an_order_goes_two_years_after_its_answer_or_its_secrecy(kit: Kit) -> None:
    for gag in (None, NOW + 100 * DAY):
        number = await orders(kit).new(order(gag_until=gag), "ada")
        await orders(kit).refuse(number, "ada", "of no court")
    await orders(kit).new(order(), "ada")
    for after, left in ((730, 3), (731, 2), (831, 1), (2000, 1)):
        kit.now = NOW + after * DAY
        await kit.purge().run()
        assert await kit.count("law_order") == left
    assert await orders(kit).counts() == ({"open": 1}, NOW + DAY, 0, None)


async def test_a_secrecy_that_moves_while_an_officer_acts_on_the_order_is_that_of_the_hold_and_of_its_end(
    kit: Kit, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each officer read the order before the other one changed it."""
    later, held = NOW + 900 * DAY, orders(kit)
    number = await held.new(order(), "ada")
    before = await held.read(number)

    async def stale(_text: str) -> object:
        return before

    monkeypatch.setattr(held, "read", stale)
    await orders(kit).gag(number, "bob", later, "the court")
    await held.hold(number, "ada", 90)
    assert [hold.secret for hold in await legal_holds.list_holds(kit.database)] == [True]
    await held.gag(number, "bob", NOW, "the court ended it")
    assert [hold.secret for hold in await legal_holds.list_holds(kit.database)] == [False]
    await held.gag(number, "bob", later, "the court again")
    await held.refuse(number, "ada", "of no court")
    async with kit.database.read() as connection:
        assert await connection.scalar(select(law_order.c.ends)) == later
    await held.gag(number, "bob", NOW - DAY, "the court ended it")
    async with kit.database.read() as connection:
        assert await connection.scalar(select(law_order.c.ends)) == NOW
