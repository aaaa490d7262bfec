"""Protect a case marked as apparent child abuse material: hold it for a year, and move its pictures to a folder of their own.

**Invariant:** nothing is reported to authorities automatically, and only moderators with the role `child` see that folder.
"""

from __future__ import annotations

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from server.data.database.database import Database
from server.data.keys.pseudonyms import Pseudonyms
from server.data.objects.sealed_objects import Sealed
from server.data.retention import legal_holds
from server.data.schema.moderation_schema import case, case_subject, evidence
from server.ops.config.moderation_policy import DAY, URGENT
from server.trust.evidence import picture_evidence

AUTHORITY = "duty to preserve: 18 U.S.C. 2258A(h)"
WHY = "apparent abuse material in a case"
PRESERVED = legal_holds.PRESETS["cybertipline"] * DAY  # seconds


async def mark(connection: AsyncConnection, pseudonyms: Pseudonyms, ident: bytes, now: int) -> bool:
    """Mark a case and place its hold, within a transaction under the guard. False: no identity or network is known, so there is no hold.

    A second mark holds for a year from then on, a report to the authorities (`hold`) for a year from its submission.

        a listed picture (program), or a mark (role child) ─▷ the urgent queue ─▷ a hold of a year ─▷ pictures to the folder `child/`

    The hold is secret, because its subject may have made the material. The case stays open until a person decides it.
    """
    saying = update(case).where(case.c.id == ident, case.c.child.is_(None))
    await connection.execute(saying.values(child=now))
    await connection.execute(update(case).where(case.c.id == ident).values(queue=URGENT))
    return await hold(connection, pseudonyms, ident, now, now)


async def hold(connection: AsyncConnection, pseudonyms: Pseudonyms, ident: bytes, since: int, now: int) -> bool:
    """Hold what is stored of a case's subject until a year after `since`, or longer if it is held longer. Return as `mark`."""
    about = select(case_subject.c.identity, case_subject.c.network).where(case_subject.c.case == ident)
    subject = (await connection.execute(about)).first()
    mac = None if subject is None else subject.identity or subject.network
    if mac is None:
        return False
    await legal_holds.preserve(connection, pseudonyms, mac, AUTHORITY, WHY, now, since + PRESERVED)
    return True


async def is_marked(connection: AsyncConnection, ident: bytes) -> bool:
    """Whether a case is marked as apparent abuse material."""
    return (await connection.execute(select(case.c.child).where(case.c.id == ident))).scalar() is not None


async def move_apart(database: Database, sealed: Sealed, ident: bytes, now: int) -> int:
    """Move the pictures of a marked case to their folder. Return how many. Raises StoreAway, ObjectsAway; called again it continues.

    Pictures still in another folder are protected too: the case is in the urgent queue.
    """
    elsewhere = select(evidence).where(
        evidence.c.case == ident, picture_evidence.PICTURE, evidence.c.object.not_like(f"{picture_evidence.CHILD}%")
    )
    async with database.read() as connection:
        rows = (await connection.execute(elsewhere)).all()
    done = 0
    for row in rows:
        body = await sealed.get(row.object, row.object_key)
        if body is None:
            continue
        placed = await sealed.put("child/", body, now)
        moving = update(evidence).where(evidence.c.id == row.id, evidence.c.object == row.object)
        async with database.write() as connection:
            await database.guard(connection)
            found = await connection.execute(moving.values(object=placed.name, object_key=placed.key))
            if found.rowcount:  # else it expired or was moved meanwhile: the next sweep deletes the new object
                await sealed.keep(connection, placed.name)
                await sealed.doom(connection, [row.object], now)
                done += 1
    return done
