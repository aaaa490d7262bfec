"""Tickets of one message, one by one or as one array: `python -m bench arrays`. Rule: both ways are given what the lobby has.

That is Python's objects: an array of them has to be made first, and of who was met only a handle comes back, so that each ticket is
kept by its handle. Rounds alternate between the two; CPU time of the thread. The third figure is the call alone, its arrays made.
"""

import argparse
import time
from array import array
from collections import deque
from typing import Any, Final, NamedTuple

from bench.matching.workloads import LANGUAGES, Stream
from engine.matching.interest_normalisation import SpellingCache
from engine.matching.lobby import SEARCH_TICKETS
from ext.match.interner import Ids, Interner
from ext.match.matcher import Matcher

SIZES: Final = (1_000, 10_000, 100_000)
ARRAYS: Final = (1, 4, 16, 64)
GOOD: Final = 0  # the level of who comes


class Arrival(NamedTuple):
    """What the lobby knows of a newcomer."""

    client: int
    pool: int
    ids: Ids
    recent: tuple[int, ...]


class Room:
    """A matcher in which a number of people wait."""

    def __init__(self, size: int, seed: int) -> None:
        self._interner, self._spellings = Interner(), SpellingCache()
        self.matcher = Matcher(1_000_000, interner=self._interner, most_tickets=SEARCH_TICKETS, seed=seed)
        for _ in LANGUAGES:
            self.matcher.pool()
        self._stream, self._size = Stream(seed), size
        self._waiting: deque[int] = deque()
        self._by_handle: dict[int, Arrival] = {}
        self.call = 0.0  # seconds in the array call
        self.hold()

    def people(self, count: int) -> list[Arrival]:
        """The next of the stream, their words interned."""
        block, found = self._stream.take(count), []
        for at in range(count):
            words = [f"interest {number}" for number in block.ids(at)]
            ids = self._interner.intern_all(words, self._spellings.known, self._spellings)
            if ids is not None:
                who = int(block.persons[at])
                found.append(Arrival(who, int(block.pools[at]), ids.unique(), tuple(block.recents[at].tolist())))
        return found

    def hold(self) -> None:
        """As many wait as at first, the longest waiting gone or newcomers there who looked at nobody."""
        matcher = self.matcher
        while len(matcher) > self._size:
            matcher.remove(self._waiting.popleft())
        for who in self.people(self._size - len(matcher)):
            handle = matcher.submit(who.client, who.pool, who.ids, GOOD, 0.0, who.client, who.recent, look=False)
            assert isinstance(handle, int)
            self._waiting.append(handle)

    def one_by_one(self, people: list[Arrival]) -> None:
        """As `Lobby.submit` calls."""
        submit, wait = self.matcher.submit, self._waiting.append
        for client, pool, ids, recent in people:
            found = submit(client, pool, ids, GOOD, 1.0, client, recent, (), False, (), False, True, 0)
            if isinstance(found, int):
                wait(found)

    def as_array(self, people: list[Arrival]) -> None:
        """The array call, with all that it takes to make and read its arrays."""
        count = len(people)
        pools, offsets, interests = array("H"), array("I", [0]), array("I")
        clients, persons, recents = array("Q"), array("I"), array("I")
        for who in people:
            pools.append(who.pool)
            interests.extend(who.ids)
            offsets.append(len(interests))
            clients.append(who.client)
            persons.append(who.client & 0xFFFF_FFFF)
            recents.extend((*who.recent, 0, 0, 0, 0)[:4])
        partner, handle, score = array("q", [0]) * count, array("q", [0]) * count, array("I", [0]) * count
        rows: Any = memoryview(recents).cast("B").cast("I", (count, 4))
        before = time.thread_time()
        self.matcher.submit_batch(
            pools, offsets, interests, partner, handle, score,
            clients=clients, persons=persons, recents=rows, levels=array("B", bytes(count)), now=1.0,
        )  # fmt: skip
        self.call += time.thread_time() - before
        for who, own, met in zip(people, handle, partner, strict=True):
            if own >= 0:
                self._waiting.append(own)
                self._by_handle[own] = who
            elif (other := self._by_handle.pop(met, None)) is not None:
                set(other.ids).intersection(who.ids)


def measure(size: int, count: int, rounds: int, seed: int = 3) -> tuple[float, float, float]:
    """Microseconds a ticket among `size` who wait: one by one, as arrays of `count`, and of these the call alone."""
    room, spent = Room(size, seed), [0.0, 0.0]
    ways = room.one_by_one, room.as_array
    for number in range(2 * rounds):
        people = room.people(count)
        before = time.thread_time()
        ways[number % 2](people)
        spent[number % 2] += time.thread_time() - before
        room.hold()
    each = 1e6 / (rounds * count)
    return spent[0] * each, spent[1] * each, room.call * each


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """There are none."""


def main(chosen: argparse.Namespace) -> int:
    """A table of all sizes."""
    print(f"{'who wait':>9} {'array':>6} {'one by one':>11} {'as array':>9} {'call alone':>11}  (us a ticket)")
    for size in SIZES:
        for count in ARRAYS:
            one, many, call = measure(size, count, max(50, 6_400 // count))
            print(f"{size:9,} {count:6} {one:11.2f} {many:9.2f} {call:11.2f}")
    return 0
