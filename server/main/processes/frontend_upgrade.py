"""The office hands all that it has to the office that follows it. Rule: it is the one hand-over there is (`server.fleet.migrate.upgrade_source`).

Its people are asked for by every worker of both generations, so that it is noted where they went (`forwarding`).
"""

from __future__ import annotations

import socket
from collections.abc import Callable, Mapping
from typing import Any

from server.fleet.ipc.ipc_peers import NEXT, OFFICE
from server.fleet.migrate.upgrade_source import Result, UpgradeSource
from server.fleet.processes.worker_links import Links
from server.main.parts.server_parts import Server
from server.ops.process.listening_sockets import Sockets
from server.ops.process.successor import Process

TO = NEXT + OFFICE


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


class Yielding(UpgradeSource):
    """One hand-over of an office's, to the office of this pid. `last`: whether all that comes here has come.

    Raises ProcessLookupError: that one is dead.
    """

    def __init__(
        self, pid: int, sock: socket.socket, server: Server, sockets: Sockets, links: Links, last: Callable[[], bool]
    ) -> None:
        self._office = Process(pid)
        super().__init__(
            server.belongings, self._office, sock, sockets.all(), Doors(server), untold, last,
            forwarding=(links.across.forwarding, TO),
        )  # fmt: skip

    async def run(self) -> Result:
        """See `UpgradeSource`."""
        try:
            return await super().run()
        finally:
            self._office.let_go()


def untold(_: Mapping[str, Any]) -> None:
    """The supervisor says how many are left."""
