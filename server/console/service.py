"""The console's port. Rule: it is never the public one; where it cannot be had the service goes on without a console, and says so."""

from __future__ import annotations

import asyncio
import contextlib
import errno
from collections.abc import Callable

from aiohttp import web

from server import log
from server.config import settings
from server.console.app import SESSIONS, SIGNING, build
from server.console.sessions import Sessions
from server.health.tasks import Tasks
from server.metrics.exposition import Reading, errno_name
from server.process.sockets import Sockets
from server.process.sockets import listening as made
from server.store.errors import StoreAway
from server.store.service import Parts

SWEEP = 300.0  # seconds between looks for sessions that have ended
TASK = "console-sessions"
NAME = "console"  # among the listening sockets

logger = log.get()


class Console:
    """One a process. `address`: of who asks, by the rules of this deployment."""

    def __init__(
        self, parts: Parts, chosen: settings.Console, address: Callable[[web.BaseRequest], str], tasks: Tasks,
        sockets: Sockets | None = None,
    ) -> None:  # fmt: skip
        self._parts = parts
        self._settings = chosen
        self._address = address
        self._tasks = tasks
        self._sockets = sockets or Sockets()
        self._port = 0
        self._runner: web.AppRunner | None = None
        self._site: web.SockSite | None = None
        self._reading: Callable[[], Reading] = dict

    async def start(self, *, listening: bool = True) -> None:
        """Have the port, where it can be had, and answer. Not `listening`: who comes waits for `listen`.

        Raises StartError for an inherited port that is not the settings'.
        """
        host, port = self._settings.host, self._settings.port
        try:
            with self._sockets.get(NAME, lambda: made(host, port), at=(host, port)) as sock:
                self._port = sock.getsockname()[1]
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                logger.warning("console.port_taken", host=host, port=port)
            else:
                logger.warning("console.port_failed", host=host, port=port, error=errno_name(error))
            return
        app = build(self._parts, self._settings, origin(self._settings, self._port), self._address)
        self._reading = app[SIGNING].reading
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=1.0)
        await self._runner.setup()
        self._tasks.start(TASK, lambda: sweep(app[SESSIONS]))
        if listening:
            await self.listen()

    async def listen(self) -> None:
        """Answer from here on, also anew after `pause`; nothing where the port could not be had."""
        if self._runner is None or self._site is not None:
            return
        self._site = web.SockSite(self._runner, self._sockets.again(NAME))
        await self._site.start()
        logger.info("console.ready", host=self._settings.host, port=self._port)

    async def pause(self) -> None:
        """Take no more connections: who comes waits for `listen`, here or in the process to which the socket is given on."""
        if self._site is not None:
            await self._site.stop()
            self._site = None

    async def stop(self) -> None:
        """Close the port."""
        await self._tasks.end(TASK)
        if self._runner is not None:
            await self._runner.cleanup()
        self._sockets.drop(NAME)

    def reading(self) -> Reading:
        """Numbers for the metrics."""
        return self._reading()


def origin(chosen: settings.Console, port: int) -> str:
    """Where browsers reach it: as set, else on the machine itself."""
    return chosen.origin or f"http://localhost:{port}"


async def sweep(sessions: Sessions) -> None:
    """Until it is cancelled: rows of sessions that have ended go."""
    while True:
        with contextlib.suppress(StoreAway):  # they open nothing; the next look takes them
            await sessions.forget()
        await asyncio.sleep(SWEEP)
