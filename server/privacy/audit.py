"""The operators' trail. Rule: what was done, when, by whom and why; the person concerned only as a keyed value."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import insert, select

from server.store.database import Database
from server.store.schema import audit


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the trail."""

    time: int
    operator: str
    action: str
    why: str
    outcome: str


async def note(
    database: Database, *, now: int, operator: str, action: str, why: str, outcome: str, subject: bytes | None = None
) -> None:
    """Write a line. Raises StoreAway: a command that cannot be noted is not done (call this before, and after with the outcome)."""
    row = {
        "time": now,
        "operator": operator[:64],
        "action": action[:40],
        "why": why[:500],
        "outcome": outcome[:2000],
        "subject": subject,
    }
    async with database.write() as connection:
        await connection.execute(insert(audit).values(row))


async def listed(database: Database, since: int, most: int = 1000) -> Sequence[Entry]:
    """The newest lines since a time, newest first."""
    wanted = select(audit).where(audit.c.time >= since).order_by(audit.c.id.desc()).limit(most)
    async with database.read() as connection:
        rows = (await connection.execute(wanted)).all()
    return [Entry(row.time, row.operator, row.action, row.why, row.outcome) for row in rows]
