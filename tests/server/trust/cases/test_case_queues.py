"""Test the order of the queues: highest points first, whatever came when; counts need no reading."""

from __future__ import annotations

import random

from tests.server.data.conftest import NOW, Kit
from tests.server.trust.moderation.people import NONE, acted, ban, cases, desk, reported


async def test_points_order_a_queue_and_age_is_a_point_in_ten_minutes(kit: Kit) -> None:
    takes = cases(kit)
    old_other = await takes.take(reported(about=31, reason="other", at=NOW - 600 * 60))  # 10 + 60
    new_threat = await takes.take(reported(about=32, reason="threat", at=NOW - 600))  # 60 + 1
    newer = await takes.take(reported(about=33, reason="threat", at=NOW - 600 * 8))  # 60 + 8
    found = await desk(kit).cases("people")
    assert [(one.id, one.points) for one in found] == [
        (old_other.hex(), 70.0), (newer.hex(), 68.0), (new_threat.hex(), 61.0),
    ]  # fmt: skip


async def test_many_reporters_lift_a_case_by_45_points_at_most(kit: Kit) -> None:
    takes, at_desk = cases(kit), desk(kit)
    for by in range(11, 21):  # each was right once before
        earlier = await takes.take(reported(by=by, about=100 + by))
        await at_desk.decide(earlier.hex(), "ada", "so", ban())
        await takes.take(reported(by=by, about=22, reason="hate"))
    await takes.take(reported(by=11, about=23, reason="threat"))
    found = await at_desk.cases("people")
    assert [(one.reports, one.points) for one in found] == [(10, 85.0), (1, 65.0)]


async def test_a_crowd_of_whom_no_report_was_decided_lifts_a_case_above_no_threat(kit: Kit) -> None:
    takes = cases(kit)
    for by in range(11, 51):
        await takes.take(reported(by=by, about=22, reason="hate", at=NOW - 180 + by))
    threat = await takes.take(reported(by=11, about=23, reason="threat"))
    first, brigaded = await desk(kit).cases("people")
    assert (first.id, first.points) == (threat.hex(), 60.0)
    assert (brigaded.reports, round(brigaded.points)) == (40, 40 + 15)


async def test_apparent_abuse_material_stands_first_in_urgent_whatever_else_is_there(kit: Kit) -> None:
    takes = cases(kit)
    for by in range(11, 31):
        await takes.take(reported(by=by, about=22, reason="minor", at=NOW - 20 * 86_400))
    listed = await takes.take(acted("known", about=23))
    assert next(iter(await desk(kit).cases("urgent"))).id == listed.hex()
    assert await desk(kit).next("urgent", "eva") == listed.hex()


async def test_the_stored_order_follows_every_report(kit: Kit) -> None:
    takes, dice = cases(kit), random.Random(7)
    for n in range(60):
        reason = dice.choice(["threat", "nudity", "hate", "other"])
        await takes.take(
            reported(by=100 + n, about=200 + dice.randrange(25), reason=reason, at=NOW - dice.randrange(90_000))
        )
    found = await desk(kit).cases("people")
    assert len(found) > 15
    assert [one.points for one in found] == sorted((one.points for one in found), reverse=True)
    assert [one.id for one in await desk(kit).cases("people", 3)] == [one.id for one in found[:3]]


async def test_queues_are_counted_with_their_oldest(kit: Kit) -> None:
    takes, at_desk = cases(kit), desk(kit)
    assert {count.open for count in (await at_desk.counts()).values()} == {0}
    await takes.take(reported(about=31, at=NOW - 50))
    await takes.take(reported(about=32, at=NOW - 90))
    ident = await takes.take(reported(about=33, at=NOW - 99))
    await at_desk.decide(ident.hex(), "ada", "so", NONE)
    counts = await at_desk.counts()
    assert list(counts) == ["urgent", "people", "machine", "spam", "low"]
    assert (counts["spam"].open, counts["spam"].oldest) == (2, NOW - 90)


async def test_a_reporter_is_said_in_numbers_of_their_own_reports(kit: Kit) -> None:
    takes, at_desk = cases(kit), desk(kit)
    for about, decision in ((31, ban()), (32, NONE), (33, ban())):
        ident = await takes.take(reported(about=about))
        await at_desk.decide(ident.hex(), "ada", "so", decision)
    ident = await takes.take(reported(about=34))
    await takes.take(reported(by=0, about=34))
    records = [one.record for one in (await at_desk.show(ident.hex(), "ada", "so")).reports]
    assert sorted((one.right, one.of, one.known) for one in records) == [(0, 0, False), (2, 3, True)]
