"""The console's port. Rule: it is never the public one; where it cannot be had the service goes on without a console, and says so."""

from __future__ import annotations

import asyncio
import contextlib
import errno
from collections.abc import Callable
from pathlib import Path

from aiohttp import web

from server.data.errors import StoreAway
from server.data.store.service import Parts
from server.ops import log
from server.ops.config import settings
from server.ops.health.background_tasks import Tasks
from server.ops.metrics.exposition import Reading, errno_name
from server.ops.process.named_sockets import Sockets
from server.ops.process.side_port import IDLE_SECONDS, SidePort
from server.trust.console.console_app import SESSIONS, SIGNING, build
from server.trust.console.sign_in import Signing
from server.trust.operators.console_sessions import Sessions

SWEEP = 300.0  # seconds between looks for sessions that have ended
TASK = "console-sessions"
NAME = "console"  # among the listening sockets
ORIGIN_FILE = Path("run/console")  # in the folder of data: where the console is reached that was started last

logger = log.get()


class Console:
    """One a process. `data`: the folder of data; `address`: of who asks, by the rules of this deployment."""

    def __init__(
        self, parts: Parts, chosen: settings.Console, data: Path, address: Callable[[web.BaseRequest], str], tasks: Tasks,
        sockets: Sockets | None = None,
    ) -> None:  # fmt: skip
        self._parts = parts
        self._settings = chosen
        self._data = data
        self._address = address
        self._tasks = tasks
        self._port = SidePort(NAME, sockets)
        self._signing: Signing | None = None  # None where the port could not be had

    async def start(self, *, listening: bool = True) -> None:
        """Have the port, where it can be had, and answer. Not `listening`: who comes waits for `listen`.

        Raises StartError for an inherited port that is not the settings'.
        """
        host, port = self._settings.host, self._settings.port
        try:
            number = self._port.have(host, port)
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                logger.warning("console.port_taken", host=host, port=port)
            else:
                logger.warning("console.port_failed", host=host, port=port, error=errno_name(error))
            return
        reached = origin(self._settings, number)
        await asyncio.to_thread(write_origin, self._data, reached)
        app = build(self._parts, self._settings, reached, self._address)
        self._signing = app[SIGNING]
        await self._port.serve(
            web.AppRunner(app, access_log=None, shutdown_timeout=1.0, keepalive_timeout=IDLE_SECONDS)
        )
        self._tasks.start(TASK, lambda: sweep(app[SESSIONS]))
        if listening:
            await self.listen()

    async def listen(self) -> None:
        """Answer from here on, also anew after `pause`; nothing where the port could not be had."""
        if await self._port.listen():
            logger.info("console.ready", host=self._settings.host, port=self._port.number)

    async def pause(self) -> None:
        """Take no more connections: who comes waits for `listen`, here or in the process to which the socket is given on."""
        await self._port.pause()

    async def stop(self) -> None:
        """Close the port."""
        await self._tasks.end(TASK)
        await self._port.stop()

    def reading(self) -> Reading:
        """Numbers for the metrics: passkeys shown, and connections that were too many at this port."""
        if self._signing is None:
            return {}
        return {**self._signing.reading(), "serendip_http_spoilt": {("crowded",): self._port.crowded}}


def origin(chosen: settings.Console, port: int) -> str:
    """Where browsers reach it: as set, else on the machine itself."""
    return chosen.origin or f"http://localhost:{port}"


def write_origin(data: Path, reached: str) -> None:
    """Keep where the console is reached, for commands whose shell has other settings than the server."""
    path = data / ORIGIN_FILE
    path.parent.mkdir(mode=0o700, exist_ok=True)
    new = path.with_name(f"{path.name}.new")
    new.write_text(reached)
    new.replace(path)


def known_origin(chosen: settings.Console, data: Path) -> str:
    """Where browsers reach the console: as set, else as the server said that started last, else by the port that is set."""
    said = ""
    with contextlib.suppress(OSError):
        said = (data / ORIGIN_FILE).read_text()
    return chosen.origin or said or origin(chosen, chosen.port)


async def sweep(sessions: Sessions) -> None:
    """Until it is cancelled: rows of sessions that have ended go."""
    while True:
        with contextlib.suppress(StoreAway):  # they open nothing; the next look takes them
            await sessions.forget()
        await asyncio.sleep(SWEEP)
