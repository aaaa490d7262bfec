"""The office hands all that it has to the office that follows it. Rule: it is the one hand-over there is (`server.fleet.migrate.upgrade_source`).

Its people are asked for by every worker of both generations, so that it is noted where they went (`forwarding`).
"""

from __future__ import annotations

import socket
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from server.fleet.ipc.ipc_link import Kind, Link, Message
from server.fleet.ipc.ipc_peers import NEXT, OFFICE
from server.fleet.migrate.forwarding_table import Forwarding
from server.fleet.migrate.in_flight import Back, Flight
from server.fleet.migrate.session_export import Straight
from server.fleet.migrate.upgrade_source import Failed, Leaving, Result
from server.fleet.processes.worker_links import Links
from server.main.parts.server_parts import Server
from server.ops.process.listening_sockets import Sockets
from server.ops.process.successor import Process

TO = NEXT + OFFICE


class Noted(Straight):
    """The way there. Numbers of its messages are below zero: those above are of the link between the two as peers."""

    def __init__(self, link: Link, flight: Flight, forwarding: Forwarding) -> None:
        super().__init__(link, flight)
        self._forwarding = forwarding

    def send(
        self,
        kind: Kind,
        *records: Any,
        pieces: Sequence[bytes],
        descriptors: Sequence[int],
        back: Back,
        people: int = 0,
    ) -> int:
        """See `Way`."""
        number = super().send(kind, *records, pieces=pieces, descriptors=descriptors, back=back, people=people)
        if people:
            self._forwarding.sent(TO, -number, records[0]["people"])
        return number


class Doors:
    """Where programs knock: people knock at the workers."""

    def __init__(self, server: Server) -> None:
        self._server = server

    async def pause(self) -> None:
        """See `server.fleet.migrate.upgrade_source.Doors`."""
        await self._server.pause()

    async def listen(self) -> None:
        """As `pause`."""
        await self._server.listen()
        self._server.worker.look_again()  # who was on the way, and is here again, was nobody's when a ban came


class Yielding(Leaving):
    """One hand-over of an office's, to the office of this pid. `last`: whether all that comes here has come.

    Raises ProcessLookupError: that one is dead.
    """

    def __init__(
        self, pid: int, sock: socket.socket, server: Server, sockets: Sockets, links: Links, last: Callable[[], bool]
    ) -> None:
        self._forwarding = forwarding = links.across.forwarding
        self._office = Process(pid)
        super().__init__(
            server.belongings, self._office, sock, sockets.all(), Doors(server), untold, last,
            lambda link, flight: Noted(link, flight, forwarding),
        )  # fmt: skip

    async def run(self) -> Result:
        """See `Leaving`."""
        try:
            return await super().run()
        except Failed:
            self._forwarding.dead(TO)
            raise
        finally:
            self._office.let_go()

    def _came(self, message: Message) -> None:
        super()._came(message)
        if message.kind == Kind.TOOK:
            self._forwarding.took(TO, -message.records[0])
        elif message.kind == Kind.NO:
            self._forwarding.back(TO, -message.records[0])


def untold(_: Mapping[str, Any]) -> None:
    """The supervisor says how many are left."""
