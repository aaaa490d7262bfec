"""Serve HTTP on an internal port, for the metrics or the moderators' console.

**Invariant:** the number of connections is bounded, so an internal port cannot use up the descriptors of the public one.
"""

from __future__ import annotations

import asyncio
from typing import Final, cast

from aiohttp import web

from server.ops.process.listening_sockets import Sockets, listen_at

CONNECTIONS_MAX: Final = (
    64  # and those that one turn of the loop accepts; Prometheus holds one, a proxy in front of the console a few
)
IDLE_SECONDS: Final = 10.0  # seconds until a connection is closed that has not sent the complete headers of a request


class SidePort:
    """One port. `name`: of its socket in the process's `Sockets`, which outlive this object."""

    def __init__(self, name: str, sockets: Sockets | None = None) -> None:
        self._name = name
        self._sockets = sockets or Sockets()
        self._server: web.Server | None = None
        self._runner: web.BaseRunner | None = None
        self._accepting: asyncio.Server | None = None
        self.number: int | None = None  # None until the socket is open
        self.crowded = 0  # connections that were closed or refused because there were too many

    def have(self, host: str, port: int) -> int:
        """Open the socket without accepting, and return the port's number. Raises OSError, and StartError for an inherited socket with another
        address.
        """
        with self._sockets.get(self._name, lambda: listen_at(host, port), at=(host, port)) as sock:
            number = int(sock.getsockname()[1])
        self.number = number
        return number

    async def serve(self, runner: web.BaseRunner) -> None:
        """Set the runner that answers once `listen` is called; its `keepalive_timeout` is IDLE_SECONDS."""
        await runner.setup()
        self._runner, self._server = runner, runner.server

    async def listen(self) -> bool:
        """Accept connections, at first or after `pause`; False if it does so already or cannot."""
        if self.number is None or self._server is None or self._accepting is not None:
            return False
        sock = self._sockets.again(self._name)
        self._accepting = await asyncio.get_running_loop().create_server(self._connection, sock=sock)
        return True

    async def pause(self) -> None:
        """Accept no more: new connections wait for `listen`, here or in the process that the socket is passed to."""
        if self._accepting is not None:
            self._accepting.close()
            self._accepting = None

    async def stop(self) -> None:
        """Drop the socket and close its connections."""
        await self.pause()
        if self._runner is not None:
            await self._runner.cleanup()
        self._sockets.drop(self._name)

    def _connection(self) -> asyncio.BaseProtocol:
        """Return the protocol of a new connection. If CONNECTIONS_MAX are open, the oldest one without a complete request is closed for it."""
        server = cast(web.Server, self._server)
        held = [one for one in server.connections if one.transport is not None]
        if len(held) >= CONNECTIONS_MAX:
            self.crowded += 1
            silent = next((one for one in held if _is_silent(one)), None)
            if silent is None:
                return _Refused()
            silent.force_close()
        return server()


def _is_silent(connection: web.RequestHandler) -> bool:
    """Whether a connection has no complete request that is being answered."""
    request = connection._current_request
    return request is None or not request.content.is_eof()


class _Refused(asyncio.Protocol):
    """A connection that is refused because there are too many."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        cast(asyncio.Transport, transport).abort()
