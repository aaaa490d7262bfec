"""Measure the service's waiting room (`engine.matching.lobby`), called as `engine/chats/search.py` does: one row of calls per arrival.

An arrival includes all that the service does in the room for it: its words are interned and compared with what was typed; its ticket is made and
submitted; then the matched two get their common words and release theirs, or the waiting one gets its status. Thresholds, limits and garbage
collection are the service's own. Not timed: JSON, sessions, the chat. All times are CPU time of the thread, so other load on the machine does not
count.

A held pool keeps its size, as in `bench.matching.arrival_batches`: for each arrival that is matched, another of the stream waits instead; then the
oldest leave. Time advances by `STEP` per arrival. Due steps (changes of a ticket's demands) are left out in held pools, where no ticket waits long
enough; `steady`, which starts from an empty room with steady arrivals, includes their cost.
"""

import gc
import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import islice
from typing import Final

import numpy as np

from bench.matching.result_rows import Row
from bench.matching.workloads import LANGUAGES, Arrivals, Stream
from engine.matching.lobby import Lobby
from engine.matching.tickets import Match, Pool, Ticket
from engine.wire.rule_constants import STEPS_A_TICK
from ext.match.interner import Ids
from server.realtime.worker import gc_tuning

SIZES: Final = (1_000, 10_000, 100_000, 1_000_000)
PLACES: Final = 1_000_000  # tickets, as many as the service has room for
BATCH: Final = 1_000  # arrivals between two looks at the size of the pool, or a twentieth of a small one
BLOCK: Final = 10_000  # tickets that are taken from the stream at once
STEP: Final = 1e-5  # seconds from one arrival to the next, in a pool that is held
RATE: Final = 1_000.0  # arrivals a second, in `steady`
SAME: Final = 0xFFFF_FFFF  # the person of all who are there from the start: blocked by itself, so that they do not meet
POOLS: Final = tuple(Pool(language=f"l{number}") for number in range(len(LANGUAGES)))


def rows(seed: int, quick: bool) -> Iterator[Row]:
    """Measure from an empty room, then held at the sizes of the index's rows; `quick`: no million."""
    arrivals = 20_000 if quick else 100_000
    with as_served():
        yield steady(arrivals, seed)
        for size in SIZES[:-1] if quick else SIZES:
            yield held(size, arrivals, seed)


def steady(arrivals: int, seed: int) -> Row:
    """Measure arrivals at RATE in an empty room, with time advancing."""
    room, watch = WaitingRoom(seed), Watch()
    for number in range(arrivals // BATCH):
        if number == arrivals // BATCH // 10:
            watch = Watch()
        watch.batch(room, list(room.people(BATCH)), 1 / RATE, timed=number % 2 == 0, steps=True)
    return watch.row("steady")


def held(size: int, arrivals: int, seed: int) -> Row:
    """Measure arrivals in a room in which `size` wait."""
    room, watch = WaitingRoom(seed, max(PLACES, size + size // 8)), Watch()
    room.fill(size)
    batch = min(BATCH, size // 20)
    for number in range(arrivals // batch):
        if number == arrivals // batch // 10:
            watch = Watch()
        met = watch.batch(room, list(room.people(batch)), STEP, timed=number % 2 == 0)
        room.fill(size + batch - met)
        room.hold(size)
    return watch.row(f"held-{size}")


@contextmanager
def as_served() -> Iterator[None]:
    """Set the garbage collector's thresholds of the service."""
    before = gc.get_threshold()
    gc_tuning.settle()
    try:
        yield
    finally:
        gc.unfreeze()
        gc.set_threshold(*before)


class Person:
    """A user of the stream, with their words as typed."""

    __slots__ = ("number", "pool", "recent", "words")

    def __init__(self, block: Arrivals, at: int) -> None:
        self.number = int(block.persons[at])
        self.pool = POOLS[block.pools[at]]
        self.recent = tuple(block.recents[at].tolist())
        self.words = [f"Interest {number}" for number in block.ids(at)]


class WaitingRoom:
    """A lobby and those who wait in it."""

    def __init__(self, seed: int, places: int = PLACES) -> None:
        self.lobby = Lobby(most_tickets=places)
        self.now = 0.0
        self._stream = Stream(seed)
        self._waiting: dict[int, Ids] = {}  # by client, the numbers of their words; in the order of their coming

    def __len__(self) -> int:
        return len(self._waiting)

    def people(self, count: int) -> Iterator[Person]:
        """Return the next users of the stream, untimed."""
        while count:
            block = self._stream.take(min(count, BLOCK))
            count -= len(block)
            yield from (Person(block, at) for at in range(len(block)))

    def arrive(self, who: Person) -> int:
        """Handle one arrival. Return how many interests it shares with its partner, -1 if it waits."""
        lobby, now, client = self.lobby, self.now, who.number
        ids = lobby.intern(who.words)
        lobby.spelled(ids, who.words)
        match = lobby.submit(Ticket(client, who.pool, ids, False, client, who.recent, now), now)
        if match is None:
            lobby.status(client, now)
            self._waiting[client] = ids
            return -1
        if match.common:
            for _side in (match.a, match.b):
                lobby.words(match.common)
        lobby.release(ids)
        lobby.release(self._waiting.pop(match.b))
        return len(match.common)

    def steps(self) -> None:
        """Take the steps that are due."""
        lobby = self.lobby
        while (due := lobby.due()) is not None and due <= self.now:
            for match in lobby.advance(self.now, STEPS_A_TICK)[0]:
                self.release(match)

    def fill(self, size: int) -> None:
        """Add users until `size` wait; these do not search, and one that a later arrival matches leaves with it."""
        for who in self.people(max(0, size - len(self))):
            ids = self.lobby.intern(who.words)
            ticket = Ticket(who.number, who.pool, ids, False, SAME, who.recent, self.now, blocked=(SAME,))
            match = self.lobby.submit(ticket, self.now)
            self._waiting[who.number] = ids
            if match is not None:
                self.release(match)

    def release(self, match: Match) -> None:
        """Release the words of the two."""
        for client in (match.a, match.b):
            self.lobby.release(self._waiting.pop(client))

    def hold(self, size: int) -> None:
        """Let the oldest leave until `size` wait."""
        for client in list(islice(self._waiting, max(0, len(self) - size))):
            self.lobby.cancel(client, self.now)
            self.lobby.release(self._waiting.pop(client))


class Watch:
    """Times of arrivals."""

    def __init__(self) -> None:
        self._cpu = 0.0  # seconds of the thread, of the arrivals that were not timed one by one
        self._untimed = self._met = self._shared = 0
        self._times: list[float] = []  # seconds of the others, one by one

    def batch(self, room: WaitingRoom, people: list[Person], step: float, *, timed: bool, steps: bool = False) -> int:
        """Time arrivals, `step` seconds apart, and return how many matched. `steps`: take the due steps first."""
        clock, shared = time.thread_time, []
        cpu = clock()
        for who in people:
            room.now += step
            before = clock() if timed else 0.0
            if steps:
                room.steps()
            shared.append(room.arrive(who))
            if timed:
                self._times.append(clock() - before)
        if not timed:
            self._cpu += clock() - cpu
            self._untimed += len(people)
        met = [count for count in shared if count >= 0]
        self._met += len(met)
        self._shared += sum(met)
        return len(met)

    def row(self, scenario: str) -> Row:
        """Return the figures so far. `matched`: share matched on arrival."""
        ns = np.array(self._times) * 1e9
        arrivals = self._untimed + len(ns)
        return Row(
            scenario, "waiting room", arrivals_per_s=round(self._untimed / self._cpu),
            p50_ns=round(float(np.quantile(ns, 0.5))), p99_ns=round(float(np.quantile(ns, 0.99))), max_ns=round(float(ns.max())),
            matched=round(self._met / arrivals, 4), mean_overlap=round(self._shared / max(1, self._met), 4), arrivals=arrivals,
        )  # fmt: skip
