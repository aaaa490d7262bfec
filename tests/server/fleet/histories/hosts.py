"""Hosts of one cluster in one loop, of which any process may die at any point.

Rule: all parts are the service's: hub, shared room, session search, workers, reactors, rpc, sockets. Played are the supervisor (as in
`tests.server.fleet.processes.rig`), the network between hosts (`network`), and time (`clock`).
"""

from __future__ import annotations

import asyncio
import contextvars
import os
import re
import socket
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any, Final

from engine.engine import BadRecord, Session, SessionRecord, Thresholds
from server.fleet.cluster.cluster_heartbeat import ClusterNode
from server.fleet.cluster.known_nodes import Hosts, Place
from server.fleet.ipc.ipc_link import LinkDown
from server.fleet.ipc.ipc_peers import FRONTEND, HUB, name_of
from server.fleet.ipc.process_names import Names
from server.fleet.migrate.transfer import GroupTransfer
from server.fleet.processes.forwarded_request_delivery import RequestForwarding
from server.fleet.roaming.evacuation import Evacuation
from server.fleet.roaming.host_migration_parts import OtherHosts
from server.fleet.rpc.rpc_seal import Seal
from server.fleet.rpc.rpc_server import Request, RpcServer
from server.main.processes.hub_process import HubProcess
from server.ops.config.cluster_settings import Cluster
from server.ops.metrics.migration_metrics import DRAIN
from server.ops.process import fault_points
from server.ops.process.listening_sockets import listen_at
from server.ops.security.secret_keys import Keys
from server.realtime.worker.session_moves import Released, SessionMoves
from server.realtime.worker.worker_loop import Worker
from tests.server.fleet.histories.network import Bus, Network, Road
from tests.server.fleet.processes.rig import Host, Working

WORKERS: Final = 2  # of a host
GRACE: Final = 9.0  # seconds for a dropped client to come back: longer than a copy may live that a cut left
OLD: Final = 3600.0  # seconds for which an old host has accepted requests: it knows of each whether it came before
# the points at which a process of a running service may be told to die
POINTS: Final = tuple(
    p for p in fault_points.POINTS if p not in ("sockets", "ready", "begin", "begun", "spread", "end")
)

Where = tuple[int, str]  # a process: place of its host, name there
_here: contextvars.ContextVar[Where | None] = contextvars.ContextVar("here", default=None)  # the process that runs


class Crash(BaseException):
    """The running process died."""


class Moves(SessionMoves):
    """Those of one process, which knows what it had in its hands: descriptors, by number with their files. `came`: called with sessions that come."""

    def __init__(self, worker: Worker, held: dict[int, int], came: Callable[[Sequence[int]], None]) -> None:
        super().__init__(worker)
        self._held = held
        self._came = came

    def release(self, ids: Sequence[int], near: bool = False) -> Released | None:
        found = super().release(ids, near)
        self._note(() if found is None else found.descriptors)
        return found

    def take(
        self, session_record: SessionRecord, descriptors: Sequence[int], *more: Any, **named: Any
    ) -> list[Session]:
        self._note(descriptors)
        self._came([person["id"] for person in session_record.record["people"]])
        return super().take(session_record, descriptors, *more, **named)

    def _note(self, descriptors: Sequence[int]) -> None:
        for descriptor in descriptors:
            if descriptor >= 0:
                self._held[descriptor] = os.fstat(descriptor).st_ino


class ImportedMoves(Moves):
    """Those that other workers of the host send. `refuses`: called with the number of sessions in a message; whether it is refused."""

    def __init__(
        self,
        worker: Worker,
        held: dict[int, int],
        came: Callable[[Sequence[int]], None],
        refuses: Callable[[int], bool],
    ) -> None:
        super().__init__(worker, held, came)
        self._refuses = refuses

    def take(
        self, session_record: SessionRecord, descriptors: Sequence[int], *more: Any, **named: Any
    ) -> list[Session]:
        if self._refuses(len(session_record.record["people"])):
            raise BadRecord("a record that this history refuses")
        return super().take(session_record, descriptors, *more, **named)


class HubOfHost:
    """The hub, as a process."""

    def __init__(self, up: socket.socket, site: Site) -> None:
        self.process = HubProcess(up, Thresholds(), site.node)
        self.peers = self.process.peers
        node = ClusterNode(
            site.node, Cluster(address=site.address), Seal(site.secret), lambda: self.process.people,
            self.process.tell_hosts, self.process.federation, self.process.flush, self.process.seeking.handlers,
        )  # fmt: skip
        node.bus = self.bus = Bus(site.network, node.bus._handlers, node._begun)  # type: ignore[assignment]
        self.process.cluster = node
        self._beats = asyncio.get_running_loop().create_task(node.run())

    def end(self) -> None:
        """It is dead."""
        self.bus.leave()
        self._beats.cancel()
        process = self.process
        process._telling.cancel()
        if process._timer is not None:
            process._timer.cancel()
        asyncio.get_running_loop().remove_reader(process.channels.bell)
        for channel in process.channels.by_name.values():
            channel.close()
        self.peers.close()
        os.close(process.channels.bell)


class Site:
    """One host, from its start to its death. `life`: no other one has that number; `is_old`: it has accepted requests for long; `came`: called
    with the ids of sessions that came to a process; `refuses`: see `ImportedMoves`.
    """

    def __init__(
        self, secret: Keys, place: int, life: int, network: Network, is_old: bool, came: Callable[[Working, Sequence[int]], None],
        refuses: Callable[[int], bool],
    ) -> None:  # fmt: skip
        self.secret, self.place, self.network = secret, place, network
        self._came = came
        self._refuses = refuses
        self._contexts: dict[str, contextvars.Context] = {}
        self.node = f"{life:010x}"
        self.host = Host(secret, self.node, lambda: None)  # what a dead process had open is ended below
        sock = listen_at("127.0.0.1", 0)
        self.road = Road(sock.getsockname()[1], network)
        self.address = f"127.0.0.1:{self.road.port}"
        self.workers: dict[str, Working] = {}
        self._hosts: dict[str, Hosts] = {}  # what each process knows
        self._held: dict[str, dict[int, int]] = {}
        self._evacuations: dict[asyncio.Task[None], str] = {}  # names of the workers that they empty
        self.evacuated: set[str] = set()  # workers that accept no sessions any more, and end soon
        self.start(FRONTEND)
        front = self.workers[FRONTEND]
        passing = RequestForwarding(self.node, lambda: front.peers, front.links.across, self._own)
        behind = OLD if is_old else 0.0
        self.port = RpcServer(sock, Seal(secret), self.address, passing.handlers, lambda: time.time() - behind)
        self.port.start()
        behind = 0.0
        self._closing: asyncio.Task[None] | None = None
        for name in (HUB, *map(name_of, range(1, WORKERS + 1))):
            self.start(name)

    def _own(self, request: Request, sock: socket.socket) -> None:
        migration = self.workers[FRONTEND].links.host_migration
        assert migration is not None
        migration.came(request, sock)

    def start(self, name: str) -> None:
        """Start a process."""
        context = self._contexts[name] = contextvars.copy_context()
        context.run(_here.set, (self.place, name))
        context.run(self._start, name)

    def _start(self, name: str) -> None:
        if name == HUB:
            self.host.start(HUB, lambda up: HubOfHost(up, self))
            return
        number = Names(self.node).number(name) & 0xFF
        hosts = self._hosts[name] = Hosts()
        others = OtherHosts(self.node, number, self.address, self.secret, hosts, lambda: name not in self.evacuated)
        made = self.host.start(name, lambda up: Working(up, number, self.secret, self.node, others, GRACE))
        migration = made.links.host_migration
        assert migration is not None
        migration._crossing._asker._wall = time.time
        held = self._held[name] = {}
        came = partial(self._came, made)
        moves = Moves(made.worker, held, came)
        made.links.across.exports.moving = moves
        made.links.across._imports._moving = ImportedMoves(made.worker, held, came, self._refuses)
        made.links.visitor_return._moving = made.links.tunnels._moving = migration._landing._moving = moves
        self.workers[name] = made

    def serves(self, name: str) -> bool:
        """Whether a worker accepts connections: it does once it has its links."""
        worker = self.workers.get(name)
        return worker is not None and all(other in worker.peers for other in self.living if other != name)

    def knows(self, others: Iterable[Site]) -> bool:
        """Whether all of its workers know these hosts."""
        return all(self._hosts[name].at(other.node) is not None for name in self.workers for other in others)

    @property
    def evacuating(self) -> bool:
        """Whether a worker is being emptied."""
        return bool(self._evacuations)

    @property
    def living(self) -> list[str]:
        """Its processes."""
        return list(self.host.processes)

    def kill(self, name: str) -> None:
        """A process is dead, and the others learn of it."""
        for task, emptied in self._evacuations.items():
            if emptied == name:
                task.cancel()
        self._end_connections(name)
        self.workers.pop(name, None)
        self.host.kill(name)

    def _end_connections(self, name: str) -> None:
        """End what a process has open, as the kernel does: Python would close it only once no frame knows of it."""
        if name not in self.workers:
            return
        for target in self.workers[name].links.across._targets.values():
            for transfer in target.flight._under_way.values():
                for descriptor in transfer.descriptors:
                    os.close(descriptor)
            target.flight._under_way.clear()
        watched = Path(f"/proc/self/fdinfo/{self.workers[name].worker.reactor.fd}").read_text()
        for number in re.findall(r"^tfd: +(\d+)", watched, re.MULTILINE):
            _shut_down(int(number))
        for descriptor, file in self._held[name].items():
            with suppress(OSError):
                if os.fstat(descriptor).st_ino == file:
                    _shut_down(descriptor)

    def move(self, name: str, id: int, to: str) -> None:
        """Drain a session and its group from one worker to another."""
        links = self.workers[name].links
        if to in links.peers and id in self.workers[name].sessions:
            ids = links.across.exports.worker.engine.moves.group(id)
            with suppress(LinkDown, Crash):  # the other one died just now, or this one does
                self._contexts[name].run(links.across.exports.transfer, ids, links.across.to(to), DRAIN)

    def evacuate(self, name: str, places: list[Place]) -> None:
        """Move all sessions of a worker to other hosts; then it is to end."""
        self.evacuated.add(name)
        made = self.workers[name]
        across, cross, lookup = made.links.across, made.links.cross, made.links.session_lookup
        assert cross is not None

        async def send(to: str, transfer: GroupTransfer) -> bool:
            return self.workers.get(name) is made and await cross(to, transfer)  # the dead send nothing

        out = Evacuation(name, across.exports, lambda: None, lambda: places, send)
        until = asyncio.get_running_loop().time() + 4.0
        task = asyncio.get_running_loop().create_task(out.run(lambda: until), context=self._contexts[name])
        self._evacuations[task] = name
        lookup.begin_evacuation(out.want)
        task.add_done_callback(lambda _: lookup.end_evacuation())
        task.add_done_callback(self._evacuations.pop)

    def die(self) -> None:
        """All of it is dead."""
        for task in self._evacuations:
            task.cancel()
        for name in list(self.workers):
            self._end_connections(name)
        self.host.end()
        self.workers.clear()
        self.port.pause()
        self._closing = asyncio.get_running_loop().create_task(self._close())

    async def _close(self) -> None:
        await self.port.close()
        await self.road.close()

    @property
    def is_closed(self) -> bool:
        """Whether nothing of a dead host is left."""
        return self._closing is not None and self._closing.done()

    async def closed(self) -> None:
        """Wait until nothing of a dead host is left."""
        if self._closing is not None:
            await self._closing


def is_connected(worker: Working, id: int) -> bool:
    """Whether a process has a session with its client's own connection."""
    session = worker.worker.engine.sessions[id]
    return bool(session.conn) and session.conn not in worker.worker.output.visitors


def _shut_down(descriptor: int) -> None:
    with suppress(OSError), socket.socket(fileno=os.dup(descriptor)) as sock:
        sock.shutdown(socket.SHUT_RDWR)


class Crashes:
    """Which process dies at which point of the code."""

    def __init__(self, die: Callable[[Where], None]) -> None:
        self._die = die
        self.armed: dict[str, int] = {}  # by point: so many more times it is passed
        self.count = 0

    def at(self, point: str) -> None:
        """In place of `fault_points.at`."""
        here = _here.get()
        if point not in self.armed or here is None:
            return
        self.armed[point] -= 1
        if self.armed[point] < 0:
            del self.armed[point]
            self.count += 1
            self._die(here)
            raise Crash
