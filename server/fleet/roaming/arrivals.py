"""Remember which sessions came from other hosts, by which request, and where each moved on to, for a host that asks to forget its copies."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Iterable, Iterator
from typing import Any, Final, NamedTuple

from engine.engine import Session
from server.fleet.ipc.ipc_peers import number_of
from server.fleet.ipc.process_names import elsewhere, place
from server.fleet.migrate.forwarding_table import ForwardingTable

REMEMBERED: Final = 20.0  # seconds: an edge asks for 15


class Arrival(NamedTuple):
    """A session that came. `at`: monotonic seconds; `nonce`: of the request; `key`: with which it came; `resumed`: whether it was resumed here, and
    then returned to the host of that connection.
    """

    at: float
    nonce: bytes
    key: int
    resumed: bool = False


class Earlier(NamedTuple):
    """A session that came and moved on, before one of the same id came with another request, at `at` (monotonic seconds). `resumed`: as of
    `Arrival`; `where`: node and number of the process to which it moved on; None: it did not, or that is not known.
    """

    at: float
    resumed: bool
    where: tuple[str, int] | None


class Arrivals:
    """Sessions that came to one process. `node`: of its host."""

    def __init__(self, node: str, forwarding: ForwardingTable) -> None:
        self._node = node
        self._forwarding = forwarding
        self._last: OrderedDict[int, Arrival] = OrderedDict()  # of each session, by its id; the oldest first
        self._earlier: OrderedDict[tuple[bytes, int], Earlier] = OrderedDict()  # by nonce and id; the oldest first

    def add(self, nonce: bytes, came: Iterable[Session]) -> None:
        """Note sessions that came with a request."""
        now = time.monotonic()
        _expire(self._last, now)
        _expire(self._earlier, now)
        for session in came:
            before = self._last.pop(session.id, None)
            if before is not None:
                self._earlier[before.nonce, session.id] = Earlier(now, before.resumed, self.went(session.id))
            self._last[session.id] = Arrival(now, nonce, session.key)

    def returned(self, id: int, key: int) -> None:
        """Note that a session returns to the host of its connection: with another key than it came with it was resumed here."""
        came = self._last.get(id)
        if came is not None and came.key != key:
            self._last[id] = came._replace(resumed=True)

    def forget(self, id: int) -> None:
        """Forget a session that ended: one that comes with its id later is another one."""
        self._last.pop(id, None)

    def was_resumed(self, id: int, key: int) -> bool:
        """Whether a session that came with this key was resumed here, and returned."""
        came = self._last.get(id)
        return came is not None and came.resumed and came.key == key

    def of(self, nonce: bytes) -> list[tuple[int, int]]:
        """Return ids and keys of the sessions that came with a request, and with none since."""
        return [(id, came.key) for id, came in self._last.items() if came.nonce == nonce]

    def earlier(self, nonce: bytes) -> Iterator[tuple[int, Earlier]]:
        """Yield the sessions that came with a request and moved on, and of which another one came since, by id."""
        for (by, id), one in self._earlier.items():
            if by == nonce:
                yield id, one

    def is_leaving(self, id: int) -> bool:
        """Whether a session is under way from here."""
        return self._forwarding.is_under_way(id)

    def went(self, id: int) -> tuple[str, int] | None:
        """Return node and number of the process to which a session moved on; None: it did not, or to another generation of processes."""
        name = self._forwarding.went(id)
        if name is None or (not elsewhere(name) and number_of(name) < 0):
            return None
        return place(name) if elsewhere(name) else (self._node, number_of(name))


def _expire(known: OrderedDict[Any, Any], now: float) -> None:
    while known and next(iter(known.values())).at + REMEMBERED <= now:
        known.popitem(last=False)
