"""Test unread notices: their owner, when they are shown, and that each is read once."""

from __future__ import annotations

import orjson
import pytest
from sqlalchemy import select

from engine.wire.protocol import NOTICE_ID_MAX
from server.data.retention import stale_cases
from server.data.schema.moderation_schema import notice
from server.ops.security.url_token_generator import encode
from server.trust.sanctions import notice_loader as module
from server.trust.sanctions import notice_table
from server.trust.sanctions.ban_table import day_of, path_of
from server.trust.sanctions.notice_loader import KEPT, Notices
from server.trust.sanctions.sanction_scale import Decision, Refused
from tests.server.data.conftest import NOW, Kit
from tests.server.trust.moderation.people import cases, desk, reported


def notices(kit: Kit) -> Notices:
    """What is unread, at the test's time, in a process of its own."""
    return Notices(kit.database, kit.pseudonyms, clock=lambda: kit.now)


async def warned(kit: Kit, about: int = 22, rule: str = "R4", by: int = 11) -> bytes:
    """A case that ended with a warning."""
    ident = await cases(kit).take(reported(by=by, about=about, at=int(kit.now)))
    await desk(kit).decide(ident.hex(), "ada", "hateful", Decision("warning", rule))
    return ident


async def test_nothing_is_looked_up_where_nobody_has_one(kit: Kit, monkeypatch: pytest.MonkeyPatch) -> None:
    known = notices(kit)
    assert await known.refresh() == 0
    monkeypatch.setattr(kit.pseudonyms, "safety_identity", None)  # whoever called it would fail
    assert known.unread(22, 5) is None
    assert len(known) == 0


async def test_a_warning_is_told_to_its_person_alone_and_its_frame_says_all(kit: Kit) -> None:
    ident, known = await warned(kit), notices(kit)
    assert await known.refresh() == 1
    assert await known.refresh() == 0
    found = known.unread(22, 5)
    assert found is not None
    id, frame = found
    assert len(id) <= NOTICE_ID_MAX
    assert orjson.loads(frame) == {
        "type": "notice", "id": id, "kind": "warning", "rule": "R4", "reason": "No hate or harassment.",
        "day": day_of(NOW), "by": "person", "appeal": path_of(kit.pseudonyms, ident),
    }  # fmt: skip
    assert known.unread(33, 5) is None
    assert known.unread(0, 22) is None
    assert not known.seen(33, 5, id)


async def test_what_was_read_is_stored_and_no_process_asks_again(kit: Kit) -> None:
    await warned(kit)
    here, there = notices(kit), notices(kit)
    for known in (here, there):
        await known.refresh()
    id, _ = here.unread(22, 5) or ("", b"")
    assert here.seen(22, 5, id)
    assert here.seen(22, 6, id), "saying so again, from another tab too, is no fault"
    assert here.unread(22, 5) is None
    await here.refresh()
    assert here.unread(22, 5) is None, "though the row does not say so yet"
    kit.now = NOW + 5
    await here.store()
    await there.refresh()
    assert there.unread(22, 5) is None
    assert await notices(kit).refresh() == 0
    async with kit.database.read() as connection:
        row = (await connection.execute(select(notice))).one()
    assert (row.seen, row.since) == (NOW, NOW)


@pytest.mark.parametrize("id", ["", "x", "A" * 22, "A" * 64, "\ud800", "é" * 22], ids=repr)
async def test_guesses_are_nobodys(kit: Kit, id: str) -> None:
    await warned(kit)
    known = notices(kit)
    await known.refresh()
    assert not known.seen(22, 5, id)


async def test_several_are_read_one_after_the_other(kit: Kit) -> None:
    await warned(kit, rule="R4")
    kit.now = NOW + 10
    await warned(kit, rule="R5", by=12)
    known = notices(kit)
    assert await known.refresh() == 2
    for rule in ("R4", "R5"):
        id, frame = known.unread(22, 5) or ("", b"{}")
        assert orjson.loads(frame)["rule"] == rule
        assert known.seen(22, 5, id)
    assert len(known) == 0


async def test_somebody_without_a_cookie_has_it_in_the_session_in_which_they_were_reported(kit: Kit) -> None:
    known = notices(kit)
    ident = await cases(kit).take(reported(about=0))
    known.reported(ident, 77)
    told = await desk(kit).decide(ident.hex(), "ada", "hateful", Decision("warning", "R4"))
    assert "if their session is still there" in told
    assert await known.refresh() == 1
    id, _ = known.unread(0, 77) or ("", b"")
    assert known.unread(0, 78) is None
    assert not known.seen(0, 78, id)
    assert known.seen(0, 77, id)
    elsewhere = notices(kit)
    assert await elsewhere.refresh() == 0, "which session it was stands in no row"
    async with kit.database.read() as connection:
        assert (await connection.execute(select(notice.c.mac))).scalar_one() is None


async def test_what_is_remembered_of_sessions_and_of_what_was_read_is_bounded(
    kit: Kit, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "REMEMBERED", 3)
    monkeypatch.setattr(notice_table, "REMEMBERED", 3)
    known = notices(kit)
    for number in range(10):
        known.reported(bytes([number]) * 16, number)
        await warned(kit, about=100 + number)
    await known.refresh()
    for number in range(10):
        id, _ = known.unread(100 + number, 0) or ("", b"")
        assert known.seen(100 + number, 0, id)
    assert len(known._sessions) == len(known._read) == 3


async def test_a_warning_that_was_taken_back_is_not_told(kit: Kit) -> None:
    ident, known = await warned(kit), notices(kit)
    await known.refresh()
    kit.now = NOW + 10
    async with kit.database.write() as connection:
        await stale_cases.end_sanctions(connection, [ident], int(kit.now))
    await known.refresh()
    assert known.unread(22, 5) is None
    assert await notices(kit).refresh() == 0


async def test_it_is_not_told_after_its_time_and_its_row_goes(kit: Kit) -> None:
    await warned(kit)
    kit.now = NOW + KEPT + 1
    assert await notices(kit).refresh() == 0


async def test_a_warning_needs_a_rule(kit: Kit) -> None:
    ident = await cases(kit).take(reported())
    for rule in ("", "R8"):
        with pytest.raises(Refused, match="one of the rules"):
            await desk(kit).decide(ident.hex(), "ada", "hateful", Decision("warning", rule))


def test_ids_are_as_long_as_the_protocol_says() -> None:
    assert len(encode(bytes(16))) == 22 <= NOTICE_ID_MAX


async def test_another_process_knows_whose_session_it_is_and_what_was_read(kit: Kit) -> None:
    ident = await cases(kit).take(reported(by=11, about=0, at=int(kit.now)))
    await desk(kit).decide(ident.hex(), "ada", "hateful", Decision("warning", "R4"))
    await warned(kit)
    old, new = notices(kit), notices(kit)
    assert await new.refresh() == 1
    old.reported(ident, 5)
    assert await old.refresh() == 2
    read = old.unread(22, 7)
    assert read is not None
    assert old.seen(22, 7, read[0])
    new.unpack(orjson.loads(orjson.dumps(old.pack())))
    assert await new.refresh() == 1
    assert new.unread(0, 5) == old.unread(0, 5)
    assert new.unread(0, 5) is not None
    assert new.unread(22, 7) is None
    assert new.seen(22, 7, read[0])
