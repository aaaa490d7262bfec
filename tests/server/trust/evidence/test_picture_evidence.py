"""Test pictures of a case: sealed, bounded, of a known camera, deleted by their own clock."""

from __future__ import annotations

import secrets

import pytest
from sqlalchemy import select

from server.data.objects.sealed_objects import UNFINISHED
from server.data.retention import monthly_counts
from server.data.schema.moderation_schema import case, evidence
from server.data.schema.record_schema import doomed
from server.trust.evidence import picture_evidence
from server.trust.evidence.reported_picture import MOST, MOST_OF_A_CASE, SENT, STRIP, Picture, bounded
from tests.server.data.conftest import NOW, Kit
from tests.server.trust.moderation.people import NONE, cases, desk, pictures, reported, sealed, text


async def rows(kit: Kit) -> list[object]:
    """The rows of pictures, in their order."""
    async with kit.database.read() as connection:
        wanted = (
            select(evidence).where(picture_evidence.PICTURE).order_by(evidence.c.made, evidence.c.kind, evidence.c.side)
        )
        return list((await connection.execute(wanted)).all())


def many(number: int) -> tuple[Picture, ...]:
    """So many of one side."""
    return tuple(Picture(STRIP, 1, NOW + at, secrets.token_bytes(20)) for at in range(number))


def test_the_store_counts_the_same_kinds() -> None:
    assert picture_evidence.KINDS == monthly_counts.PICTURES


async def test_what_is_kept_is_sealed_and_in_no_file_as_it_is(kit: Kit) -> None:
    canary = b"canary " + secrets.token_bytes(24)
    shown = tuple(Picture(one.kind, one.side, one.at, one.body + canary) for one in pictures())
    await cases(kit).take(reported(said=text("hello"), shown=shown))
    assert await kit.count("evidence") == 4
    assert len([name async for name in kit.objects.names("snaps")]) == 3
    assert await kit.count("doomed") == 0
    await kit.database.checkpoint()
    files = [path for path in kit.data.rglob("*") if path.is_file()]
    assert files, "or the search proves nothing"
    assert [path for path in files if canary in path.read_bytes()] == []
    found = {await sealed(kit).get(row.object, row.object_key) for row in await rows(kit)}  # type: ignore[attr-defined]
    assert found == {one.body for one in shown}


async def test_a_row_says_whose_camera_it_is(kit: Kit) -> None:
    await cases(kit).take(reported(shown=pictures()))
    told = [(row.kind, row.side, row.subject) for row in await rows(kit)]  # type: ignore[attr-defined]
    assert told == [("own", 0, False), ("own", 1, True), ("strip", 1, True)]


async def test_what_comes_after_a_report_joins_its_case(kit: Kit) -> None:
    takes = cases(kit)
    ident = await takes.take(reported())
    assert await takes.add_pictures(ident, 1, pictures(NOW + 9)) == 3
    assert [row.until for row in await rows(kit)] == [None] * 3  # type: ignore[attr-defined]
    await desk(kit).decide(ident.hex(), "ada", "nothing in it", NONE)
    kit.now = NOW + 20
    assert await takes.add_pictures(ident, 1, pictures(NOW + 20)) == 3
    day = 86_400
    assert sorted(row.until for row in await rows(kit)) == [NOW + 3 * day] * 3 + [NOW + 20 + 3 * day] * 3  # type: ignore[attr-defined]


async def test_a_case_that_is_gone_keeps_nothing_and_no_object_stays(kit: Kit) -> None:
    assert await cases(kit).add_pictures(secrets.token_bytes(16), 1, pictures()) == 0
    assert await kit.count("evidence") == 0
    kit.now = NOW + UNFINISHED + 1
    await kit.logs.sweep()
    assert [name async for name in kit.objects.names("snaps")] == []


async def test_a_report_that_waited_for_hours_is_not_swept_while_it_is_stored(
    kit: Kit, monkeypatch: pytest.MonkeyPatch
) -> None:
    kit.now = NOW + 5 * UNFINISHED
    write = picture_evidence.write

    async def late(*given: object) -> int:
        assert {row.since for row in (await given[0].execute(select(doomed))).all()} == {int(kit.now) + UNFINISHED}  # type: ignore[attr-defined]
        return await write(*given)  # type: ignore[arg-type]

    monkeypatch.setattr(picture_evidence, "write", late)
    await cases(kit).take(reported(said=text("hello"), shown=pictures()))
    assert await kit.count("evidence") == 4


async def test_a_case_has_an_end_of_room_and_what_is_too_much_is_swept(kit: Kit) -> None:
    takes = cases(kit)
    ident = await takes.take(reported())
    kept = [await takes.add_pictures(ident, 1, many(100)) for _ in range(7)]
    assert kept == [MOST] * 5 + [0, 0]
    assert sum(kept) == MOST_OF_A_CASE == len(await rows(kit))
    kit.now = NOW + UNFINISHED + 200
    await kit.logs.sweep()
    assert len([name async for name in kit.objects.names("snaps")]) == MOST_OF_A_CASE
    assert await kit.count("doomed") == 0


async def test_pictures_of_one_second_keep_the_order_in_which_they_were_sent(kit: Kit) -> None:
    sent = [Picture(SENT, 1, NOW, bytes([number]) * 20) for number in range(12)]
    ident = await cases(kit).take(reported(shown=sent[:6]))
    for one in sent[6:]:
        await cases(kit).add_pictures(ident, 1, [one])
    async with kit.database.read() as connection:
        ordered = select(evidence).where(picture_evidence.PICTURE).order_by(evidence.c.made, evidence.c.id)
        found = (await connection.execute(ordered)).all()
    assert [await sealed(kit).get(row.object, row.object_key) for row in found] == [one.body for one in sent]


async def test_text_and_pictures_leave_at_their_own_times(kit: Kit) -> None:
    ident = await cases(kit).take(reported(said=text("hello"), shown=pictures()))
    async with kit.database.write() as connection:
        await picture_evidence.leave(connection, ident, NOW + 1, NOW + 2)
        found = (await connection.execute(select(evidence.c.kind, evidence.c.until))).all()
        assert (await connection.execute(select(case.c.closed))).scalar() is None
    assert {(row.kind == "text", row.until) for row in found} == {(True, NOW + 1), (False, NOW + 2)}
    assert len(bounded(pictures())) == 3
