"""Ping a silent connection, and cut it if nothing answers: a path can fail without a sign, and a partner waits for the grace period alone.

**Invariant:** in a chat a dead connection is noticed so early that one attempt to connect fits into the rest of the grace period.
"""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from typing import Final

import aiohttp

from serendip_client.polling import PollSocket

QUIET: Final = 1 / 3  # shares of the grace period: silence before a ping
ANSWER: Final = 1 / 5  # a ping without an answer
ATTEMPT: Final = 1 / 3  # an attempt to connect
TURN_S: Final = 0.05
Socket = aiohttp.ClientWebSocketResponse | PollSocket


def abort(socket: Socket) -> None:
    """End a connection at once, without a close frame: the server reads it as a drop, never as leaving."""
    if isinstance(socket, PollSocket):
        socket.abort()
        return
    connection = socket._response.connection  # aiohttp has no public way that does not wait for an answer
    if connection is not None and connection.transport is not None:
        connection.transport.abort()


class Heartbeat:
    """Heartbeat of one connection. `heard` is called with each frame of any kind; `stop` ends it.

    `usual`: seconds of silence before a ping outside of a chat, None: no pings at all. `waits`: seconds for which a partner waits, 0: none does.
    `blocked`: whether the client does not read, because its caller does not; silence means nothing then.
    """

    def __init__(
        self, socket: Socket, usual: float | None, waits: Callable[[], float], blocked: Callable[[], bool]
    ) -> None:
        self.silent = False  # whether the connection was cut
        self._pinged = self._expired = False  # since the last frame
        self._socket = socket
        self._usual = usual
        self._waits = waits
        self._blocked = blocked
        self._loop = asyncio.get_running_loop()
        self._at = self._loop.time()
        self._quiet = self._answer = 0.0
        self._timer: asyncio.TimerHandle | None = None
        self._ping: asyncio.Task[None] | None = None
        if usual is not None:
            self._set_times()
            self._arm(self._quiet)

    def heard(self) -> None:
        """Note that something arrived."""
        self._at = self._loop.time()
        self._pinged = self._expired = False
        if self._timer is not None and self._waits() and self._quiet == self._usual:  # a chat began
            self._set_times()
            self._arm(self._quiet)

    def stop(self) -> None:
        """Ping no more."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._ping is not None:
            self._ping.cancel()

    def _set_times(self) -> None:
        usual, waits = self._usual or 0.0, self._waits()
        self._quiet = min(usual, waits * QUIET) if waits else usual
        self._answer = waits * ANSWER if waits else usual / 2

    def _arm(self, after: float) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = self._loop.call_later(after, self._due)

    def _due(self) -> None:
        """Ping after a silence; cut the connection after a ping without an answer."""
        silence = self._loop.time() - self._at
        self._set_times()
        if self._blocked() or silence < self._quiet:
            self._pinged = self._expired = False
            self._arm(self._quiet if self._blocked() else self._quiet - silence)
        elif not self._pinged:  # however late: a loop that stood still has heard nothing
            self._pinged = True
            self._ping = self._loop.create_task(self._send())
            self._arm(self._answer)
        elif not self._expired:  # what arrived while the loop stood still is read first
            self._expired = True
            self._arm(TURN_S)
        else:
            self._timer = None
            self.silent = True
            abort(self._socket)

    async def _send(self) -> None:
        with suppress(ConnectionError, aiohttp.ClientError):
            await self._socket.ping()
