"""Run the store for the server: open it, accept chat records and saved logs, run the purge and other background tasks, close it.

**Invariant:** no failure here ends a chat or the process. If the setting `store.enabled` is false no Store exists: nothing is stored.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import random
import shutil
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from server.data.backup import database_backup
from server.data.backup.backup_schedule import BackupSchedule
from server.data.backup.non_restorable_state import UNFINISHED, is_unfinished
from server.data.backup.rollback_protection import COPY_WITHIN_S, SealedCopies, SetBack
from server.data.chat_logs.save_quota import SaveQuota
from server.data.chat_logs.saved_logs import SavedLogs
from server.data.database import folder_lock
from server.data.database.change_detector import ChangePoll
from server.data.database.database import Database
from server.data.database.database_url import database_url
from server.data.database.key_fingerprints import KeyFingerprints
from server.data.database.restore_lock import ServiceLock
from server.data.database.schema_migration import HEAD, migrate_apart, revision
from server.data.database.store_reachability import Reach, cause_of
from server.data.errors import Busy, Crowded, KeysDiffer, NotSaved, ObjectsAway, SchemaDiffers, StoreAway
from server.data.keys.epoch_keys import EpochKeys
from server.data.keys.pseudonyms import Pseudonyms, open_pseudonyms
from server.data.objects.lost_objects import sample
from server.data.objects.object_store import Objects
from server.data.records.address_country import Countries
from server.data.records.chat_rows import Party, Records
from server.data.records.store_ports import Saved
from server.data.records.transcript import Transcript
from server.data.statistics.published_statistics import Statistics
from server.data.store.writer import Writer
from server.ops import log
from server.ops.config.settings import Settings
from server.ops.health.background_tasks import Tasks
from server.ops.metrics.metric_type import Reading
from server.ops.security.secret_keys import Keys
from server.ops.security.token_buckets import network

PROBE_EVERY_S = 3.0  # between two probes of the database
OBJECTS_EVERY_S = 15.0  # between two probes of the object store
SAMPLE_S = 3600.0  # between two samples of the objects that rows name
SWEEP = 60.0  # seconds between sweeps of objects left behind by a failed request or a kill
PATIENCE = 1.0  # seconds that the start waits for the database; SQLite needs 0.2 with a migration
OPENING_S = 30.0  # seconds of opening without an answer, after which the database counts as away; it is shorter if an attempt fails
SAVES = 16  # concurrent saves; others wait
SAVES_WAITING = 200  # running and waiting saves, beyond which a save is refused at once
SAVES_NETWORK = 8  # of one network at the same time, so that it cannot occupy all
AWAY = frozenset({"refused", "timeout", "objects"})  # causes of a failed save whose end a probe notices
AWAY_S = 60.0  # seconds after a failed save, in which saves count as failing
SAVES_AGAIN = 5.0  # seconds until a refused client may try again: 16 saves take less than one second
TASKS = (
    *("store-open", "store-probe", "objects-probe", "store-purge", "store-sweep", "store-upkeep"),
    "store-statistics",
)

logger = log.get()


@dataclass(frozen=True, slots=True)
class Parts:
    """The parts that commands and the server share."""

    database: Database
    objects: Objects
    pseudonyms: Pseudonyms
    logs: SavedLogs
    fingerprints: KeyFingerprints


def open_parts(settings: Settings, keys: Keys) -> Parts:
    """Create everything but the writer, not yet connected. Raises KeyGone, OSError."""
    database = Database(database_url(settings.store, settings.data), data=settings.data)
    objects = Objects(settings.objects, settings.data)
    pseudonyms = open_pseudonyms(keys, settings.data, shared=bool(settings.cluster.nats))
    fingerprints = KeyFingerprints(database, keys, pseudonyms, settings.retention)
    return Parts(database, objects, pseudonyms, SavedLogs(database, objects, pseudonyms), fingerprints)


class Store:
    """The store of one process (`server.data.records.store_ports.Store`). `purge` deletes expired rows; it is called by the clock."""

    def __init__(self, settings: Settings, keys: Keys, purge: Callable[[Parts], Awaitable[None]], tasks: Tasks) -> None:
        self._settings = settings
        self._purge = purge
        self._tasks = tasks
        self.parts = open_parts(settings, keys)
        self._countries = Countries(settings.store.country_file)
        self.statistics = Statistics(self.parts.database)
        options = settings.store
        self.writer = Writer(
            self.parts.database,
            Records(self.parts.pseudonyms, self._countries, self.parts.database.missing),
            tasks,
            queue=options.queue,
            batch=options.batch,
            linger=options.linger,
            on_batch=self.statistics.counts.add,
        )
        self.record = self.writer.record  # as in `Keeper`; saves a call per chat
        self._saves = asyncio.Semaphore(SAVES)
        self._saving: Counter[str] = Counter()  # by network
        self._quota = SaveQuota(settings.limits)
        self._short = False  # whether the disk is too full
        self._saved = Reach("saves")
        self._save_failed = 0.0  # when the last save failed, by the monotonic clock
        self._reads = Reach("reads")
        self._objects = Reach("objects", _cause_of_objects)
        self._lock: int | None = None  # descriptor of the lock on the data folder
        self._service_lock = ServiceLock(self.parts.database)
        self._schedule = (
            BackupSchedule(settings, self.parts.database, self.parts.objects) if settings.backup.url else None
        )
        self._lost: float | None = None  # share of lost objects, once known
        self._backup: int | None = None  # Unix time of the last backup, once known
        self.schema = ""  # revision of the database, once open
        self.opened = asyncio.Event()  # the database is open
        self.purges = 0
        self.purge_failures = 0
        self.purged = time.time()

    @property
    def ready(self) -> bool:
        """Whether the database is open."""
        return self.opened.is_set()

    @property
    def logs(self) -> SavedLogs:
        """The saved logs, for the routes."""
        return self.parts.logs

    @property
    def epochs(self) -> EpochKeys:
        """The keys of live pseudonyms."""
        return self.parts.pseudonyms.epochs

    @property
    def elections(self) -> KeyFingerprints:
        """The election of epoch keys among hosts."""
        return self.parts.fingerprints

    def country(self, address: str) -> str | None:
        """Return the two-letter country of an address, or None."""
        return self._countries.find(address)

    @property
    def data(self) -> Path:
        """The data folder."""
        return self._settings.data

    async def start(self, patience: float = PATIENCE) -> None:
        """Connect, migrate and start writing. If the database takes longer than `patience` seconds, opening continues in the background.

        Raises SchemaDiffers; KeysDiffer; Busy while a restore of the data folder is running.
        """
        self._lock = await asyncio.to_thread(folder_lock.share, self._settings.data)
        opening = asyncio.create_task(self._open())
        await asyncio.wait({opening}, timeout=patience)
        try:
            if opening.done():
                await opening
        except StoreAway as error:
            self.writer.reach.failed(error)
        if not self.ready:
            self._tasks.start("store-open", lambda: self._open_later(opening))
        self._tasks.start("store-probe", self._probe)
        self._tasks.start("objects-probe", self._probe_objects)
        self._tasks.start("store-purge", self._look_after)
        self._tasks.start("store-sweep", self._sweep)
        self._tasks.start("store-upkeep", self._copy_state)
        if self._schedule is not None:
            schedule = self._schedule
            self._tasks.start("store-backup", lambda: schedule.run(lambda: self.ready))
        self._tasks.start("store-statistics", lambda: self.statistics.run(self.opened.wait))

    async def _open(self) -> None:
        begun = time.monotonic()
        await self._service_lock.take()
        if await is_unfinished(self.parts.database):
            raise SchemaDiffers(UNFINISHED)
        if self._settings.store.migrate:
            await migrate_apart(self.parts.database.url, self._settings.data)
        elif await revision(self.parts.database) != HEAD:
            raise SchemaDiffers("the database is not at this program's revision: serendip db migrate")
        self.schema = HEAD
        await self.parts.fingerprints.check()
        self._backup = await database_backup.last_backup(self.parts.database)
        self.writer.start()
        self.writer.reach.worked()
        self.opened.set()
        logger.info("store.opened", seconds=round(time.monotonic() - begun, 3))

    async def _open_later(self, begun: asyncio.Task[None]) -> None:
        """Retry until the database is open: first await `begun`, the attempt of `start`, then make further attempts."""
        loop = asyncio.get_running_loop()
        while True:
            late = loop.call_later(OPENING_S, lambda: self.writer.reach.failed(TimeoutError()))
            try:
                await (self._open() if begun.done() else begun)
                return
            except (
                StoreAway,
                SchemaDiffers,
                KeysDiffer,
                Busy,
            ) as error:  # an operator may migrate or restore meanwhile
                self.writer.reach.failed(error)
            finally:
                late.cancel()
            await asyncio.sleep(0.5 + random.random())

    async def _probe(self) -> None:
        """Notice within seconds that the database is unreachable, also without records to write."""
        while True:
            await asyncio.sleep(PROBE_EVERY_S * (0.5 + random.random()))
            if not self.ready:
                continue  # `_open_later` records the cause
            try:
                await self._service_lock.check()
                self._reads.worked()
                self._expect_saves()
            except (StoreAway, Busy) as error:
                self._reads.failed(error)

    async def _probe_objects(self) -> None:
        """Notice that the object store is unreachable, or the disk full, also if no chat is saved."""
        while True:
            with contextlib.suppress(Crowded, OSError):  # the saves that crowd the thread look at the disk themselves
                await self.logs.thread.run(self._no_room)
            try:
                await self.parts.objects.reach()
                self._objects.worked()
            except ObjectsAway as error:
                self._objects.failed(error)
            await asyncio.sleep(OBJECTS_EVERY_S * (0.5 + random.random()))

    def _expect_saves(self) -> None:
        """Assume that saves work again once all that they need answers: the next one may be days away, and users read meanwhile that saving fails."""
        answers = self.writer.reach.answers and self._objects.cause is None
        if answers and self._saved.cause in AWAY and time.monotonic() - self._save_failed > AWAY_S:
            self._saved.worked()

    def unwell(self) -> list[str]:
        """Return the operations that do not reach the database or the bucket now, each with its cause (`readyz`)."""
        found = []
        cause = self.writer.reach.cause or self._reads.cause
        if not self.ready and cause is None:
            found.append("store: the database is being opened; records wait")
        elif not self.ready or cause is not None:
            what = "a key is missing, or another" if cause == "keys" else "the database is away"
            found.append(f"store: {what} ({cause}); records wait")
        if self._objects.cause is not None:
            found.append(f"store: the object store is away ({self._objects.cause}); no chat is saved or shown")
        if self._saved.cause is not None:
            found.append(f"store: chats are not saved ({self._saved.cause})")
        elif self._short:
            found.append("store: chats are not saved (the disk is full)")
        return found

    def missed(self, count: int) -> None:
        """Count records that were lost before they reached the store."""
        self.writer.counts.lost += count
        logger.error("store.lost", count=count)

    async def save(self, transcript: Transcript, parties: Iterable[Party], by: Party) -> Saved:
        """Save a log for `by`. Raises NotSaved, at once if it cannot or may not be saved."""
        if not self.ready or not self.writer.taking:
            raise self.logs.refuse("away")
        now, size, place = time.monotonic(), transcript.size, network(by.address)
        if wait := self._quota.wait(by, size, now):
            raise self.logs.refuse("quota", wait)
        if self._saving.total() >= SAVES_WAITING or self._saving[place] >= SAVES_NETWORK:
            raise self.logs.refuse("busy", SAVES_AGAIN)
        self._quota.take(by, size, now)
        self._saving[place] += 1
        try:
            async with self._saves:
                if await self.logs.thread.run(self._no_room):
                    raise self.logs.refuse("full")
                saved = await self.logs.save(transcript, parties)
            self._saved.worked()
            return saved
        except Crowded:
            raise self.logs.refuse("busy", SAVES_AGAIN) from None
        except NotSaved as error:
            if isinstance(error.__cause__, (StoreAway, ObjectsAway)):
                self._saved.failed(error)
                self._save_failed = time.monotonic()
            raise
        finally:
            self._saving[place] -= 1
            if not self._saving[place]:
                del self._saving[place]

    def _no_room(self) -> bool:
        """Return whether the disk of the logs is too full for another; logs each change once. Makes a system call: not for the event loop."""
        floor = int(self._settings.store.room)
        if not floor or self._settings.objects.url:
            return False
        short = shutil.disk_usage(self._settings.data).free < floor
        if short and not self._short:
            logger.error("store.full")
        elif self._short and not short:
            logger.info("store.room")
        self._short = short
        return short

    async def close(self, within: float = 5.0) -> int:
        """Write the queued records for at most `within` seconds; return the number of records lost."""
        for task in TASKS:
            await self._tasks.end(task)
        left = await self.writer.close(within)
        if left:
            logger.error("store.lost", count=left)
        await self._tasks.end(
            "store-backup"
        )  # behind the records: it waits for the part of the archive that is on its way
        await self.statistics.close()
        await self._service_lock.close()
        await self.parts.database.close()
        self.logs.thread.close()
        self._countries.close()
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None
        return left

    async def _look_after(self) -> None:
        """Purge by the clock. Hosts that share a database spread their times, and one of them does it."""
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
                pass  # another host is purging
            except OSError as error:  # StoreAway, ObjectsAway, or a key that cannot be removed
                self.purge_failures += 1
                logger.warning("store.purge_failed", cause=cause_of(error), **log.described(error))
            await asyncio.sleep(every * (0.9 + 0.2 * random.random()))

    async def _sweep(self) -> None:
        """Complete interrupted deletions and saves; before that, check whether the bucket would keep deleted objects. Sample what it lost."""
        looked, sampled = False, -SAMPLE_S
        while True:
            with contextlib.suppress(ObjectsAway):
                if not looked and await self.parts.objects.versioned():
                    logger.warning("store.bucket_versioned")
                looked = True
            await asyncio.sleep(SWEEP * (0.5 + random.random()))
            try:
                if self.ready:
                    await self.logs.sweep()
                    await self.parts.fingerprints.check()  # an epoch may have begun
                    self._backup = await database_backup.last_backup(self.parts.database)
                    if time.monotonic() - sampled >= SAMPLE_S:
                        self._lost = (await sample(self.parts.database, self.parts.objects)).share
                        sampled = time.monotonic()
            except KeysDiffer as error:
                logger.error("store.keys_differ", **log.described(error))
            except (StoreAway, ObjectsAway):
                pass  # the next sweep continues

    async def _copy_state(self) -> None:
        """Copy the non-restorable state within COPY_WITHIN_S of each change. Of hosts that share a database, one does it."""
        copies, told = SealedCopies(self.parts.database, self.parts.objects, self.parts.pseudonyms), False
        written = ChangePoll(
            self.parts.database.commit_count, COPY_WITHIN_S / 2
        )  # at least this often: copies can be lost without a write
        while True:
            await asyncio.sleep(COPY_WITHIN_S / 4 * (0.5 + random.random()))
            try:
                if self.ready and await written.is_due():
                    await copies.keep()
                    written.mark_read()
                    told = False
            except SetBack as error:
                if not told:
                    logger.error("store.set_back", **log.described(error))
                told = True
            except (Busy, StoreAway, ObjectsAway):
                pass  # the next round does it; failures of the object store are counted

    def reading(self) -> Reading:
        """Return the values of the metrics."""
        counts = self.writer.counts
        return {
            **self.parts.objects.reading(),
            **({"serendip_store_schema_info": {(self.schema,): 1}} if self.schema else {}),
            "serendip_store_batch_seconds": counts.batches.reading(),
            "serendip_logs_waiting": self._saving.total(),
            "serendip_store_written": counts.written,
            "serendip_store_lost": counts.lost,
            "serendip_store_failures": {
                (what, cause): count
                for what, reach in (("records", self.writer.reach), ("saves", self._saved), ("reads", self._reads))
                for cause, count in reach.failures.items()
            },
            "serendip_store_waiting": self.writer.waiting,
            "serendip_store_up": float(self.ready and self.writer.reach.cause is None and self._reads.cause is None),
            "serendip_objects_up": float(self._objects.cause is None),
            **({"serendip_objects_lost_ratio": self._lost} if self._lost is not None else {}),
            **({"serendip_backup_timestamp_seconds": self._backup} if self._backup is not None else {}),
            **(self._schedule.reading() if self._schedule is not None else {}),
            "serendip_logs_saved": self.logs.saved,
            "serendip_logs_refused": {(why,): count for why, count in self.logs.refused.items()},
            "serendip_logs_deleted": self.logs.deleted,
            "serendip_store_purges": self.purges,
            "serendip_store_purge_failures": self.purge_failures,
            "serendip_store_purged_timestamp_seconds": self.purged,
        }


def _cause_of_objects(error: BaseException) -> str:
    return error.cause if isinstance(error, ObjectsAway) else "away"
