"""Drain a worker while its host continues: move each session to the worker with the fewest sessions, or in an upgrade all to the worker of the same
number in the new generation of processes. A session that cannot move is told to reconnect, and counted.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple

from server.fleet.ipc.ipc_link import Kind, LinkDown
from server.fleet.ipc.ipc_peers import HUB, Peers, number_of
from server.fleet.migrate.forwarding_table import KEEP
from server.fleet.migrate.migration_order import MigrationOrder
from server.fleet.migrate.session_sender import AHEAD
from server.fleet.migrate.transfer import GroupTransfer, Transfer
from server.fleet.processes.worker_to_worker_transfer import WorkerTransfer
from server.ops import log
from server.ops.metrics.migration_metrics import DRAIN, UPGRADE
from server.ops.process import fault_points
from server.realtime.worker.worker_loop import Worker

AGAIN: Final = 0.02  # seconds until the next try, if no worker accepts sessions
logger = log.get()


class Moved(NamedTuple):
    """Counts that a process reports as it ends: sessions that moved, their chats, and sessions that could not move."""

    people: int = 0
    chats: int = 0
    stayed: int = 0


class Spread:
    """Target that is several workers: the one with the fewest sessions. `people`: sessions of each; `to`: all go to this worker of the next
    generation."""

    def __init__(self, peers: Peers, across: WorkerTransfer, people: Mapping[str, int], to: str = "") -> None:
        self._peers = peers
        self._across = across
        self._people = dict(people)
        self._to = to
        self.went = self.chats = 0

    def send(self, transfer: GroupTransfer) -> None:
        """See `server.fleet.migrate.transfer.Target`."""
        to = self._emptiest()
        self._across.to(to).send(transfer)
        self._people[to] += transfer.people
        self.went += transfer.people
        self.chats += len(transfer.sessions.session_record.record["chats"])
        fault_points.at("spread")

    def post(self, transfer: Transfer, kind: Kind, *records: Any, pieces: Sequence[bytes]) -> None:
        """See `server.fleet.migrate.migration_order.ProcessTarget`."""
        try:
            to = self._emptiest()
        except LinkDown:
            transfer.cut()
            raise
        self._across.to(to).post(transfer, kind, *records, pieces=pieces)
        fault_points.at("spread")

    async def room(self) -> None:
        """See `server.fleet.migrate.transfer.Target`."""
        await self._across.fewer(AHEAD)

    def _emptiest(self) -> str:
        peers = self._peers
        if self._to and self._to in peers and not peers.full(self._to):
            self._people.setdefault(self._to, 0)
            return self._to
        workers = [] if self._to else [name for name in peers.others if number_of(name) > 0]
        there = [name for name in workers if peers.takes(name) and not peers.full(name)]
        if not there:
            raise LinkDown("no other worker exists, or accepts sessions")
        to = min(there, key=lambda name: self._people.get(name, 0))
        self._people.setdefault(to, 0)
        return to


class WorkerDrain:
    """The drain of one worker. Make it in the loop. `people`, `to`: see `Spread`.

    Sessions move chat by chat, at the pace of an upgrade (`server.fleet.migrate.migration_order`). A worker that accepts nothing, or died, is
    skipped; if no other is left, the drain waits for one.
    """

    def __init__(
        self, name: str, worker: Worker, peers: Peers, across: WorkerTransfer, people: Mapping[str, int], to: str = ""
    ) -> None:
        self._name = name
        self._to = to
        self._worker = worker
        self._peers = peers
        self._across = across
        self._spread = Spread(peers, across, people, to)
        self._people = MigrationOrder(across.exports, self._spread, UPGRADE if to else DRAIN, self._spread)

    @property
    def moved(self) -> Moved:
        """Counts so far."""
        people = self._across.given(UPGRADE if self._to else DRAIN)
        return Moved(people, self._spread.chats, self._people.stayed)

    def tell_hub(self) -> None:
        """Tell the hub, also a restarted one, that no session is to come here."""
        self._peers.send(HUB, Kind.LEAVING, True)

    def stay(self) -> None:
        """Give the drain up: sessions come here again."""
        self._worker.engine.moves.forget()
        self._peers.send(HUB, Kind.LEAVING, False)

    async def run(self) -> None:
        """Run the drain. Returns when only sessions that cannot move are left, and all look-ups of moved ones were answered."""
        begun = time.monotonic()
        self.tell_hub()
        self._worker.reactor.refuse_newcomers()
        if self._to:  # first: records of networks need its salt
            self._peers.send(self._to, Kind.BEGIN, self._worker.engine.moves.pace(begun))
        await self._move()
        await asyncio.sleep(KEEP)  # look-ups are answered with where a session went
        await self._move()  # sessions that were sent here before the hub knew
        for piece in self._worker.engine.moves.rest(time.monotonic()) if self._to else ():
            await self._peers.room(self._to)
            self._peers.send(self._to, Kind.REST, piece)
            await asyncio.sleep(0)
        logger.info(
            "process.left", process=self._name, people=self._spread.went, stayed=self._people.stayed,
            seconds=round(time.monotonic() - begun, 2),
        )  # fmt: skip

    async def _move(self) -> None:
        while True:
            try:
                await self._people.move()
                await self._across.fewer(1)
                if self._across.host_migration is not None:
                    await self._across.host_migration.landed()
            except LinkDown:
                await asyncio.sleep(AGAIN)
                continue
            if len(self._worker.engine.sessions) <= self._people.stayed and not self._people.tunnels:
                return
