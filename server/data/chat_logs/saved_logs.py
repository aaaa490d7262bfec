"""Save, read and delete chat logs. A deleted log under a legal hold is only hidden, with the same answer to the user.

**Invariant:** a log is its rows and one encrypted object; the rows hold the object's key, so deleting the rows makes the text unreadable at once.
"""

from __future__ import annotations

import contextlib
import secrets
import time
from collections import Counter
from collections.abc import Callable, Iterable
from typing import TypeVar

from sqlalchemy import ColumnElement, delete, func, insert, not_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from server.data.chat_logs.chat_log_thread import LogThread
from server.data.database.database import Database
from server.data.errors import REFUSALS, NotSaved, ObjectsAway, StoreAway
from server.data.keys.pseudonyms import Pseudonyms
from server.data.objects.object_store import Objects
from server.data.objects.sealed_objects import Sealed
from server.data.records.chat_rows import Party
from server.data.records.store_ports import Saved
from server.data.records.transcript import Transcript, Unreadable, pack, unpack
from server.data.schema.hidden_row_conditions import shown_log
from server.data.schema.hold_conditions import held_log
from server.data.schema.record_schema import doomed, log, log_party
from server.ops.security.url_token_generator import SECRET, decode, draw, encode

Shape = TypeVar("Shape")


class SavedLogs:
    """All operations on saved logs.

    Saving: the object is put (`sealed_objects`), then one transaction inserts `log` and its `log_party` rows and keeps the object. Deleting: one
    transaction deletes the rows and writes a `doomed` row that is due at once. The sweep writes the deletion to the erasure list, with which a
    restored backup is compared, deletes the object, then the `doomed` row.
    """

    def __init__(
        self, database: Database, objects: Objects, pseudonyms: Pseudonyms, clock: Callable[[], float] = time.time
    ) -> None:
        self._database = database
        self._objects = objects
        self._sealed = Sealed(database, objects, pseudonyms)
        self.pseudonyms = pseudonyms
        self._clock = clock
        self.thread = LogThread()
        self.saved = 0
        self.refused = Counter(dict.fromkeys(REFUSALS, 0))  # by reason
        self.deleted = 0

    async def save(self, transcript: Transcript, parties: Iterable[Party]) -> Saved:
        """Save a log, with the identities and addresses of its participants apart from it. Raises NotSaved."""
        now = int(self._clock())
        ident, url, erase = secrets.token_bytes(16), draw(), draw()
        body = await self.thread.run(lambda: pack(transcript))
        people = [self._party(ident, party) for party in parties]
        try:
            placed = await self._sealed.put("logs/", body, now)
            row = {
                "id": ident,
                "url_hash": self.pseudonyms.secret_hash(b"log.url", url),
                "delete_hash": self.pseudonyms.secret_hash(b"log.delete", erase),
                "object": placed.name,
                "object_key": placed.key,
                "saved": now,
                "hidden": None,
            }
            async with self._database.write() as connection:
                await connection.execute(insert(log).values(row))
                if people:
                    await connection.execute(insert(log_party), people)
                await self._sealed.keep(connection, placed.name)
        except (StoreAway, ObjectsAway) as error:
            raise self.refuse("away") from error
        self.saved += 1
        return Saved(encode(url), encode(erase))

    def refuse(self, why: str, retry_after: float = 0.0) -> NotSaved:
        """Count a refused save, and return the exception to raise."""
        self.refused[why] += 1
        return NotSaved(why, retry_after)

    def _party(self, ident: bytes, party: Party) -> dict[str, object]:
        try:
            who, address, address_mac = self.pseudonyms.kept(party.identity, party.address)
        except ValueError:  # not an IP address
            who, address, address_mac = self.pseudonyms.kept(party.identity, "")
        return {"log": ident, "side": party.side, "identity": who, "address": address, "address_mac": address_mac}

    async def show(self, text: str) -> Transcript | None:
        """Return the log at an address, or None; every guess costs the same work. Raises StoreAway, ObjectsAway, Crowded."""
        return await self.shaped(text, lambda said: said)

    async def shaped(self, text: str, shape: Callable[[Transcript], Shape]) -> Shape | None:
        """Return the result of `shape`, run in the log thread, on the log at an address. None and errors as `show`."""
        hashed = self.pseudonyms.secret_hash(b"log.url", decode(text) or bytes(SECRET))
        return await self._shaped(log.c.url_hash == hashed, shape)

    async def shaped_by_secret(self, text: str, shape: Callable[[Transcript], Shape]) -> Shape | None:
        """Return the result of `shape` on the log of a delete address, as `shaped`."""
        hashed = self.pseudonyms.secret_hash(b"log.delete", decode(text) or bytes(SECRET))
        return await self._shaped(log.c.delete_hash == hashed, shape)

    async def _shaped(self, which: ColumnElement[bool], shape: Callable[[Transcript], Shape]) -> Shape | None:
        wanted = select(log.c.object, log.c.object_key).where(which, shown_log())
        async with self._database.read() as connection:
            row = (await connection.execute(wanted)).first()
        return None if row is None else await self.opened(row.object, row.object_key, shape)

    async def opened(self, name: str, wrapped: bytes, shape: Callable[[Transcript], Shape]) -> Shape | None:
        """Return the result of `shape` on the log in this object, opened by its row's key. None and errors as `show`."""
        body = await self._sealed.get(name, wrapped)
        if body is None:
            return None
        try:
            return await self.thread.run(lambda: shape(unpack(body)))
        except Unreadable:
            return None  # as if it did not exist

    async def exists(self, text: str) -> bool:
        """Return whether a delete address still opens a log. Raises StoreAway."""
        hashed = self.pseudonyms.secret_hash(b"log.delete", decode(text) or bytes(SECRET))
        async with self._database.read() as connection:
            found = await connection.execute(select(log.c.id).where(log.c.delete_hash == hashed, shown_log()))
            return found.first() is not None

    async def delete_by_secret(self, text: str) -> bool:
        """Delete the log of a delete address. False: it does not exist. Raises StoreAway."""
        hashed = self.pseudonyms.secret_hash(b"log.delete", decode(text) or bytes(SECRET))
        async with self._database.write() as connection:
            await self._database.guard(connection)
            found = (await connection.execute(select(log.c.id).where(log.c.delete_hash == hashed, shown_log()))).first()
            if found is None:
                return False
            await self.take_away(connection, found.id)
        await self._sweep_quietly()
        return True

    async def delete_by_participant(self, text: str, identity: int) -> bool:
        """Delete a log at the request of one of its two participants, proved by the identity cookie. Raises StoreAway."""
        if not identity:
            return False
        hashed = self.pseudonyms.secret_hash(b"log.url", decode(text) or bytes(SECRET))
        who = self.pseudonyms.kept_identity(identity)
        theirs = select(log.c.id).join(log_party, log_party.c.log == log.c.id)
        async with self._database.write() as connection:
            await self._database.guard(connection)
            clause = (log.c.url_hash == hashed, shown_log(), log_party.c.identity == who)
            found = (await connection.execute(theirs.where(*clause))).first()
            if found is None:
                return False
            await self.take_away(connection, found.id)
        await self._sweep_quietly()
        return True

    async def find(self, text: str) -> bytes | None:
        """Return the internal id of a log address, or None (operators: holds, removal). Raises StoreAway."""
        hashed = self.pseudonyms.secret_hash(b"log.url", decode(text) or bytes(SECRET))
        async with self._database.read() as connection:
            found = (await connection.execute(select(log.c.id).where(log.c.url_hash == hashed))).first()
        return found.id if found is not None else None

    async def count(self) -> dict[str, int]:
        """Return the numbers of logs shown, logs hidden (held, or to be deleted), and objects waiting for removal. Raises StoreAway."""
        shown = select(func.count()).select_from(log).where(shown_log())
        hidden = select(func.count()).select_from(log).where(not_(shown_log()))
        async with self._database.read() as connection:
            return {
                name: int((await connection.execute(wanted)).scalar_one())
                for name, wanted in (
                    ("saved", shown),
                    ("hidden", hidden),
                    ("waiting", select(func.count()).select_from(doomed)),
                )
            }

    async def take_away(self, connection: AsyncConnection, ident: bytes) -> bool:
        """Delete the rows of a log, or hide it if it is held (False). Call within a transaction under the guard."""
        now = int(self._clock())
        if (await connection.execute(select(log.c.id).where(log.c.id == ident, held_log(now)))).first() is not None:
            await connection.execute(update(log).where(log.c.id == ident).values(hidden=now))
            self.deleted += 1
            return False
        name = (await connection.execute(select(log.c.object).where(log.c.id == ident))).scalar_one()
        await connection.execute(delete(log_party).where(log_party.c.log == ident))
        await connection.execute(delete(log).where(log.c.id == ident))
        await connection.execute(insert(doomed).values(object=name, since=now, erasure=self.pseudonyms.erasure(ident)))
        self.deleted += 1
        return True

    async def _sweep_quietly(self) -> None:
        with contextlib.suppress(StoreAway, ObjectsAway):  # the row stays, and the next sweep continues
            await self.sweep()

    async def sweep(self, most: int = 1000) -> int:
        """Remove the due objects, oldest first; return their number. Raises StoreAway, ObjectsAway; completed removals stay."""
        now = int(self._clock())
        async with self._database.read() as connection:
            due = (
                await connection.execute(
                    select(doomed).where(doomed.c.since <= now).order_by(doomed.c.since).limit(most)
                )
            ).all()
        for row in due:
            if row.erasure is not None:
                await self._objects.put(f"erasures/{now // 86_400}/{row.erasure.hex()}", b"")
            await self._objects.delete(row.object)
            async with self._database.write() as connection:
                await connection.execute(delete(doomed).where(doomed.c.object == row.object))
        return len(due)
