"""The store as the server uses it: open, record, save, look after itself, close. Rule: no failure here ends a chat or the process.

`SERENDIP_STORE__ENABLED=false` makes no object of this class at all: nothing is kept, `save` is refused.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import random
import time
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from server import log
from server.config.settings import Settings
from server.security.keys import Keys
from server.store import folder, kept
from server.store.country import Countries
from server.store.database import Database
from server.store.errors import Busy, NotSaved, ObjectsAway, SchemaDiffers, StoreAway
from server.store.interface import Saved
from server.store.migrate import head, migrate_apart, revision
from server.store.objects import Objects
from server.store.options import database_url
from server.store.pseudonyms import Pseudonyms
from server.store.records import EndedChat, Party, Records
from server.store.saved import SavedLogs
from server.store.transcript import Transcript
from server.store.writer import Writer

SWEEP = 60.0  # seconds between sweeps of objects that a failed request or a kill left behind
PATIENCE = 1.0  # seconds that the start waits for the database; SQLite takes 0.2 with a migration
SAVES = 16  # saves at the same time; more wait, at most
SAVES_WAITING = 200  # beyond this many a save is refused at once

logger = log.get()


@dataclass(frozen=True, slots=True)
class Parts:
    """What commands and the server share."""

    database: Database
    objects: Objects
    pseudonyms: Pseudonyms
    logs: SavedLogs


def open_parts(settings: Settings, keys: Keys) -> Parts:
    """Everything but the writer, not yet connected. Raises BadUrl, ValueError, KeyGone."""
    database = Database(database_url(settings.store, settings.data), data=settings.data)
    objects = Objects(settings.objects, settings.data)
    pseudonyms = kept.pseudonyms(keys, settings.data)
    return Parts(database, objects, pseudonyms, SavedLogs(database, objects, pseudonyms))


class Store:
    """One a process (`server.store.interface.Store`). `purge` takes what has run out; it is called by the clock."""

    def __init__(self, settings: Settings, keys: Keys, purge: Callable[[Parts], Awaitable[None]]) -> None:
        self._settings = settings
        self._purge = purge
        self.parts = open_parts(settings, keys)
        self._countries = Countries(settings.store.country_file)
        options = settings.store
        self.writer = Writer(
            self.parts.database,
            Records(self.parts.pseudonyms, self._countries),
            queue=options.queue,
            batch=options.batch,
            linger=options.linger,
        )
        self._saves = asyncio.Semaphore(SAVES)
        self._saving = 0
        self._lock: int | None = None  # on the data folder, while this serves from it
        self._tasks: list[asyncio.Task[None]] = []
        self.ready = False
        self.purges = 0
        self.purge_failures = 0
        self.purged = time.time()

    @property
    def logs(self) -> SavedLogs:
        """The saved logs, for the routes."""
        return self.parts.logs

    def country(self, address: str) -> str | None:
        """Two letters of an address, or None."""
        return self._countries.find(address)

    @property
    def data(self) -> Path:
        """The data folder."""
        return self._settings.data

    async def start(self) -> None:
        """Connect, migrate, begin to write. A database that is away or slow is waited for behind the service.

        Raises SchemaDiffers; Busy while somebody restores what lies in the data folder.
        """
        self._lock = await asyncio.to_thread(folder.share, self._settings.data)
        opening = asyncio.create_task(self._open_later(), name="store-open")
        await asyncio.wait({opening}, timeout=PATIENCE)
        if opening.done():
            await opening
        else:
            logger.warning("store.away")
            self.writer.away = True
        self._tasks.append(opening)
        self._tasks.append(asyncio.create_task(self._look_after(), name="store-purge"))
        self._tasks.append(asyncio.create_task(self._sweep(), name="store-sweep"))

    async def _open(self) -> None:
        if self._settings.store.migrate:
            await migrate_apart(self.parts.database.url, self._settings.data)
        elif await revision(self.parts.database) != await asyncio.to_thread(head):
            raise SchemaDiffers("the database is not at this program's revision: serendip db migrate")
        self.writer.start()
        self.writer.away = False
        self.ready = True

    async def _open_later(self) -> None:
        while True:
            with contextlib.suppress(StoreAway):
                late = self.writer.away
                await self._open()
                if late:
                    logger.info("store.back")
                return
            await asyncio.sleep(0.5 + random.random())

    def unwell(self) -> str | None:
        """Why records do not reach the database now, or None (`readyz`)."""
        return None if self.ready and not self.writer.away else "store: the database is away; records wait"

    def record(self, chat: EndedChat) -> bool:
        """Take a chat's record; never blocks. False: lost, and counted."""
        return self.writer.record(chat)

    async def save(self, transcript: Transcript, parties: Iterable[Party]) -> Saved:
        """Keep a log. Raises NotSaved, at once where the store is away or behind."""
        if not self.ready or not self.writer.taking or self._saving >= SAVES_WAITING:
            self.logs.refused += 1
            raise NotSaved("the store is away or behind")
        self._saving += 1
        try:
            async with self._saves:
                return await self.logs.save(transcript, parties)
        finally:
            self._saving -= 1

    async def close(self, within: float = 5.0) -> int:
        """Write what waits, for at most `within` seconds; how many records were lost by that."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        left = await self.writer.close(within)
        if left:
            logger.error("store.lost", count=left)
        await self.parts.database.close()
        self._countries.close()
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None
        return left

    async def _look_after(self) -> None:
        """Purge by the clock; hosts that share a database spread themselves and let one do it."""
        every = self._settings.retention.purge_every
        if not every:
            return
        await asyncio.sleep(min(every, 30.0) * (0.5 + random.random()))
        while True:
            try:
                if self.ready:
                    await self._purge(self.parts)
                    self.purges += 1
                    self.purged = time.time()
            except Busy:
                pass  # another host is at it
            except (StoreAway, ObjectsAway) as error:
                self.purge_failures += 1
                logger.warning("store.purge_failed", **log.described(error))
            await asyncio.sleep(every * (0.9 + 0.2 * random.random()))

    async def _sweep(self) -> None:
        """Finish deletions and saves that were interrupted; first, see whether the bucket would keep what is deleted."""
        looked = False
        while True:
            with contextlib.suppress(ObjectsAway):
                if not looked and await self.parts.objects.versioned():
                    logger.warning("store.bucket_versioned")
                looked = True
            await asyncio.sleep(SWEEP * (0.5 + random.random()))
            with contextlib.suppress(StoreAway, ObjectsAway):
                if self.ready:
                    await self.logs.sweep()

    def reading(self) -> dict[str, float]:
        """Numbers for the metrics."""
        counts = self.writer.counts
        return {
            "serendip_store_written": counts.written,
            "serendip_store_lost": counts.lost,
            "serendip_store_failures": counts.failures,
            "serendip_store_waiting": self.writer.waiting,
            "serendip_store_up": float(self.ready and not self.writer.away),
            "serendip_logs_saved": self.logs.saved,
            "serendip_logs_refused": self.logs.refused,
            "serendip_logs_deleted": self.logs.deleted,
            "serendip_store_purges": self.purges,
            "serendip_store_purge_failures": self.purge_failures,
            "serendip_store_purged_timestamp_seconds": self.purged,
        }
