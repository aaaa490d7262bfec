"""Two workers of one process, with the link of two processes between them. Rule: all parts are the service's.

The successor's process is a program that sleeps: it lives until it is killed.
"""

import asyncio
import os
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

from aiohttp import web

from ext.accept.address_limits import Addresses
from ext.accept.handshake import Judge
from server.fleet.migrate.migration_counts import MigrationCounts
from server.fleet.migrate.upgrade_contents import UpgradeParts
from server.fleet.migrate.upgrade_source import START_WITHIN, UpgradeSource
from server.fleet.migrate.upgrade_successor import UpgradeSuccessor
from server.http.request.reactor_handoff import Door
from server.ops.process.successor import Process
from server.ops.security.secret_keys import Keys
from server.ops.security.token_buckets import BucketRegistry
from server.realtime.worker.recorder import Recorder
from server.realtime.worker.session_moves import SessionMoves
from tests.server.realtime.worker.late_ports import LatePorts
from tests.server.realtime.worker.test_worker_loop import Client, connected, quiet, turning

TURNS = 100  # of a loop, in which what needs no timer has come


async def answer(_: web.BaseRequest) -> web.Response:
    """Whatever is asked for."""
    return web.Response(text="here\n")


class Side:
    """What one process would have."""

    def __init__(self, secret: Keys) -> None:
        self.ports = LatePorts()
        self.worker = turning(secret, self.ports.given())
        judge = Judge(hosts=("localhost",), origins=(), proxies=())
        addresses = Addresses(open_max=1000, burst=1000, rate=1000, limits=False)
        self.door = Door(web.Server(answer), judge, addresses)
        self.ports.on_http = self.door.take
        self.recorder: Recorder | None = None
        self.tally = MigrationCounts()
        self.spent = BucketRegistry()
        self.accepts = True

    @property
    def has(self) -> UpgradeParts:
        return UpgradeParts(
            self.worker, SessionMoves(self.worker), self.door, self.tally, self.recorder, spent=self.spent
        )

    # the doors

    async def pause(self) -> None:
        self.accepts = False

    async def listen(self) -> None:
        self.accepts = True

    def take(self) -> None:
        """As `listen`, of the new side."""
        self.accepts = True


class Pair:
    """An old and a new one."""

    def __init__(self, secret: Keys, start_within: float = START_WITHIN) -> None:
        self.old, self.new = Side(secret), Side(secret)
        self.new.accepts = False
        ours, self.theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.child = Process(os.posix_spawn("/bin/sleep", ["sleep", "60"], {}))
        self.steps: list[dict[str, Any]] = []
        self.leaving = UpgradeSource(
            self.old.has, self.child, ours, {}, self.old, lambda step: self.steps.append(dict(step)),
            start_within=start_within,
        )  # fmt: skip
        self.arriving: UpgradeSuccessor | None = None
        self._clients: list[Client] = []

    async def connect(self, count: int, side: Side | None = None) -> list[Client]:
        """So many who were greeted, at the old side where none is named."""
        clients = await connected((side or self.old).worker, count)
        self._clients += clients
        return clients

    async def arrive(self) -> UpgradeSuccessor:
        """The new side, ready."""
        self.arriving = UpgradeSuccessor(self.theirs)
        self.new.ports.is_elsewhere = self.arriving.is_elsewhere
        await self.arriving.sockets()
        await self.arriving.ready(self.new.has, self.new.take)
        return self.arriving

    async def hand_over(self) -> Any:
        """All of it; the old side's result."""
        arrived = asyncio.create_task(self.arrive())
        result = await self.leaving.run()
        await arrived
        await self.settled()
        return result

    async def settled(self) -> None:
        """Both have nothing to do."""
        for side in (self.old, self.new):
            await quiet(side.worker)

    async def end(self) -> None:
        """Nothing stays."""
        self.leaving.close()
        if self.arriving is not None:
            self.arriving._link.close()
        self.theirs.close()
        if self.child.running:
            self.child.kill()
            await self.child.ended()
        self.child.bury()
        for side in (self.old, self.new):
            side.worker.stop()
        for client in self._clients:
            client.sock.close()


@asynccontextmanager
async def pair(secret: Keys, start_within: float = START_WITHIN) -> AsyncIterator[Pair]:
    """Two sides, and their end. `start_within`: seconds that the successor has."""
    made = Pair(secret, start_within)
    try:
        yield made
    finally:
        await made.end()


async def until(condition: Callable[[], object]) -> None:
    """Wait for something of this loop: each of its next turns is looked at, and then one each millisecond, for what has to wait for a timer."""
    turns = 0
    async with asyncio.timeout(40):
        while not condition():  # noqa: ASYNC110 - of parts that have no event for it
            await asyncio.sleep(0 if (turns := turns + 1) < TURNS else 0.001)
