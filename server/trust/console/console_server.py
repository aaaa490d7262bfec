"""Run the console's HTTP server on its own port.

**Invariant:** the port is never the public one; if it cannot be bound, this is logged, and the service runs without a console.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
from collections.abc import Callable
from pathlib import Path

from aiohttp import web

from server.data.errors import StoreAway
from server.data.store.store_runner import Parts
from server.ops import log
from server.ops.config import settings
from server.ops.health.background_tasks import Tasks
from server.ops.metrics.exposition import errno_name
from server.ops.metrics.metric_type import Reading
from server.ops.process.listening_sockets import Sockets
from server.ops.process.side_port import IDLE_SECONDS, SidePort
from server.trust.console.console_app import SESSIONS, SIGNING, TOKENS, build
from server.trust.console.console_ports import Translator
from server.trust.console.detection_explanations import DetectionWords
from server.trust.console.sign_in_routes import SignInRoutes
from server.trust.moderators.api_tokens import ApiTokens
from server.trust.moderators.console_sessions import Sessions
from server.trust.moderators.live_operations import LiveOperations

SWEEP = 300.0  # seconds between deletions of expired sessions and tokens
TASK = "console-sessions"
NAME = "console"  # among the listening sockets
ORIGIN_FILE = Path("run/console")  # in the data folder: origin of the console that was started last

logger = log.get()


class Console:
    """Console of one process. `address`: returns a client's address, by this deployment's rules."""

    def __init__(
        self, parts: Parts, chosen: settings.Settings, address: Callable[[web.BaseRequest], str], tasks: Tasks,
        sockets: Sockets | None = None, translator: Translator | None = None, *,
        words: DetectionWords | None = None, live: LiveOperations | None = None,
    ) -> None:  # fmt: skip
        self._live = live
        self._translator = translator
        self._words = words
        self._parts = parts
        self._chosen = chosen
        self._address = address
        self._tasks = tasks
        self._port = SidePort(NAME, sockets)
        self._signing: SignInRoutes | None = None  # None: the port could not be bound

    async def start(self, *, listening: bool = True) -> None:
        """Bind the port, if possible, and serve. Not `listening`: clients wait for `listen`.

        Raises StartError for an inherited port that is not the settings'.
        """
        host, port = self._chosen.console.host, self._chosen.console.port
        try:
            number = self._port.have(host, port)
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                logger.warning("console.port_taken", host=host, port=port)
            else:
                logger.warning("console.port_failed", host=host, port=port, error=errno_name(error))
            return
        reached = origin(self._chosen.console, number)
        try:
            await asyncio.to_thread(write_origin, self._chosen.data, reached)
        except OSError as error:  # a full disk must not prevent a start
            logger.warning("console.origin_unkept", error=errno_name(error))
        app = build(
            self._parts,
            self._chosen,
            reached,
            self._address,
            translator=self._translator,
            words=self._words,
            live=self._live,
        )
        self._signing = app[SIGNING]
        await self._port.serve(
            web.AppRunner(app, access_log=None, shutdown_timeout=1.0, keepalive_timeout=IDLE_SECONDS)
        )
        self._tasks.start(TASK, lambda: sweep(app[SESSIONS], app[TOKENS]))
        if listening:
            await self.listen()

    async def listen(self) -> None:
        """Accept connections, also again after `pause`; without a port do nothing."""
        if await self._port.listen():
            logger.info("console.ready", host=self._chosen.console.host, port=self._port.number)

    async def pause(self) -> None:
        """Accept no more connections: clients wait for `listen`, here or in the process that inherits the socket."""
        await self._port.pause()

    async def stop(self) -> None:
        """Close the port."""
        await self._tasks.end(TASK)
        await self._port.stop()
        if self._translator is not None:
            await self._translator.stop()

    def reading(self) -> Reading:
        """Return the values of the metrics: sign-ins, and refused connections of this port."""
        if self._signing is None:
            return {}
        return {**self._signing.reading(), "serendip_http_spoilt": {("crowded",): self._port.crowded}}


def origin(chosen: settings.Console, port: int) -> str:
    """Return the console's origin for browsers: as set, else on localhost."""
    return chosen.origin or f"http://localhost:{port}"


def write_origin(data: Path, reached: str) -> None:
    """Write the console's origin, for commands whose shell has other settings than the server."""
    path = data / ORIGIN_FILE
    path.parent.mkdir(mode=0o700, exist_ok=True)
    new = path.with_name(f"{path.name}.new")
    new.write_text(reached)
    new.replace(path)


def known_origin(chosen: settings.Console, data: Path) -> str:
    """Return the console's origin: as set, else as the last started server wrote it, else by the set port."""
    said = ""
    with contextlib.suppress(OSError):
        said = (data / ORIGIN_FILE).read_text()
    return chosen.origin or said or origin(chosen, chosen.port)


async def sweep(sessions: Sessions, tokens: ApiTokens) -> None:
    """Delete expired sessions and API tokens until cancelled."""
    while True:
        with contextlib.suppress(StoreAway):  # expired ones are refused anyway
            await sessions.forget()
            await tokens.forget()
        await asyncio.sleep(SWEEP)
