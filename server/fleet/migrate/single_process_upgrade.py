"""Run the upgrade of a server of one process when an operator orders it at the control socket: start the new process and hand everything over.

**Invariant:** a failed upgrade changes nothing.
"""

import asyncio
from collections.abc import Callable, Mapping
from typing import Any

from server.fleet.migrate.upgrade_contents import UpgradeParts
from server.fleet.migrate.upgrade_source import START_WITHIN, Doors, Failed, UpgradeSource
from server.ops.process import successor
from server.ops.process.listening_sockets import Sockets


class UpgradeCommand:
    """Upgrade of one process. `allowed`: returns why no upgrade may start now, "" if one may; `start_within`: seconds the successor may take to
    start.
    """

    def __init__(
        self,
        has: Callable[[], UpgradeParts],
        sockets: Sockets,
        doors: Doors,
        allowed: Callable[[], str],
        start_within: float = START_WITHIN,
    ) -> None:
        self._has = has
        self._sockets = sockets
        self._doors = doors
        self._allowed = allowed
        self._start_within = start_within
        self._leaving: UpgradeSource | None = None
        self._over = asyncio.Event()
        self._over.set()
        self.child: successor.Process | None = (
            None  # the successor that has everything, or must end when this process does
        )
        self.done = asyncio.Event()  # set when the successor has everything

    async def upgrade(self, program: str | None, say: Callable[[Mapping[str, Any]], None]) -> Mapping[str, Any]:
        """Hand over to `program`, None: the program that runs here; returns the last line of the answer (`server.ops.process.control_socket`)."""
        refused = self._allowed()
        if refused:
            return {"done": False, "said": refused}
        self._over.clear()
        try:
            return await self._upgrade(program, say)
        finally:
            self._over.set()

    async def _upgrade(self, program: str | None, say: Callable[[Mapping[str, Any]], None]) -> Mapping[str, Any]:
        try:
            child, sock = await successor.start(program)
        except successor.NotStarted as error:
            return {"done": False, "said": str(error)}
        self._leaving = leaving = UpgradeSource(
            self._has(), child, sock, self._sockets.all(), self._doors, say, start_within=self._start_within
        )
        try:
            result = await leaving.run()
        except Failed as failed:
            if child.running:
                self.child = child
            else:
                child.bury()
            printed = [] if child.running else successor.last_printed()
            return {"done": False, "said": str(failed)} | ({"printed": printed} if printed else {})
        self.child = child
        self.done.set()
        said = f"{result.stayed} people could not go and were told to come back" if result.stayed else ""
        return {
            "done": True, "people": result.people, "chats": result.chats, "seconds": result.seconds, "said": said,
        }  # fmt: skip

    async def stop(self) -> None:
        """End: this process stops, and so does a successor that does not have everything."""
        if self._leaving is not None and not self.done.is_set():
            self._leaving.stop()
        await self._over.wait()

    async def linger(self, seconds: float) -> None:
        """Wait for requests under way after the upgrade, `seconds` at most."""
        if self._leaving is not None:
            await self._leaving.linger(seconds)

    def close(self) -> None:
        """Close the link: the successor needs nothing more of this process."""
        if self._leaving is not None:
            self._leaving.close()
