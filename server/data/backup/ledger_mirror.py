"""Copy the list of deletions and the copies of the non-restorable state beside the backups, where a restore finds what the newest backup cannot know.

**Invariant:** an object store that lost all takes nothing along, and each change by another program is mended and named.
"""

from __future__ import annotations

import asyncio
import random
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
    bodies,
    day_of_entry,
    describe,
    digest_of,
    entries_or_signed,
    is_entry,
    read_signed,
)
from server.data.backup.rollback_protection import INDEX
from server.data.objects.object_store import Objects
from server.ops.process.first_done import until_done

CHECKED: Final = 100  # entries of those that never change, which a copy reads: another program may have changed them
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


@dataclass(slots=True)
class _Copy:
    """A copy that is made. `there`: entries in the place; `digests`: of all that are to be there; `known`: of them, those that are not read again,
    and at the end the names of the object store; `held`: entries that replace others; `changed`: entries that another program changed.
    """

    before: Signed
    there: set[str]
    today: int
    digests: dict[str, str]
    known: set[str]
    changed: set[str]
    held: dict[str, bytes] = field(default_factory=dict)


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
        copy = await asyncio.to_thread(self._begin, after, done)
        async for name, body in last_objects(self._objects, copy.known):
            if is_entry(name):
                await asyncio.to_thread(self._compare, copy, name, body, done)
        ending = asyncio.ensure_future(asyncio.to_thread(self._end, copy, after, done))
        try:
            await asyncio.shield(ending)
        except asyncio.CancelledError:
            await until_done(ending)  # with the lock: another copy would remove its lists, and it those of the other
            raise
        return done

    def _begin(self, after: int, done: Mirrored) -> _Copy:
        """Compare the place with its signature, and the contents of some entries. Blocks; there may be many thousand entries."""
        before = self._before(after, done)
        there, unlisted = entries_or_signed(self._place, before if before.at else None)
        if unlisted:
            done.wrong.append(unlisted)
        today = int(self._clock()) // 86_400
        digests = {
            name: digest for name, digest in before.digests.items() if name in there and not _may_change(name, today)
        }
        changed = set(before.digests) - there
        for name, body in bodies(self._place, random.sample(list(digests), min(CHECKED, len(digests)))):
            if body is None or not before.has(name, body):
                changed.add(name)
                del digests[name]
        return _Copy(before, there, today, digests, set(digests), changed)

    def _compare(self, copy: _Copy, name: str, body: bytes, done: Mirrored) -> None:
        """Note an object of the store, and write it if nothing is replaced. Blocks."""
        found = self._found(name) if name in copy.there else None
        copy.digests[name] = digest_of(body)
        if found is not None and name in copy.before.digests and not copy.before.has(name, found):
            copy.changed.add(name)
        if found == body:
            return
        done.new += name != INDEX
        if _may_change(name, copy.today):
            copy.held[name] = body
        else:
            self._place.put(f"{LEDGER}/{name}", body)

    def _end(self, copy: _Copy, after: int, done: Mirrored) -> None:
        """Sign the copy, and remove what is too old or of another program. Blocks."""
        if INDEX in copy.there - copy.known:
            raise BackupFailed(LOST.format(self._place.url))
        oldest, before = copy.today - self._days, copy.before
        lost = copy.there - copy.known  # by the object store
        gone = {name for name in lost if (day := day_of_entry(name)) is None or day < oldest}
        foreign = {name for name in gone if not is_entry(name)}
        for name in gone:
            copy.digests.pop(name, None)
        for name in lost - gone:
            if signed := before.digests.get(name) or before.announced.get(name):
                copy.digests[name] = signed
            elif not before.at and (body := self._found(name)) is not None:
                copy.digests[name] = digest_of(body)  # of a program that did not sign
            else:
                foreign.add(name)
        done.at = max(int(self._clock()), before.at + 1, after + 1)
        self._sign(copy, done.at)
        for name in gone | foreign:
            self._place.delete(f"{LEDGER}/{name}")
        done.wrong += [*describe("missing or changed", copy.changed), *describe("not of this service", foreign)]

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

    def _sign(self, copy: _Copy, at: int) -> None:
        """Write the entries whose content changed, between two signatures: the announcement and the end. Blocks."""
        writer = LedgerWriter(self._place, self._keys.sign, copy.before, at)
        if copy.held:
            writer.announce(copy.digests)
            for name, body in copy.held.items():
                self._place.put(f"{LEDGER}/{name}", body)
        writer.finish(copy.digests)

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
