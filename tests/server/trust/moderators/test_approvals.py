"""Test requests for a second moderator: confirmation, the waiting time without one, and visibility."""

from __future__ import annotations

import pytest

from server.data.privacy import audit_log
from server.trust.moderators.approvals import CONFIRM, GOOD, HOUR, Approvals, State
from server.trust.moderators.moderator_accounts import Refused
from server.trust.moderators.roles import Action, Operator
from tests.server.trust.console.conftest import Console

CASE = bytes(range(16))


def operator(name: str, *roles: str) -> Operator:
    """Somebody who proved a passkey now."""
    return Operator(name, frozenset(roles), 0.0)


ADA, BOB = operator("ada", "officer"), operator("bob", "officer")


async def two(console: Console) -> Approvals:
    """Two officers and a moderator have accounts."""
    for name, role in (("ada", "officer"), ("bob", "officer"), ("cy", "moderator")):
        await console.enrolled(name, role)
    return console.approvals


async def test_another_operator_confirms_and_then_it_may_be_done(console: Console) -> None:
    approvals = await two(console)
    assert await approvals.find(Action.REVEAL, CASE, ADA) is State.NONE
    ident = await approvals.ask(ADA, Action.REVEAL, CASE, "a threat")
    assert await approvals.find(Action.REVEAL, CASE, ADA) is State.ASKED
    console.kit.now += CONFIRM - 1
    await approvals.confirm(ident, BOB)
    found = await approvals.find(Action.REVEAL, CASE, ADA)
    assert found is State.CONFIRMED
    assert found.may
    assert await approvals.find(Action.REVEAL, CASE, BOB) is State.NONE, "who confirmed may not do it by that"
    assert await approvals.find(Action.EXPORT, CASE, ADA) is State.NONE
    assert await approvals.find(Action.REVEAL, CASE[::-1], ADA) is State.NONE
    console.kit.now += GOOD
    assert await approvals.find(Action.REVEAL, CASE, ADA) is State.LATE


async def test_nobody_confirms_their_own_nor_what_they_may_not(console: Console) -> None:
    approvals = await two(console)
    ident = await approvals.ask(ADA, Action.REVEAL, CASE, "a threat")
    with pytest.raises(Refused, match="another operator"):
        await approvals.confirm(ident, ADA)
    for stranger in (operator("cy", "moderator"), operator("dee", "lead"), operator("eve", "admin")):
        with pytest.raises(Refused, match="no such"):
            await approvals.confirm(ident, stranger)
        with pytest.raises(Refused, match="no such"):
            await approvals.refuse(ident, stranger)
        assert await approvals.waiting(stranger) == []
        with pytest.raises(Refused, match="not yours"):
            await approvals.ask(stranger, Action.REVEAL, CASE, "why not")
    assert await approvals.find(Action.REVEAL, CASE, ADA) is State.ASKED


async def test_an_account_whose_passkey_or_roles_are_new_confirms_nothing_for_a_day(console: Console) -> None:
    approvals = await two(console)
    ident = await approvals.ask(ADA, Action.REVEAL, CASE, "a threat")
    await console.enrolled("dee", "officer", new=True)
    await console.accounts.change("cy", ["officer"], "test")
    for other in (operator("dee", "officer"), operator("cy", "officer")):
        with pytest.raises(Refused, match="less than a day old"):
            await approvals.confirm(ident, other)
    await console.enrolled("bob", new=True)  # by a link for a lost device
    console.kit.now += 24 * HOUR - 1
    for name in ("bob", "cy", "dee"):
        with pytest.raises(Refused, match="less than a day old"):
            await approvals.confirm(ident, operator(name, "officer"))
    assert await approvals.find(Action.REVEAL, CASE, ADA) is State.ASKED
    console.kit.now += 1
    await approvals.confirm(ident, operator("dee", "officer"))


async def test_what_nobody_confirms_in_three_days_is_late(console: Console) -> None:
    approvals = await two(console)
    ident = await approvals.ask(ADA, Action.REVEAL, CASE, "a threat")
    console.kit.now += CONFIRM
    assert await approvals.find(Action.REVEAL, CASE, ADA) is State.LATE
    with pytest.raises(Refused, match="run out"):
        await approvals.confirm(ident, BOB)
    assert await approvals.ask(ADA, Action.REVEAL, CASE, "again") != ident


async def test_an_operator_alone_waits_a_day_and_it_is_marked(console: Console) -> None:
    await console.enrolled("ada", "officer", "lead")
    await console.enrolled("cy", "moderator")
    await console.accounts.invite("bob", ["officer"], "test")  # without a passkey: no second operator
    await console.approvals.ask(ADA, Action.REVEAL, CASE, "a threat")
    assert await console.approvals.find(Action.REVEAL, CASE, ADA) is State.WAITING
    console.kit.now += 24 * HOUR - 1
    assert not (await console.approvals.find(Action.REVEAL, CASE, ADA)).may
    console.kit.now += 1
    assert await console.approvals.find(Action.REVEAL, CASE, ADA) is State.READY
    assert [one.alone for one in await console.approvals.waiting(ADA)] == [True]
    console.kit.now += GOOD
    assert await console.approvals.find(Action.REVEAL, CASE, ADA) is State.LATE


async def test_who_waits_can_take_it_back_and_who_came_meanwhile_can_refuse(console: Console) -> None:
    await console.enrolled("ada", "officer")
    ident = await console.approvals.ask(ADA, Action.REVEAL, CASE, "a threat")
    await console.approvals.refuse(ident, ADA)
    assert await console.approvals.find(Action.REVEAL, CASE, ADA) is State.REFUSED
    ident = await console.approvals.ask(ADA, Action.REVEAL, CASE, "a threat")
    await console.enrolled("bob", "officer")
    console.kit.now += 25 * HOUR
    assert (await console.approvals.find(Action.REVEAL, CASE, ADA)).may
    await console.approvals.refuse(ident, BOB)
    assert await console.approvals.find(Action.REVEAL, CASE, ADA) is State.REFUSED
    with pytest.raises(Refused, match="refused already"):
        await console.approvals.confirm(ident, BOB)


async def test_an_emergency_is_ready_at_once_and_marked(console: Console) -> None:
    approvals = await two(console)
    await approvals.ask(ADA, Action.REVEAL, CASE, "somebody is about to die", emergency=True)
    assert await approvals.find(Action.REVEAL, CASE, ADA) is State.READY
    assert [(one.emergency, one.alone) for one in await approvals.waiting(BOB)] == [(True, False)]


async def test_without_pairs_everybody_waits(console: Console) -> None:
    await two(console)
    database, now = console.kit.database, lambda: console.kit.now
    approvals = Approvals(database, console.accounts, pairs=False, wait=HOUR, clock=now)
    await approvals.ask(ADA, Action.EXPORT, CASE, "for a court")
    assert await approvals.find(Action.EXPORT, CASE, ADA) is State.WAITING
    console.kit.now += HOUR
    assert await approvals.find(Action.EXPORT, CASE, ADA) is State.READY


async def test_a_second_answer_comes_too_late(console: Console) -> None:
    approvals = await two(console)
    ident = await approvals.ask(ADA, Action.REVEAL, CASE, "a threat")
    await approvals.confirm(ident, BOB)
    with pytest.raises(Refused, match="does not wait"):
        await approvals.confirm(ident, BOB)
    with pytest.raises(Refused, match="asked for this already"):
        await approvals.ask(ADA, Action.REVEAL, CASE, "again")


async def test_a_reason_is_asked_for(console: Console) -> None:
    approvals = await two(console)
    for words in ("", "  ", "x" * 501):
        with pytest.raises(Refused, match="Write down why"):
            await approvals.ask(ADA, Action.REVEAL, CASE, words)


@pytest.mark.parametrize("ident", ["", "zz", "00" * 16, "0" * 33])
async def test_a_request_that_is_not_there_is_told(console: Console, ident: str) -> None:
    with pytest.raises(Refused, match="no such"):
        await console.approvals.confirm(ident, BOB)


async def test_each_step_is_a_row_of_the_trail(console: Console) -> None:
    approvals = await two(console)
    ident = await approvals.ask(ADA, Action.REVEAL, CASE, "a threat")
    await approvals.confirm(ident, BOB)
    await approvals.refuse(ident, ADA)
    rows = [(row.operator, row.action, row.why) for row in await audit_log.recent_entries(console.kit.database, 0)]
    assert [row for row in rows if row[1].startswith("approval")] == [
        ("ada", "approval refuse", "a threat"),
        ("bob", "approval confirm", "a threat"),
        ("ada", "approval ask", "a threat"),
    ]
