"""People who go to another worker of this host, to meet somebody there or to resume there, and who come here for that.

Rule: who goes is this worker's until the other one took them; only the supervisor says that a process is dead (`Peers`). Who goes to
another host goes by `abroad`.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import time
from collections import deque
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, Final, NamedTuple

from engine.engine import BadRecord, SessionRecord
from engine.rooms.remote_room import RemoteRoom, Row
from server.fleet.ipc.ipc_link import Kind, Message
from server.fleet.ipc.ipc_peers import LAST, Peers
from server.fleet.ipc.process_names import Names, elsewhere
from server.fleet.migrate.forwarding_table import Forwarding
from server.fleet.migrate.in_flight import Back, Flight
from server.fleet.migrate.migration_counts import Tally
from server.fleet.migrate.migration_order import People
from server.fleet.migrate.upgrade_target import take_tunnels
from server.fleet.roaming.host_outbound import Abroad
from server.fleet.roaming.migration_source import Traveller
from server.ops import log
from server.ops.metrics.migration_metrics import DRAIN, MEET, RESUME, UPGRADE
from server.ops.process import fault_points
from server.realtime.worker.connection_moves import Moving, Released, ask_again
from server.realtime.worker.worker_loop import Worker

AGAIN: Final = 0.002  # seconds until who could not go is asked again
PATIENCE: Final = 0.1  # seconds after which who cannot go stays
logger = log.get()


class Going(NamedTuple):
    """Somebody who is to go. `meeting`: None for who resumes; `stay`: what to do where they cannot go, or nobody took them."""

    since: float
    client: int
    to: str
    meeting: Row | None
    number: int  # of the ticket with which they meet somebody
    stay: Callable[[], None]

    @property
    def why(self) -> str:
        """As it is counted."""
        return RESUME if self.meeting is None else MEET


class Across:
    """Of one worker. `go` is `RemoteRoom.go`."""

    def __init__(
        self,
        worker: Worker,
        room: RemoteRoom,
        moving: Moving,
        peers: Callable[[], Peers],
        tally: Tally,
        answer: Callable[[str, int], None],
        names: Names,
    ) -> None:
        """`answer`: told (who asks, key) when it is known again where the session of a key is."""
        self._worker = worker
        self._room = room
        self._moving = moving
        self._peers = peers
        self._names = names
        self._tally = tally
        self._flights: dict[tuple[str, str], Flight] = {}  # by where to, and why
        self._landed = asyncio.Event()  # something did, or came back
        self.forwarding = Forwarding(answer)
        self.leaving: People | None = None  # where all are to go
        self.abroad: Abroad | None = None  # the way to other hosts; None: there are none
        self._going: deque[Going] = deque()
        self._again: asyncio.TimerHandle | None = None

    def go(self, client: int, to: int, meeting: Row, number: int) -> None:
        """Somebody goes to meet somebody, as soon as this turn is over."""
        self._going.append(
            Going(
                time.monotonic(),
                client,
                self._names.name(to),
                meeting,
                number,
                lambda: self._room.came_back(meeting, time.monotonic()),
            )
        )

    def knock(self, client: int, to: str, stay: Callable[[], None]) -> None:
        """Somebody goes to where the session is that they resume."""
        self._going.append(Going(time.monotonic(), client, to, None, 0, stay))
        self._later()

    def depart(self) -> None:
        """Who is to go goes; between two turns."""
        going, self._going = self._going, deque()
        for one in going:
            if elsewhere(one.to):
                self._go_abroad(one)
            elif not self._depart(one):
                self._going.append(one)
        if self._going and self._again is None:
            self._again = asyncio.get_running_loop().call_later(AGAIN, self._later)

    def _go_abroad(self, one: Going) -> None:
        if self.abroad is None:
            one.stay()
        else:
            self.abroad.go(one.to, Traveller(one.client, one.meeting, one.why, partial(self._is_ready, one), one.stay))

    def _later(self) -> None:
        self._again = None
        self._worker.act(lambda _: None)

    def _is_ready(self, one: Going) -> bool:
        if one.meeting is None:
            session = self._worker.engine.sessions.get(one.client)
            return session is not None and session.conn != 0
        return self._room.goes(one.client, one.number)

    def _depart(self, one: Going) -> bool:
        """False: they cannot go now."""
        peers = self._peers()
        if (
            one.to not in peers
            or peers.full(one.to)
            or not self._is_ready(one)
            or time.monotonic() - one.since > PATIENCE
        ):
            one.stay()
            return True
        since = time.monotonic()
        released = self._moving.release((one.client,))
        if released is None:
            return False
        fault_points.at("release")
        parcel, descriptors = released
        sent = [descriptor for descriptor in descriptors if descriptor >= 0]
        back = partial(self._back, released, one)
        what = parcel.record, one.client, one.meeting, since
        if self.send(one.to, one.why, Kind.COME, *what, pieces=parcel.blobs, descriptors=sent, back=back, people=1):
            fault_points.at("sent")
        else:
            self._tally.people[one.why, "back"] += 1
            back()
        return True

    def send(
        self,
        to: str,
        why: str,
        kind: Kind,
        *records: Any,
        pieces: Sequence[bytes],
        descriptors: Sequence[int],
        back: Back,
        people: int,
    ) -> bool:
        """Send somebody, or a newcomer, who is this worker's until the other one took them. False: there is no such worker."""
        number = self._peers().send(to, kind, *records, pieces=pieces, descriptors=descriptors)
        if number is None:
            return False
        self._flights.setdefault((to, why), Flight()).add(number, descriptors, back, people)
        if people:
            self.forwarding.sent(to, number, records[0]["people"])
        return True

    def given(self, why: str) -> int:
        """How many people others took, by why they went."""
        return self._tally.people[why, "given"]

    async def fewer(self, than: int) -> None:
        """Wait until less than so many messages are under way."""
        while sum(map(len, self._flights.values())) >= than:
            self._landed.clear()
            await self._landed.wait()

    def _back(self, released: Released, one: Going) -> None:
        ask_again(self._worker, self._moving.take(*released))
        one.stay()

    def took(self, name: str, message: Message) -> None:
        """The other one has them."""
        number = message.records[0]
        for why, flight in self._to(name):
            self._tally.people[why, "given"] += flight.took(number)
        self.forwarding.took(name, number)
        self._landed.set()

    def refused(self, name: str, message: Message) -> None:
        """The other one cannot read them."""
        number = message.records[0]
        for why, flight in self._to(name):
            back = partial(flight.back, number)
            self._tally.people[why, "refused"] += back() if self.leaving is None else self.leaving.refused(back)
        self.forwarding.back(name, number)
        self._landed.set()
        self._worker.act(lambda _: None)  # the hub is told so now, not by the next turn

    def dead(self, name: str) -> None:
        """It is dead: what it did not take is here again."""
        flights = self._to(name)
        for why, flight in flights:
            del self._flights[name, why]
            self._tally.people[why, "back"] += flight.all_back()
        if flights:
            self.forwarding.dead(name)
            self._landed.set()
            self._worker.look_again()  # whoever came from there was looked at by none of the two when a ban came between
            self._worker.act(lambda _: None)

    def _to(self, name: str) -> list[tuple[str, Flight]]:
        """What is under way to a process, by why."""
        return [(why, flight) for (to, why), flight in self._flights.items() if to == name]

    def came(self, name: str, message: Message) -> None:
        """Somebody comes, to meet somebody or to resume."""
        record, client, meeting, since = message.records
        if meeting is not None:
            self._room.expect((client,))
        why = RESUME if meeting is None else MEET
        if not self._take(name, why, message, record, message.descriptors, since):
            self._room.expect(())
        elif meeting is not None:
            self._worker.act(lambda now: self._room.arrived(meeting, now))
        fault_points.at("taken")

    def came_to_stay(self, name: str, message: Message) -> None:
        """People come whose worker ends."""
        record, where, since, left = message.records
        descriptors = [message.descriptors[place] if place >= 0 else -1 for place in where]
        follows = name.startswith(LAST)
        self._take(name, UPGRADE if follows else DRAIN, message, record, descriptors, since)
        if follows:
            self._tally.left = left
        fault_points.at("taken")

    def newcomer(self, name: str, message: Message) -> None:
        """Somebody who has just knocked there."""
        self._mine(name, message.number)
        with contextlib.suppress(OSError):  # no memory, or no descriptor is left: it is closed
            self._worker.reactor.adopt_socket(message.descriptors[0], message.records[0], message.pieces[0], True)
        self._worker.act(lambda _: None)

    def tunnels(self, name: str, message: Message) -> None:
        """Clients come whose sessions are at other hosts."""
        self._mine(name, message.number)
        take_tunnels(self._worker, message)

    def _take(
        self, name: str, why: str, message: Message, record: dict[str, Any], descriptors: Sequence[int], since: float
    ) -> bool:
        """Put them in; False: they cannot be read, and the other side is told."""
        try:
            came = self._moving.take(
                SessionRecord(record, message.pieces), descriptors, partial(self._mine, name, message.number)
            )
        except BadRecord as bad:
            logger.error("handover.refused", people=len(descriptors), **log.described(bad))
            for descriptor in message.descriptors:
                os.close(descriptor)
            self._peers().send(name, Kind.NO, message.number)
            return False
        self._tally.came(why, len(came), time.monotonic() - since)
        return True

    def _mine(self, name: str, number: int) -> None:
        self._peers().send(name, Kind.TOOK, number)
        fault_points.at("took")
