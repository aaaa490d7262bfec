"""Test the work on cases: read, decide, ban, answer an appeal. The audit log has each look and action first."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest
from sqlalchemy import select

from server.data.privacy import audit_log
from server.data.records.chat_rows import EndedChat, Party
from server.data.retention.stale_cases import UNDO
from server.data.schema.record_schema import audit as trail
from server.ops.config.moderation_policy import DAY, FOR_GOOD, HOUR
from server.trust.cases.case_base import Taken
from server.trust.cases.user_appeals import Appeals
from server.trust.decisions.case_work import LEASE
from server.trust.reports import report_outcome
from server.trust.sanctions.ban_rows import SHARED
from server.trust.sanctions.ban_table import path_of
from server.trust.sanctions.sanction_scale import Decision, Grade, Refused
from tests.server.data.conftest import NOW, Kit, address
from tests.server.trust.moderation.people import NONE, ban, bans, cases, desk, reported, text


async def test_a_case_is_read_with_the_servers_text_and_leaves_a_row(kit: Kit) -> None:
    ident = await cases(kit).take(reported(note="look", said=text("hello", "buy this")))
    found = await desk(kit).show(ident.hex(), "ada", "my turn")
    assert [(line.side, line.text) for line in found.texts[0].lines] == [(0, "hello"), (1, "buy this")]
    assert [(one.reason, one.note) for one in found.reports] == [("spam", "look")]
    rows = await audit_log.recent_entries(kit.database, 0)
    assert [(row.operator, row.action, row.why) for row in rows] == [("ada", "safety show", "my turn")] * 2
    assert [row.outcome.partition(": ")[2] for row in rows] == ["shown", "asked"]
    async with kit.database.read() as connection:
        subjects = set((await connection.execute(select(trail.c.subject))).scalars())
    assert subjects == {kit.pseudonyms.audit_subject(kit.pseudonyms.safety_identity(22))}


async def test_nothing_is_done_about_a_case_and_the_reporter_reads_so(kit: Kit) -> None:
    one = reported()
    ident = await cases(kit).take(one)
    await desk(kit).decide(ident.hex(), "ada", "harmless", NONE)
    receipt = await report_outcome.find(kit.database, kit.pseudonyms, one.receipt)
    assert receipt is not None
    assert (receipt.state, receipt.closed) == ("none", NOW)
    with pytest.raises(Refused, match="decided already"):
        await desk(kit).decide(ident.hex(), "ada", "again", NONE)


async def test_a_ban_climbs_its_ladder_and_shuts_identity_and_network(kit: Kit) -> None:
    for step, days in enumerate((1, 7, 30, 30)):
        kit.now = NOW + step
        ident = await cases(kit).take(reported(by=100 + step, at=int(kit.now)))
        told = await desk(kit).decide(ident.hex(), "ada", "adverts", ban("R5"))
        assert f"identity for {days} day" in told
        assert f"network for {1 if step == 0 else 7} day" in told
    known = bans(kit)
    assert len(await known.refresh()) > 0
    assert known.find(22, "192.0.2.200") is not None
    assert known.find(0, address(22)) is not None
    assert known.find(33, "192.0.2.200") is None
    kit.now = NOW + 8 * DAY
    assert known.find(0, address(22)) is None  # the network is free again, the identity is not
    assert known.find(22, address(22)) is not None


async def test_a_network_of_many_people_is_no_door(kit: Kit) -> None:
    there = [Party(0, 500 + number, address(22)) for number in range(SHARED)]
    await kit.write(*(EndedChat("text", "left", NOW - 90, NOW - 60, (one, Party(1, 0, ""))) for one in there))
    ident = await cases(kit).take(reported())
    assert "network" not in await desk(kit).decide(ident.hex(), "ada", "adverts", ban("R5"))


async def test_while_nobody_can_say_who_shares_a_network_the_person_alone_is_banned(kit: Kit) -> None:
    ident = await cases(kit).take(reported())
    kit.pseudonyms.epochs.await_keys([1])  # the key of an epoch that another host has
    assert "network" not in (said := await desk(kit).decide(ident.hex(), "ada", "adverts", ban("R5")))
    assert "identity" in said


async def test_an_appeal_is_answered_by_somebody_else_and_a_reversal_frees(kit: Kit) -> None:
    one = reported()
    ident = await cases(kit).take(one)
    at_desk, known = desk(kit), bans(kit)
    await at_desk.decide(ident.hex(), "ada", "adverts", ban("R5"))
    await known.refresh()
    assert known.find(22, "") is not None
    appeals = Appeals(kit.database, kit.pseudonyms, clock=lambda: kit.now)
    token = path_of(kit.pseudonyms, ident).rpartition("/")[2]
    written = await appeals.write(token, "it was not me")
    assert written is not None
    assert written.appealed == "open"
    assert [(waits.text, waits.decided_by) for waits in await at_desk.appeals("zoe")] == [("it was not me", "ada")]
    with pytest.raises(Refused, match="somebody else"):
        await at_desk.answer(ident.hex(), "ada", "mine", uphold=False, words="")
    kit.now = NOW + 60
    await at_desk.answer(ident.hex(), "bob", "she is right", uphold=False, words="We were wrong.")
    await known.refresh()
    assert known.find(22, address(22)) is None
    read = await appeals.read(token)
    assert read is not None
    assert (read.running, read.appealed, read.answer) == (False, "reversed", "We were wrong.")
    receipt = await report_outcome.find(kit.database, kit.pseudonyms, one.receipt)
    assert receipt is not None
    assert receipt.state == "reversed"
    ident = await cases(kit).take(reported(by=77, at=int(kit.now)))
    told = await at_desk.decide(ident.hex(), "ada", "adverts", ban("R5"))
    assert "identity for 1 day" in told  # what was taken back is no step of the ladder


async def test_reporters_who_were_right_weigh_more_and_none_is_dropped(kit: Kit) -> None:
    takes, at_desk = cases(kit), desk(kit)
    for about in range(200, 204):
        right, wrong = reported(by=11, about=about), reported(by=12, about=about + 50)
        await at_desk.decide((await takes.take(right)).hex(), "ada", "so", ban("R5"))
        await at_desk.decide((await takes.take(wrong)).hex(), "ada", "not so", NONE)
    await takes.take(reported(by=12, about=300))
    await takes.take(reported(by=11, about=301))
    weights = [one.weight for one in await at_desk.cases()]
    assert weights == [1.5, 0.33]  # the heavier first


async def test_what_cannot_be_is_refused(kit: Kit) -> None:
    at_desk = desk(kit)
    ident = await cases(kit).take(reported(about=22))
    for bad in (ban("R5", 91), ban("R4"), Decision("pause", "R5", HOUR // 5), Decision("shout", "R5")):
        with pytest.raises(Refused):
            await at_desk.decide(ident.hex(), "ada", "so", bad)
    with pytest.raises(Refused, match="a lead"):
        await at_desk.decide(ident.hex(), "ada", "so", ban("R5", 31), Grade.OPERATOR)
    with pytest.raises(Refused, match="no such case"):
        await at_desk.show("00" * 16, "ada", "so")
    with pytest.raises(Refused, match="hexadecimal"):
        await at_desk.show("zz", "ada", "so")
    with pytest.raises(Refused, match="No appeal"):
        await at_desk.answer(ident.hex(), "bob", "so", uphold=True, words="")


async def test_a_pause_is_hours_and_no_step_of_the_ladder(kit: Kit) -> None:
    at_desk, known = desk(kit), bans(kit)
    ident = await cases(kit).take(reported())
    told = await at_desk.decide(ident.hex(), "ada", "adverts", Decision("pause", "R5", 2 * HOUR), Grade.OPERATOR)
    assert told == "identity for 2 hours, network for 2 hours"
    await known.refresh()
    found = known.find(22, "")
    assert found is not None
    assert found.until == NOW + 2 * HOUR
    kit.now = NOW + 3 * HOUR
    ident = await cases(kit).take(reported(by=12, at=int(kit.now)))
    assert "identity for 1 day" in await at_desk.decide(ident.hex(), "ada", "adverts", ban())


async def test_a_ban_for_good_takes_two_and_names_no_day(kit: Kit) -> None:
    at_desk, known = desk(kit), bans(kit)
    ident = await cases(kit).take(reported(reason="minor"))
    for_good = Decision("ban", "R7", FOR_GOOD)
    with pytest.raises(Refused, match="two operators"):
        await at_desk.decide(ident.hex(), "ada", "so", for_good)
    assert (
        await at_desk.decide(ident.hex(), "ada", "so", for_good, Grade.PAIR) == "identity for good, network for 1 day"
    )
    await known.refresh()
    found = known.find(22, "")
    assert found is not None
    assert b"until" not in known.frame(found)
    kit.now = NOW + 400 * DAY
    await kit.purge().run()
    assert await kit.count("ban") == 1  # the network's is gone, and so is the case
    await Appeals(kit.database, kit.pseudonyms, clock=lambda: kit.now).write(
        path_of(kit.pseudonyms, ident).rpartition("/")[2], "it is long ago"
    )
    assert [(one.case, one.queue, one.decided_by) for one in await at_desk.appeals("zoe")] == [(ident.hex(), "", "ada")]
    with pytest.raises(Refused, match="somebody else"):
        await at_desk.answer(ident.hex(), "ada", "so", uphold=False, words="")
    await at_desk.answer(ident.hex(), "bob", "so", uphold=False, words="")
    await known.refresh()
    assert known.find(22, "") is None


async def test_two_operators_never_have_nor_decide_one_case(kit: Kit) -> None:
    at_desk = desk(kit)
    ident = (await cases(kit).take(reported())).hex()
    await at_desk.claim(ident, "ada")
    await at_desk.claim(ident, "ada")
    with pytest.raises(Taken, match="is with ada, for 15 more minutes"):
        await at_desk.claim(ident, "bob")
    with pytest.raises(Taken):
        await at_desk.decide(ident, "bob", "so", NONE)
    assert [one.claimed_by for one in await at_desk.cases()] == ["ada"]
    assert await at_desk.next("spam", "bob") == ""
    await at_desk.release(ident, "bob")
    with pytest.raises(Taken):
        await at_desk.claim(ident, "bob")
    await at_desk.release(ident, "ada")
    await at_desk.claim(ident, "bob")
    kit.now = NOW + LEASE
    assert await at_desk.next("spam", "ada") == ident
    done = await asyncio.gather(*(at_desk.decide(ident, "ada", "so", NONE) for _ in range(4)), return_exceptions=True)
    assert sorted(type(one).__name__ for one in done) == ["Refused", "Refused", "Refused", "str"]


async def test_who_gives_a_case_back_goes_on_behind_it(kit: Kit) -> None:
    at_desk, takes = desk(kit), cases(kit)
    first, second, third = [(await takes.take(reported(about=30 + n, at=NOW - 100 + n))).hex() for n in range(3)]
    assert await at_desk.next("spam", "ada") == first
    await at_desk.release(first, "ada")
    assert await at_desk.next("spam", "ada", after=first) == second
    await at_desk.release(second, "ada")
    await at_desk.claim(third, "bob")
    assert await at_desk.next("spam", "ada", after=second) == first
    assert await at_desk.next("people", "ada") == ""


async def test_an_undo_gives_back_the_whole_case(kit: Kit) -> None:
    one = reported(note="look", said=text("hello"))
    at_desk, known = desk(kit), bans(kit)
    ident = (await cases(kit).take(one)).hex()
    before = await at_desk.show(ident, "ada", "so")
    await at_desk.decide(ident, "ada", "so", Decision("ban", "R5", DAY, "Not here."))
    await known.refresh()
    assert known.find(22, "") is not None
    with pytest.raises(Refused, match="and nobody else"):
        await at_desk.undo(ident, "bob")
    kit.now = NOW + UNDO
    await kit.purge().run()
    lately = await at_desk.undoable_decision(ident, "ada")
    assert lately is not None
    assert (lately.measure, lately.rule, lately.undo) == ("ban", "R5", NOW + UNDO)
    assert await at_desk.undoable_decision(ident, "bob") is None
    await at_desk.undo(ident, "ada")
    await known.refresh()
    assert known.find(22, "") is None
    again = await at_desk.show(ident, "ada", "so")
    assert again.listed.claimed_by == "ada"
    assert await at_desk.undoable_decision(ident, "ada") is None
    assert (again.reports, again.texts, again.steps, again.outcome) == (
        before.reports, before.texts, before.steps, None,
    )  # fmt: skip
    assert [row.action for row in await audit_log.recent_entries(kit.database, 0)].count(
        "safety undo"
    ) == 3  # bob's try is one
    kit.now += 5
    await at_desk.decide(ident, "ada", "so", Decision("ban", "R5", 7 * DAY, "Please stop."))
    read = await Appeals(kit.database, kit.pseudonyms, clock=lambda: kit.now).read(
        path_of(kit.pseudonyms, bytes.fromhex(ident)).rpartition("/")[2]
    )
    assert read is not None
    assert (read.until, read.words, read.running) == (int(kit.now) + 7 * DAY, "Please stop.", True)
    await known.refresh()
    assert known.find(22, "") is not None
    kit.now += UNDO + 1
    with pytest.raises(Refused, match="within 30 seconds"):
        await at_desk.undo(ident, "ada")
    await kit.purge().run()
    assert [one.note for one in (await at_desk.show(ident, "ada", "so")).reports] == [""]


async def test_after_an_appeal_nothing_is_undone(kit: Kit) -> None:
    at_desk = desk(kit)
    ident = await cases(kit).take(reported())
    await at_desk.decide(ident.hex(), "ada", "so", ban())
    token = path_of(kit.pseudonyms, ident).rpartition("/")[2]
    await Appeals(kit.database, kit.pseudonyms, clock=lambda: kit.now).write(token, "no")
    with pytest.raises(Refused, match="an appeal"):
        await at_desk.undo(ident.hex(), "ada")


async def test_what_was_decided_before_is_shown_for_120_days(kit: Kit) -> None:
    at_desk = desk(kit)
    ident = await cases(kit).take(reported())
    await at_desk.decide(ident.hex(), "ada", "so", ban())
    later = await cases(kit).take(reported(by=12, at=NOW + 10))
    found = await at_desk.show(later.hex(), "bob", "so")
    assert [(one.measure, one.rule, one.state) for one in found.earlier] == [("ban", "R5", "decided")]
    assert (found.steps["R5"], found.steps["R6"], found.steps["R4"]) == (7 * DAY, DAY, 0)
    kit.now = NOW + 121 * DAY
    assert (await at_desk.show(later.hex(), "bob", "so")).earlier == ()


async def test_confirmed_nudity_on_camera_ends_the_call_for_a_day_at_least(kit: Kit) -> None:
    at_desk, known = desk(kit), bans(kit)
    ident = (await cases(kit).take(replace(reported(reason="nudity"), mode="video"))).hex()
    for mild in (Decision("warning", "R2"), Decision("pause", "R2", HOUR)):
        with pytest.raises(Refused, match="For R2 on camera the least is 1 day"):
            await at_desk.decide(ident, "ada", "so", mild)
    await at_desk.decide(ident, "ada", "so", ban("R2"))
    await known.refresh()
    found = known.find(22, "")
    assert found is not None
    assert found.until == NOW + DAY
    for number, (mode, rule) in enumerate((("text", "R2"), ("video", "R4"))):
        other = await cases(kit).take(replace(reported(about=40 + number, reason="nudity"), mode=mode))
        await at_desk.decide(other.hex(), "ada", "so", Decision("warning", rule))
