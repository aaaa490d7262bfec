"""Copy the list of deletions and the copies of the non-restorable state beside the backups, where a restore finds what the newest backup cannot know.

**Invariant:** an object store that lost all takes nothing along, and each change by another program is mended and named.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from server.data.backup.backup_place import LEDGER, Place, TooLarge
from server.data.backup.backup_signature import SigningKeys
from server.data.backup.database_backup import BackupFailed
from server.data.backup.full_backup import last_objects
from server.data.backup.ledger_signature import (
    Distrusted,
    LedgerWriter,
    Signed,
    day_of_entry,
    describe,
    digest_of,
    entries_or_signed,
    is_entry,
    read_signed,
)
from server.data.backup.rollback_protection import INDEX
from server.data.objects.object_store import Objects

LOST: Final = (
    "the object store lacks the copies of the state (upkeep/index), and {} has them in its ledger, which stays as it is. Was the store emptied?"
    " Then bring its objects back; without them the server writes new copies with the next change of the state"
)


@dataclass(slots=True)
class Mirrored:
    """A copy that was made. `at`: its signed time; `new`: entries; `wrong`: what another program changed since the last one."""

    at: int = 0
    new: int = 0
    wrong: list[str] = field(default_factory=list)


class LedgerMirror:
    """Copies the ledger of one service to one place. `days`: `retention.backup_days`; `clock`: Unix seconds."""

    def __init__(
        self, objects: Objects, place: Place, keys: SigningKeys, days: float, clock: Callable[[], float] = time.time
    ) -> None:
        self._objects = objects
        self._place = place
        self._keys = keys
        self._days = days
        self._clock = clock

    async def copy(self, after: int = 0) -> Mirrored:
        """Copy what is new, and sign all of it. `after`: the time of the last one that the caller knows.

        A deletion is removed after its days, and a piece when a newer index does not name it. Call it with the lock of backups. Raises
        BackupFailed if the store lacks an index that is there, ObjectsAway.
        """
        done = Mirrored()
        before = await asyncio.to_thread(self._before, after, done)
        there, unlisted = await asyncio.to_thread(entries_or_signed, self._place, before if before.at else None)
        if unlisted:
            done.wrong.append(unlisted)
        today = int(self._clock()) // 86_400
        sealed = {name for name in there & set(before.digests) if not _may_change(name, today)}
        digests = {name: before.digests[name] for name in sealed}
        held: dict[str, bytes] = {}
        changed = set(before.digests) - there
        live = set(sealed)
        async for name, body in last_objects(self._objects, live):
            if not is_entry(name):
                continue
            found = await asyncio.to_thread(self._found, name) if name in there else None
            digests[name] = digest_of(body)
            if found is not None and name in before.digests and not before.has(name, found):
                changed.add(name)
            if found == body:
                continue
            done.new += name != INDEX
            if _may_change(name, today):
                held[name] = body
            else:
                await self._put(name, body)
        if INDEX in there - live:
            raise BackupFailed(LOST.format(self._place.url))
        gone = {name for name in there - live if (day := day_of_entry(name)) is None or day < today - self._days}
        digests = {name: digest for name, digest in digests.items() if name not in gone}
        foreign = {name for name in gone if not is_entry(name)}
        for name in there - live - gone:  # the store lost it
            if signed := before.digests.get(name) or before.announced.get(name):
                digests[name] = signed
            elif not before.at and (adopted := await asyncio.to_thread(self._found, name)) is not None:
                digests[name] = digest_of(adopted)  # of a program that did not sign
            else:
                foreign.add(name)
        done.at = max(int(self._clock()), before.at + 1, after + 1)
        await self._sign(before, done.at, digests, held)
        for name in gone | foreign:
            await asyncio.to_thread(self._place.delete, f"{LEDGER}/{name}")
        done.wrong += [*describe("missing or changed", changed), *describe("not of this service", foreign)]
        return done

    def _before(self, after: int, done: Mirrored) -> Signed:
        """Return what is signed, and note if it is not what this process knows. Blocks."""
        try:
            before = read_signed(self._place, self._keys.check)
        except Distrusted as error:
            done.wrong.append(str(error))
            return Signed()
        if after and (before is None or before.at < after):
            done.wrong.append("its signature is gone" if before is None else "an earlier one was put back")
        return before or Signed()

    async def _sign(self, before: Signed, at: int, digests: dict[str, str], held: dict[str, bytes]) -> None:
        """Write the entries whose content changed, between two signatures: the announcement and the end."""
        writer = LedgerWriter(self._place, self._keys.sign, before, at)
        if held:
            await asyncio.to_thread(writer.announce, digests)
            for name, body in held.items():
                await self._put(name, body)
        await asyncio.to_thread(writer.finish, digests)

    async def _put(self, name: str, body: bytes) -> None:
        await asyncio.to_thread(self._place.put, f"{LEDGER}/{name}", body)

    def _found(self, name: str) -> bytes | None:
        """Return an entry; None if it is gone or larger than what is written there. Blocks."""
        try:
            return self._place.get(f"{LEDGER}/{name}")
        except TooLarge:
            return None


def _may_change(name: str, today: int) -> bool:
    """Return whether an entry may get another content: the index, and a deletion whose person deletes again on the same day."""
    day = day_of_entry(name)
    return name == INDEX or (day is not None and day >= today - 1)
