"""People who go to another host: the side that they leave, the edge. Rule: until TOOK was read nothing is read of their sockets or sent to them.

Whoever has them at each point, the home's side being `server.fleet.roaming.migration_target`; a cut is an end of the connection, or silence for too
long:

    edge        it said, it heard    home                     who has them, and what a cut here comes to
    in service  -                    -                        edge: a connection is made first, so that nobody waits for one
    ASKED       MOVE                 nothing, or holds them   edge, nowhere heard: it takes them back (BACK; REFUSED: it was told no)
    GOING       GO                   holds them, or has them  see DOUBTFUL
    GIVEN       TOOK                 has them                 home: the client is a pipe; a cut is one of the tunnel
    DOUBTFUL    no TOOK              forgot them, or has      edge takes them back. The home's, if it has them: their connection ended, so that they
                                     them                     are away there, silent, until FORGET ends them, 15 s of grace at the latest

The home forgets who it holds where the connection ends or GO does not come in 2 s, and takes nobody whose edge has closed. In DOUBTFUL somebody
who came only to resume is not taken back but dropped: whoever has the session that they want, they find it when they come back. Where they were
resumed at the home meanwhile, FORGET says so, and they end at the edge.

Input that is no whole frame stays here, and is the first that the tunnel says; untaken output stays too. The state of the wire and a
message in pieces go along.
"""

from __future__ import annotations

import asyncio
import os
import secrets
import socket
import time
from collections.abc import Callable, Coroutine, Mapping, Sequence
from typing import Any, Final, NamedTuple

from engine.engine import BadRecord, Session
from engine.rooms.remote_room import Row
from engine.views import bare
from ext.migrate.tunnel_moves import prepare
from server.fleet.cluster.known_nodes import Hosts
from server.fleet.migrate.transfer import Exports, GroupTransfer, Stage
from server.fleet.roaming.migration_target import GO, TOOK, check_bans
from server.fleet.roaming.move_request import Move, divided, pack, wireless
from server.fleet.roaming.socketless_clients import SocketlessClients
from server.fleet.roaming.stale_copies import StaleCopies
from server.fleet.rpc.rpc_client import HostAway, HostRefused, RpcClient, dial
from server.fleet.rpc.rpc_envelope import LARGEST, NONCE, Kind
from server.ops import log
from server.ops.metrics.migration_metrics import NONE, RESUME, TUNNEL
from server.ops.process import fault_points
from server.realtime.worker.connection_moves import Released, ask_again

MOST: Final = 64  # crossings of a worker at a time
AGAIN: Final = 0.002  # seconds until who could not go is asked again
PATIENCE: Final = 0.1  # seconds after which who cannot go stays
RESUME_WITHIN: Final = 8.0  # seconds for a connection, of who comes back: a session waits for 15, a way breaks after 3
REACH_AGAIN: Final = 0.25  # seconds between two tries
TAKEN_WITHIN: Final = 1.0  # seconds for a connection, and for the answer to MOVE
TOOK_WITHIN: Final = 2.0  # seconds from GO
TOLD_EVERY: Final = 60.0  # seconds between two lines of the log
logger = log.get()

# (client's descriptor, address, state, bytes, connection, record of the session, name of the home): what is here of somebody whose session is there.
# State and bytes: as `Reactor.release` has them, of what stays here: `input`, `out`, `opcode` where pieces of a message went along, and ages.
Opened = Callable[[int, str, dict[str, Any], bytes, socket.socket, Mapping[str, Any], str], object]


class HomeProcess(NamedTuple):
    """A process of another host. `name`: as processes here call it."""

    name: str
    node: str
    worker: int


class MoveOrder(NamedTuple):
    """Somebody who is to go. `meeting`: None for who resumes; `ready`: whether they still want to; `stay`: what to do where they do not go."""

    client: int
    meeting: Row | None
    why: str
    ready: Callable[[], bool]
    stay: Callable[[], None]


class MigrationSource:
    """Of one process that has people. Call it in the loop. `opened`: of whom is given; the two descriptors are its own."""

    def __init__(
        self,
        hosts: Hosts,
        asker: RpcClient,
        exports: Exports,
        opened: Opened,
        find_speaker: Callable[[], SocketlessClients],
    ) -> None:
        self._hosts = hosts
        self._asker = asker
        self._exports = exports
        self._worker = worker = exports.worker
        self._opened = opened
        self._free = asyncio.Semaphore(MOST)
        self._tasks: set[asyncio.Task[bool]] = set()
        self._told = -TOLD_EVERY
        self.forgetting = StaleCopies(hosts, asker, worker)
        self._find_speaker = find_speaker

    @property
    def speaker(self) -> SocketlessClients:
        """The adapter of clients without a socket."""
        return self._find_speaker()

    def go(self, home: HomeProcess, one: MoveOrder) -> None:
        """Somebody goes, as soon as there is a connection."""
        self._start(self._go(home, one))

    async def send(self, home: HomeProcess, transfer: GroupTransfer) -> bool:
        """Move a group without its connections, whose descriptors stay the caller's; whether the home has it.

        The transfer ends whatever becomes of who waits for it.
        """
        return await asyncio.shield(self._start(self._send(home, transfer)))

    def forget(self, home: HomeProcess, people: Sequence[tuple[int, int]]) -> None:
        """People whose home may live, and who are here: it is asked to forget them. `people`: ids and keys, as they went there."""
        host = self._hosts.at(home.node)
        if host is not None:
            self.forgetting.ask(home.node, home.worker, host.address, people)

    @property
    def under_way(self) -> bool:
        """Whether somebody is on the way."""
        return bool(self._tasks)

    async def landed(self) -> None:
        """Wait until nobody is on the way."""
        while self._tasks:
            await asyncio.wait(self._tasks)

    def close(self) -> None:
        """Who is on the way is dropped: nobody is at two hosts."""
        for task in self._tasks:
            task.cancel()
        self.forgetting.close()

    def _start(self, work: Coroutine[Any, Any, bool]) -> asyncio.Task[bool]:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def _go(self, home: HomeProcess, one: MoveOrder) -> bool:
        """Whether they went."""
        found = await self._reached(home, one)
        released = None if found is None else await self._released(one)
        if found is None or released is None:
            if found is not None:
                self._end(found[0])
            elif one.why == RESUME:
                self._exports.tally.went(RESUME, TUNNEL, "back", 1)
                self._tell("unreached", f"{home.name} has what somebody came back to, and there is no connection to it")
            self._stays(one.stay)
            return False
        sock, address = found
        transfer = GroupTransfer(self._exports, released, one.why, time.monotonic())
        self._worker.act(nothing)  # the hub is told that they are gone
        fault_points.at("release")
        transfer.way, transfer.put_back = TUNNEL, self._put_back
        transfer.begin(home.name)
        people, state, data = divided(released.parcel)
        move = Move(home.node, home.worker, one.why, one.client, one.meeting, 0.0, people)
        try:
            await self._carry(home, sock, address, move, transfer)
        except BaseException:
            self._end(sock)
            self._lose(released)
            raise
        if transfer.stage == Stage.TAKEN:
            self._worker.forget_saves(one.client)
            self._open(home, released, state, data, sock)
            self._exports.tally.out_of_service(one.why, TUNNEL, time.monotonic() - transfer.since)
            return True
        self._end(sock)
        if not _is_dropped(transfer):
            self._stays(one.stay)
        return False

    async def _send(self, home: HomeProcess, transfer: GroupTransfer) -> bool:
        transfer.way = NONE
        transfer.begin(home.name)
        found = await self._dialled(home)
        if found is None:
            transfer.cut()
            return False
        sock, address = found
        parcel = transfer.sessions.parcel
        try:
            move = Move(home.node, home.worker, transfer.cause, 0, None, 0.0, wireless(parcel))
            await self._carry(home, sock, address, move, transfer)
        finally:
            self._end(sock)
        if transfer.stage != Stage.TAKEN:
            return False
        for person in parcel.record["people"]:
            self._worker.forget_saves(person["id"])
        return True

    # its steps

    async def _reached(self, home: HomeProcess, one: MoveOrder) -> tuple[socket.socket, str] | None:
        """As `_dialled`; who resumes is not refused for a way that is broken for a moment, as long as the host is there and keeps what they want."""
        until = time.monotonic() + (RESUME_WITHIN if one.why == RESUME else 0.0)
        while (found := await self._dialled(home)) is None and one.ready() and time.monotonic() < until:
            if self._hosts.at(home.node) is None:
                return None
            await asyncio.sleep(REACH_AGAIN)
        return found

    async def _dialled(self, home: HomeProcess) -> tuple[socket.socket, str] | None:
        """A connection, and the address at which it asks; None: there is none in time, or too many are under way."""
        host = self._hosts.at(home.node)
        if host is None:
            return None
        try:
            async with asyncio.timeout(PATIENCE):
                await self._free.acquire()
        except TimeoutError:
            return None
        try:
            async with asyncio.timeout(TAKEN_WITHIN):
                sock = await dial(host.address)
                prepare(sock)
                return sock, host.address
        except OSError:
            self._free.release()
            return None
        except BaseException:
            self._free.release()
            raise

    def _end(self, sock: socket.socket) -> None:
        sock.close()
        self._free.release()

    async def _released(self, one: MoveOrder) -> Released | None:
        """They are nowhere; None: they do not go, or cannot."""
        until = time.monotonic() + PATIENCE
        while one.ready() and one.client not in self.forgetting and time.monotonic() < until:
            released = self._exports.moving.release((one.client,)) if self.speaker.ready(one.client) else None
            if released is None:
                await asyncio.sleep(AGAIN)
                continue
            wire = released.parcel.record["people"][0].get("wire", {"visitor": 1})
            speaks = "virtual" in wire and self.speaker.leaves(one.client)
            if "visitor" in wire or (released.descriptors[0] < 0 and not speaks):
                self._take(released)  # another host's, who goes home first, or nobody's
                return None
            return released
        return None

    async def _carry(
        self, home: HomeProcess, sock: socket.socket, address: str, move: Move, transfer: GroupTransfer
    ) -> None:
        """Exchange the messages of a move with the home, until the transfer ends; the connection is closed here unless it is taken."""
        nonce, said, end = secrets.token_bytes(NONCE), "", transfer.cut
        move.people.record["v"] = self._hosts.writes
        body = pack(move._replace(age=time.monotonic() - transfer.since))
        transfer.sent()
        try:
            if len(body) > LARGEST:
                raise HostRefused(0, "too much of one group of people")
            async with asyncio.timeout(TAKEN_WITHIN):
                await self._asker.say(sock, address, Kind.MOVE, body, nonce)
                fault_points.at("asked")
                await self._asker.hear(sock, address, Kind.MOVE, body, nonce)
            transfer.go()
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
        """The client is a pipe from here on."""
        person = released.parcel.record["people"][0]
        last = bare(person, released.parcel.record["chats"])
        address = person["wire"].get("address", person["address"])
        self._free.release()
        (client,) = released.descriptors
        try:
            if client < 0:
                client = self.speaker.goes(person["id"])
            self._opened(client, address, state, data, sock, {**person, "last": last}, home.name)
        except OSError:  # no memory, or no descriptor is left: both are closed, and the client comes back
            sock.close()
            if client < 0:
                self.speaker.lost(person["id"])
        fault_points.at("opened")
        self._worker.act(nothing)

    def _put_back(self, transfer: GroupTransfer) -> list[Session]:
        """Put a session back, unless it is dropped: then its client is to come back by itself."""
        released = transfer.sessions
        if _is_dropped(transfer):
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
        except BadRecord as bad:  # they are here already: they came back by another way
            logger.error("handover.refused", people=1, **log.described(bad))
            self._lose(released)
        ask_again(self._worker, came)
        check_bans(self._worker, came)
        return came

    def _lose(self, released: Released) -> None:
        for person, descriptor in zip(released.parcel.record["people"], released.descriptors, strict=True):
            if descriptor >= 0:
                os.close(descriptor)
            else:
                self.speaker.lost(person["id"])

    def _stays(self, stay: Callable[[], None]) -> None:
        stay()
        self._worker.act(nothing)  # the hub is told so now, not by the next turn

    def _tell(self, why: str, said: str) -> None:
        now = time.monotonic()
        if now - self._told >= TOLD_EVERY:
            self._told = now
            logger.warning("cluster.stayed", why=why, said=said)


def _is_dropped(transfer: GroupTransfer) -> bool:
    """Whether a session is nowhere: it came only to resume, and the home may have resumed it."""
    return transfer.stage == Stage.DOUBTFUL and transfer.cause == RESUME


def nothing(_: float) -> None:
    """Only what is due."""
