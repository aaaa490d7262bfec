"""Test comments on cases, passing on, and the claims of all moderators."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from server.data.schema.moderation_schema import case_comment
from server.trust.cases.case_base import Taken
from server.trust.decisions.case_comments import COMMENTS_MOST, LONGEST
from server.trust.sanctions.sanction_scale import Refused
from tests.server.data.conftest import Kit
from tests.server.trust.moderation.people import cases, desk, reported


async def made(kit: Kit, about: int = 30, reason: str = "spam") -> str:
    """The id of a case."""
    return (await cases(kit).take(reported(about=about, reason=reason, at=int(kit.now)))).hex()


async def test_a_comment_is_read_with_its_case_and_stored_sealed(kit: Kit) -> None:
    work, ident = desk(kit), await made(kit)
    await work.comment(ident, "ada", " looks like the swarm of Monday ")
    found = (await work.show(ident, "bob", "so")).comments
    assert [(one.by, one.text, one.passed_to) for one in found] == [("ada", "looks like the swarm of Monday", "")]
    async with kit.database.read() as connection:
        stored = (await connection.execute(select(case_comment.c.text))).scalar_one()
    assert b"swarm" not in stored


async def test_comments_are_bounded(kit: Kit) -> None:
    work, ident = desk(kit), await made(kit)
    for words in ("", "  ", "x" * (LONGEST + 1)):
        with pytest.raises(Refused):
            await work.comment(ident, "ada", words)
    for number in range(COMMENTS_MOST):
        await work.comment(ident, "ada", str(number))
    with pytest.raises(Refused):
        await work.comment(ident, "ada", "one more")


async def test_a_case_passed_on_comes_first_for_its_receiver_and_not_for_others(kit: Kit) -> None:
    work = desk(kit)
    first = await made(kit)
    kit.now += 1
    second = await made(kit, 31)
    assert await work.next("spam", "ada") == first
    await work.pass_on(second, "ada", "bob", "you speak Portuguese")
    await work.release(first, "ada")
    assert await work.next("spam", "bob") == second
    await work.release(second, "bob")
    await work.pass_on(second, "bob", "@lead", "a lead should see this")
    assert await work.next("spam", "cy", roles=frozenset({"moderator"})) == first
    assert await work.next("spam", "dee", after=first, roles=frozenset({"moderator"})) == ""
    assert await work.next("spam", "lea", roles=frozenset({"lead"})) == second
    assert [one.passed_to for one in (await work.show(second, "lea", "so")).comments] == ["bob", "@lead"]


async def test_a_case_passed_on_to_child_protection_moves_to_the_urgent_queue(kit: Kit) -> None:
    work, ident = desk(kit), await made(kit, reason="hate")
    await work.claim(ident, "ada")
    await work.pass_on(ident, "ada", "@child", "seems 14")
    assert await work.queue_of(ident) == "urgent"
    assert await work.claims() == ()


async def test_only_its_moderator_passes_a_claimed_case_on_and_claims_are_shown(kit: Kit) -> None:
    work, ident = desk(kit), await made(kit)
    await work.claim(ident, "ada")
    assert [(one.case, one.by) for one in await work.claims()] == [(ident, "ada")]
    with pytest.raises(Taken):
        await work.pass_on(ident, "bob", "cy", "mine")
