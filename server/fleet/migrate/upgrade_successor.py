"""Run the start of the new process in an upgrade: receive the listening sockets, build all parts, report readiness, and receive messages until the
old process ends.

**Invariant:** the new process serves no client before the old one sends BEGIN. If the old one dies before that, the new one begins at once,
because only it has the sockets.
"""

import asyncio
import contextlib
import os
import socket
from collections.abc import Callable
from typing import Any, Final

from server.fleet.ipc.ipc_link import HEAD, WIRE, Kind, Link, LinkDown, Message, body_of
from server.fleet.migrate.upgrade_contents import UpgradeParts
from server.fleet.migrate.upgrade_target import UpgradeTarget
from server.ops import log, version
from server.ops.process import fault_points
from server.ops.process.successor import NotStarted, inherited

SOCKETS_WITHIN: Final = 10.0  # seconds

SEVERAL: Final = (
    "workers: the running server has several processes and this is to be one, or the other way: this needs a restart"
)
logger = log.get()


def fault_of(fault: Exception) -> str:
    """Describe why a process could not start by a fault of its own, without the fault's text, which may quote a user."""
    about = log.described(fault)
    return f"a fault of the new process: {about['error']} at {about['where']}"


def tell_failure(said: str) -> None:
    """Tell the old process, if there is one, why this one ends before it has a loop. Call it instead of `UpgradeSuccessor`."""
    with contextlib.suppress(NotStarted, OSError):
        sock = inherited()
        if sock is None:
            return
        with sock:
            with contextlib.suppress(
                BlockingIOError
            ):  # unread messages would arrive before this one when the socket is closed
                while sock.recv(1):
                    pass
            size, body = body_of([said])
            sock.send(HEAD.pack(WIRE, Kind.FAILED, 1, 1, size) + body)


class Gone(Exception):
    """The old process died before it handed anything over; the text says so."""


def nothing() -> None:
    """Do nothing."""


class UpgradeSuccessor:
    """One hand-over: `sockets`, then `ready` or `failed`; what comes later is accepted as it comes, until the old process ends."""

    def __init__(self, sock: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        self._sockets: asyncio.Future[dict[str, socket.socket]] = loop.create_future()
        self._begun: asyncio.Future[dict[str, Any]] = loop.create_future()
        self._taking: UpgradeTarget | None = None
        self._accept: Callable[[], None] = nothing
        self.over = asyncio.Event()  # set when everything is here
        self._link = Link(sock, self._came, self._fell)

    async def sockets(self) -> dict[str, socket.socket]:
        """Return the listening sockets by name. Raises Gone."""
        try:
            async with asyncio.timeout(SOCKETS_WITHIN):
                return await asyncio.shield(self._sockets)
        except TimeoutError:
            raise Gone("the running server gave no sockets to its successor") from None

    async def failed(self, said: str) -> None:
        """Tell the old process why this one cannot serve."""
        try:
            self._link.send(Kind.FAILED, said)
            await self._link.room()
        except LinkDown:
            return  # the old process is gone
        self._link.close()

    async def ready(
        self, has: UpgradeParts, accept: Callable[[], None], on_taken: Callable[[], None] = nothing
    ) -> None:
        """Announce that all parts are built; returns when this process serves. `accept` begins to accept connections; `on_taken`: called when
        sessions arrived.
        """
        self._accept = accept
        self._taking = UpgradeTarget(has, self._link, on_taken)
        fault_points.at("ready")
        if self._link.is_up:
            self._link.send(Kind.READY, has.worker.engine.moves.versions, version.VERSION)
        if self._link.down is not None:
            self._fell(self._link.down)  # no other process serves any more
        await self._begun

    def is_elsewhere(self, key: int) -> bool:
        """Ask the old process for the session of a token's key; False: it cannot be on its way here (`WorkerPorts.is_elsewhere`)."""
        return self._taking is not None and self._taking.is_elsewhere(key)

    def _came(self, message: Message) -> None:
        if message.kind == Kind.SOCKETS and not self._sockets.done():
            names = message.records[0]
            found = {n: socket.socket(fileno=number) for n, number in zip(names, message.descriptors, strict=True)}
            for sock in found.values():
                sock.setblocking(False)  # it is, but Python does not know it, and would make it and all its copies wait
            self._sockets.set_result(found)
        elif message.kind == Kind.HOST and not self._sockets.done():
            self._sockets.set_exception(Gone(SEVERAL))
            for descriptor in message.descriptors:
                os.close(descriptor)
        elif self._taking is None:
            for descriptor in message.descriptors:
                os.close(descriptor)
        elif message.kind == Kind.BEGIN:
            self._begin(self._taking, message.records[0])
        else:
            self._taking.came(message)
            if message.kind == Kind.END:
                self.over.set()

    def _begin(self, taking: UpgradeTarget, pace: dict[str, Any] | None) -> None:
        if self._begun.done():
            return
        taking.begin(pace)
        self._begun.set_result({})
        self._accept()

    def _fell(self, why: str) -> None:
        """Handle the death of the old process: what it had sent is here."""
        if not self._sockets.done():
            self._sockets.set_exception(Gone("the running server ended before it had given its sockets"))
        if self._taking is not None:
            self._begin(self._taking, None)
            self._taking.finish(why)
        self.over.set()
