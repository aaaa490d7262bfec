"""The links of a process that has people: to the hub, where they wait, and to the other workers, where they meet.

Rule: what a turn has to say to the hub goes as one message, when the turn is over; where it is only that two met, with the next, or the load.
"""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Final

from engine.rooms.remote_room import RemoteRoom
from server.fleet.cluster.known_nodes import Hosts
from server.fleet.ipc.ipc_link import Kind, Message
from server.fleet.ipc.ipc_peers import HUB, OFFICE, Handler, Peers, abroad, nobody
from server.fleet.ipc.process_names import Names
from server.fleet.migrate.migration_counts import MigrationCounts
from server.fleet.processes.session_lookup import Whereabouts
from server.fleet.processes.worker_transfer import Across
from server.fleet.roaming.evacuation import Send
from server.fleet.roaming.host_migration import HostMigration
from server.fleet.roaming.tunnel_table import TunnelTable
from server.fleet.roaming.visitor_return import VisitorReturn
from server.ops.metrics.cluster_metrics import DOUBTS
from server.ops.metrics.exposition import Reading
from server.ops.metrics.histogram import Buckets
from server.ops.process.server_status import OwnReport
from server.ops.security.secret_keys import Keys
from server.realtime.worker.connection_moves import Moving, ask_again
from server.realtime.worker.worker_loop import Worker

LOAD_EVERY: Final = 0.25  # seconds
PAUSED_MAX: Final = 1_000  # people of one message, whose video is off
ALONE: Final = Names()
NO_DOUBTS: Final = [(what,) for what in DOUBTS]


class Links:
    """Of a worker's process, or the office. Call it in the loop.

    `more`: handlers of further kinds; `joined`, `dead`: told of other processes; `turned`: of the end of each turn.
    """

    def __init__(
        self,
        up: socket.socket,
        worker: Worker,
        room: RemoteRoom,
        more: Mapping[int, Handler],
        joined: Callable[[str], None] = nobody,
        dead: Callable[[str], None] = nobody,
        turned: Callable[[], None] | None = None,
        names: Names = ALONE,
    ) -> None:
        self._also_joined, self._also_dead, self._turned = joined, dead, turned
        self._worker = worker
        self._room = room
        self.tally = MigrationCounts()
        self.orphaned = asyncio.Event()
        self.across = across = Across(
            worker,
            room,
            Moving(worker),
            lambda: self.peers,
            self.tally,
            lambda *asked: self.whereabouts.answer(*asked),
            names,
        )
        self.tunnels = TunnelTable(worker)
        self.homecoming = VisitorReturn(worker, room)
        self.cross: Send | None = None  # people without connections go to a process of another host; None: nobody does
        self.whereabouts = Whereabouts(worker, lambda: self.peers, across.knock, across.forwarding)
        worker.engine.moves.steady = True
        room.go = across.go
        room.full = lambda: room.away or self.peers.full(HUB)
        worker.on_turn = self._after_turn
        handlers: dict[int, Handler] = {
            Kind.ROWS: self._rows,
            Kind.COME: across.came,
            Kind.PEOPLE: across.came_to_stay,
            Kind.NEWCOMER: across.newcomer,
            Kind.TUNNEL: across.tunnels,
            Kind.TOOK: across.took,
            Kind.NO: across.refused,
            Kind.SAVED: self._saved,
            Kind.WHO: self.whereabouts.who,
            Kind.MINE: self.whereabouts.mine,
            Kind.THERE: self._there,
            Kind.ARRIVED: self._arrived,
            **more,
        }
        self.peers = Peers(up, handlers, self._joined, self._dead, self.orphaned.set)
        report = OwnReport(worker.engine)
        self.moved: Callable[[], Sequence[int]] = tuple  # of those who went to where all are to go (`emptying.Moved`)
        self.peers.stands = lambda: {**report.read(time.monotonic()), "moved": [*self.moved()]}
        self._load = asyncio.get_running_loop().call_later(LOAD_EVERY, self._tell_load)

    def reach(
        self,
        node: str,
        number: int,
        secret: Keys,
        hosts: Hosts,
        takes: Callable[[], bool],
    ) -> HostMigration:
        """There are other hosts from here on. `node`, `number`: of this process among them; `takes`: whether it takes people."""
        across, worker = self.across, self._worker
        across.abroad = abroad = HostMigration(
            node,
            number,
            secret,
            hosts,
            worker,
            self._room,
            across.exports,
            takes,
            self.tunnels.open,
        )
        self.cross, self.tunnels.forget, self.tunnels.there = abroad.sent, abroad.forget, abroad.there
        self.homecoming.writes = lambda: hosts.writes
        return abroad

    def reading(self) -> Reading:
        """A source of metrics: who moved, and how soon the hub answers."""
        answers, abroad = self._room.answers, self.across.abroad
        return {
            **self.tally.reading(),
            **({"serendip_crossings_doubtful": dict.fromkeys(NO_DOUBTS, 0)} if abroad is None else abroad.reading()),
            **self.tunnels.reading(),
            **self.homecoming.reading(),
            "serendip_hub_answer_seconds": Buckets(tuple(answers.counts), answers.total),
        }

    def close(self) -> None:
        """Nothing is told any more."""
        self._load.cancel()
        self.homecoming.close()
        self._worker.on_turn = None
        if self.across.abroad is not None:
            self.across.abroad.close()
        self.peers.close()

    def _joined(self, name: str) -> None:
        if name == HUB:
            self._room.found(time.monotonic())
            self._say()
        if not abroad(name):
            self._also_joined(name)

    def _dead(self, name: str) -> None:
        self.across.dead(name)
        self.whereabouts.dead(name)
        if name not in (HUB, OFFICE):  # whoever had come from there with a save has no answer to wait for
            ask_again(self._worker, self._worker.engine.sessions.values())
        if abroad(name):
            self.tally.left = 0
        else:
            self._also_dead(name)

    def _there(self, _: str, message: Message) -> None:
        people, room = message.records
        engine = self._worker.engine
        engine.online_elsewhere = max(0, people - engine.online)
        self._room.there(room)

    def _arrived(self, name: str, message: Message) -> None:
        """The office has a request of another host for this process; where there are none, there is none."""
        self.peers.send(name, Kind.TOOK, message.number)
        sock = socket.socket(fileno=message.descriptors[0])
        sock.setblocking(False)  # it does not, but Python does not know it
        if self.across.abroad is None:
            sock.close()
        else:
            self.across.abroad.arrived(message, sock)

    def _rows(self, _: str, message: Message) -> None:
        self._worker.act(partial(self._room.told, message.records))

    def saved(self, id: int, url: str | None, delete: str, wait: float) -> None:
        """A save is over whose person has gone (`Recorder.gone`): who has them tells them."""
        for name in self.peers.people:
            self.peers.send(name, Kind.SAVED, id, url, delete, wait)

    def _saved(self, _: str, message: Message) -> None:
        self._worker.saved(*message.records)

    def _after_turn(self) -> None:
        if not self._worker.busy:
            self.across.depart()
        self.homecoming.turn()
        if self._room.urgent():
            self._say()
        if self._turned is not None:
            self._turned()

    def _say(self) -> None:
        """What the hub is not told it is told by `found`, when there is one."""
        rows, self._room.rows = self._room.rows, []
        self.peers.send(HUB, Kind.ROWS, *rows)

    def _tell_load(self) -> None:
        self._load = asyncio.get_running_loop().call_later(LOAD_EVERY, self._tell_load)
        self.peers.send(HUB, Kind.LOAD, self._worker.engine.online)
        if self._room.rows:
            self._say()
