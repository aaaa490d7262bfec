"""Store objects, each encrypted under its own random key, and delete objects that no row refers to.

**Invariant:** before an object is written, its name is committed to the table `doomed` (due for deletion), and is removed from it by the
commit of the row that refers to the object, so that a crash leaves no object forever.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from sqlalchemy import delete, insert
from sqlalchemy.ext.asyncio import AsyncConnection

from server.data.database.database import Database
from server.data.keys.epoch_keys import KeyGone
from server.data.keys.pseudonyms import NONCE, Pseudonyms
from server.data.objects.object_store import Objects
from server.data.schema.record_schema import doomed

UNFINISHED = 3600  # seconds after which an object without a row counts as an interrupted write


@dataclass(frozen=True, slots=True)
class Placed:
    """A stored object: its random name, and its key, wrapped for a column."""

    name: str
    key: bytes


class Sealed:
    """Stores and reads sealed objects.

    (1) A `doomed` row with the object's name, due in an hour, is committed; (2) the encrypted object is put; (3) the caller writes the rows that
    name it, and deletes the `doomed` row in the same transaction (`keep`). A kill between any two steps leaves an object that cannot be read, since
    its key was in memory only, and that the next sweep removes.
    """

    def __init__(self, database: Database, objects: Objects, pseudonyms: Pseudonyms) -> None:
        self._database = database
        self._objects = objects
        self._pseudonyms = pseudonyms

    async def put(self, folder: str, body: bytes, now: int) -> Placed:
        """Store `body` under a random name in `folder`, which ends with a slash. Raises StoreAway, ObjectsAway."""
        token, key, nonce = secrets.token_hex(16), secrets.token_bytes(32), secrets.token_bytes(NONCE)
        name = f"{folder}{token[:2]}/{token}"
        async with self._database.write() as connection:
            await connection.execute(insert(doomed).values(object=name, since=now + UNFINISHED, erasure=None))
        await self._objects.put(name, nonce + AESGCM(key).encrypt(nonce, body, name.encode()))
        return Placed(name, self._pseudonyms.wrap(name, key))

    async def keep(self, connection: AsyncConnection, name: str) -> None:
        """Keep the object, within the transaction that writes the row naming it."""
        await connection.execute(delete(doomed).where(doomed.c.object == name))

    async def get(self, name: str, wrapped: bytes) -> bytes | None:
        """Return the body; None if it is gone, was changed, or was sealed under another secret. Raises ObjectsAway."""
        body = await self._objects.get(name)
        if body is None:
            return None
        try:
            key = self._pseudonyms.unwrap(name, wrapped)
            return AESGCM(key).decrypt(body[:NONCE], body[NONCE:], name.encode())
        except (InvalidTag, KeyGone):
            return None

    async def doom(self, connection: AsyncConnection, names: list[str], now: int) -> None:
        """Have the next sweep remove these objects, within the transaction that deletes their rows."""
        if names:
            await connection.execute(
                insert(doomed), [{"object": name, "since": now, "erasure": None} for name in names]
            )
