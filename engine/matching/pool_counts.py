"""Count the waiting users of each pool (tickets of one mode and language) and of each family of pools that may be merged.

A pool's counters (class `Room`) are created with its first ticket, and deleted after a minute without tickets or when too many are empty.
**Invariant:** there are at most as many counters as waiting users plus EMPTY_MAX, and no function visits all of them.
"""

from collections import OrderedDict
from collections.abc import Callable
from typing import Final

from engine.matching.tickets import NEVER, Family, Pool, Room
from engine.wire.protocol import ANY_LANGUAGE

EMPTY_FOR: Final = 60.0  # seconds: as long as arrivals are remembered
EMPTY_MAX: Final = 256  # more than the languages and modes of a service; a kilobyte each


class PoolRooms:
    """Rooms by pool. `number` opens a pool in the index and returns its number; numbers of closed rooms are used again."""

    __slots__ = ("_empty", "_families", "_first", "_number", "_rooms", "_spare")

    def __init__(self, number: Callable[[], int]) -> None:
        self._number = number
        self._rooms: dict[Pool, Room] = {}
        self._families: dict[Pool, Family] = {}
        self._empty: OrderedDict[Room, float] = (
            OrderedDict()
        )  # rooms that were empty once, by when that was or they were last checked; earliest first
        self._first = NEVER  # when the first of these is checked; below 0: not known
        self._spare: list[int] = []

    def __len__(self) -> int:
        return len(self._rooms)

    def of(self, pool: Pool, now: float) -> Room:
        """Return the room of a pool, opened if necessary. Raises MatcherFull if the index has no place for another."""
        return self._rooms.get(pool) or self._open(pool, now)

    def find(self, pool: Pool) -> Room | None:
        """Return the room of a pool, if it is open."""
        return self._rooms.get(pool)

    def enter(self, room: Room) -> None:
        """Count one more who waits in a room."""
        count = room.waiting = room.waiting + 1
        room.family.waiting += 1
        if not count & count - 1:
            room.size += 1
            room.family.move(room, room.size - 1, room.size)

    def leave(self, room: Room, now: float) -> None:
        """Count one fewer who waits in a room."""
        count = room.waiting
        room.waiting = count - 1
        room.family.waiting -= 1
        if not count & count - 1:
            room.size -= 1
            room.family.move(room, room.size + 1, room.size)
            if count == 1:
                self._rest(room, now)

    def due(self) -> float:
        """Return when `expire` has work next; NEVER: never."""
        if self._first < 0.0:
            self._first = next(iter(self._empty.values())) + EMPTY_FOR if self._empty else NEVER
        return self._first

    def expire(self, now: float) -> None:
        """Close the rooms that have been empty for EMPTY_FOR without arrivals: at most EMPTY_MAX checks."""
        if now < self._first:
            return
        empty = self._empty
        self._first = -1.0
        while empty:
            room, since = next(iter(empty.items()))
            if since + EMPTY_FOR > now:
                return
            room.arrivals.expire(now)
            if room.waiting:
                self._unlist(room)
            elif room.arrivals.total or room.emptied + EMPTY_FOR > now:
                empty.move_to_end(room)
                empty[room] = now
            else:
                self._close(room)

    def sizes(self) -> dict[Pool, int]:
        """Return how many wait, by pool."""
        return {pool: room.waiting for pool, room in self._rooms.items()}

    def pace(self, now: float) -> list[tuple[Pool, list[int]]]:
        """Export the arrivals of the last minute, by pool; pools without any are left out."""
        return [(pool, lately) for pool, room in self._rooms.items() if (lately := room.arrivals.lately(now))]

    def _open(self, pool: Pool, now: float) -> Room:
        number = self._spare.pop() if self._spare else self._number()
        family = self._families.setdefault(pool._replace(language=ANY_LANGUAGE), Family())
        room = self._rooms[pool] = Room(pool, number, family)
        family.open += 1
        if pool.language == ANY_LANGUAGE:
            family.any = room
        self._rest(room, now)
        return room

    def _rest(self, room: Room, now: float) -> None:
        """Note that a room is empty. It is listed until it is checked, also if users wait in it by then."""
        room.emptied = now
        if room.listed:
            return
        if not self._empty:
            self._first = now + EMPTY_FOR
        self._empty[room] = now
        room.listed = True
        if len(self._empty) > EMPTY_MAX:
            oldest = next(iter(self._empty))
            if oldest.waiting:
                self._unlist(oldest)
            else:
                self._close(oldest)

    def _unlist(self, room: Room) -> None:
        del self._empty[room]
        room.listed = False
        self._first = -1.0

    def _close(self, room: Room) -> None:
        self._unlist(room)
        del self._rooms[room.pool]
        self._spare.append(room.number)
        family = room.family
        family.open -= 1
        if family.any is room:
            family.any = None
        if not family.open:
            del self._families[room.pool._replace(language=ANY_LANGUAGE)]
