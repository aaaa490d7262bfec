"""Read, before the store is opened, when the last recorded chat ended. No chat after that time fell under an earlier privacy statement.

**Invariant:** a missing database is not created.
"""

from __future__ import annotations

import asyncio

from sqlalchemy import select

from server.data.database.database import Database
from server.data.database.database_url import database_url
from server.data.schema.record_schema import party
from server.ops.config.settings import Settings


async def last_chat(settings: Settings) -> float:
    """Return Unix seconds; 0 without chats on record. Raises StoreAway if the database is unreachable or of another schema."""
    database = Database(database_url(settings.store, settings.data), data=settings.data, pool=1)
    try:
        if database.sqlite and not await asyncio.to_thread(database.path.exists):
            return 0.0
        async with database.read() as connection:
            newest = (await connection.execute(select(party.c.chat).order_by(party.c.chat.desc()).limit(1))).scalar()
        return (
            0.0 if newest is None else int.from_bytes(newest[:6], "big") / 1000
        )  # server.data.schema.chat_id_format.bound
    finally:
        await database.close()
