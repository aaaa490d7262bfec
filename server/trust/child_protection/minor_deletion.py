"""Delete the data of users who are, or seem, under 18.

**Invariant:** the deletion is the same as one at the user's own request, and keeps data under a legal hold.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable
from typing import Final

from ext.base.ageing_map import AgeingMap
from server.data.errors import StoreAway
from server.ops import log
from server.trust.sanctions.ban_table import BanTable

DELETE_AFTER_S: Final = (
    60.0  # seconds after which the decision cannot be undone (`server.data.retention.stale_cases.UNDO`)
)
EVERY: Final = 5.0  # seconds between passes over the waiting identities
BOUND: Final = 10_000  # identities that wait, and that are remembered as done; beyond it the oldest are dropped
Delete = Callable[[int, int], Awaitable[object]]

logger = log.get()


class Minors:
    """Deletion of minors' records in one store. `delete`: takes (identity, Unix seconds) (`server.trust.rights.deletion.Deletion.ask`); `clock`:
    Unix seconds.

    A moderator's decision names only a keyed identity, by which no stored records can be found. They are found and deleted when that user connects
    and is refused; not within DELETE_AFTER_S, because the decision may be undone.
    """

    def __init__(self, bans: BanTable, delete: Delete, clock: Callable[[], float] = time.time) -> None:
        self._bans = bans
        self._delete = delete
        self._clock = clock
        # identity → (due, whether a ban must be in force)
        self._waiting: AgeingMap[int, tuple[float, bool]] = AgeingMap(BOUND)
        self._done: AgeingMap[int, None] = AgeingMap(BOUND)

    def said(self, identity: int) -> None:
        """Delete the records of a user who stated to be under 18."""
        self._put(identity, self._clock(), False)

    def turned_away(self, identity: int) -> None:
        """Delete, after DELETE_AFTER_S seconds, the records of a refused user whom a person decided to be a minor. Repeated calls do nothing."""
        if identity not in self._done and identity not in self._waiting:
            self._put(identity, self._clock() + DELETE_AFTER_S, True)

    def _put(self, identity: int, due: float, decided: bool) -> None:
        if identity:
            self._waiting.put(identity, (due, decided))

    async def run(self) -> None:
        """Delete what is due every EVERY seconds until cancelled."""
        while True:
            await self.look()
            await asyncio.sleep(EVERY)

    async def close(self, within: float = 5.0) -> None:
        """Delete what is due now, for `within` seconds at most. `run` must be cancelled before."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(within):
                await self.look()

    async def look(self) -> None:
        """Delete what is due; while the store is away it waits."""
        now = self._clock()
        for identity, (due, decided) in self._waiting.items():
            if due > now:
                continue
            if decided and not self._kept_out(identity):
                self._waiting.pop(identity)
                continue
            try:
                await self._delete(identity, int(now))
            except StoreAway as error:
                logger.debug("safety.minors_wait", **log.described(error))
                return
            self._waiting.pop(identity)
            self._done.put(identity, None)

    def _kept_out(self, identity: int) -> bool:
        found = self._bans.find(identity, "")
        return found is not None and found.minor
