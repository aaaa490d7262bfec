"""What an operator does: read, decide, ban, answer an appeal. Each look and deed leaves its row first."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from server.privacy import audit
from server.safety import receipts
from server.safety.appeals import Appeals
from server.safety.desk import SHARED, Refused
from server.store.records import EndedChat, Party
from server.store.schema import audit as trail
from tests.server.store.conftest import NOW, Kit, address

from .people import bans, cases, desk, reported, text

DAY = 86_400


async def test_a_case_is_read_with_the_servers_text_and_leaves_a_row(kit: Kit) -> None:
    ident = await cases(kit).take(reported(note="look", said=text("hello", "buy this")))
    found = await desk(kit).show(ident.hex(), "ada", "my turn")
    assert [(line.side, line.text) for line in found.texts[0].lines] == [(0, "hello"), (1, "buy this")]
    assert found.notes == (("spam", "look"),)
    rows = await audit.listed(kit.database, 0)
    assert [(row.operator, row.action, row.why) for row in rows] == [("ada", "safety show", "my turn")] * 2
    assert [row.outcome.partition(": ")[2] for row in rows] == ["shown", "asked"]
    async with kit.database.read() as connection:
        subjects = set((await connection.execute(select(trail.c.subject))).scalars())
    assert subjects == {kit.pseudonyms.audit_subject(kit.pseudonyms.safety_identity(22))}


async def test_nothing_is_done_about_a_case_and_the_reporter_reads_so(kit: Kit) -> None:
    one = reported()
    ident = await cases(kit).take(one)
    await desk(kit).decide(ident.hex(), "ada", "harmless", "none")
    receipt = await receipts.find(kit.database, kit.pseudonyms, one.receipt)
    assert receipt is not None
    assert (receipt.state, receipt.closed) == ("none", NOW)
    with pytest.raises(Refused, match="decided already"):
        await desk(kit).decide(ident.hex(), "ada", "again", "none")


async def test_a_ban_climbs_its_ladder_and_shuts_identity_and_network(kit: Kit) -> None:
    for step, days in enumerate((1, 7, 30, 30)):
        kit.now = NOW + step
        ident = await cases(kit).take(reported(by=100 + step, at=int(kit.now)))
        told = await desk(kit).decide(ident.hex(), "ada", "adverts", "ban", "R5")
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
    assert "network" not in await desk(kit).decide(ident.hex(), "ada", "adverts", "ban", "R5")


async def test_an_appeal_is_answered_by_somebody_else_and_a_reversal_frees(kit: Kit) -> None:
    one = reported()
    ident = await cases(kit).take(one)
    at_desk, known = desk(kit), bans(kit)
    await at_desk.decide(ident.hex(), "ada", "adverts", "ban", "R5")
    await known.refresh()
    assert known.find(22, "") is not None
    appeals = Appeals(kit.database, kit.pseudonyms, clock=lambda: kit.now)
    token = known.path(ident).rpartition("/")[2]
    written = await appeals.write(token, "it was not me")
    assert written is not None
    assert written.appealed == "open"
    assert [(waits.text, waits.decided_by) for waits in await at_desk.appeals()] == [("it was not me", "ada")]
    with pytest.raises(Refused, match="somebody else"):
        await at_desk.answer(ident.hex(), "ada", "mine", uphold=False, words="")
    kit.now = NOW + 60
    await at_desk.answer(ident.hex(), "bob", "she is right", uphold=False, words="We were wrong.")
    await known.refresh()
    assert known.find(22, address(22)) is None
    read = await appeals.read(token)
    assert read is not None
    assert (read.running, read.appealed, read.answer) == (False, "reversed", "We were wrong.")
    receipt = await receipts.find(kit.database, kit.pseudonyms, one.receipt)
    assert receipt is not None
    assert receipt.state == "reversed"
    ident = await cases(kit).take(reported(by=77, at=int(kit.now)))
    told = await at_desk.decide(ident.hex(), "ada", "adverts", "ban", "R5")
    assert "identity for 1 day" in told  # what was taken back is no step of the ladder


async def test_reporters_who_were_right_weigh_more_and_none_is_dropped(kit: Kit) -> None:
    takes, at_desk = cases(kit), desk(kit)
    for about in range(200, 204):
        right, wrong = reported(by=11, about=about), reported(by=12, about=about + 50)
        await at_desk.decide((await takes.take(right)).hex(), "ada", "so", "ban", "R5")
        await at_desk.decide((await takes.take(wrong)).hex(), "ada", "not so", "none")
    await takes.take(reported(by=12, about=300))
    await takes.take(reported(by=11, about=301))
    weights = [one.weight for one in await at_desk.cases()]
    assert sorted(weights) == [0.33, 1.5]


async def test_what_cannot_be_is_refused(kit: Kit) -> None:
    at_desk = desk(kit)
    ident = await cases(kit).take(reported(about=22))
    for bad in (("none", "R5", None), ("ban", "", None), ("ban", "R9", None), ("shout", "", None), ("ban", "R5", 91)):
        with pytest.raises(Refused):
            await at_desk.decide(ident.hex(), "ada", "so", *bad)
    with pytest.raises(Refused, match="no such case"):
        await at_desk.show("00" * 16, "ada", "so")
    with pytest.raises(Refused, match="hexadecimal"):
        await at_desk.show("zz", "ada", "so")
    with pytest.raises(Refused, match="no appeal"):
        await at_desk.answer(ident.hex(), "bob", "so", uphold=True, words="")
