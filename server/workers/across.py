"""People who go to another worker of this host, to meet somebody there or to resume there, and who come here for that.

Rule: who goes is this worker's until the other one took them; only the supervisor says that a process is dead (`Peers`).
"""

from __future__ import annotations

import asyncio
import os
import time
from collections import deque
from collections.abc import Callable
from functools import partial
from typing import Final, NamedTuple

from engine.engine import BadRecord, Parcel
from engine.remote_room import RemoteRoom, Row
from server import log
from server.handover.flight import Flight
from server.handover.link import Kind, Message
from server.handover.tally import Tally
from server.process import faults
from server.worker.moving import Moving, Released
from server.worker.worker import Worker
from server.workers.peers import Peers, name_of

AGAIN: Final = 0.002  # seconds until who could not go is asked again
PATIENCE: Final = 0.1  # seconds after which who cannot go stays
logger = log.get()


class Going(NamedTuple):
    """Somebody who is to go. `meeting`: None for who resumes; `stay`: what to do where they cannot go, or nobody took them."""

    since: float
    client: int
    to: str
    meeting: Row | None
    stay: Callable[[], None]


class Across:
    """Of one worker. `go` is `RemoteRoom.go`."""

    def __init__(
        self, worker: Worker, room: RemoteRoom, moving: Moving, peers: Callable[[], Peers], tally: Tally
    ) -> None:
        self._worker = worker
        self._room = room
        self._moving = moving
        self._peers = peers
        self._tally = tally
        self._flights: dict[str, Flight] = {}
        self._going: deque[Going] = deque()
        self._again: asyncio.TimerHandle | None = None

    def go(self, client: int, to: int, meeting: Row) -> None:
        """Somebody goes to meet somebody, as soon as this turn is over."""
        self._going.append(
            Going(
                time.monotonic(),
                client,
                name_of(to),
                meeting,
                lambda: self._room.came_back(meeting, time.monotonic()),
            )
        )

    def knock(self, client: int, to: str, stay: Callable[[], None]) -> None:
        """Somebody goes to where the session is that they resume."""
        self._going.append(Going(time.monotonic(), client, to, None, stay))
        self._later()

    def depart(self) -> None:
        """Who is to go goes; between two turns."""
        going, self._going = self._going, deque()
        for one in going:
            if not self._depart(one):
                self._going.append(one)
        if self._going and self._again is None:
            self._again = asyncio.get_running_loop().call_later(AGAIN, self._later)

    def _later(self) -> None:
        self._again = None
        self._worker.act(lambda _: None)

    def _is_ready(self, one: Going) -> bool:
        if one.meeting is None:
            session = self._worker.engine.sessions.get(one.client)
            return session is not None and session.conn != 0
        return self._room.goes(one.client, one.meeting)

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
        released = self._moving.release((one.client,))
        if released is None:
            return False
        faults.at("release")
        parcel, descriptors = released
        sent = [descriptor for descriptor in descriptors if descriptor >= 0]
        number = peers.send(
            one.to, Kind.COME, parcel.record, one.client, one.meeting, one.since, pieces=parcel.blobs, descriptors=sent
        )
        if number is None:
            self._back(released, one)
            return True
        self._flights.setdefault(one.to, Flight()).add(number, sent, partial(self._back, released, one), 1)
        faults.at("sent")
        return True

    def _back(self, released: Released, one: Going) -> None:
        self._moving.take(*released)
        self._tally.people["back"] += 1
        one.stay()

    def took(self, name: str, message: Message) -> None:
        """The other one has them."""
        flight = self._flights.get(name)
        if flight is not None:
            self._tally.people["given"] += flight.took(message.records[0])

    def refused(self, name: str, message: Message) -> None:
        """The other one cannot read them."""
        flight = self._flights.get(name)
        if flight is not None:
            self._tally.people["refused"] += flight.back(message.records[0])
            self._worker.act(lambda _: None)  # the hub is told so now, not by the next turn

    def dead(self, name: str) -> None:
        """It is dead: what it did not take is here again."""
        flight = self._flights.pop(name, None)
        if flight is not None:
            flight.all_back()
            self._worker.act(lambda _: None)

    def came(self, name: str, message: Message) -> None:
        """Somebody comes."""
        record, client, meeting, since = message.records
        if meeting is not None:
            self._room.expect((client,))
        try:
            self._moving.take(
                Parcel(record, message.pieces), message.descriptors, partial(self._mine, name, message.number)
            )
        except BadRecord as bad:
            logger.error("handover.refused", people=1, **log.described(bad))
            for descriptor in message.descriptors:
                os.close(descriptor)
            self._room.expect(())
            self._peers().send(name, Kind.NO, message.number)
            return
        self._tally.people["taken"] += 1
        self._tally.seconds.add(max(0.0, time.monotonic() - since))
        if meeting is not None:
            self._worker.act(lambda now: self._room.arrived(meeting, now))
        faults.at("taken")

    def _mine(self, name: str, number: int) -> None:
        self._peers().send(name, Kind.TOOK, number)
        faults.at("took")
