"""Test the work on public notices: the audit log first, children first, and the answer reaches the writer."""

from __future__ import annotations

import pytest

from server.data.privacy import audit_log
from server.trust.decisions.public_notice_work import LONGEST, PublicNoticeWork
from server.trust.moderation_protocol import CHILD_KINDS, NoticeForm
from server.trust.sanctions.sanction_scale import Refused
from tests.server.data.conftest import NOW, Kit
from tests.server.trust.reports.test_illegal_content_notices import SAID, notices


def law_desk(kit: Kit) -> PublicNoticeWork:
    """What an operator does, at the test's time."""
    return PublicNoticeWork(kit.database, kit.pseudonyms, clock=lambda: kit.now)


async def test_children_come_first_and_then_the_oldest(kit: Kit) -> None:
    for at, kind in ((0, "other"), (1, "log"), (2, "child"), (3, "danger")):
        kit.now = NOW + at
        await notices(kit).write(NoticeForm(kind, "x", "y", ""))
    assert [one.kind for one in await law_desk(kit).waiting()] == ["danger", "child", "other", "log"]


async def test_who_may_read_of_children_alone_finds_no_other_notice(kit: Kit) -> None:
    for kind in ("danger", "child", "log"):
        await notices(kit).write(NoticeForm(kind, "x", "y", ""))
    of_log = next(one.id for one in await law_desk(kit).waiting() if one.kind == "log")
    desk = law_desk(kit).of_kinds(CHILD_KINDS)
    assert [one.kind for one in await desk.waiting()] == ["danger", "child"]
    for deed in (desk.show(of_log, "bob", "so"), desk.answer(of_log, "bob", "so", "none")):
        with pytest.raises(Refused, match="no such notice"):
            await deed
    await desk.answer((await desk.waiting())[0].id, "bob", "so", "passed")
    rows = await audit_log.recent_entries(kit.database, 0)
    assert {row.outcome.partition(": ")[2] for row in rows} == {"asked: passed", "passed"}


async def test_a_notice_is_read_and_the_look_is_written_down(kit: Kit) -> None:
    await notices(kit).write(SAID)
    ident = (await law_desk(kit).waiting())[0].id
    found = await law_desk(kit).show(ident[:8], "ada", "my turn")
    assert (found.kind, found.about, found.words, found.contact) == (SAID.kind, SAID.about, SAID.words, SAID.contact)
    rows = await audit_log.recent_entries(kit.database, 0)
    assert [(row.operator, row.action, row.why) for row in rows] == [("ada", "safety notices show", "my turn")]
    assert not any(word in row.outcome for row in rows for word in ("passports", "example"))


@pytest.mark.parametrize("outcome", ["acted", "none", "passed"])
async def test_an_answer_is_read_at_the_receipt(kit: Kit, outcome: str) -> None:
    receipt = await notices(kit).write(SAID)
    assert receipt is not None
    desk = law_desk(kit)
    ident = (await desk.waiting())[0].id
    kit.now = NOW + 60
    await desk.answer(ident, "ada", "read", outcome, "Thank you.")
    found = await notices(kit).read(receipt)
    assert found is not None
    assert (found.state, found.closed, found.answer) == (outcome, NOW + 60, "Thank you.")
    assert await desk.waiting() == []
    with pytest.raises(Refused, match="already"):
        await desk.answer(ident, "ada", "again", "none")


async def test_what_cannot_be_is_refused(kit: Kit) -> None:
    await notices(kit).write(SAID)
    desk = law_desk(kit)
    ident = (await desk.waiting())[0].id
    with pytest.raises(Refused, match="what came of it"):
        await desk.answer(ident, "ada", "so", "shout")
    with pytest.raises(Refused, match="characters at most"):
        await desk.answer(ident, "ada", "so", "none", "x" * (LONGEST + 1))
    for bad, why in (("zz", "hexadecimal"), ("00" * 16, "no such notice")):
        with pytest.raises(Refused, match=why):
            await desk.show(bad, "ada", "so")


async def test_a_flood_is_decided_at_once_and_unread_and_children_only_if_named(kit: Kit) -> None:
    receipts = {}
    for at, kind in ((0, "other"), (60, "log"), (60, "child"), (120, "other")):
        kit.now = NOW + at
        receipts[at, kind] = await notices(kit).write(NoticeForm(kind, "x", "y", ""))
    desk, kinds, since, until = law_desk(kit), ("other", "log"), int(NOW) + 60, int(NOW) + 120
    assert await desk.clear("ada", "a flood", kinds, since, until, dry=True) == 1
    assert len(await desk.waiting()) == 4
    assert await desk.clear("ada", "a flood", kinds, since, until) == 1
    assert sorted((one.at - int(NOW), one.kind) for one in await desk.waiting()) == [
        (0, "other"), (60, "child"), (120, "other")
    ]  # fmt: skip
    found = await notices(kit).read(receipts[60, "log"] or "")
    assert found is not None
    assert (found.state, found.closed) == ("none", int(kit.now))
    assert await desk.clear("ada", "a flood", ("child",), since, until) == 1
    rows = [(row.operator, row.action, row.why) for row in await audit_log.recent_entries(kit.database, 0)]
    assert rows == [("ada", "safety notices clear", "a flood")] * 6
