"""Connect a worker, or the frontend, to the hub (which has the waiting room) and to the other processes of its host, and build the parts that
migrate its sessions. All messages of one event-loop turn to the hub are sent together.
"""

from __future__ import annotations

import asyncio
import os
import socket
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Final, cast

from engine.core.ports import Seats
from engine.rooms.hub_records import unpack
from engine.rooms.remote_waiting_room import RemoteRoom
from server.fleet.ipc.ipc_link import Kind, Message
from server.fleet.ipc.ipc_peers import HUB, Handler, Peers, ignore_process, is_other_generation
from server.fleet.ipc.process_names import Names
from server.fleet.ipc.row_channel import RowChannel, silence
from server.fleet.migrate.forwarding_table import ForwardingTable
from server.fleet.migrate.migration_counts import MigrationCounts
from server.fleet.migrate.transfer import Exports
from server.fleet.processes.session_lookup import SessionLookup
from server.fleet.processes.worker_to_worker_transfer import WorkerTransfer
from server.fleet.roaming.evacuation import Send
from server.fleet.roaming.host_migration_parts import HostMigration, OtherHosts
from server.fleet.roaming.session_return import VisitorReturn
from server.fleet.roaming.tunnel_table import TunnelTable
from server.ops import log
from server.ops.metrics.cluster_metrics import DOUBTS
from server.ops.metrics.histogram import Buckets
from server.ops.metrics.metric_type import Reading
from server.ops.process.server_status import OwnReport
from server.realtime.worker.session_moves import SessionMoves
from server.realtime.worker.worker_dependencies import NO_PORTS, WorkerPorts
from server.realtime.worker.worker_loop import Worker

logger = log.get()
LOAD_EVERY: Final = 0.25  # seconds
NAMED_MAX: Final = (
    64  # users that a worker names to the hub; of more it sends the number, and one in two workers counts twice
)
PAUSED_MAX: Final = 1_000  # rows of one message
ROUNDS: Final = 16  # of reading the hub's ring in one turn of the loop
ALONE: Final = Names()
NO_DOUBTS: Final = [(what,) for what in DOUBTS]


class WorkerLinks:
    """Links of a worker or the frontend, and the parts that migrate its sessions. Make it in the loop.

    The worker's constructor is given `ports_of` these links.

    A row that only reports a match waits for the next message to the hub.
    """

    def __init__(
        self,
        up: socket.socket,
        worker: Worker,
        more: Mapping[int, Handler],
        joined: Callable[[str], None] = ignore_process,
        dead: Callable[[str], None] = ignore_process,
        *,
        names: Names = ALONE,
        moved: Callable[[], Sequence[int]] = tuple,
        others: OtherHosts | None = None,
    ) -> None:
        """`more`: handlers of further kinds; `joined`, `dead`: called with the name of a process.

        `moved`: counts of sessions that left, as `Moved`; `others`: the other hosts, and migration to them.
        """
        self._also_joined, self._also_dead = joined, dead
        self._worker = worker
        self._room = room = cast(RemoteRoom, worker.engine.room)
        self.tally = tally = MigrationCounts()
        self.orphaned = asyncio.Event()
        self._closed = False
        self._rows_out = RowChannel(lambda *said, **more: self.peers.send(HUB, *said, **more))
        self._bell = -1  # wakes this process for the hub's rows
        forwarding = ForwardingTable(lambda name, key: self.session_lookup.answer(name, key, again=True))
        exports = Exports(worker, SessionMoves(worker), tally, forwarding=forwarding)
        self.host_migration: HostMigration | None = None
        if others is None:
            self.tunnels = TunnelTable(worker)
            self.visitor_return = VisitorReturn(worker, room)
        else:
            self.tunnels = TunnelTable(worker, self._forget, self._is_heard, others.on_returned, forwarding)
            self.visitor_return = VisitorReturn(worker, room, lambda: others.hosts.writes, self._returned, forwarding)
            self.host_migration = HostMigration(
                others, worker, room, exports, forwarding, self.tunnels.open, lambda id: self.session_lookup.settled(id)
            )
        # moves sessions without their connections to a process of another host; None: this host is alone
        self.cross: Send | None = None if self.host_migration is None else self.host_migration.sent
        self.across = across = WorkerTransfer(
            worker,
            room,
            lambda: self.peers,
            exports,
            forwarding,
            names,
            self.host_migration,
            self.visitor_return.send_home,
        )
        self._hosts = None if others is None else others.hosts
        self.session_lookup = SessionLookup(
            worker, lambda: self.peers, across.request_move, forwarding, self._hosts, self.is_doubted
        )
        report = OwnReport(worker.engine)
        self.peers = Peers(
            up, {**self._handlers(), **more}, self._joined, self._dead, self.orphaned.set,
            find_state=lambda: {**report.read(time.monotonic()), "moved": [*moved()]},
        )  # fmt: skip
        self._load = asyncio.get_running_loop().call_later(LOAD_EVERY, self._tell_load)

    def _handlers(self) -> dict[int, Handler]:
        """Return the handlers of the messages about sessions, by kind."""
        across, lookup = self.across, self.session_lookup
        return {
            Kind.ROWS: self._rows,
            Kind.RING: self._ring,
            Kind.COME: across.came,
            Kind.MEET: across.came_to_meet,
            Kind.PEOPLE: across.came_to_stay,
            Kind.NEWCOMER: across.newcomer,
            Kind.TUNNEL: across.tunnels,
            Kind.TAKEN: across.acknowledgements.accept,
            Kind.TOOK: across.took,
            Kind.NO: across.refused,
            Kind.SAVED: self._saved,
            Kind.WHO: lookup.who,
            Kind.MINE: lookup.mine,
            Kind.MOVING: lookup.moving,
            Kind.THERE: self._there,
            Kind.HOSTS: self.hosts_changed,
            Kind.ARRIVED: self._arrived,
        }

    def _forget(self, home: str, people: Sequence[tuple[int, int]]) -> None:
        if self.host_migration is not None:
            self.host_migration.forget(home, people)

    def _returned(self, id: int, key: int) -> None:
        if self.host_migration is not None:
            self.host_migration.returned(id, key)

    def is_doubted(self, id: int) -> bool:
        """Whether a process of another host may have resumed a session that is here."""
        return self.host_migration is not None and self.host_migration.is_doubted(id)

    def _is_heard(self, home: str) -> bool:
        return self.host_migration is not None and self.host_migration.there(home)

    @property
    def is_full(self) -> bool:
        """Whether the link to the hub accepts no more."""
        return self.peers.full(HUB) or self._rows_out.is_full

    def reading(self) -> Reading:
        """Return the metrics of migrations and of the hub's answers."""
        answers, host_migration = self._room.answers, self.host_migration
        return {
            **self.tally.reading(),
            **(
                {"serendip_migrations_doubtful": dict.fromkeys(NO_DOUBTS, 0)}
                if host_migration is None
                else host_migration.reading()
            ),
            **self.tunnels.reading(),
            **self.visitor_return.reading(),
            "serendip_ipc_link_bytes": {(HUB,): self._rows_out.waiting},
            "serendip_hub_answer_seconds": Buckets(tuple(answers.counts), answers.total),
        }

    def close(self) -> None:
        """Close all links."""
        self._load.cancel()
        self._without_ring()
        self.visitor_return.close()
        self.across.acknowledgements.close()
        self._closed = True
        if self.host_migration is not None:
            self.host_migration.close()
        self.peers.close()

    def _joined(self, name: str) -> None:
        if name == HUB:
            self._room.found(time.monotonic())
            self._say()
        if not is_other_generation(name):
            self._also_joined(name)

    def _dead(self, name: str) -> None:
        if name == HUB:
            self._hear()
            self._without_ring()
        self.across.dead(name)
        self.session_lookup.dead(name)
        if is_other_generation(name):
            self.tally.left = 0
        else:
            self._also_dead(name)

    def _there(self, _: str, message: Message) -> None:
        people, named, room = message.records
        self._worker.engine.set_elsewhere(people, named)
        self._room.there(room)

    def hosts_changed(self, _: str, message: Message) -> None:
        """Take the hub's list of other hosts."""
        if (hosts := self._hosts) is None:
            return
        before = hosts.nodes
        hosts.take(message.records[0], message.records[1:])
        if hosts.nodes != before:
            self.session_lookup.ask_again()

    def _arrived(self, name: str, message: Message) -> None:
        """Take an rpc request of another host, from the frontend; without a cluster, close it."""
        self.peers.send(name, Kind.TOOK, message.number)
        sock = socket.socket(fileno=message.descriptors[0])
        sock.setblocking(False)  # it is non-blocking already; this tells Python
        if self.host_migration is None:
            sock.close()
        else:
            self.host_migration.arrived(message, sock)

    def _rows(self, _: str, message: Message) -> None:
        self._worker.act(partial(self._room.told, message.records))

    def _ring(self, _: str, message: Message) -> None:
        """Take the hub's offer of shared memory for rows, or its word that its own are there from now on."""
        if not message.descriptors:
            self._rows_out.confirm()
        else:
            try:
                self._bell = self._rows_out.accept(message)
            except (OSError, ValueError) as error:
                logger.error("peer.fell", name=HUB, why=f"no shared memory: {error}")
                return
            asyncio.get_running_loop().add_reader(self._bell, self._on_bell)
        self._on_bell()

    def _on_bell(self) -> None:
        """Handle the rows in the ring; after some rounds connections have their turn."""
        silence(self._bell)
        for _ in range(ROUNDS):
            if not self._hear() and self._rows_out.sleep():
                return
        os.eventfd_write(self._bell, 1)

    def _hear(self) -> bool:
        """Handle the rows in the ring; return whether there were any."""
        try:
            messages = self._rows_out.take()
        except ValueError as damage:
            self._distrust(damage)
            return False
        for data in messages:
            try:
                self._worker.act(partial(self._room.told, unpack(data)))
            except Exception as fault:  # noqa: BLE001 - reported as a message's of the link is; the others are read
                context = {"message": "rows of the hub", "exception": fault}
                asyncio.get_running_loop().call_exception_handler(context)
        return bool(messages)

    def _distrust(self, damage: ValueError) -> None:
        """Use a damaged ring no more, and report it."""
        self._without_ring()
        self.peers.distrust(HUB, str(damage))

    def _without_ring(self) -> None:
        """Forget the rings of a hub that is gone, or of damaged memory."""
        self._rows_out.close()
        if self._bell >= 0:
            asyncio.get_running_loop().remove_reader(self._bell)
            os.close(self._bell)
            self._bell = -1

    def saved(self, id: int, url: str | None, delete: str, wait: float) -> None:
        """Send the answer of a save whose session has migrated: its process sends it to the client."""
        for name in self.peers.people:
            self.peers.send(name, Kind.SAVED, id, url, delete, wait)

    def _saved(self, _: str, message: Message) -> None:
        self._worker.saved(*message.records)

    def after_turn(self) -> None:
        """Send what a turn has for other processes (`WorkerPorts.on_turn`)."""
        if self._closed:
            return
        if not self._worker.busy:
            self.across.depart()
        self.visitor_return.turn()
        if self._room.urgent():
            self._say()

    def _say(self) -> None:
        """Send the waiting rows. Without a hub they are dropped: a new one gets all tickets by `found`."""
        rows, self._room.rows = self._room.rows, []
        try:
            self._rows_out.send(rows)
        except ValueError as damage:
            self._distrust(damage)

    def _tell_load(self) -> None:
        self._load = asyncio.get_running_loop().call_later(LOAD_EVERY, self._tell_load)
        engine = self._worker.engine
        talking = engine.talking_here(time.monotonic())
        self.peers.send(HUB, Kind.LOAD, engine.online, *engine.connected_people(NAMED_MAX), talking)
        if self._room.rows:
            self._say()


def ports_of(find_links: Callable[[], WorkerLinks], ports: WorkerPorts = NO_PORTS) -> WorkerPorts:
    """Return `ports` completed by those to other processes. `find_links` is first called when the worker takes events."""
    return replace(
        ports,
        is_elsewhere=lambda key: find_links().session_lookup.is_elsewhere(key),
        is_doubted=lambda id: find_links().is_doubted(id),
        on_turn=lambda: find_links().after_turn(),
        on_visitor=lambda conn: find_links().visitor_return.tell(conn),
        find_tunnels=lambda: find_links().tunnels,
    )


def room_of(number: int, find_links: Callable[[], WorkerLinks]) -> Callable[[Seats], RemoteRoom]:
    """Return the function that makes the waiting room of process `number`. `find_links`: as for `ports_of`."""
    return partial(
        RemoteRoom,
        number,
        go=lambda client, to, meeting, ticket: find_links().across.go(client, to, meeting, ticket),
        is_full=lambda: find_links().is_full,
    )
