"""Remember which sessions came from other hosts, by which request, and where each moved on to, for a host that asks to forget its copies."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from engine.engine import Session
from server.fleet.ipc.ipc_peers import number_of
from server.fleet.ipc.process_names import elsewhere, place
from server.fleet.migrate.forwarding_table import ForwardingTable

REMEMBERED: Final = 20.0  # seconds: an edge asks for 15


class Arrival(NamedTuple):
    """A session that came. `nonce`: of the request; `key`: with which it came; `resumed`: whether it was resumed here, and then returned to the
    host of that connection.
    """

    nonce: bytes
    key: int
    resumed: bool = False


class Earlier(NamedTuple):
    """A session that came and moved on, before one of the same id came with another request. `resumed`: as of `Arrival`; `where`: node and number
    of the process to which it moved on; None: it did not, or that is not known.
    """

    resumed: bool
    where: tuple[str, int] | None


@dataclass(slots=True)
class Request:
    """Sessions that came with one request. `at`: monotonic seconds of it, or since when one of its sessions is an earlier one; `keys`: with which the
    sessions came of which none came since, by id; `earlier`: the others, by id.
    """

    at: float
    keys: dict[int, int] = field(default_factory=dict)
    earlier: dict[int, Earlier] = field(default_factory=dict)


class Arrivals:
    """Sessions that came to one process. `node`: of its host."""

    def __init__(self, node: str, forwarding: ForwardingTable) -> None:
        self._node = node
        self._forwarding = forwarding
        self._requests: OrderedDict[bytes, Request] = OrderedDict()  # by nonce; the oldest first
        self._last: dict[int, Arrival] = {}  # of each session in the `keys` of a request, by its id

    def add(self, nonce: bytes, came: Iterable[Session]) -> None:
        """Note sessions that came with a request."""
        now = time.monotonic()
        self._expire(now)
        request = self._request(nonce, now)
        for session in came:
            before = self.forget(session.id)
            if before is not None:
                self._request(before.nonce, now).earlier[session.id] = Earlier(before.resumed, self.went(session.id))
            self._last[session.id] = Arrival(nonce, session.key)
            request.keys[session.id] = session.key

    def returned(self, id: int, key: int) -> None:
        """Note that a session returns to the host of its connection: with another key than it came with it was resumed here."""
        came = self._last.get(id)
        if came is not None and came.key != key:
            self._last[id] = came._replace(resumed=True)

    def forget(self, id: int) -> Arrival | None:
        """Forget a session that ended: one that comes with its id later is another one. Return how it came."""
        came = self._last.pop(id, None)
        if came is not None:
            del self._requests[came.nonce].keys[id]
        return came

    def was_resumed(self, id: int, key: int) -> bool:
        """Whether a session that came with this key was resumed here, and returned."""
        came = self._last.get(id)
        return came is not None and came.resumed and came.key == key

    def of(self, nonce: bytes) -> list[tuple[int, int]]:
        """Return ids and keys of the sessions that came with a request, and with none since."""
        request = self._requests.get(nonce)
        return [] if request is None else [*request.keys.items()]

    def earlier(self, nonce: bytes) -> list[tuple[int, Earlier]]:
        """Return the sessions that came with a request and moved on, and of which another one came since, by id."""
        request = self._requests.get(nonce)
        return [] if request is None else [*request.earlier.items()]

    def is_leaving(self, id: int) -> bool:
        """Whether a session is under way from here."""
        return self._forwarding.is_under_way(id)

    def went(self, id: int) -> tuple[str, int] | None:
        """Return node and number of the process to which a session moved on; None: it did not, or to another generation of processes."""
        name = self._forwarding.went(id)
        if name is None or (not elsewhere(name) and number_of(name) < 0):
            return None
        return place(name) if elsewhere(name) else (self._node, number_of(name))

    def _request(self, nonce: bytes, now: float) -> Request:
        """Return what came with a request, remembered from now on."""
        request = self._requests.setdefault(nonce, Request(now))
        request.at = now
        self._requests.move_to_end(nonce)
        return request

    def _expire(self, now: float) -> None:
        while self._requests:
            nonce, request = next(iter(self._requests.items()))
            if request.at + REMEMBERED > now:
                return
            del self._requests[nonce]
            for id in request.keys:
                del self._last[id]
