"""Whose records go because they are under 18, or seem to be. Rule: by the same deletion as at their own request: hidden at once, then gone,
but for what a hold keeps.

A person's decision names a keyed identity, with which nothing else is stored: whose records they are is known when they are turned away, so
that is when they are deleted. Not before STANDS seconds are over: the decision may be taken back.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from typing import Final

from server.data.errors import StoreAway
from server.ops import log
from server.trust.sanctions.ban_table import BanTable

STANDS: Final = (
    60.0  # seconds after which no operator takes the decision back (`server.data.retention.case_expiry.UNDO`)
)
EVERY: Final = 5.0  # seconds between looks at who waits
BOUND: Final = 10_000  # people who wait, and who are remembered to be done; then the oldest are forgotten
Delete = Callable[[int, int], Awaitable[object]]

logger = log.get()


class Minors:
    """Of one store. `delete`: of an identity, at a time (`server.trust.rights.deletion.Deletion.ask`); `clock`: Unix seconds."""

    def __init__(self, bans: BanTable, delete: Delete, clock: Callable[[], float] = time.time) -> None:
        self._bans = bans
        self._delete = delete
        self._clock = clock
        self._waiting: OrderedDict[int, tuple[float, bool]] = OrderedDict()  # from when on, and whether a ban must run
        self._done: OrderedDict[int, float] = OrderedDict()

    def said(self, identity: int) -> None:
        """They said so themselves."""
        self._put(identity, self._clock(), False)

    def turned_away(self, identity: int) -> None:
        """Somebody whom a person's decision keeps out as a minor was turned away; more than once is no matter."""
        if identity not in self._done and identity not in self._waiting:
            self._put(identity, self._clock() + STANDS, True)

    def _put(self, identity: int, due: float, decided: bool) -> None:
        if identity:
            self._waiting[identity] = due, decided
            if len(self._waiting) > BOUND:
                self._waiting.popitem(last=False)

    async def run(self) -> None:
        """Until it is cancelled."""
        while True:
            await self.look()
            await asyncio.sleep(EVERY)

    async def close(self, within: float = 5.0) -> None:
        """Delete what is due now; so many seconds at most. `run` is cancelled before."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(within):
                await self.look()

    async def look(self) -> None:
        """Delete what is due; where the store is away it waits."""
        now = self._clock()
        for identity, (due, decided) in list(self._waiting.items()):
            if due > now:
                continue
            if decided and not self._kept_out(identity):
                del self._waiting[identity]
                continue
            try:
                await self._delete(identity, int(now))
            except StoreAway as error:
                logger.debug("safety.minors_wait", **log.described(error))
                return
            self._waiting.pop(identity, None)
            self._done[identity] = now
            if len(self._done) > BOUND:
                self._done.popitem(last=False)

    def _kept_out(self, identity: int) -> bool:
        found = self._bans.find(identity, "")
        return found is not None and found.minor
