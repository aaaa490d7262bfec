"""Race legal holds against a purge of their rows: `python -m bench store races [--chats 1000] [--database URL]`; tests run a few hundred.

A hold placed while its row exists must keep it. Each of many people has one expired chat; one purge in small steps deletes them all while their
holds are placed, in another order. Which of the two comes first depends on the machine; if the same one came first in every race, the run has
shown nothing, and says so.
"""

from __future__ import annotations

import asyncio
import random
from dataclasses import dataclass, field

from sqlalchemy import Table, func, select

from server.data.chat_logs.saved_logs import SavedLogs
from server.data.database.database import Database
from server.data.objects.object_store import Objects
from server.data.records.address_country import Countries
from server.data.records.chat_rows import EndedChat, Party, Records
from server.data.retention import legal_holds
from server.data.retention.legal_holds import Selector
from server.data.retention.purge import Purge
from server.data.schema.chat_id_format import DAY
from server.data.schema.record_schema import held_party, party
from server.data.store.writer import Writer
from server.ops.config.settings import Retention
from server.ops.health.background_tasks import Tasks

STEP = 5  # chats a purge step: many steps, many chances
DAYS = (
    25  # over which the chats lie: on PostgreSQL a day is the step; fewer than a backup lives, or their keys went too
)


@dataclass
class Races:
    """Outcomes. `won`: the row existed when the hold was placed; `late`: it was gone. `lost`: people whose hold was placed and whose row is gone."""

    won: int = 0
    late: int = 0
    lost: list[int] = field(default_factory=list)


async def run(database: Database, logs: SavedLogs, objects: Objects, people: int, *, now: int, seed: int = 7) -> Races:
    """Run races over a database without other chats."""
    await _fill(database, logs, people, now)
    found = Races()
    standing: set[int] = set()

    async def place() -> None:
        order = list(range(1, people + 1))
        random.Random(seed).shuffle(order)
        for person in order:
            await legal_holds.place(
                database,
                logs.pseudonyms,
                Selector("identity", str(person)),
                authority="a court",
                reason="race",
                now=now,
                until=now + 90 * DAY,
                secret=False,
            )
            if await _stands(database, logs, person):
                standing.add(person)

    purge = Purge(database, logs, objects, Retention(), clock=lambda: now, step=STEP)
    placing = asyncio.create_task(place())
    done = await purge.run()
    await placing
    assert done.proved
    await Purge(
        database, logs, objects, Retention(), clock=lambda: now
    ).run()  # what a hold came too late for is all gone
    # All at once: two questions for each would take as long as the races.
    left, held = await _identities(database, party), await _identities(database, held_party)
    for person in range(1, people + 1):
        own = set(logs.pseudonyms.live_identities(person))
        kept = own & held
        assert not own & left
        found.won += bool(kept)
        found.late += not kept
        if person in standing and not kept:
            found.lost.append(person)
    return found


async def _fill(database: Database, logs: SavedLogs, people: int, now: int) -> None:
    """Insert one chat per person, of expired days."""
    writer = Writer(database, Records(logs.pseudonyms, Countries()), Tasks(), queue=people, batch=500, linger=0.0)
    writer.start()
    for person in range(1, people + 1):
        at = now - (121 + person % DAYS) * DAY - person
        address = f"81.1.{person >> 8}.{person & 255}"
        writer.record(
            EndedChat(
                "text", "left", at - 60, at, (Party(0, person, address), Party(1, 10_000_000 + person, "81.9.9.9"))
            )
        )
    await writer.flush()
    await writer.close(60)


async def _stands(database: Database, logs: SavedLogs, person: int) -> bool:
    """Whether a person's row exists, not held."""
    wanted = select(func.count()).where(party.c.identity.in_(logs.pseudonyms.live_identities(person)))
    async with database.read() as connection:
        return bool((await connection.execute(wanted)).scalar_one())


async def _identities(database: Database, table: Table) -> set[bytes]:
    """Return the owners of a table's rows."""
    async with database.read() as connection:
        return {bytes(value) for value in (await connection.execute(select(table.c.identity))).scalars()}
