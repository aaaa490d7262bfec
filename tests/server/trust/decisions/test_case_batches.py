"""Test one decision about several cases, and its undo as a whole."""

from __future__ import annotations

from typing import Any

import pytest

from server.data.retention.stale_cases import UNDO
from server.ops.config.moderation_policy import DAY, FOR_GOOD
from server.trust.decisions.case_batches import BATCH_MOST, CaseBatches
from server.trust.sanctions.sanction_scale import Decision, Refused
from tests.server.data.conftest import Kit
from tests.server.trust.moderation.people import bans, cases, desk, reported, sealed

STEP = Decision("ban", "R5", None, "No adverts, please.")


def batches(kit: Kit) -> CaseBatches:
    """The work with batches, at the test's time."""
    return CaseBatches(kit.database, sealed(kit), kit.pseudonyms, clock=lambda: kit.now)


async def made(kit: Kit, *about: int) -> list[str]:
    """Ids of cases."""
    return [(await cases(kit).take(reported(about=one, at=int(kit.now)))).hex() for one in about]


async def test_each_case_of_a_batch_has_its_own_step_of_the_ladder(kit: Kit) -> None:
    (earlier,) = await made(kit, 30)
    await desk(kit).decide(earlier, "ada", "so", Decision("ban", "R5", DAY))
    kit.now += 2 * DAY
    work, idents = batches(kit), await made(kit, 30, 31)
    found = await work.decide_batch(idents, "ada", "so", STEP)
    assert (found.done, found.left) == (2, 0)
    known = bans(kit)
    await known.refresh()
    ends = [known.find(one, "") for one in (30, 31)]
    assert [one.until - int(kit.now) for one in ends if one] == [7 * DAY, DAY]


async def test_a_batch_is_undone_as_a_whole_by_its_moderator_for_a_moment(kit: Kit) -> None:
    work, idents = batches(kit), await made(kit, 30, 31, 32)
    found = await work.decide_batch(idents, "ada", "so", STEP)
    with pytest.raises(Refused):
        await work.undo_batch(found.id, "bob")
    assert set(await work.batch(found.id, "ada")) == set(idents)
    back = await work.undo_batch(found.id, "ada")
    assert (back.done, back.left) == (3, 0)
    assert {one.id for one in await work.cases("spam")} == set(idents)
    known = bans(kit)
    await known.refresh()
    assert known.find(30, "") is None
    again = await work.decide_batch(idents, "ada", "so", STEP)
    kit.now += UNDO + 1
    with pytest.raises(Refused):
        await work.undo_batch(again.id, "ada")
    assert await work.batch("zz", "ada") == ()


async def test_a_slow_batch_is_undone_whole_or_not_at_all(kit: Kit) -> None:
    work, idents = batches(kit), await made(kit, 30, 31)
    decide = work.decide

    async def slow(*words: Any, **more: Any) -> str:
        told = await decide(*words, **more)
        kit.now += UNDO - 5
        return told

    work.decide = slow  # type: ignore[method-assign]
    found = await work.decide_batch(idents, "ada", "so", STEP)
    with pytest.raises(Refused):
        await work.undo_batch(found.id, "ada")
    assert {one.id for one in await work.cases("spam")} == set()


async def test_cases_that_another_moderator_has_are_left_and_counted(kit: Kit) -> None:
    work, idents = batches(kit), await made(kit, 30, 31, 32)
    await work.claim(idents[1], "bob")
    await work.decide(idents[2], "bob", "so", Decision("none"))
    found = await work.decide_batch(idents, "ada", "so", STEP)
    assert (found.done, found.left) == (1, 2)


@pytest.mark.parametrize(
    "decision", [Decision("age", "R1"), Decision("ban", "R5", FOR_GOOD), Decision("ban", "", None), Decision("hug")]
)
async def test_what_takes_one_look_each_is_no_batch(kit: Kit, decision: Decision) -> None:
    work, idents = batches(kit), await made(kit, 30)
    with pytest.raises(Refused):
        await work.decide_batch(idents, "ada", "so", decision)
    assert BATCH_MOST == 100
    assert len(await work.cases("spam")) == 1
