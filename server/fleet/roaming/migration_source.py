"""Move sessions to a process of another host while their clients stay connected here: the source side (the edge), which sends the messages MOVE and
then GO. The target side (the home) is `migration_target`.

**Invariant:** from release until the home's acknowledgement the edge neither reads from nor writes to the sockets of the sessions.
"""

from __future__ import annotations

import asyncio
import os
import secrets
import select
import socket
import time
from collections.abc import Callable, Coroutine, Mapping, Sequence, Set
from functools import partial
from typing import Any, Final, NamedTuple

from engine.engine import BadRecord, Session
from engine.rooms.remote_waiting_room import Row
from engine.views import bare
from ext.migrate.tunnel_transfer import prepare
from server.fleet.cluster.known_nodes import Hosts
from server.fleet.migrate.transfer import TABLE, Exports, GroupTransfer, Owner, Stage
from server.fleet.roaming.migration_target import GO, TOOK, check_bans
from server.fleet.roaming.move_request import Move, divided, pack, wireless
from server.fleet.roaming.socketless_clients import SocketlessClients
from server.fleet.roaming.stale_copies import StaleCopies
from server.fleet.rpc.rpc_client import HostAway, HostRefused, RpcClient, dial
from server.fleet.rpc.rpc_envelope import LARGEST, NONCE, Kind
from server.ops import log
from server.ops.metrics.migration_metrics import NONE, RESUME, TUNNEL
from server.ops.process import fault_points
from server.realtime.worker.session_moves import Released, ask_again

MOST: Final = 64  # moves of a worker at a time, and as many of sessions that resume, which wait for longer
AGAIN: Final = 0.002  # seconds until a session that could not move is tried again
PATIENCE: Final = 0.1  # seconds after which a session that cannot move stays
RESUME_WITHIN: Final = (
    8.0  # seconds for a connection of a session that resumes: a session waits for 15, a connection breaks after 3
)
REACH_AGAIN: Final = 0.25  # seconds between two tries
TAKEN_WITHIN: Final = 1.0  # seconds for a connection, and for the answer to MOVE
RESUME_TAKEN_WITHIN: Final = 4.0  # seconds for that answer to a session that resumes: its client waits for nothing else
TOOK_WITHIN: Final = 2.0  # seconds from GO
TOLD_EVERY: Final = 60.0  # seconds between two lines of the log
PUT_BACK: Final = frozenset(stage for stage, rule in TABLE.items() if rule.owner is Owner.SOURCE and rule.cut is None)
logger = log.get()

# (client's descriptor, address, state, bytes, connection, session record, name of the home): what stays here of a session that is there.
# State and bytes: the part of `Reactor.release`'s that stays here: `input`, `out`, `opcode` if parts of a message moved, and ages.
Opened = Callable[[int, str, dict[str, Any], bytes, socket.socket, Mapping[str, Any], str], object]


class HomeProcess(NamedTuple):
    """Process of another host. `name`: its name in this host's processes."""

    name: str
    node: str
    worker: int


class Way(NamedTuple):
    """Connection to a home. `address`: as it was dialled; `places`: those of moves at a time, of which it has one."""

    sock: socket.socket
    address: str
    places: asyncio.Semaphore

    def end(self) -> None:
        """Close it."""
        self.sock.close()
        self.places.release()


class MoveOrder(NamedTuple):
    """Order to move one session. `meeting`: None to resume; `ready`: whether it still is to move; `stay`: called if it does not move."""

    client: int
    meeting: Row | None
    why: str
    ready: Callable[[], bool]
    stay: Callable[[], None]


class MigrationSource:
    """Source side of one process. Call it in the loop. `opened`: called with the parts of a session that moved; the two descriptors are its own.

    The stages are those of `server.fleet.migrate.transfer.TABLE`. A cut is an end of the connection, or silence for too long:

        edge       sent, received        home                      owner, and the result of a cut
        -          -                     -                         edge: a connection is made first, so that no session waits for one
        SENT       MOVE                  nothing, or holds them    edge, the home forgets them: put back (BACK; REFUSED: the home refused)
        GOING      GO                    holds them, or has them   see DOUBTFUL
        TAKEN      acknowledgement       has them                  home: the client is a tunnel; a cut is one of the tunnel
        DOUBTFUL   no acknowledgement    forgot them, or has them  edge: put back. A copy at the home, if any, has lost its connection: it is away
                                                                   there, silent, until FORGET ends it, after 15 s of grace at the latest

    From GO until its end this process accepts the session from no other one: only a copy of it could come. It is refused, and FORGET
    ends it there.

    The home forgets held sessions if the connection ends or GO does not come in 2 s, and accepts none if the edge has closed. In DOUBTFUL a
    session that came only to resume is not put back but dropped: its client finds the session that it wants when it returns. So is one whose client
    has dropped meanwhile, and no GO is sent for it: it could take what its client has resumed over another connection since. If a session was
    resumed at the home meanwhile, the answer to FORGET says so, and it ends at the edge.

    Input that is no whole frame stays at the edge, and is the first that the tunnel sends; unsent output stays too. The state of the connection
    and an unfinished message move with the session.
    """

    def __init__(
        self,
        hosts: Hosts,
        asker: RpcClient,
        exports: Exports,
        opened: Opened,
        find_speaker: Callable[[], SocketlessClients],
        forgetting: StaleCopies,
    ) -> None:
        self._hosts = hosts
        self._asker = asker
        self._exports = exports
        self._worker = exports.worker
        self._opened = opened
        self._places, self._resumes = asyncio.Semaphore(MOST), asyncio.Semaphore(MOST)
        self._tasks: set[asyncio.Task[bool]] = set()
        self._going: set[int] = set()  # sessions of which GO is under way
        self._told = -TOLD_EVERY
        self.forgetting = forgetting
        self._find_speaker = find_speaker

    @property
    def speaker(self) -> SocketlessClients:
        """The adapter of clients without a socket."""
        return self._find_speaker()

    def go(self, home: HomeProcess, one: MoveOrder) -> None:
        """Move one session as soon as there is a connection."""
        self._start(self._go(home, one))

    async def send(self, home: HomeProcess, transfer: GroupTransfer) -> bool:
        """Move a group without its connections, whose descriptors stay the caller's, and whose transfer has begun; returns whether the home has
        it. The transfer ends even if the caller stops waiting.
        """
        task = self._start(self._send(home, transfer))
        task.add_done_callback(partial(self._cut, transfer))
        return await asyncio.shield(task)

    def _cut(self, transfer: GroupTransfer, task: asyncio.Task[bool]) -> None:
        if task.cancelled() or task.exception() is not None:
            self._abandon(transfer)

    def forget(self, home: HomeProcess, people: Sequence[tuple[int, int]]) -> None:
        """Ask a process that may live to forget sessions that are here. `people`: ids and keys, as they moved."""
        host = self._hosts.at(home.node)
        self.forgetting.ask(home.node, home.worker, "" if host is None else host.address, people)

    @property
    def going(self) -> Set[int]:
        """Sessions of which GO is under way, by id, now and later: the home may have them, and until that is known none of them is accepted here."""
        return self._going

    @property
    def under_way(self) -> bool:
        """Whether a session is under way."""
        return bool(self._tasks)

    async def landed(self) -> None:
        """Wait until no session is under way."""
        while self._tasks:
            await asyncio.wait(self._tasks)

    def close(self) -> None:
        """Drop the sessions under way: none is at two hosts."""
        for task in self._tasks:
            task.cancel()
        self.forgetting.close()

    def _start(self, work: Coroutine[Any, Any, bool]) -> asyncio.Task[bool]:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def _go(self, home: HomeProcess, one: MoveOrder) -> bool:
        """Move one session by a tunnel; returns whether it moved."""
        way = await self._reached(home, one)
        released = None if way is None else await self._released(one)
        if way is None or released is None:
            if way is not None:
                way.end()
            elif one.why == RESUME:
                self._exports.tally.went(RESUME, TUNNEL, "back", 1)
                self._tell(
                    "unreached", f"{home.name} has a session that is resumed here, and there is no connection to it"
                )
            self._stays(one.stay)
            return False
        transfer = GroupTransfer(self._exports, released, one.why, time.monotonic())
        self._worker.act(nothing)  # lets the hub know that they are gone
        fault_points.at("release")
        transfer.way, transfer.put_back = TUNNEL, self._put_back
        transfer.begin(home.name)
        people, state, data = divided(released.session_record)
        move = Move(home.node, home.worker, one.why, one.client, one.meeting, 0.0, people)
        try:
            await self._carry(home, way, move, transfer)
        except BaseException:
            way.end()
            self._abandon(transfer)
            raise
        if transfer.stage == Stage.TAKEN:
            self._worker.forget_saves(one.client)
            way.places.release()
            self._open(home, released, state, data, way.sock)
            self._exports.tally.out_of_service(one.why, TUNNEL, time.monotonic() - transfer.since)
            return True
        way.end()
        if not _is_dropped(transfer):
            self._stays(one.stay)
        return False

    async def _send(self, home: HomeProcess, transfer: GroupTransfer) -> bool:
        transfer.way = NONE
        way = await self._dialled(home, transfer.cause)
        if way is None:
            transfer.cut()
            return False
        session_record = transfer.sessions.session_record
        try:
            move = Move(home.node, home.worker, transfer.cause, 0, None, 0.0, wireless(session_record))
            await self._carry(home, way, move, transfer)
        finally:
            way.end()
        if transfer.stage != Stage.TAKEN:
            return False
        for person in session_record.record["people"]:
            self._worker.forget_saves(person["id"])
        return True

    # its steps

    async def _reached(self, home: HomeProcess, one: MoveOrder) -> Way | None:
        """Dial as `_dialled` does; a session that resumes is tried again while the connection is broken, as long as the home is there and keeps
        what it wants.
        """
        until = time.monotonic() + (RESUME_WITHIN if one.why == RESUME else 0.0)
        while (found := await self._dialled(home, one.why)) is None and one.ready() and time.monotonic() < until:
            if self._hosts.at(home.node) is None:
                return None
            await asyncio.sleep(REACH_AGAIN)
        return found

    async def _dialled(self, home: HomeProcess, why: str) -> Way | None:
        """Return a connection; None: none in time, or too many are under way."""
        host = self._hosts.at(home.node)
        places = self._resumes if why == RESUME else self._places
        if host is None:
            return None
        try:
            async with asyncio.timeout(PATIENCE):
                await places.acquire()
        except TimeoutError:
            return None
        try:
            async with asyncio.timeout(TAKEN_WITHIN):
                sock = await dial(host.address)
                prepare(sock)
                return Way(sock, host.address, places)
        except OSError:
            places.release()
            return None
        except BaseException:
            places.release()
            raise

    async def _released(self, one: MoveOrder) -> Released | None:
        """Release a session; None: it does not move, or cannot."""
        until = time.monotonic() + PATIENCE
        while one.ready() and not self._may_be_twice(one.client) and time.monotonic() < until:
            released = self._exports.moving.release((one.client,)) if self.speaker.ready(one.client) else None
            if released is None:
                await asyncio.sleep(AGAIN)
                continue
            wire = released.session_record.record["people"][0].get("wire", {"visitor": 1})
            speaks = "virtual" in wire and self.speaker.leaves(one.client)
            if "visitor" in wire or (released.descriptors[0] < 0 and not speaks):
                self._take(released)  # a visitor returns home first; a session without a speaker stays
                return None
            return released
        return None

    def _may_be_twice(self, id: int) -> bool:
        """Whether another host may have a copy of a session, which this process or the one from which it came asks to forget it."""
        return id in self.forgetting or self.forgetting.is_doubted(id)

    async def _carry(self, home: HomeProcess, way: Way, move: Move, transfer: GroupTransfer) -> None:
        """Exchange the messages of a move with the home, until the transfer ends; the connection is closed here unless it is taken."""
        (sock, address, _), nonce, said, end = way, secrets.token_bytes(NONCE), "", transfer.cut
        ids = [one["id"] for one in move.people.record["people"]]
        move.people.record["v"] = self._hosts.writes
        body = pack(move._replace(age=time.monotonic() - transfer.since))
        transfer.sent()
        try:
            if len(body) > LARGEST:
                raise HostRefused(0, "too much of one group of people")
            async with asyncio.timeout(RESUME_TAKEN_WITHIN if move.why == RESUME else TAKEN_WITHIN):
                await self._asker.say(sock, address, Kind.MOVE, body, nonce)
                fault_points.at("asked")
                await self._asker.hear(sock, address, Kind.MOVE, body, nonce)
            if _is_late(transfer):
                raise ConnectionAbortedError("its client has dropped")
            transfer.go()
            self._going.update(ids)
            async with asyncio.timeout(TOOK_WITHIN):
                await asyncio.get_running_loop().sock_sendall(sock, GO)
                fault_points.at("go")
                if await asyncio.get_running_loop().sock_recv(sock, len(TOOK)) == TOOK:
                    end = transfer.take
                fault_points.at("given")
        except HostRefused as refused:
            end, said = transfer.refuse, str(refused)
        except (OSError, EOFError, HostAway) as fault:
            said = str(fault)
        finally:
            self._going.difference_update(ids)
        if end != transfer.take:
            sock.close()
            if transfer.stage == Stage.GOING and move.why != RESUME:
                people = [(one["id"], one.get("key", one["id"])) for one in move.people.record["people"]]
                self.forgetting.ask(home.node, home.worker, address, people, nonce)
        end()
        if transfer.stage != Stage.TAKEN:
            self._tell(transfer.stage.name.lower(), said)

    def _open(
        self, home: HomeProcess, released: Released, state: dict[str, Any], data: bytes, sock: socket.socket
    ) -> None:
        """Make the client a tunnel."""
        person = released.session_record.record["people"][0]
        last = bare(person, released.session_record.record["chats"])
        address = person["wire"].get("address", person["address"])
        (client,) = released.descriptors
        try:
            if client < 0:
                client = self.speaker.goes(person["id"])
            self._opened(client, address, state, data, sock, {**person, "last": last}, home.name)
        except OSError:  # no memory, or no descriptor is left: both are closed, and the client returns by itself
            sock.close()
            if client < 0:
                self.speaker.lost(person["id"])
        fault_points.at("opened")
        self._worker.act(nothing)

    def _put_back(self, transfer: GroupTransfer) -> list[Session]:
        """Put a session back, unless it is dropped: then its client is to come back by itself."""
        released = transfer.sessions
        if _is_dropped(transfer) or _is_late(transfer):
            self._lose(released)
            return []
        came = self._take(released)
        for session in came if released.descriptors[0] < 0 else ():
            self.speaker.stays(session)
        return came

    def _take(self, released: Released) -> list[Session]:
        came: list[Session] = []
        try:
            came = self._exports.moving.take(*released)
        except BadRecord as bad:  # they are here already: they returned by another connection
            logger.error("migration.refused", people=1, **log.described(bad))
            self._lose(released)
        ask_again(self._worker, came)
        check_bans(self._worker, came)
        return came

    def _abandon(self, transfer: GroupTransfer) -> None:
        """Close the connections of a group whose task was cancelled, because this process ends, or failed: its clients return by themselves. Those
        of a group that was put back stay open: its sessions have them again, or have passed them on.
        """
        if transfer.stage not in PUT_BACK:
            self._lose(transfer.sessions)

    def _lose(self, released: Released) -> None:
        for person, descriptor in zip(released.session_record.record["people"], released.descriptors, strict=True):
            if descriptor >= 0:
                os.close(descriptor)
            else:
                self.speaker.lost(person["id"])

    def _stays(self, stay: Callable[[], None]) -> None:
        stay()
        self._worker.act(nothing)  # lets the hub know now, not with the next turn

    def _tell(self, why: str, said: str) -> None:
        now = time.monotonic()
        if now - self._told >= TOLD_EVERY:
            self._told = now
            logger.warning("cluster.stayed", why=why, said=said)


def _is_dropped(transfer: GroupTransfer) -> bool:
    """Whether a session is nowhere: it came only to resume, and the home may have resumed it."""
    return transfer.stage == Stage.DOUBTFUL and transfer.cause == RESUME


def _is_late(transfer: GroupTransfer) -> bool:
    """Whether a session came only to resume, and its client has closed the connection since: it may have resumed over another one. (A client without
    a socket says so itself.)
    """
    client = transfer.sessions.descriptors[0]
    if transfer.cause != RESUME or client < 0:
        return False
    end = select.poll()
    end.register(client, select.POLLRDHUP)
    return bool(end.poll(0))


def nothing(_: float) -> None:
    """Do nothing but what is due."""
