"""Transfer the listeners, the sessions and the state of the frontend to its successor in an upgrade.

**Invariant:** workers of both generations may ask for a session during the upgrade, so each migrated session is entered into the forwarding table.
"""

from __future__ import annotations

import socket
from collections.abc import Callable, Mapping
from typing import Any

from server.fleet.ipc.ipc_peers import FRONTEND, NEXT
from server.fleet.migrate.upgrade_source import Result, UpgradeSource
from server.fleet.processes.process_links import WorkerLinks
from server.main.parts.server_parts import Server
from server.ops.process.listening_sockets import Sockets
from server.ops.process.successor import Process

TO = NEXT + FRONTEND


class Doors:
    """The ports at which programs arrive; users connect to the workers."""

    def __init__(self, server: Server) -> None:
        self._server = server

    async def pause(self) -> None:
        """See `server.fleet.migrate.upgrade_source.Doors`."""
        await self._server.pause()

    async def listen(self) -> None:
        """See `pause`."""
        await self._server.listen()
        self._server.worker.look_again()  # restored sessions were in no process when a ban came


class FrontendUpgrade(UpgradeSource):
    """Hand-over from a frontend to the new one of this pid. `last`: whether nothing arrives here any more.

    Raises ProcessLookupError: that process is dead.
    """

    def __init__(
        self,
        pid: int,
        sock: socket.socket,
        server: Server,
        sockets: Sockets,
        links: WorkerLinks,
        last: Callable[[], bool],
    ) -> None:
        self._frontend = Process(pid)
        super().__init__(
            server.belongings, self._frontend, sock, sockets.all(), Doors(server), untold, last,
            forwarding=(links.across.forwarding, TO),
        )  # fmt: skip

    async def run(self) -> Result:
        """See `UpgradeSource`."""
        try:
            return await super().run()
        finally:
            self._frontend.let_go()


def untold(_: Mapping[str, Any]) -> None:
    """Ignore a progress report: the supervisor tells the operator."""
