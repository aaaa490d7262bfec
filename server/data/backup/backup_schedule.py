"""Make whole backups by the clock, and keep the ledger of deletions beside them up to date. Of hosts that share a database, one does it.

**Invariant:** a failure is logged and counted, a backup is tried again RETRY_S later, and the server goes on; if all fail, the alert
SerendipBackupOld fires.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections import Counter
from collections.abc import Callable
from typing import Final

from server.data.backup.backup_place import Place, open_place, past
from server.data.backup.backup_signature import signing_keys
from server.data.backup.full_backup import BackupMaker, claim
from server.data.backup.ledger_mirror import LedgerMirror
from server.data.database.database import Database
from server.data.errors import Busy
from server.data.objects.object_store import Objects
from server.ops import log
from server.ops.config.settings import Settings
from server.ops.metrics.metric_type import Reading
from server.ops.security.secret_keys import SecretError

FIRST_S: Final = 2.0  # from the start to the first look at the clock
LOOK_S: Final = 60.0  # between two looks
LEDGER_S: Final = 300.0  # between two copies of the ledger
RETRY_S: Final = 1800.0  # from a failure to the next backup
OPERATOR: Final = "server"

logger = log.get()


class BackupSchedule:
    """The backups of one serving process. `clock`: Unix seconds."""

    def __init__(
        self, settings: Settings, database: Database, objects: Objects, clock: Callable[[], float] = time.time
    ) -> None:
        self._settings = settings
        self._database = database
        self._objects = objects
        self._clock = clock
        self._results: Counter[str] = Counter({"made": 0, "failed": 0})
        self._size = 0
        self._retry = 0.0
        self._mirrored = 0.0
        self._signed = 0  # time of the ledger that was signed last

    async def run(self, ready: Callable[[], bool]) -> None:
        """Look at the clock until it is cancelled."""
        pause = FIRST_S
        while True:
            await asyncio.sleep(pause * (0.5 + random.random()))
            if ready():
                await self.look()
                pause = LOOK_S

    async def look(self) -> None:
        """Make what is due now. Raises nothing but cancellation."""
        try:
            place = await asyncio.to_thread(open_place, self._settings.backup)
            maker = BackupMaker(self._settings, self._database, self._objects, place, clock=self._clock)
            if await self.is_due(place):
                await self._make(maker)
            if self._clock() - self._mirrored >= LEDGER_S:
                async with self._database.only_backup():
                    await asyncio.to_thread(claim, place, self._settings.data)
                    await asyncio.to_thread(maker.delete_old)  # also if new ones fail, or are made by command alone
                    await self._mirror(place)
                self._mirrored = self._clock()
        except Busy:
            pass  # another host, or a command, does it
        except (
            OSError,
            ValueError,
            RuntimeError,
            SecretError,
        ) as error:  # StoreAway, ObjectsAway, BackupFailed, Damaged
            self._results["failed"] += 1
            if self._clock() >= self._retry:  # not later with each failure of the ledger
                self._retry = self._clock() + RETRY_S
            logger.error("store.backup_failed", said=str(error)[:500], **log.described(error))

    async def _mirror(self, place: Place) -> None:
        keys, days = signing_keys(self._settings), self._settings.retention.backup_days
        done = await LedgerMirror(self._objects, place, keys, days, self._clock).copy(self._signed)
        self._signed = done.at
        if done.wrong:
            logger.error("store.ledger_changed", said="; ".join(done.wrong)[:500])

    async def is_due(self, place: Place) -> bool:
        """Return whether the newest backup in the place, by any host or command, is older than the interval. Raises ObjectsAway."""
        every = self._settings.backup.every_hours * 3600
        now = self._clock()
        if not every or now < self._retry:
            return False
        there = await asyncio.to_thread(past, place, now)
        return not there or now - there[-1].at >= every

    async def _make(self, maker: BackupMaker) -> None:
        begun = time.monotonic()
        made = await maker.make(OPERATOR, "schedule")
        self._results["made"] += 1
        self._size = made.size
        logger.info("store.backup_made", seconds=round(time.monotonic() - begun, 1), count=made.manifest.objects)

    def reading(self) -> Reading:
        """Return the values of the metrics."""
        return {
            "serendip_backups": {(result,): count for result, count in self._results.items()},
            **({"serendip_backup_size_bytes": self._size} if self._size else {}),
        }
