"""Who goes next. Rule: who waits or is away first, then chats; a chat's people go together; nobody is out of service behind a queue.

Few messages are under way at a time, each is made and sent between two turns of the loop, and none while the worker has a turn put off:
people who talk wait for nobody's move. What a message costs beside its people is more than what ten of them cost, so that it has some.
"""

import asyncio
import contextlib
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Final

from server.fleet.ipc.ipc_link import Kind, LinkDown
from server.fleet.migrate import omegle_records
from server.fleet.migrate.session_export import Way
from server.ops.process import fault_points
from server.realtime.worker.connection_moves import Moving, Released
from server.realtime.worker.tunnel_records import Leaving
from server.realtime.worker.worker_loop import Worker
from server.site.omegle.omegle_adapter import Adapter

RATE: Final = 3_500.0  # people a second: the 99.9th percentile of a line is then what it is without a hand-over
BATCH: Final = 16  # people in one message, and as many more as their last chat has; more cost less each, and are out of service for longer
AGAIN: Final = 0.005  # seconds until who could not go is asked again
TUNNELS_WITHIN: Final = 8.0  # seconds for those who are on their way back by a tunnel, and others who cannot go by then come back by themselves
PATIENCE: Final = 3.0  # seconds after which who cannot go stays, and is told to come back


class People:
    """The people of this process, as they go."""

    def __init__(self, worker: Worker, moving: Moving, adapter: Adapter | None, way: Way) -> None:
        self._worker = worker
        self._moving = moving
        self._adapter = adapter
        self._way = way
        self._wanted: deque[int] = deque()  # sessions that are asked for over there
        self._unmovable: set[int] = set()
        self._since: dict[int, float] = {}  # who could not go, and since when
        self._stuck: float | None = None  # since when no tunnel could

    @property
    def stayed(self) -> int:
        """How many could not go."""
        return len(self._unmovable & self._worker.engine.sessions.keys())

    async def move(self) -> None:
        """Until nobody is here but those who cannot go. Raises LinkDown."""
        begun, moved, worker = time.monotonic(), 0, self._worker
        while True:
            self._newcomers()
            order = list(filter(self._may, worker.engine.moves.order()))
            if self._is_over(order):
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
                await self._way.room()
                await asyncio.sleep(max(0.0, begun + moved / RATE - time.monotonic()))
            while gone := self._tunnels():
                moved += gone
                await asyncio.sleep(max(0.0, begun + moved / RATE - time.monotonic()))
            if moved == before:
                await asyncio.sleep(AGAIN)

    def _may(self, id: int) -> bool:
        """Whether a session that is here is to go."""
        return id not in self._unmovable

    def _is_over(self, order: Sequence[int]) -> bool:
        """Whether nobody is left who is to go; `order`: of sessions."""
        return not order and not self._worker.reactor.newcomers and not self.tunnels

    def _next(self, left: Iterator[int]) -> list[int]:
        """Sessions for one message: who is asked for, then those of `left`; a chat's people are never apart. To be sent at once."""
        sessions, group = self._worker.engine.sessions, self._worker.engine.moves.group
        batch: dict[int, None] = {}
        while len(batch) < BATCH:
            id = self._wanted.popleft() if self._wanted else next(left, None)
            if id is None:
                break
            if id in sessions and self._may(id):
                batch.update(dict.fromkeys(group(id)))
        return list(batch)

    def _send(self, ids: Sequence[int]) -> int:
        """Send these; how many went. Who cannot go now stays for the next round, and the others of the batch go without them."""
        went = self._try(ids)
        if went:
            return went
        for group in dict.fromkeys(map(self._worker.engine.moves.group, ids)):
            sent = self._try(group)
            went += sent
            if not sent:
                self._stays(group)
        return went

    def _try(self, ids: Sequence[int]) -> int:
        """Send these whole, or nobody."""
        if not omegle_records.ready(self._adapter, ids):
            return 0
        since = time.monotonic()
        released = self._moving.release(ids)
        return 0 if released is None else self._gone(released, since, len(ids))

    def _gone(self, released: Released, since: float, people: int) -> int:
        fault_points.at("release")
        parcel, descriptors = released
        omegle_records.pack(self._adapter, parcel)
        sent = [descriptor for descriptor in descriptors if descriptor >= 0]
        places = iter(range(len(sent)))
        where = [next(places) if descriptor >= 0 else -1 for descriptor in descriptors]
        try:
            self._way.send(
                Kind.PEOPLE, parcel.record, where, since, len(self._worker.engine.sessions), pieces=parcel.blobs,
                descriptors=sent, back=partial(self._back, released), people=people,
            )  # fmt: skip
        except BaseException:
            self._back(released)
            raise
        fault_points.at("sent")
        return people

    def _back(self, released: Released) -> None:
        """Nobody took them: they are here."""
        came = self._moving.take(*released)
        omegle_records.unpack(self._adapter, released.parcel, came)

    def _stays(self, group: Sequence[int]) -> None:
        now = time.monotonic()
        for id in group:
            if now - self._since.setdefault(id, now) > PATIENCE:
                self._unmovable.update(group)

    def refused(self, back: Callable[[], int]) -> int:
        """The other side cannot read a message, which `back` puts back: its people stay; how many."""
        before = set(self._worker.engine.sessions)
        people = back()
        self._unmovable |= self._worker.engine.sessions.keys() - before
        return people

    def want(self, id: int | None) -> bool:
        """Somebody asks for this session over there: it goes next, if it is here and can."""
        if id is None or id not in self._worker.engine.sessions or id in self._unmovable:
            return False
        self._wanted.append(id)
        return True

    # beside people

    @property
    def tunnels(self) -> bool:
        """Whether somebody is here whose session is at another host. Who cannot go for long is told to come back, at the end."""
        if not len(self._worker.tunnels):
            self._stuck = None
            return False
        self._stuck = self._stuck or time.monotonic()
        return time.monotonic() - self._stuck <= TUNNELS_WITHIN

    def _tunnels(self) -> int:
        """Those go on over there; how many went."""
        went = self._worker.tunnels.release(BATCH)
        if not went:
            return 0
        self._stuck = None
        descriptors = [descriptor for one in went for descriptor in (one.client, one.home)]
        records, pieces = [one.record for one in went], [one.data for one in went]
        back = partial(self._tunnels_back, went)
        try:
            self._way.send(Kind.TUNNEL, *records, pieces=pieces, descriptors=descriptors, back=back)
        except BaseException:
            back()
            raise
        return len(went)

    def _tunnels_back(self, tunnels: Sequence[Leaving]) -> None:
        """Nobody took them: they go on here."""
        for one in tunnels:
            self._worker.tunnels.take(one)
        self._worker.act(lambda _: None)

    def _newcomers(self) -> None:
        """Connections of which no request was read yet go on over there."""
        reactor = self._worker.reactor
        if not reactor.newcomers:  # to find none it would look at every connection, for each message
            return
        cut: LinkDown | None = None
        for descriptor, address, begun in reactor.newcomers_out():
            back = partial(self._stay_new, descriptor, address, begun)
            try:
                self._way.send(Kind.NEWCOMER, address, pieces=[begun], descriptors=[descriptor], back=back)
            except LinkDown as error:
                back()
                cut = error
        if cut is not None:
            raise cut

    def _stay_new(self, descriptor: int, address: str, begun: bytes) -> None:
        with contextlib.suppress(OSError):  # no memory, or no descriptor is left; it is closed
            self._worker.reactor.adopt_socket(descriptor, address, begun, True)
