"""Hosts of one cell in one loop: workers and a frontend of each, its real port, and between them TCP that a test may cut.

Rule: all parts are the service's, but for the supervisors (`tests.server.fleet.processes.rig`), the processes' `main`s, and NATS: the one room is a
real hub
that hears all workers directly. A host reaches another one by `Relay`, a TCP proxy that does what the test says.
"""

from __future__ import annotations

import asyncio
import socket
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import partial
from typing import Any

from engine.engine import Thresholds
from engine.rooms.hub import Hub
from server.fleet.cluster.known_nodes import Hosts
from server.fleet.ipc.ipc_link import Kind
from server.fleet.ipc.ipc_peers import FRONTEND, HUB
from server.fleet.ipc.process_names import Names
from server.fleet.processes.forwarded_request_delivery import RequestForwarding
from server.fleet.roaming.host_migration_parts import HostMigration, OtherHosts
from server.fleet.roaming.migration_target import GO
from server.fleet.rpc.rpc_envelope import HEAD
from server.fleet.rpc.rpc_seal import SEALED, Seal
from server.fleet.rpc.rpc_server import Request, RpcServer, exactly
from server.ops.process.listening_sockets import listen_at
from server.ops.security.secret_keys import Keys
from tests.server.fleet.migrate.rig import until
from tests.server.fleet.processes.rig import Host, Told, Visitor, Working
from tests.support.descriptors import more_than

Bounds = tuple[int | None, int | None]
CUT, HALF, GONE = "cut", "half of it is closed", "gone"  # how one way of a connection ended


class Relay:
    """A TCP proxy before a host's port."""

    def __init__(self, to: int) -> None:
        self._to = to
        self._sock = listen_at("127.0.0.1", 0)
        self.port: int = self._sock.getsockname()[1]
        self.counted: list[list[int]] = []  # bytes of each connection: there, and back
        self._bounds: Bounds = (None, None)
        self._closes = True
        self.cuts: Callable[[], Bounds] | None = None  # where the next connection is cut, there and back
        self.flows = asyncio.Event()  # cleared: all bytes wait
        self.flows.set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._start(self._accept())

    def stop(self, there: int | None = None, back: int | None = None, closes: bool = True) -> None:
        """Of the next connection only so many bytes go on, in one direction; below zero: all of a request and GO but for so many. `closes`: both
        ends see an end there; else all of it is held from there on, both ways, for ever."""
        self._bounds, self._closes = (there, back), closes

    def _start(self, work: Any) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _accept(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            sock, _ = await loop.sock_accept(self._sock)
            sock.setblocking(False)
            self._start(self._carry(sock, self.cuts() if self.cuts else self._bounds, self._closes))
            self._bounds = None, None

    async def _carry(self, client: socket.socket, bounds: Bounds, closes: bool) -> None:
        counted = [0, 0]
        self.counted.append(counted)
        loop = asyncio.get_running_loop()
        with client, socket.socket() as home:
            home.setblocking(False)
            await loop.sock_connect(home, ("127.0.0.1", self._to))
            ways = [
                asyncio.create_task(self._way(client, home, counted, 0, bounds[0])),
                asyncio.create_task(self._way(home, client, counted, 1, bounds[1])),
            ]
            try:
                done, left = await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
                ends = [task.result() for task in done]
                if CUT in ends and not closes:
                    await asyncio.Event().wait()  # held
                if ends == [HALF]:
                    await asyncio.wait(left)
            finally:
                for task in ways:
                    task.cancel()
                await asyncio.gather(*ways, return_exceptions=True)

    async def _way(
        self, one: socket.socket, other: socket.socket, counted: list[int], side: int, most: int | None
    ) -> str:
        """How it ended."""
        loop = asyncio.get_running_loop()
        try:
            if most is not None and most < 0:
                begun = await exactly(one, HEAD.size)
                await loop.sock_sendall(other, begun)
                counted[side] += HEAD.size
                most += HEAD.size + SEALED + HEAD.unpack(begun)[-1] + len(GO)
            while most is None or counted[side] < most:
                data = await loop.sock_recv(one, 65_536 if most is None else most - counted[side])
                if not data:
                    other.shutdown(socket.SHUT_WR)
                    return HALF
                await self.flows.wait()
                await loop.sock_sendall(other, data)
                counted[side] += len(data)
        except (OSError, EOFError):
            return GONE
        return CUT

    async def close(self) -> None:
        """Nothing stays."""
        while self._tasks:
            for task in self._tasks:
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)
        self._sock.close()


class There:
    """One host of a cell, which knows of the others what `know` said. `direct`: it is reached without its relay."""

    def __init__(self, secret: Keys, node: str, direct: bool = False) -> None:
        self.node, self.secret = node, secret
        self.names = Names(node)
        self.host = Host(secret, node)
        self.hosts = Hosts()
        self.host_migrations: dict[Working, HostMigration] = {}
        self.takes = True
        sock = listen_at("127.0.0.1", 0)
        self.relay = Relay(sock.getsockname()[1])
        self.address = f"127.0.0.1:{sock.getsockname()[1] if direct else self.relay.port}"
        self.frontend = self.worker(0)
        self.passing = RequestForwarding(node, lambda: self.frontend.peers, self.frontend.links.across, self._own)
        behind = [3600.0]  # it began an hour ago: what is asked has one answer
        self.port = RpcServer(sock, Seal(secret), self.address, self.passing.handlers, lambda: time.time() - behind[0])
        self.port.start()
        behind[0] = 0.0

    def _own(self, request: Request, sock: socket.socket) -> None:
        self.host_migrations[self.frontend].came(request, sock)

    def worker(self, number: int, secret: Keys | None = None) -> Working:
        """A worker, 0: the frontend."""
        others = OtherHosts(self.node, number, self.address, secret or self.secret, self.hosts, lambda: self.takes)
        made = self.host.frontend(others) if number == 0 else self.host.worker(number, others)
        assert made.links.host_migration is not None
        self.host_migrations[made] = made.links.host_migration
        return made

    def know(self, *others: There) -> None:
        """As the hub says it."""
        self.hosts.take(None, [[one.node, one.address, "1", "serving", 0, 0.0] for one in others])

    def name(self, number: int) -> str:
        """Of a worker, as other hosts call it."""
        return f"@{self.node} {number}"

    async def settled(self) -> None:
        """Nobody is on the way from here or to here."""
        for migration in self.host_migrations.values():
            await migration.landed()
            await until(
                lambda migration=migration: not len(migration._crossing.forgetting) and not migration._landing._held
            )  # type: ignore[misc]

    async def close(self) -> None:
        """Nothing stays."""
        self.host.end()
        await self.port.close()
        await self.relay.close()
        self.host_migrations.clear()  # whoever still knows this one knows no reactor by it
        del self.port, self.passing, self.frontend


class OneRoom:
    """A real hub that hears the workers of all hosts."""

    def __init__(self, *hosts: There) -> None:
        draw = iter(range(1 << 20, 1 << 40, 1 << 10))
        self.hub = Hub.build(Thresholds(), lambda: next(draw))
        self._ends: dict[int, tuple[Told, str]] = {}
        self._timer: asyncio.TimerHandle | None = None
        for there in hosts:
            told = there.host.play(HUB)
            for name in there.host.processes:
                if name != HUB:
                    number = there.names.number(name)
                    self._ends[number] = told, name
                    self.hub.joined(number, fixed=name == FRONTEND)
            told.peers._handlers = {
                Kind.ROWS: partial(self._rows, there.names),
                Kind.LOAD: partial(self._load, there.names),
            }

    def _load(self, names: Names, name: str, message: Any) -> None:
        self.hub.load(names.number(name), message.records[0])

    def _rows(self, names: Names, name: str, message: Any) -> None:
        self.hub.told(names.number(name), message.records, time.monotonic())
        self._say()

    def _say(self) -> None:
        now = time.monotonic()
        for number, out in self.hub.out.items():
            if rows := out.take_rows():
                told, name = self._ends[number]
                told.peers.send(name, Kind.ROWS, *rows)
        if self._timer is not None:
            self._timer.cancel()
        due = self.hub.due()
        self._timer = (
            None if due is None else asyncio.get_running_loop().call_later(max(0.001, due - now), self._advance)
        )

    def _advance(self) -> None:
        self._timer = None
        self.hub.advance(time.monotonic())
        self._say()

    def end(self) -> None:
        """It says nothing more."""
        if self._timer is not None:
            self._timer.cancel()


class Cell:
    """Hosts with `workers` each."""

    def __init__(self, secret: Keys, hosts: int, workers: int = 1, direct: bool = False) -> None:
        self.hosts = [There(secret, f"{number + 1:010x}", direct) for number in range(hosts)]
        self.workers = [[there.worker(number + 1) for number in range(workers)] for there in self.hosts]
        for there in self.hosts:
            there.know(*[one for one in self.hosts if one is not there])
        self.room: OneRoom | None = None

    async def joined(self, room: bool = True) -> None:
        """All have links, and one room with `room`."""
        if room:
            self.room = OneRoom(*self.hosts)
        for there in self.hosts:
            await there.host.joined()

    def owners(self, id: int) -> list[Working]:
        """The processes that have a session."""
        return [one for there in self.hosts for one in there.host_migrations if id in one.sessions]

    async def settled(self) -> None:
        """Nobody is on the way."""
        for there in self.hosts:
            await there.settled()

    async def owned(self, id: int) -> Working:
        """Wait until a session is in exactly one process; which."""
        await self.settled()
        await until(lambda: len(self.owners(id)) == 1)
        return self.owners(id)[0]

    async def close(self) -> None:
        """Nothing stays."""
        if self.room is not None:
            self.room.end()
        for there in self.hosts:
            await there.close()


@asynccontextmanager
async def cell(
    secret: Keys, hosts: int = 2, workers: int = 1, room: bool = True, direct: bool = False
) -> AsyncIterator[Cell]:
    """A cell whose hosts have joined, and its end."""
    made = Cell(secret, hosts, workers, direct)
    try:
        await made.joined(room)
        yield made
    finally:
        await made.close()


async def all_closed(before: Counter[str]) -> None:
    """Wait until nothing is open that was not; a moment longer it is known where people went, with all that knows it."""
    left = Counter[str]()
    try:
        async with asyncio.timeout(40):
            while left := more_than(before):  # noqa: ASYNC110 - what closes it is no event
                await asyncio.sleep(0.5)  # each look goes through all that the tests have in memory
    except TimeoutError:
        raise AssertionError(f"still open: {left}") from None


async def lines(speaker: Visitor, hearer: Visitor, first: int, last: int) -> None:
    """Numbered lines, each told once and in their order."""
    for number in range(first, last):
        speaker.ask("message", text=f"line {number}")
    for number in range(first, last):
        assert (await hearer.hears("message"))["text"] == f"line {number}"
