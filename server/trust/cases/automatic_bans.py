"""Ban a user for at most a day after an automatic detection, before a moderator has read the case.

**Invariant:** an automatic ban always has an open case for a moderator to decide, and none is imposed if no moderator can review it. If the case is
not read within `case_life.REVIEW` hours, the ban is lifted.
"""

from __future__ import annotations

from typing import Final

from sqlalchemy import Row, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from server.data.keys.pseudonyms import Pseudonyms
from server.data.schema.moderation_schema import ban, case, case_subject
from server.ops.config.moderation_policy import DAY, Step
from server.trust.sanctions.ban_rows import impose
from server.trust.sanctions.sanction_scale import Decision, Refused

LATE: Final = 600  # seconds after which a measure that waited for the store is dropped; its case remains
Found = Row[tuple[object, ...]]


async def act(
    connection: AsyncConnection, pseudonyms: Pseudonyms, ident: bytes, step: Step, rule: str, found_at: int, now: int
) -> bool:
    """Ban the subject of a case, within the transaction that opened it or added to it. False: nothing was done.

    Nothing is done if the subject is banned already, if it is LATE, or if the user has no cookie and shares their network with many.

        detection ─ Reason.step ─▷ a case with the server's own text and pictures ─▷ the rows of a ban ─▷ shown as any ban, by a program

    A detection without a step in `server.ops.config.moderation_policy` (nudity in pictures, two browsers that show different scenes) opens a case
    alone.
    """
    if now > found_at + LATE or await is_banned(connection, ident, now):
        return False
    subject = (await connection.execute(select(case_subject).where(case_subject.c.case == ident))).one()
    try:
        decision = Decision(step.measure, rule, min(step.seconds, DAY))
        await impose(connection, pseudonyms, subject, decision, None, now, neutral=step.neutral)
    except Refused:
        return False
    await connection.execute(update(case).where(case.c.id == ident).values(measure=step.measure, rule=rule))
    return True


async def is_banned(connection: AsyncConnection, ident: bytes, now: int) -> bool:
    """Whether a ban of this case is in force."""
    running = select(ban.c.id).where(ban.c.case == ident, ban.c.lifted.is_(None), ban.c.until > now).limit(1)
    return (await connection.execute(running)).first() is not None
