"""Test that an export has the person's own camera alone, with the day of each picture's deletion."""

from __future__ import annotations

from server.trust.data_export.person_export import PersonExports
from tests.server.data.conftest import NOW, Kit
from tests.server.trust.moderation.people import NONE, cases, desk, reported
from tests.server.trust.rights.people import A, B, cameras, known


async def rows(answers: PersonExports, who: int, now: int = NOW) -> list[tuple[object, object]]:
    """(kind, when it goes) of a person's pictures."""
    return [(row["kind"], row["goes"]) for row in (await answers.know(who, now))["parts"]["pictures"]]


async def test_who_is_reported_has_both_of_their_camera_and_who_reports_none(kit: Kit) -> None:
    ident = await cases(kit).take(reported(B, A, shown=cameras(B, A)))
    assert sorted(await rows(known(kit), A), key=str) == [("own", None), ("strip", None)]
    assert await rows(known(kit), B) == []
    await desk(kit).decide(ident.hex(), "mod", "why", NONE)
    assert {goes for _, goes in await rows(known(kit), A)} == {"2026-11-21"}


async def test_what_has_run_out_is_not_told_though_the_purge_has_not_come_by(kit: Kit) -> None:
    ident = await cases(kit).take(reported(B, A, shown=cameras(B, A)))
    await desk(kit).decide(ident.hex(), "mod", "why", NONE)
    assert await rows(known(kit), A, NOW + 4 * 86_400) == []
