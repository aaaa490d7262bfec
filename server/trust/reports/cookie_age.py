"""Find whether a reporter's cookie is older than a day, by the chats stored under its identity.

**Invariant:** this is looked up only for a report, and the result is not stored.
"""

from __future__ import annotations

from typing import Final

from sqlalchemy import select

from server.data.database.database import Database
from server.data.keys.pseudonyms import Pseudonyms
from server.data.schema.record_schema import party

DAY: Final = 86_400


async def has_old_cookie(database: Database, pseudonyms: Pseudonyms, identity: int, now: int) -> bool:
    """Whether a chat of this identity ended more than a day before `now` (Unix seconds). Raises StoreAway."""
    wanted = select(party.c.chat).where(
        party.c.identity.in_(pseudonyms.live_identities(identity)), party.c.ended < now - DAY
    )
    async with database.read() as connection:
        return (await connection.execute(wanted.limit(1))).first() is not None
