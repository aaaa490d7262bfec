"""Send a visitor back to the host of its connection when its chat is over. A visitor is a session held here whose client is connected to
another host.

**Invariant:** from the start of the return on, this host no longer accepts the session. A client that resumes it meanwhile waits for the end of
the return, and then the other hosts are asked.
"""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import socket
import struct
import termios
import time
from collections import Counter
from collections.abc import Callable
from functools import partial
from typing import Final

from engine.engine import VERSION, Session
from engine.rooms.remote_waiting_room import RemoteRoom
from engine.views import CHATTING, write_last
from server.fleet.migrate.forwarding_table import ForwardingTable
from server.fleet.roaming import session_return_frames
from server.fleet.roaming.session_return_frames import READ_MAX, TooLarge
from server.ops.metrics.metric_type import Reading
from server.ops.metrics.migration_metrics import RETURNS
from server.ops.process import fault_points
from server.realtime.worker.session_moves import Released, SessionMoves
from server.realtime.worker.worker_loop import Worker

WITHIN: Final = 3.0  # seconds for the other host to send its last byte
ON_THE_WAY: Final = 16 * 1024  # bytes: a client with more unread is slow
SOON: Final = 0.02  # seconds until a visitor that could not return is tried again
SELDOM: Final = 1.0  # the same, for one that cannot for long


def newest() -> int:
    """Return the newest version of records that this release writes."""
    return VERSION


def unnoticed(_: int, __: int) -> None:
    """Do nothing."""


class VisitorReturn:
    """Return of visitors from one process. Call it in the loop; `turn` after each of the worker's turns.

    A session that is in no chat nor about to be, and whose client has read everything, returns at once, with its search if it has one, over the
    connection by which it came (`session_return_frames`; owner at each cut: `tunnel_table.TunnelTable`). If its client has not read everything, or
    the session moves to a match, the return is tried again; a session that is too large stays until its next chat is over. A session that waits
    here to resume another one returns only if that one is elsewhere (`send_home`).
    """

    def __init__(
        self,
        worker: Worker,
        room: RemoteRoom,
        writes: Callable[[], int] = newest,
        returned: Callable[[int, int], object] = unnoticed,
        forwarding: ForwardingTable | None = None,
    ) -> None:
        """`writes`: the version of session records that other hosts read; `returned`: called with id and key of a session that returns;
        `forwarding`: keeps requests for it until the return ends.
        """
        self._worker = worker
        self._room = room
        self._writes = writes
        self._returned = returned
        self._forwarding = forwarding
        self._moving = SessionMoves(worker)
        self._waiting: dict[int, float] = {}  # visitors that could not return, by connection, and since when
        self._resuming: set[int] = set()  # connections of visitors that return with their resume
        self._again: asyncio.TimerHandle | None = None
        self._turning = False
        self._returns: set[asyncio.Task[None]] = set()
        self.results = Counter(dict.fromkeys(RETURNS, 0))

    def reading(self) -> Reading:
        """Return the metrics."""
        return {
            "serendip_visitors": len(self._worker.output.visitors),
            "serendip_visitor_returns": {(result,): count for result, count in self.results.items()},
        }

    def tell(self, conn: int) -> None:
        """Send the visitor's host what it needs if this host dies."""
        session = self._worker.engine.sessions.get(self._worker.output.visitors[conn].id)
        if session is not None and session.conn == conn:
            self._worker.reactor.record(conn, session_return_frames.last(write_last(session, time.monotonic())))

    def send_home(self, conn: int) -> None:
        """Return a visitor that waits to resume a session which is at another host: its own host resumes that."""
        self._resuming.add(conn)
        self._worker.output.free.append(conn)

    def turn(self) -> None:
        """Return the visitors that may go now."""
        free = self._worker.output.free
        if not free or self._turning or self._worker.busy:
            return
        self._turning = True
        self._worker.output.free = []
        try:
            for conn in dict.fromkeys(free):
                self._look(conn)
        finally:
            self._turning = False
        if self._waiting and self._again is None:
            longest = max(time.monotonic() - min(self._waiting.values()), SOON)
            self._again = asyncio.get_running_loop().call_later(min(longest, SELDOM), self._look_again)

    def _look_again(self) -> None:
        self._again = None
        self._worker.output.free.extend(self._waiting)
        self._worker.act(lambda _: None)

    def _look(self, conn: int) -> None:
        visitor = self._worker.output.visitors.get(conn)
        session = None if visitor is None else self._worker.engine.sessions.get(visitor.id)
        if session is None or session.conn != conn or session.state == CHATTING:
            self._waiting.pop(conn, None)
            self._resuming.discard(conn)
        elif self._room.meets(session.id) or not self._go(session, conn):
            self._waiting.setdefault(conn, time.monotonic())

    def _go(self, session: Session, conn: int) -> bool:
        """Return a visitor; False: not now."""
        released = self._moving.release((session.id,))
        if released is None:
            return False
        since = self._waiting.pop(conn, None) or time.monotonic()
        (one,), (descriptor,) = released.session_record.record["people"], released.descriptors
        resumes = conn in self._resuming
        self._resuming.discard(conn)
        if ("resume" in one and not resumes) or one["wire"].get("out") or _on_the_way(descriptor) > ON_THE_WAY:
            self._stay(released, since, resumes)
            return True
        try:
            released.session_record.record["v"] = self._writes()
            frame = session_return_frames.person(released.session_record)
        except TooLarge:
            self.results["stayed"] += 1
            self._stay(released, None)
            return True
        fault_points.at("homeward")
        sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM, 0, descriptor)
        sock.setblocking(False)
        try:
            sent = sock.send(frame)
        except OSError:  # it accepts nothing, or is broken, which the reactor will find
            sock.detach()
            self._stay(released, since, resumes)
            return True
        self._worker.forget_saves(one["id"])
        self._returned(one["id"], one.get("key", one["id"]))
        fault_points.at("person")
        task = asyncio.get_running_loop().create_task(self._return(sock, frame[sent:]))
        self._returns.add(task)
        keys = () if self._forwarding is None else self._forwarding.sent([one])
        task.add_done_callback(partial(self._end, keys))
        return True

    def _end(self, keys: tuple[int, ...], task: asyncio.Task[None]) -> None:
        self._returns.discard(task)
        if self._forwarding is not None and not task.cancelled():
            self._forwarding.ended(keys, None)

    def _stay(self, released: Released, since: float | None, resumes: bool = False) -> None:
        """Put a session back, with a new connection number. `since`: when it was tried first, None: it is not tried again; `resumes`: it returns with
        its resume.
        """
        (session,) = self._moving.take(*released)
        free = self._worker.output.free
        if session.conn in free:  # it was tried just now
            free.remove(session.conn)
        if since is not None and session.conn:
            self._waiting[session.conn] = since
            if resumes:
                self._resuming.add(session.conn)

    async def _return(self, sock: socket.socket, left: bytes) -> None:
        """Send the rest of a session's record, read from its connection until nothing more comes, and send what was read."""
        loop = asyncio.get_running_loop()
        result = "cut"
        with contextlib.suppress(OSError, TimeoutError), sock:
            async with asyncio.timeout(WITHIN):
                if left:
                    await loop.sock_sendall(sock, left)
                read = bytearray()
                while data := await loop.sock_recv(sock, 65_536):
                    read += data
                    if len(read) > READ_MAX:
                        raise TimeoutError
                fault_points.at("read")
                await loop.sock_sendall(sock, b"".join(session_return_frames.rest(bytes(read))))
                fault_points.at("rest")
            result = "sent"
        self.results[result] += 1

    async def settled(self) -> None:
        """Wait until no visitor is on its way."""
        while self._returns:
            await asyncio.wait(self._returns)

    def close(self) -> None:
        """Stop returning visitors; those in flight belong to the process that they left."""
        if self._again is not None:
            self._again.cancel()
        for task in self._returns:
            task.cancel()


def _on_the_way(descriptor: int) -> int:
    """Return the number of sent bytes that have not arrived yet."""
    try:
        return int(struct.unpack("i", fcntl.ioctl(descriptor, termios.TIOCOUTQ, b"\0" * 4))[0])
    except OSError:
        return 0
