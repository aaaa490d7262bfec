"""The console's port. Rule: it is never the public one; where it cannot be had the service goes on without a console, and says so."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import socket
from collections.abc import Callable

from aiohttp import web

from server import log
from server.config import settings
from server.console.app import SESSIONS, SIGNING, build
from server.console.sessions import Sessions
from server.health.tasks import Tasks
from server.metrics.exposition import Reading, errno_name
from server.store.errors import StoreAway
from server.store.service import Parts

SWEEP = 300.0  # seconds between looks for sessions that have ended
TASK = "console-sessions"

logger = log.get()


class Console:
    """One a process. `address`: of who asks, by the rules of this deployment."""

    def __init__(
        self, parts: Parts, chosen: settings.Console, address: Callable[[web.BaseRequest], str], tasks: Tasks
    ) -> None:
        self._parts = parts
        self._settings = chosen
        self._address = address
        self._tasks = tasks
        self._runner: web.AppRunner | None = None
        self._reading: Callable[[], Reading] = dict

    async def start(self) -> None:
        """Listen, where the port can be had."""
        host, port = self._settings.host, self._settings.port
        try:
            sock = socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET)
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                logger.warning("console.port_taken", host=host, port=port)
            else:
                logger.warning("console.port_failed", host=host, port=port, error=errno_name(error))
            return
        port = sock.getsockname()[1]
        app = build(self._parts, self._settings, origin(self._settings, port), self._address)
        self._reading = app[SIGNING].reading
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=1.0)
        await self._runner.setup()
        await web.SockSite(self._runner, sock).start()
        self._tasks.start(TASK, lambda: sweep(app[SESSIONS]))
        logger.info("console.ready", host=host, port=port)

    async def stop(self) -> None:
        """Close the port."""
        await self._tasks.end(TASK)
        if self._runner is not None:
            await self._runner.cleanup()

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
