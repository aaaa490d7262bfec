"""Incidents: published at once, 72 hours to notify, two lines of the ledger, a kill between them."""

from __future__ import annotations

import pytest
from sqlalchemy import update

from server.data.privacy.disclosure_ledger import DisclosureLedger
from server.data.privacy.registry_model import Category
from server.data.schema.incident_schema import incident
from server.trust.rights.incidents import Incidents, NoIncident
from tests.server.data.conftest import NOW, Kit

HOUR = 3600


def incidents(kit: Kit) -> Incidents:
    return Incidents(kit.database, lambda: kit.now)


async def opened(kit: Kit, words: str = "A disk was lost.") -> str:
    return await incidents(kit).new("ada", NOW - HOUR, "Datatilsynet", [Category.A, Category.F], 1200, words)


async def test_an_incident_runs_72_hours_and_its_banner_stays_a_month(kit: Kit) -> None:
    number = await opened(kit)
    assert await incidents(kit).current() == ({"since": NOW}, NOW + 71 * HOUR)
    await incidents(kit).close("ada", number, NOW, "")
    assert await incidents(kit).current() == ({"since": NOW}, None)
    kit.now = NOW + 31 * 24 * HOUR
    assert await incidents(kit).current() == (None, None)
    (one,) = await incidents(kit).listed()
    assert (one.words, one.people, one.notified, one.categories) == ("A disk was lost.", 1200, NOW, "A, F")
    lines = [
        (line["phase"], line["what"], line["recipient"], line["count"])
        for line in await DisclosureLedger(kit.database).lines()
    ]
    assert lines == [(phase, "incident", "Datatilsynet", 1200) for phase in ("done", "intent")]


async def test_what_is_incomplete_or_closed_is_refused(kit: Kit) -> None:
    number = await opened(kit)
    for wrong in (
        incidents(kit).close("ada", number, None, ""), incidents(kit).close("ada", number, NOW, "both"),
        incidents(kit).close("ada", number, NOW + 1, ""),
        incidents(kit).close("ada", "x", NOW, ""), opened(kit, " "), opened(kit, "x" * 2001),
        incidents(kit).new("ada", NOW + 1, "Datatilsynet", [], 0, "to come"),
    ):  # fmt: skip
        with pytest.raises(NoIncident):
            await wrong
    await incidents(kit).close("ada", number, None, "nobody could read it")
    with pytest.raises(NoIncident):
        await incidents(kit).close("ada", number, NOW, "")
    assert [line["phase"] for line in await DisclosureLedger(kit.database).lines()] == ["failed", "intent"]


async def test_a_close_that_was_killed_after_its_line_is_finished_by_the_next(kit: Kit) -> None:
    number = await opened(kit)
    await incidents(kit).close("ada", number, NOW, "")
    async with kit.database.write() as connection:  # as if the row had not been written
        await connection.execute(update(incident).values(closed=None, notified=None))
    await incidents(kit).close("ada", number, NOW, "")
    assert (await incidents(kit).listed())[0].closed == NOW
    assert (await DisclosureLedger(kit.database).verify()).unfinished == ()
