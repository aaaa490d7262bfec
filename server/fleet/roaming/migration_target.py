"""Accept sessions that a process of another host moves here: the target side (the home). The source side, with the table of owners, is
`migration_source.MigrationSource`.

**Invariant:** the sessions of a request exist here only from the source's GO on. If GO does not come, or the connection ends before it, they are
dropped. So is one that is to resume a session which was resumed since the request came: its client has dropped it as GO was on its way, and has a
newer connection. (If that is the older one, its client finds the session when it returns.)
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import time
from collections.abc import Callable, Collection, Iterable
from functools import partial
from typing import Any, Final

import orjson

from engine.engine import BadRecord, Session
from engine.rooms.remote_waiting_room import RemoteRoom, is_meeting
from ext.migrate.tunnel_transfer import prepare
from server.fleet.migrate.migration_counts import MigrationCounts
from server.fleet.roaming.arrivals import Arrivals
from server.fleet.roaming.move_request import Move, Unreadable, unpack
from server.fleet.rpc import rpc_envelope
from server.fleet.rpc.rpc_envelope import Kind, Status
from server.fleet.rpc.rpc_seal import Seal
from server.fleet.rpc.rpc_server import Request
from server.ops import log
from server.ops.metrics.migration_metrics import MEET, MOVE_WHYS, NONE, RESUME, TUNNEL
from server.ops.process import fault_points
from server.realtime.worker.session_moves import SessionMoves, ask_again
from server.realtime.worker.worker_loop import Worker

GO: Final = b"G"  # of the edge: the sessions are yours
TOOK: Final = b"T"  # of the home, the acknowledgement: they are here
GO_WITHIN: Final = 2.0  # seconds for an edge to send GO, and to read an answer
HELD_MAX: Final = 128  # requests that are held at a time
logger = log.get()

Said = tuple[Status, bytes]  # an answer


class MigrationTarget:
    """Target side of one process. Call it in the loop. `node`, `number`: its own, among those of all hosts; `takes`: whether it accepts
    sessions; `going`: sessions that it does not accept, by id (`MigrationSource.going`).

    Sessions are held with the connection of their request, which is the visitors' socket from the acknowledgement on. FORGET for a request ends
    what came with it (and not the same session, if it came again with another request), unless it was resumed here since, also if it then
    returned to the host of that connection. For a session that moved on, the answer names its process, which the edge then asks.
    """

    def __init__(
        self,
        node: str,
        number: int,
        seal: Seal,
        worker: Worker,
        room: RemoteRoom,
        moving: SessionMoves,
        tally: MigrationCounts,
        takes: Callable[[], bool],
        arrivals: Arrivals,
        going: Collection[int],
    ) -> None:
        self._node = node
        self._number = number
        self._seal = seal
        self._worker = worker
        self._room = room
        self._moving = moving
        self._tally = tally
        self._takes = takes
        self._arrivals = arrivals
        self._going = going
        self._held: dict[bytes, asyncio.Task[None]] = {}  # by the nonce of the request
        self._asked: set[asyncio.Task[None]] = set()
        self.ended = self.kept = 0  # sessions of requests that were to be forgotten

    def came(self, request: Request, sock: socket.socket) -> None:
        """Serve a request that the server has verified; its connection is this object's from here on."""
        task = asyncio.get_running_loop().create_task(self._serve(request, sock))
        if request.kind == Kind.MOVE:
            self._held[request.nonce] = task
            task.add_done_callback(partial(self._let_go, request.nonce))
        else:
            self._asked.add(task)
            task.add_done_callback(self._asked.discard)

    def close(self) -> None:
        """Accept no more."""
        for task in (*self._held.values(), *self._asked):
            task.cancel()

    def _let_go(self, nonce: bytes, task: asyncio.Task[None]) -> None:
        if self._held.get(nonce) is task:
            del self._held[nonce]

    async def _serve(self, request: Request, sock: socket.socket) -> None:
        with sock:
            try:
                if request.kind == Kind.MOVE:
                    await self._move(request, sock)
                else:
                    await self._say(sock, request, self._forget(request.body))
            except OSError:
                return  # the other host went away, or says nothing
            except Exception as error:  # noqa: BLE001 - whatever it was: these people alone are about it
                logger.error("cluster.fault", **log.described(error))

    async def _say(self, sock: socket.socket, request: Request, answer: Said) -> None:
        said = rpc_envelope.answer(self._seal, request.by, request.nonce, *answer)
        async with asyncio.timeout(GO_WITHIN):
            await asyncio.get_running_loop().sock_sendall(sock, said)

    # sessions

    async def _move(self, request: Request, sock: socket.socket) -> None:
        found = self._judged(request.body)
        if not isinstance(found, Move):
            await self._say(sock, request, found)
            return
        fault_points.at("arrived")
        since = time.monotonic()
        prepare(sock)
        wanted = self._wanted(found)
        await self._say(sock, request, (Status.TAKEN, b""))
        fault_points.at("held")
        async with asyncio.timeout(GO_WITHIN):
            said = await asyncio.get_running_loop().sock_recv(sock, len(GO))
        if said == GO and not _ended(sock) and (wanted is None or self._wanted(found) in (None, wanted)):
            self._land(found, request.nonce, sock, time.monotonic() - since)

    def _wanted(self, move: Move) -> int | None:
        """Return the key of the session that is to be resumed: another one if it was resumed since. None: it is not here, or no session is named."""
        return self._worker.engine.moves.wanted(move.people, time.monotonic()) if move.why == RESUME else None

    def _judged(self, body: bytes) -> Move | Said:
        """Return what comes, or why it cannot."""
        try:
            move = unpack(body)
        except Unreadable:
            return Status.NO, b"people who cannot be read"
        if (move.node, move.worker) != (self._node, self._number):
            return Status.NO, b"they are for another process, which is not there any more"
        if not self._takes():
            return Status.NO, b"this process accepts no session now"
        if len(self._held) > HELD_MAX:
            return Status.FULL, b""
        oldest, newest = self._worker.engine.moves.versions
        version = move.people.record.get("v")
        if type(version) is not int or not oldest <= version <= newest:
            return Status.VERSION, b""
        if move.why not in MOVE_WHYS or not _fits(move):
            return Status.NO, b"people who cannot be read"
        if self._is_going(move):
            return Status.NO, b"a session of them is under way from this process"
        return move

    def _is_going(self, move: Move) -> bool:
        return any(one.get("id") in self._going for one in move.people.record["people"])

    def _land(self, move: Move, nonce: bytes, sock: socket.socket, held: float) -> None:
        """Put the sessions in: they are here once the acknowledgement is sent; without it none is."""
        if self._is_going(move):  # since it was judged
            return
        people = move.people.record["people"]
        places = [sock.fileno() if one.get("id") == move.client else -1 for one in people]
        if move.meeting is not None:
            self._room.expect((move.client,))
        try:
            came = self._moving.take(move.people, places, partial(self._mine, sock, move.client))
        except BadRecord as bad:
            self._room.expect(())
            logger.error("migration.refused", people=len(people), **log.described(bad))
            return
        self._arrivals.add(nonce, came)
        way = TUNNEL if move.client else NONE
        self._tally.between_hosts[move.why, way, "taken"] += len(came)
        if move.meeting is not None:
            meeting = move.meeting
            self._worker.act(lambda now: self._room.arrived(meeting, now))
        ask_again(self._worker, came)
        check_bans(self._worker, came)
        fault_points.at("taken")

    def _mine(self, sock: socket.socket, client: int) -> None:
        """Send the acknowledgement, before the descriptor is touched. An edge that cannot read it any more sends FORGET."""
        with contextlib.suppress(OSError):
            sock.send(TOOK)
        if client:
            sock.detach()
        fault_points.at("took")

    # sessions that are to be forgotten

    def returned(self, id: int, key: int) -> None:
        """Note that a session returns to the host of its connection. `key`: its own, now."""
        self._arrivals.returned(id, key)

    def _forget(self, body: bytes) -> Said:
        """End sessions that the edge has put back. The answer lists those that stay here, by id, and those that moved on: id, node, number of the
        process. FULL: one is under way, and its next process is not known yet.
        """
        try:
            said = orjson.loads(body)
            nonce = bytes.fromhex(said["nonce"]) if "nonce" in said else b""
            people = self._came_with(nonce) if nonce else [(int(id), int(key)) for id, key in said["people"]]
        except (KeyError, TypeError, ValueError):
            return Status.NO, b"no session can be found by that"
        engine, arrivals = self._worker.engine, self._arrivals
        if any(id not in engine.sessions and arrivals.is_leaving(id) for id, _ in people):
            return Status.FULL, b""
        kept: list[int] = []
        moved: list[list[Any]] = []
        for id, one in arrivals.earlier(nonce):
            if one.resumed:
                kept.append(id)
            elif one.where is not None:
                moved.append([id, *one.where])
        for id, key in people:
            session = engine.sessions.get(id)
            if session is not None and session.key == key:
                arrivals.forget(id)
                self._worker.act(partial(engine.forsake, session))
                self.ended += 1
            elif session is not None or engine.moves.find(key) is not None or arrivals.was_resumed(id, key):
                kept.append(id)
            elif (where := arrivals.went(id)) is not None:
                moved.append([id, *where])
        self.kept += len(kept)
        return Status.TAKEN, orjson.dumps([*kept, *moved])

    def _came_with(self, nonce: bytes) -> list[tuple[int, int]]:
        """Return ids and keys of the sessions that came with a request, of which none comes any more."""
        if (held := self._held.pop(nonce, None)) is not None:
            held.cancel()  # its GO may still come
        return self._arrivals.of(nonce)


def check_bans(worker: Worker, sessions: Iterable[Session]) -> None:
    """End the sessions of users who are banned, or known to be minors: the order may have come while they were nowhere."""
    now = time.monotonic()
    for session in sessions:
        banned = worker.find_ban(session.identity, session.address)
        refusal = banned[0] if banned is not None else worker.engine.underage(session.person, now)
        if refusal is not None:
            worker.ban(session.id, refusal)


def _fits(move: Move) -> bool:
    """Whether the session that comes with the connection is in the record and alone has one, and meets another one if there is a meeting."""
    people = move.people.record.get("people")
    if type(people) is not list or not all(type(one) is dict for one in people):
        return False
    wires = [one.get("id") for one in people if "wire" in one]
    if wires != ([move.client] if move.client else []):
        return False
    if move.meeting is None:
        return not move.client or move.why == RESUME
    return move.why == MEET and is_meeting(move.meeting) and move.client in [one[0] for one in move.meeting[2]]


def _ended(sock: socket.socket) -> bool:
    """Whether the other end of a connection is gone, so that no answer would be read."""
    try:
        return sock.recv(1, socket.MSG_PEEK) == b""
    except BlockingIOError:
        return False
