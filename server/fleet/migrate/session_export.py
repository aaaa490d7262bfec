"""How people leave a process. Rule: what was sent is in flight until the other side has it, with what puts it back (`flight`)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, Protocol

from server.fleet.ipc.ipc_link import Kind, Link
from server.fleet.migrate.in_flight import Back, Flight

AHEAD: Final = 2  # messages under way, so that the other side need not wait: who is in one of them is out of service


class Way(Protocol):
    """To one process, or to several."""

    def send(
        self,
        kind: Kind,
        *records: Any,
        pieces: Sequence[bytes],
        descriptors: Sequence[int],
        back: Back,
        people: int = 0,
    ) -> object:
        """Send a message; `people`: how many are in it. Raises LinkDown: nothing is in flight."""

    async def room(self) -> None:
        """Wait until another message with people may go. Raises LinkDown."""


class Straight:
    """To one process, by one link."""

    def __init__(self, link: Link, flight: Flight) -> None:
        self._link = link
        self._flight = flight

    def send(
        self,
        kind: Kind,
        *records: Any,
        pieces: Sequence[bytes],
        descriptors: Sequence[int],
        back: Back,
        people: int = 0,
    ) -> int:
        """See `Way`; the message's number."""
        number = self._link.send(kind, *records, pieces=pieces, descriptors=descriptors)
        self._flight.add(number, descriptors, back, people)
        return number

    async def room(self) -> None:
        """See `Way`."""
        await self._link.room()
        await self._flight.fewer(AHEAD)
