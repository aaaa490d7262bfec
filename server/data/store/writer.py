"""Write chat records to the database in batches, in one background task.

**Invariant:** a chat never waits for the database; the queue is bounded and ordered, and a record that finds it full is dropped and counted.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import islice

from server.data.database import daily_partitions
from server.data.database.bulk_inserts import ROWS, put
from server.data.database.database import Database
from server.data.database.store_reachability import Reach
from server.data.errors import StoreAway
from server.data.keys.epoch_keys import KeyGone
from server.data.records.chat_rows import Batch, Record, Records
from server.ops.health.background_tasks import Tasks
from server.ops.metrics.histogram import Histogram
from server.ops.metrics.storage_metrics import BATCH_BOUNDS
from server.ops.process.first_done import is_set_within

BACKOFF = (0.1, 5.0)  # seconds: first and longest pause between tries; a restart of PostgreSQL takes about a second
TASK = "store-writer"

SOME = 50  # chats turned into rows between two reads of the clock: 1.5 ms if each person is new
TURN = 0.0005  # seconds of this work in one turn of the loop
HELD = 0.02  # seconds that a batch may hold the write lock: a concurrent save waits as long
# Minimum chats per batch; larger sizes are learned from the time of each batch. A multiple of `bulk_inserts.ROWS`: rows outside a full
# statement cost twice as much.
LEAST = ROWS


def ignore(_: list[Record]) -> None:
    """Do nothing."""


@dataclass(slots=True)
class WriterCounts:
    """Values of the metrics. `lost` raises an alert."""

    written: int = 0
    lost: int = 0
    longest: float = 0.0  # seconds of the slowest batch
    batches: Histogram = field(default_factory=lambda: Histogram(BATCH_BOUNDS))  # seconds of each that was written


class Writer:
    """Queue and task. `reach`: whether records arrive. `record` may be called from the loop at any time, before `start` and after `close`.

    States: accepting (the queue has room); full (the newest record is dropped and counted: records already accepted stay); unreachable (the database
    failed: the same batch is retried with back-off, so that order is kept). A batch whose commit got no answer is written again with the same ids
    and `ON CONFLICT DO NOTHING`: never twice, never half. Any other error is a bug: the task ends, is restarted
    (`server.ops.health.background_tasks`), and begins with the same batch.
    """

    def __init__(
        self,
        database: Database,
        records: Records,
        tasks: Tasks,
        *,
        queue: int,
        batch: int,
        linger: float,
        on_batch: Callable[[list[Record]], None] = ignore,
    ) -> None:
        """`on_batch`: called with each record once, some at a time, as it becomes rows."""
        self._on_batch = on_batch
        self._database = database
        self._records = records
        self._tasks = tasks
        self._bound = queue
        self._batch = batch
        self._linger = linger
        self._queue: deque[Record] = deque()
        self._size = min(batch, LEAST)  # of the next batch
        self._present: Batch | None = None
        self._wake = asyncio.Event()
        self._idle = asyncio.Event()
        self._idle.set()
        self._started = False
        self._days: set[int] = set()
        self._hurry = False
        self.reach = Reach("records")
        self.counts = WriterCounts()

    def record(self, chat: Record) -> bool:
        """Accept a chat's record. False: the queue is full, the record is lost and counted. Never blocks, never raises."""
        queue = self._queue
        if len(queue) >= self._bound:
            self.counts.lost += 1
            return False
        if not queue:
            self._idle.clear()
            self._wake.set()
        queue.append(chat)
        return True

    @property
    def waiting(self) -> int:
        """Number of chats whose record is not yet in the database."""
        return len(self._queue) + (self._present.size if self._present else 0)

    @property
    def taking(self) -> bool:
        """Whether the store has capacity for additional work such as a save: reachable, and the queue under half. A save needs no epoch's key,
        for which records may wait.
        """
        return self.reach.answers and len(self._queue) * 2 < self._bound

    def start(self) -> None:
        """Begin to write."""
        if not self._started:
            self._started = True
            self._tasks.start(TASK, self._run)

    async def flush(self) -> None:
        """Wait until every accepted record is in the database (for ever, if it stays unreachable)."""
        self._hurry = True
        self._wake.set()
        try:
            await self._idle.wait()
        finally:
            self._hurry = False

    async def close(self, within: float) -> int:
        """Write the queued records for at most `within` seconds; return the number of records lost (counted too).

        A database that was never opened has accepted nothing: all queued records are lost.
        """
        if self._started:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(within):
                    await self.flush()
            await self._tasks.end(TASK)
            self._started = False
        left = self.waiting
        self.counts.lost += left
        return left

    async def _run(self) -> None:
        pause = BACKOFF[0]
        while True:
            await self._wake.wait()
            if len(self._queue) < self._size and not self._hurry and self._present is None:
                await _patience(self._wake, self._linger)
            if self._queue or self._present is not None:
                try:
                    if self._present is None:
                        self._present = await self._take()
                    await self._write(self._present)
                except (StoreAway, KeyGone, OSError) as error:
                    self.reach.failed(error)
                    await asyncio.sleep(pause)
                    pause = min(pause * 2, BACKOFF[1])
                    continue
                self.reach.worked()
                pause = BACKOFF[0]
                self._present = None
            if not self._queue:
                self._wake.clear()
                self._idle.set()

    async def _take(self) -> Batch:
        """Make the next batch, part of it in each turn of the loop; its records stay in the queue until then."""
        queue, batch = self._queue, Batch()
        taken = list(islice(queue, self._size))
        await self._records.prepare(taken)
        begun = time.monotonic()
        for at in range(0, len(taken), SOME):
            some = taken[at : at + SOME]
            self._records.add(batch, some)
            self._on_batch(some)
            if time.monotonic() - begun >= TURN:
                await asyncio.sleep(0)
                begun = time.monotonic()
        for _ in taken:
            queue.popleft()
        return batch

    async def _write(self, batch: Batch) -> None:
        begun = time.monotonic()
        values = batch.values()
        if self._database.sqlite:
            held = await self._database.put(values)
        else:
            days = batch.days
            async with self._database.write() as connection:
                for day in sorted(days - self._days):
                    await daily_partitions.ensure(connection, day)
                await put(connection, values)
            self._days = days
            held = time.monotonic() - begun
        counts = self.counts
        counts.written += batch.size
        took = time.monotonic() - begun
        counts.batches.add(took)
        counts.longest = max(counts.longest, took)
        if batch.size >= self._size or held > HELD:
            size = min(2 * batch.size, int(batch.size * HELD / held))
            self._size = min(self._batch, max(LEAST, size - size % LEAST))


async def _patience(wake: asyncio.Event, linger: float) -> None:
    """Wait `linger` seconds for more records to join the batch; `flush` ends the wait."""
    wake.clear()
    await is_set_within(wake, linger)
    wake.set()
