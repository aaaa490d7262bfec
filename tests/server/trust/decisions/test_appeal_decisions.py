"""Test lifting of a ban without an appeal, by another moderator than the one who decided."""

from __future__ import annotations

import pytest

from server.ops.config.moderation_policy import DAY
from server.trust.cases.user_appeals import Appeals
from server.trust.reports import report_outcome
from server.trust.sanctions.ban_table import path_of
from server.trust.sanctions.sanction_scale import Decision, Refused
from tests.server.data.conftest import NOW, Kit
from tests.server.trust.moderation.people import NONE, ban, bans, cases, desk, reported


async def test_a_ban_is_taken_back_by_another_operator_alone(kit: Kit) -> None:
    one, at_desk, known = reported(), desk(kit), bans(kit)
    ident = (await cases(kit).take(one)).hex()
    await at_desk.decide(ident, "ada", "so", ban())
    with pytest.raises(Refused, match="somebody else"):
        await at_desk.unban(ident, "ada", "so")
    await at_desk.unban(ident, "bob", "so")
    await known.refresh()
    assert known.find(22, "") is None
    receipt = await report_outcome.find(kit.database, kit.pseudonyms, one.receipt)
    assert receipt is not None
    assert receipt.state == "reversed"
    with pytest.raises(Refused, match="No ban"):
        await at_desk.unban(ident, "bob", "so")
    later = (await cases(kit).take(reported(by=12, at=NOW + 10))).hex()
    assert (await at_desk.show(later, "bob", "so")).steps["R5"] == DAY  # what was taken back is no step


async def test_an_appeal_is_answered_and_not_passed_over(kit: Kit) -> None:
    at_desk = desk(kit)
    ident = await cases(kit).take(reported())
    await at_desk.decide(ident.hex(), "ada", "so", Decision("ban", "R5", DAY, "Adverts."))
    token = path_of(kit.pseudonyms, ident).rpartition("/")[2]
    await Appeals(kit.database, kit.pseudonyms, clock=lambda: kit.now).write(token, "please")
    with pytest.raises(Refused, match="An appeal waits"):
        await at_desk.unban(ident.hex(), "bob", "so")
    (waits,) = await at_desk.appeals("zoe")
    assert (waits.queue, waits.measure, waits.rule, waits.since, waits.until, waits.words) == (
        "spam", "ban", "R5", NOW, NOW + DAY, "Adverts.",
    )  # fmt: skip


async def test_where_nothing_was_done_nothing_is_taken_back(kit: Kit) -> None:
    ident = (await cases(kit).take(reported())).hex()
    await desk(kit).decide(ident, "ada", "so", NONE)
    with pytest.raises(Refused, match="No ban"):
        await desk(kit).unban(ident, "bob", "so")


async def test_a_warning_is_appealed_and_answered_by_another_operator(kit: Kit) -> None:
    at_desk, appeals = desk(kit), Appeals(kit.database, kit.pseudonyms, clock=lambda: kit.now)
    ident = await cases(kit).take(reported(reason="nudity"))
    told = await at_desk.decide(ident.hex(), "ada", "so", Decision("warning", "R4", None, "Please keep it on."))
    assert told == "they read it before their next search"
    token = path_of(kit.pseudonyms, ident).rpartition("/")[2]
    read = await appeals.write(token, "it was art")
    assert read is not None
    assert (read.measure, read.words, read.appealed) == ("warning", "Please keep it on.", "open")
    (waits,) = await at_desk.appeals("zoe")
    assert (waits.measure, waits.decided_by, waits.words) == ("warning", "ada", "Please keep it on.")
    with pytest.raises(Refused, match="somebody else"):
        await at_desk.answer(ident.hex(), "ada", "so", uphold=False, words="")
    await at_desk.answer(ident.hex(), "bob", "so", uphold=False, words="It was.")
    read = await appeals.read(token)
    assert read is not None
    assert (read.running, read.appealed, read.answer) == (False, "reversed", "It was.")
    later = (await cases(kit).take(reported(by=12, reason="nudity", at=NOW + 10))).hex()
    assert (await at_desk.show(later, "bob", "so")).steps["R4"] == 0


async def test_an_undone_ban_that_became_a_warning_is_read_as_the_warning(kit: Kit) -> None:
    at_desk, appeals = desk(kit), Appeals(kit.database, kit.pseudonyms, clock=lambda: kit.now)
    ident = await cases(kit).take(reported(reason="nudity"))
    token = path_of(kit.pseudonyms, ident).rpartition("/")[2]
    await at_desk.decide(ident.hex(), "ada", "so", ban("R4", 7))
    kit.now += 5
    await at_desk.undo(ident.hex(), "ada")
    await at_desk.decide(ident.hex(), "ada", "so", Decision("warning", "R4"))
    read = await appeals.read(token)
    assert read is not None
    assert (read.measure, read.running) == ("warning", True)
    kit.now += 5
    await at_desk.undo(ident.hex(), "ada")
    await at_desk.decide(ident.hex(), "ada", "so", ban("R4", 1))
    read = await appeals.read(token)
    assert read is not None
    assert (read.measure, read.running) == ("ban", True)
