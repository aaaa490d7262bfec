"""Test the review of pictures: one by one, each in the audit log first, and apparent abuse material for the role child alone."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from server.data.errors import StoreAway
from server.data.schema.record_schema import audit
from server.trust.cases.case_base import Missing
from server.trust.decisions.case_work import CaseWork, OpenedCase
from server.trust.sanctions.sanction_scale import Refused
from tests.server.data.conftest import NOW, Kit
from tests.server.trust.moderation.people import NONE, acted, cases, desk, pictures, reported, text


async def looks(kit: Kit) -> list[str]:
    """The lines of the trail about looks."""
    async with kit.database.read() as connection:
        wanted = select(audit.c.outcome).where(audit.c.action == "safety look").order_by(audit.c.id)
        return list((await connection.execute(wanted)).scalars())


async def opened(kit: Kit, ident: bytes, who: str = "ada") -> tuple[CaseWork, OpenedCase]:
    """A case that an operator has open."""
    at = desk(kit)
    await at.claim(ident.hex(), who)
    return at, await at.show(ident.hex(), who, "looking")


async def test_each_picture_that_is_looked_at_is_a_line_of_the_trail_first(
    kit: Kit, monkeypatch: pytest.MonkeyPatch
) -> None:
    shown = pictures()
    ident = await cases(kit).take(reported(said=text("hello"), shown=shown))
    at, found = await opened(kit, ident)
    assert [(one.kind, one.subject, one.child) for one in found.pictures].count(("own", False, False)) == 1
    assert await looks(kit) == []
    bodies = [await at.look(ident.hex(), one.id, "ada", "looking") for one in found.pictures]
    assert set(bodies) == {one.body for one in shown}
    assert await looks(kit) == [f"case {ident.hex()}: picture {one.id}" for one in found.pictures]

    async def away(*_: object, **__: object) -> None:
        raise StoreAway("test")

    monkeypatch.setattr(at, "_note", away)
    with pytest.raises(StoreAway):
        await at.look(ident.hex(), found.pictures[0].id, "ada", "looking")


async def test_another_operators_case_another_case_and_a_text_show_nothing(kit: Kit) -> None:
    takes = cases(kit)
    ident = await takes.take(reported(said=text("hello"), shown=pictures()))
    other = await takes.take(reported(about=33))
    at, found = await opened(kit, ident)
    one = found.pictures[0].id
    for case, piece, who in ((ident, one, "bob"), (other, one, "ada"), (ident, "0" * 32, "ada"), (ident, "", "ada")):
        with pytest.raises(Missing):
            await at.look(case.hex(), piece, who, "looking")
    assert await looks(kit) == []
    await at.decide(ident.hex(), "ada", "nothing", NONE)
    assert await at.look(ident.hex(), one, "bob", "a second look")
    kit.now = NOW + 4 * 86_400
    with pytest.raises(Missing):  # it has run out, though the purge has not come by
        await at.look(ident.hex(), one, "bob", "too late")


async def test_apparent_abuse_material_is_for_role_child_with_a_reason(kit: Kit) -> None:
    ident = await cases(kit).take(acted("known", shown=pictures()))
    at, found = await opened(kit, ident)
    one = found.pictures[0].id
    with pytest.raises(Missing):
        await at.look(ident.hex(), one, "ada", "looking")
    with pytest.raises(Missing):
        await at.look(ident.hex(), one, "ada", " ", role=True)
    assert await looks(kit) == []
    assert await at.look(ident.hex(), one, "ada", "is it on the list?", role=True)
    assert len(await looks(kit)) == 1


async def test_a_mark_wants_a_reason_and_whoever_has_the_case(kit: Kit) -> None:
    ident = await cases(kit).take(reported())
    at, _ = await opened(kit, ident)
    for who, why in (("ada", " "), ("bob", "a child")):
        with pytest.raises(Refused):
            await at.mark(ident.hex(), who, why)
    await at.mark(ident.hex(), "ada", "a child")
    with pytest.raises(Missing):
        await at.mark("f" * 32, "ada", "a child")


async def test_what_a_program_finds_in_pictures_is_a_case_and_nothing_else(kit: Kit) -> None:
    takes = cases(kit)
    for about, found, points in ((22, "nudity", 50), (33, "differs", 40)):
        ident = await takes.take(acted(found, about=about, shown=pictures()))
        listed = next(one for one in await desk(kit).cases("machine") if one.id == ident.hex())
        assert (listed.points, listed.reasons) == (points, (found,))
    assert await kit.count("ban") == 0
    assert await kit.count("evidence") == 6
    assert (await desk(kit).queue_of((await takes.take(reported(about=44, reason="nudity"))).hex())) == "people"
