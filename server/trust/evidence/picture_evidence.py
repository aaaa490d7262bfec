"""Store pictures as evidence of a case.

**Invariant:** each picture is an object encrypted under a key of its own; apparent child abuse material is in a separate folder.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Sequence

from sqlalchemy import func, insert, not_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from server.data.objects.sealed_objects import Placed, Sealed
from server.data.schema.moderation_schema import evidence
from server.trust.evidence.reported_picture import KINDS, MOST_OF_A_CASE, Picture

CHILD = "child/"  # the folder of apparent abuse material, for the role child alone
PICTURE = evidence.c.kind.in_(KINDS)


async def put(sealed: Sealed, pictures: Sequence[Picture], now: int, *, child: bool) -> list[Placed]:
    """Seal and store the objects. `now`: Unix seconds; `child`: apparent abuse material. Raises StoreAway, ObjectsAway.

    put (sealed, the intent committed first) ─▷ write (in the transaction of the case) ─▷ deleted after `until`, as all evidence is
    """
    if child:
        return [await sealed.put("child/", one.body, now) for one in pictures]
    return [await sealed.put("snaps/", one.body, now) for one in pictures]


async def write(
    connection: AsyncConnection,
    sealed: Sealed,
    case: bytes,
    side: int,
    pictures: Sequence[Picture],
    placed: Sequence[Placed],
    until: int | None,
) -> int:
    """Insert rows within the transaction of a case, while there is room. Return how many. The next sweep deletes objects without a row.

    `side`: the case's subject in this chat; `until`: Unix seconds of their expiry, None if the case is open.
    """
    there = select(func.count()).where(evidence.c.case == case, PICTURE)
    room = max(0, MOST_OF_A_CASE - (await connection.execute(there)).scalar_one())
    stored = time.time_ns()  # ids in the order of the pictures, since several are of one second
    for number, (one, at) in enumerate(list(zip(pictures, placed, strict=True))[:room]):
        await connection.execute(
            insert(evidence).values(
                id=(stored + number).to_bytes(8) + secrets.token_bytes(8), case=case, side=one.side, kind=one.kind, object=at.name, object_key=at.key,
                made=one.at, until=until, subject=one.side == side, listed=one.listed or None,
            )
        )  # fmt: skip
        await sealed.keep(connection, at.name)
    return min(room, len(pictures))


async def leave(connection: AsyncConnection, case: bytes, text: int | None, pictures: int | None) -> None:
    """Set until when a case's evidence is kept, within a transaction. Unix seconds; None: until it is decided."""
    theirs = update(evidence).where(evidence.c.case == case)
    await connection.execute(theirs.where(not_(PICTURE)).values(until=text))
    await connection.execute(theirs.where(PICTURE).values(until=pictures))
