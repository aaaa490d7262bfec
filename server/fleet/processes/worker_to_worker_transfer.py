"""Move sessions between the workers of a host, so that two partners are in one worker or a client reaches the session that it resumes, and accept
the sessions that other workers send.

**Invariant:** the source owns a session until the target acknowledges it. Only the supervisor declares a process dead.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, Final, NamedTuple

from engine.engine import Session
from engine.rooms.remote_waiting_room import RemoteRoom, Row
from server.fleet.ipc.ipc_link import Kind, LinkDown, Message
from server.fleet.ipc.ipc_peers import FRONTEND, HUB, LAST, Peers, is_other_generation
from server.fleet.ipc.process_names import Names, elsewhere
from server.fleet.migrate.forwarding_table import ForwardingTable
from server.fleet.migrate.messages_in_flight import InFlight
from server.fleet.migrate.session_import import Imports, read_nothing
from server.fleet.migrate.session_sender import TOGETHER, ProcessTarget, add_nothing
from server.fleet.migrate.transfer import Exports, GroupTransfer, Stage
from server.fleet.processes.move_acknowledgements import MoveAcknowledgements
from server.fleet.roaming.host_migration_parts import HostMigration
from server.fleet.roaming.migration_source import MoveOrder
from server.ops.metrics.migration_metrics import DRAIN, MEET, RESUME, UPGRADE
from server.ops.process import fault_points
from server.realtime.worker.session_moves import ask_again
from server.realtime.worker.worker_loop import Worker

AGAIN: Final = 0.002  # seconds until the next try
PATIENCE: Final = 0.1  # seconds after which a session that cannot move stays
REST: Final = 0.25  # seconds from a refusal until that session leaves for its next match


class PendingMove(NamedTuple):
    """A session that is to move. `meeting`: None if it resumes; `stay`: called if it cannot move, or the target did not take it."""

    since: float
    client: int
    to: str
    meeting: Row | None
    number: int  # of the ticket that was matched
    stay: Callable[[], None]

    @property
    def why(self) -> str:
        """The cause, for the metrics."""
        return RESUME if self.meeting is None else MEET


class MoveQueue:
    """Moves that leave after this turn. The next match of a session that was refused for one a moment ago rests first: the hub matches it again at
    once, and it may be refused for as long as the target has a copy of it. A connection that resumes waits while the link to the process of its
    session is full: its client would be told that there is no such session.
    """

    def __init__(self, rested: Callable[[], None], is_full: Callable[[str], bool]) -> None:
        """`rested`: called when moves that rested or waited may leave; `is_full`: whether the link to a process is."""
        self._due: list[PendingMove] = []
        self._resting: dict[int, list[PendingMove]] = {}  # by session
        self._waiting: dict[str, list[PendingMove]] = {}  # by process
        self._again: asyncio.TimerHandle | None = None
        self._rested = rested
        self._is_full = is_full

    def __len__(self) -> int:
        return len(self._due)

    def add(self, move: PendingMove) -> None:
        """Let a move leave after this turn."""
        self._due.append(move)

    def add_match(self, move: PendingMove) -> None:
        """Let a move for a match leave after this turn, or after its session's rest."""
        self._resting.get(move.client, self._due).append(move)

    def try_again(self) -> None:
        """Let moves that could not leave try again soon."""
        if self._due and self._again is None:
            self._again = asyncio.get_running_loop().call_later(AGAIN, self._rested)

    def stop_waiting(self) -> None:
        """Cancel the next try: a turn begins, in which all moves leave that can."""
        if self._again is not None:
            self._again.cancel()
            self._again = None

    def take(self) -> list[PendingMove]:
        """Return the moves that may leave, and forget them."""
        due, self._due = self._due, []
        return due

    def rest(self, client: int) -> None:
        """Begin the rest of a session, which was refused."""
        if client not in self._resting:
            self._resting[client] = []
            asyncio.get_running_loop().call_later(REST, self._over, client)

    def wait(self, move: PendingMove) -> None:
        """Let a move leave once the link to its process is not full any more, or that is dead."""
        if move.to not in self._waiting:
            self._waiting[move.to] = []
            asyncio.get_running_loop().call_later(AGAIN, self._look, move.to)
        self._waiting[move.to].append(move)

    def _look(self, to: str) -> None:
        if self._is_full(to):
            asyncio.get_running_loop().call_later(AGAIN, self._look, to)
        else:
            self._make_due(self._waiting.pop(to))

    def _over(self, client: int) -> None:
        self._make_due(self._resting.pop(client))

    def _make_due(self, moves: Sequence[PendingMove]) -> None:
        self._due += [one._replace(since=time.monotonic()) for one in moves]
        if moves:
            self._rested()


class WorkerTransfer:
    """Migration between one worker and the others of its host. `go` is `RemoteRoom.go`."""

    def __init__(
        self,
        worker: Worker,
        room: RemoteRoom,
        peers: Callable[[], Peers],
        exports: Exports,
        forwarding: ForwardingTable,
        names: Names,
        host_migration: HostMigration | None,
        send_home: Callable[[int], None],
    ) -> None:
        """`host_migration`: migration to other hosts, None: this host is alone; `send_home`: `VisitorReturn.send_home`."""
        self._worker = worker
        self._room = room
        self._peers = peers
        self._names = names
        self._send_home = send_home
        self._targets: dict[str, ProcessTarget] = {}
        self.acknowledgements = MoveAcknowledgements(peers, self._acknowledged)
        self._landed = asyncio.Event()  # a message was acknowledged or came back
        self._owed: set[int] = set()  # sessions that came with saves, which a process that had them before answers
        self.forwarding = forwarding
        self.exports = exports
        self._imports = Imports(
            worker,
            exports.moving,
            exports.tally,
            going=() if host_migration is None else host_migration.going,
            unpack=read_nothing if host_migration is None else host_migration.unpack_doubts,
        )
        self.host_migration = host_migration
        self._going = MoveQueue(self._later, lambda name: self._peers().full(name))

    def go(self, client: int, to: int, meeting: Row, number: int) -> None:
        """Move a client to its match at worker `to`, after this turn; one that was refused a moment ago, after REST."""
        self._going.add_match(
            PendingMove(
                time.monotonic(),
                client,
                self._names.name(to),
                meeting,
                number,
                lambda: self._room.came_back(meeting, time.monotonic()),
            )
        )

    def request_move(self, client: int, to: str, stay: Callable[[], None]) -> None:
        """Move a new connection to process `to`, which has the session that it resumes."""
        self._going.add(PendingMove(time.monotonic(), client, to, None, 0, stay))
        self._later()

    def depart(self) -> None:
        """Move the sessions that are to move: those that meet others in the same process together. Called between two turns."""
        meets: dict[str, list[PendingMove]] = {}  # by target
        for one in self._going.take():
            if elsewhere(one.to):
                self._go_abroad(one)
            elif one.meeting is None and self._peers().full(one.to):
                self._going.wait(one)
            elif one.meeting is None:
                self._depart([one])
            else:
                meets.setdefault(one.to, []).append(one)
        for to, moves in meets.items():
            most = self._targets[to].most if to in self._targets else TOGETHER
            for at in range(0, len(moves), most):
                self._depart(moves[at : at + most])
        self._going.try_again()

    def _go_abroad(self, one: PendingMove) -> None:
        session = self._worker.engine.sessions.get(one.client)
        if self.host_migration is None:
            one.stay()
        elif session is not None and one.meeting is None and session.conn in self._worker.output.visitors:
            self._send_home(session.conn)  # a visitor moves to no third host
        else:
            self.host_migration.go(
                one.to, MoveOrder(one.client, one.meeting, one.why, partial(self._is_ready, one), one.stay)
            )

    def _later(self) -> None:
        self._going.stop_waiting()
        self._worker.act(lambda _: None)

    def _is_ready(self, one: PendingMove) -> bool:
        if one.meeting is None:
            session = self._worker.engine.sessions.get(one.client)
            return session is not None and session.conn != 0
        return self._room.goes(one.client, one.number)

    def _depart(self, moves: Sequence[PendingMove]) -> None:
        """Move sessions to one process. If one cannot leave now the others move without it, and it is tried again later."""
        ready: dict[int, PendingMove] = {}
        for one in moves:
            if self._can_go(one) and one.client not in ready:
                ready[one.client] = one
            else:
                one.stay()
        together = [*ready.values()]
        if not together:
            return
        to, why = together[0].to, together[0].why
        meetings = [one.meeting for one in together]
        end, near = partial(self._ended, together), not is_other_generation(to)
        if near:
            self.acknowledgements.offer(to)
        try:
            if self.exports.transfer([*ready], self.to(to), why, end, meetings, near):
                if near:
                    self.acknowledgements.expect(to)
                return
        except LinkDown:
            return
        if len(together) == 1:
            self._going.add(together[0])
            return
        for one in together:
            self._depart([one])

    def _can_go(self, one: PendingMove) -> bool:
        peers = self._peers()
        return (
            one.to in peers
            and not peers.full(one.to)
            and self._is_ready(one)
            and time.monotonic() - one.since <= PATIENCE
        )

    def _ended(self, moves: Sequence[PendingMove], transfer: GroupTransfer) -> None:
        if transfer.stage == Stage.TAKEN:
            return
        if transfer.stage == Stage.REFUSED:
            if len(moves) > 1:
                self.to(moves[0].to).send_singly()  # one that cannot be read must not hold up the others again
            elif moves[0].meeting is not None:
                self._going.rest(moves[0].client)
        ask_again(self._worker, transfer.came)
        for one in moves:
            one.stay()

    def to(self, name: str) -> ProcessTarget:
        """Return the target for one worker."""
        if name not in self._targets:
            peers, host_migration = self._peers(), self.host_migration
            pack = add_nothing if host_migration is None else host_migration.pack_doubts
            self._targets[name] = ProcessTarget(
                partial(self._send, name), partial(peers.room, name), InFlight(), name, pack
            )
        return self._targets[name]

    def _acknowledged(self, name: str, numbers: Sequence[int]) -> bool:
        """End the transfers of these messages; return whether others are under way to the same process."""
        target = self._targets.get(name)
        if target is None:
            return False
        for number in numbers:
            target.flight.took(number)
        if numbers:
            self._landed.set()
        return len(target.flight) > 0

    def _send(self, name: str, kind: Kind, *records: Any, **more: Any) -> int:
        number = self._peers().send(name, kind, *records, **more)
        if number is None:
            raise LinkDown(f"{name} is not there")
        return number

    def given(self, why: str) -> int:
        """Return how many sessions other processes took for a cause."""
        return self.exports.tally.people[why, "given"]

    async def fewer(self, than: int) -> None:
        """Wait until fewer than so many messages are in flight."""
        while sum(len(target.flight) for target in self._targets.values()) >= than:
            self._landed.clear()
            await self._landed.wait()

    def took(self, name: str, message: Message) -> None:
        """Handle an acknowledgement."""
        if name in self._targets:
            self._targets[name].flight.took(message.records[0])
            self._landed.set()

    def refused(self, name: str, message: Message) -> None:
        """Handle a refusal: the target cannot read the record."""
        if name in self._targets:
            self._targets[name].flight.refused(message.records[0])
            self._landed.set()
        self._worker.act(lambda _: None)  # tells the hub now, not after the next turn

    def dead(self, name: str) -> None:
        """Restore what a dead process had not acknowledged, and repeat the saves that it may have had to answer, not those of this process."""
        if name not in (HUB, FRONTEND):
            sessions = self._worker.engine.sessions
            ask_again(self._worker, [sessions[id] for id in self._owed if id in sessions])
            self._owed.clear()
        self.acknowledgements.dead(name)
        target = self._targets.pop(name, None)
        if target is not None:
            target.flight.dead()
            self._landed.set()
            self._worker.look_again()  # restored sessions were in no process when a ban came
            self._worker.act(lambda _: None)

    def came(self, name: str, message: Message) -> None:
        """Take one session, which comes to meet a partner or to resume."""
        self.acknowledgements.read_all()
        _, client, meeting, _ = message.records
        if meeting is not None:
            self._room.expect((client,))
        came = self._imports.take_one(message, RESUME if meeting is None else MEET, partial(self._acknowledge, name))
        self._owe(came or ())
        if came is None:
            self._room.expect(())
        elif meeting is not None:
            self._worker.act(lambda now: self._room.arrived(meeting, now))
        fault_points.at("taken")

    def came_to_meet(self, name: str, message: Message) -> None:
        """Take several sessions, each of which comes to meet a partner."""
        self.acknowledgements.read_all()
        meetings = message.records[3]
        self._room.expect([client for client, _ in meetings])
        came = self._imports.take_all(message, MEET, partial(self._acknowledge, name))
        self._owe(came or ())
        if came is None:
            self._room.expect(())
        else:
            self._worker.act(partial(self._room.arrived_together, [meeting for _, meeting in meetings]))
        fault_points.at("taken")

    def came_to_stay(self, name: str, message: Message) -> None:
        """Take sessions of a worker that is drained or replaced."""
        self.acknowledgements.read_all()
        follows = name.startswith(LAST)
        came = self._imports.take_all(message, UPGRADE if follows else DRAIN, partial(self._send_answer, name))
        self._owe(came or ())
        if follows:
            self.exports.tally.left = message.records[3]
        fault_points.at("taken")

    def _owe(self, came: Sequence[Session]) -> None:
        asked = {session.id for session in came if session.saves}
        if asked:
            sessions = self._worker.engine.sessions
            self._owed = asked.union(id for id in self._owed if id in sessions and sessions[id].saves)

    def newcomer(self, name: str, message: Message) -> None:
        """Take a new connection that another worker had accepted."""
        self._imports.take_newcomer(message, partial(self._send_answer, name))

    def tunnels(self, name: str, message: Message) -> None:
        """Take tunnels of clients whose sessions are at other hosts."""
        self._imports.take_tunnels(message, partial(self._send_answer, name))

    def _acknowledge(self, name: str, kind: Kind, number: int) -> None:
        """Answer a message whose sender waits for nothing: in the memory that it offered."""
        if kind != Kind.TOOK or not self.acknowledgements.write(name, number):
            self._send_answer(name, kind, number)

    def _send_answer(self, name: str, kind: Kind, *records: Any) -> None:
        self._peers().send(name, kind, *records)
