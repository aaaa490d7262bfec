"""Who goes next. Rule: who waits or is away first, then chats; a chat's people go together; nobody is out of service behind a queue.

Few messages are under way at a time, each is made and sent between two turns of the loop, and none while the worker has a turn put off:
people who talk wait for nobody's move. What a message costs beside its people is more than what ten of them cost, so that it has some.
"""

import asyncio
import contextlib
import time
from collections import deque
from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any, Final

from server.handover import clients
from server.handover.belongings import Belongings
from server.handover.faces import OMEGLE, Faces
from server.handover.flight import Flight
from server.handover.link import Kind, Link
from server.process import faults
from server.worker.moving import Released

RATE: Final = 3_500.0  # people a second: the 99.9th percentile of a line is then what it is without a hand-over
BATCH: Final = 16  # people in one message, and as many more as their last chat has; more cost less each, and are out of service for longer
AHEAD: Final = 2  # messages under way, so that the other side need not wait: who is in one of them is out of service
AGAIN: Final = 0.005  # seconds until who could not go is asked again
PATIENCE: Final = 3.0  # seconds after which who cannot go stays, and is told to come back


class People:
    """The people of this process, as they go."""

    def __init__(self, has: Belongings, link: Link, flight: Flight, faces: Faces) -> None:
        self._has = has
        self._link = link
        self._flight = flight
        self._faces = faces
        self._wanted: deque[int] = deque()  # sessions that are asked for over there
        self._unmovable: set[int] = set()
        self._since: dict[int, float] = {}  # who could not go, and since when

    @property
    def stayed(self) -> int:
        """How many could not go."""
        return len(self._unmovable & self._has.worker.engine.sessions.keys())

    async def move(self) -> None:
        """Until nobody is here but those who cannot go. Raises LinkDown."""
        begun, moved, worker = time.monotonic(), 0, self._has.worker
        while True:
            self._newcomers()
            order = [id for id in worker.engine.moves.order() if id not in self._unmovable]
            if not order and not worker.reactor.newcomers:
                return
            before, left = moved, iter(order)
            while True:
                while worker.busy:  # noqa: ASYNC110 - a turn is put off for one round of the loop
                    await asyncio.sleep(0)
                ids = self._next(left)
                if not ids:
                    break
                moved += self._send(ids)
                self._newcomers()
                await self._link.room()
                await self._flight.fewer(AHEAD)
                await asyncio.sleep(max(0.0, begun + moved / RATE - time.monotonic()))
            if moved == before:
                await asyncio.sleep(AGAIN)

    def _next(self, left: Iterator[int]) -> list[int]:
        """Sessions for one message: who is asked for, then those of `left`; a chat's people are never apart. To be sent at once."""
        sessions, group = self._has.worker.engine.sessions, self._has.worker.engine.moves.group
        batch: dict[int, None] = {}
        while len(batch) < BATCH:
            id = self._wanted.popleft() if self._wanted else next(left, None)
            if id is None:
                break
            if id in sessions and id not in self._unmovable:
                batch.update(dict.fromkeys(group(id)))
        return list(batch)

    def _send(self, ids: Sequence[int]) -> int:
        """Send these; how many went. Who cannot go now stays for the next round, and the others of the batch go without them."""
        went = self._try(ids)
        if went:
            return went
        for group in dict.fromkeys(map(self._has.worker.engine.moves.group, ids)):
            sent = self._try(group)
            went += sent
            if not sent:
                self._stays(group)
        return went

    def _try(self, ids: Sequence[int]) -> int:
        """Send these whole, or nobody."""
        if not clients.ready(self._has.adapter, ids):
            return 0
        since = time.monotonic()
        released = self._has.moving.release(ids)
        return 0 if released is None else self._gone(released, since, len(ids))

    def _gone(self, released: Released, since: float, people: int) -> int:
        faults.at("release")
        parcel, descriptors = released
        clients.pack(self._has.adapter, parcel)
        sent = [descriptor for descriptor in descriptors if descriptor >= 0]
        places = iter(range(len(sent)))
        where = [next(places) if descriptor >= 0 else -1 for descriptor in descriptors]
        try:
            number = self._link.send(Kind.PEOPLE, parcel.record, where, since, pieces=parcel.blobs, descriptors=sent)
        except BaseException:
            self._back(released)
            raise
        self._flight.add(number, sent, partial(self._back, released), people)
        faults.at("sent")
        return people

    def _back(self, released: Released) -> None:
        """Nobody took them: they are here."""
        came = self._has.moving.take(*released)
        clients.unpack(self._has.adapter, released.parcel, came)

    def _stays(self, group: Sequence[int]) -> None:
        now = time.monotonic()
        for id in group:
            if now - self._since.setdefault(id, now) > PATIENCE:
                self._unmovable.update(group)

    def refused(self, number: int) -> int:
        """The other side cannot read a message: its people stay; how many."""
        before = set(self._has.worker.engine.sessions)
        people = self._flight.back(number)
        self._unmovable |= self._has.worker.engine.sessions.keys() - before
        return people

    def wanted(self, what: str, key: Any) -> None:
        """Somebody came back over there: whom they ask for goes next."""
        if what == "session":
            found = self._has.worker.engine.moves.find(key)
        else:
            found = self._session_of(key)
        if found in self._has.worker.engine.sessions and found not in self._unmovable:
            self._wanted.append(found)
        else:
            self._link.send(Kind.NONE, what, key)

    def _session_of(self, id: str) -> int | None:
        """Of a client of HTTP; whose session is over goes by itself, at once."""
        adapter = self._has.adapter
        client = adapter.clients.get(id) if adapter is not None else None
        if adapter is None or client is None:
            return None
        if client.session.id not in self._has.worker.engine.sessions and adapter.ready(client):
            blobs: list[bytes] = []
            record = adapter.pack(client, time.monotonic(), blobs)
            self._faces.send(OMEGLE, {"client": record}, blobs)
        return client.session.id

    # beside people

    def _newcomers(self) -> None:
        """Connections of which no request was read yet go on over there."""
        reactor = self._has.worker.reactor
        for descriptor, address, begun in reactor.newcomers_out():
            back = partial(self._stay_new, descriptor, address, begun)
            number = self._link.send(Kind.NEWCOMER, address, pieces=[begun], descriptors=[descriptor])
            self._flight.add(number, [descriptor], back)

    def _stay_new(self, descriptor: int, address: str, begun: bytes) -> None:
        with contextlib.suppress(OSError):  # no memory, or no descriptor is left; it is closed
            self._has.worker.reactor.adopt_socket(descriptor, address, begun, True)
