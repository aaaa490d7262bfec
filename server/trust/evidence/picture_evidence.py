"""Pictures as rows of a case's evidence. Rule: each is an object under a key of its own; what is apparent abuse material lies in a folder apart.

put (sealed, the intent committed first) ─▷ write (in the transaction of the case) ─▷ leaves by `until`, as all evidence does
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence

from sqlalchemy import func, insert, not_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from server.data.objects.sealed_objects import Placed, Sealed
from server.data.schema.moderation_schema import evidence
from server.trust.evidence.case_pictures import KINDS, MOST_OF_A_CASE, Picture

CHILD = "child/"  # the folder of apparent abuse material: nobody sees it who is not of role child
PICTURE = evidence.c.kind.in_(KINDS)


async def put(sealed: Sealed, pictures: Sequence[Picture], now: int, *, child: bool) -> list[Placed]:
    """Seal them; `now`: Unix seconds. `child`: apparent abuse material. Raises StoreAway, ObjectsAway."""
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
    """Within the transaction of a case: their rows, while there is room; how many. What finds none goes with the next sweep.

    `side`: whom the case is about, in this chat; `until`: when they leave, None where the case is open.
    """
    there = select(func.count()).where(evidence.c.case == case, PICTURE)
    room = max(0, MOST_OF_A_CASE - (await connection.execute(there)).scalar_one())
    for one, at in list(zip(pictures, placed, strict=True))[:room]:
        await connection.execute(
            insert(evidence).values(
                id=secrets.token_bytes(16), case=case, side=one.side, kind=one.kind, object=at.name, object_key=at.key,
                made=one.at, until=until, subject=one.side == side, listed=one.listed or None,
            )
        )  # fmt: skip
        await sealed.keep(connection, at.name)
    return min(room, len(pictures))


async def leave(connection: AsyncConnection, case: bytes, text: int | None, pictures: int | None) -> None:
    """Within a transaction: until when a case's evidence stays, Unix seconds; None: until it is decided."""
    theirs = update(evidence).where(evidence.c.case == case)
    await connection.execute(theirs.where(not_(PICTURE)).values(until=text))
    await connection.execute(theirs.where(PICTURE).values(until=pictures))
