"""Accept requests of other hosts over TCP, verify them, and pass them to the handler of their kind.

**Invariant:** a sender without the secret holds a connection for two seconds at most and gets no answer. At most COMING connections may be
unverified; one more replaces the oldest.
"""

from __future__ import annotations

import asyncio
import contextlib
import secrets
import socket
import sys
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Final, NamedTuple

from server.fleet.rpc import rpc_envelope
from server.fleet.rpc.rpc_envelope import CHALLENGE, HEAD, SKEW, Head, Nonces, Refused, Status
from server.fleet.rpc.rpc_seal import SEALED, Seal
from server.ops import log
from server.ops.metrics.cluster_metrics import REFUSALS
from server.ops.metrics.metric_type import Reading

COMING: Final = 64
DEADLINE: Final = 2.0  # seconds for head and body, and for the answer to be read
LAST_DATA_RECV: Final = slice(52, 56)  # of struct tcp_info: milliseconds
TOLD_EVERY: Final = 60.0  # seconds between two lines of the log of one kind
SHORT: Final = 0.2  # seconds until accepting is tried again, when no descriptor is left
logger = log.get()


class Request(NamedTuple):
    """Request of another host. `by`: the id of the secret that sealed it."""

    kind: int
    node: str
    nonce: bytes
    by: int
    body: bytes


class Answer(NamedTuple):
    """Answer to a request. `status` None: the holder of the connection answers. `keep`: gets the connection, non-blocking, once the answer is
    sent; None: it is closed.
    """

    status: Status | None
    body: bytes = b""
    keep: Callable[[socket.socket], None] | None = None


Handler = Callable[[Request], Awaitable[Answer]]


def no(why: str) -> Answer:
    """Return a refusal, in words for an operator."""
    return Answer(Status.NO, why.encode())


class RpcServer:
    """Server of one process: several may accept on copies of one socket. `address`: by which others reach it; `wall`: Unix seconds.

    No byte behind a request is read: a handler that wants the connection gets it untouched.
    """

    def __init__(
        self, sock: socket.socket, seal: Seal, address: str, handlers: Mapping[int, Handler], wall: Callable[[], float] = time.time,
    ) -> None:  # fmt: skip
        self._sock = sock
        self._seal = seal
        self._address = address
        self._handlers = handlers
        self._wall = wall
        self._nonces = Nonces()
        self._began = 0.0  # Unix seconds: when this process began to accept, after any other that did
        self._coming: dict[asyncio.Task[None], None] = {}  # the oldest first
        self._served: set[asyncio.Task[None]] = set()
        self._told: dict[str, float] = {}
        self._accepting = False
        self._again: asyncio.TimerHandle | None = None  # no descriptor was left
        sock.setblocking(False)
        self.refused = dict.fromkeys(REFUSALS, 0)

    def start(self) -> None:
        """Accept from here on. Call it in the loop."""
        if not self._accepting:
            self._accepting = True
            self._began = self._wall()
            asyncio.get_running_loop().add_reader(self._sock, self._accept)

    def pause(self) -> None:
        """Accept no more: connections wait for another copy of the socket, or for `start`. Open ones are served."""
        if self._accepting:
            self._accepting = False
            asyncio.get_running_loop().remove_reader(self._sock)
        if self._again is not None:
            self._again.cancel()

    async def close(self) -> None:
        """Accept no more, and close open connections; new ones wait for another copy of the socket, if there is one."""
        self.pause()
        tasks = [*self._coming, *self._served]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self._sock.close()

    def reading(self) -> Reading:
        """Return the metrics."""
        return {"serendip_cluster_refused": {(why,): count for why, count in self.refused.items()}}

    def _accept(self) -> None:
        """Accept a connection. At once, and not by a task: a task that is cancelled while it accepts loses a connection."""
        try:
            sock, _ = self._sock.accept()
        except BlockingIOError:  # another copy of the socket was first, or the client left
            return
        except OSError:
            self.pause()
            self._again = asyncio.get_running_loop().call_later(SHORT, self.start)
            return
        sock.setblocking(False)
        if len(self._coming) >= COMING:
            oldest = next(iter(self._coming))
            del self._coming[oldest]
            oldest.cancel()
            self._refuse("full")
        task = asyncio.get_running_loop().create_task(self._meet(sock))
        self._coming[task] = None
        task.add_done_callback(lambda task: self._coming.pop(task, None))

    async def _meet(self, sock: socket.socket) -> None:
        """Serve one connection, to its last byte or until a handler has it."""
        kept = False
        try:
            with contextlib.suppress(OSError, TimeoutError, EOFError):  # the other host went away
                told, keep = await self._heard(sock)
                if told:
                    async with asyncio.timeout(DEADLINE):
                        await asyncio.get_running_loop().sock_sendall(sock, told)
                if keep is not None:
                    kept = True
                    keep(sock)
        finally:
            if not kept:
                sock.close()

    async def _heard(self, sock: socket.socket) -> tuple[bytes, Callable[[socket.socket], None] | None]:
        """Return the answer to a request, if any, and the handler that then gets its connection. Raises EOFError, OSError."""
        found: Head | None = None
        by = 0
        try:
            async with asyncio.timeout(DEADLINE):
                challenge = b""
                while True:
                    found = rpc_envelope.read(await exactly(sock, HEAD.size), self._handlers)
                    sealed = await exactly(sock, SEALED + found.length)
                    by = sealed[0]
                    body = rpc_envelope.opened(self._seal, self._address, found, sealed, challenge)
                    rpc_envelope.in_time(found, self._wall(), unread(sock))
                    if challenge or not self._may_be_used(found):
                        break
                    challenge = secrets.token_bytes(CHALLENGE)
                    again = rpc_envelope.answer(self._seal, by, found.nonce, Status.AGAIN, challenge)
                    await asyncio.get_running_loop().sock_sendall(sock, again)
            self._nonces.take(found.nonce, time.monotonic())
            if found.kind not in self._handlers:
                raise Refused("kind", Status.VERSION)
        except TimeoutError:
            self._refuse("slow")
            return b"", None
        except Refused as error:
            self._refuse(error.why)
            if error.status is None or found is None:
                return b"", None
            ours = int(self._wall() * 1000).to_bytes(8, "big") if error.status == Status.CLOCK else b""
            return rpc_envelope.answer(self._seal, by, found.nonce, error.status, ours), None
        answer = await self._answered(Request(found.kind, found.node, found.nonce, by, body))
        if answer.status is None:
            return b"", answer.keep
        return rpc_envelope.answer(self._seal, by, found.nonce, answer.status, answer.body), answer.keep

    def _may_be_used(self, found: Head) -> bool:
        """Whether a process that accepted before this one may have accepted the request: its nonces are unknown here, and its last request was
        sent by a clock that may be SKEW ahead, and read within DEADLINE.
        """
        return found.time / 1000 <= self._began + SKEW + DEADLINE

    async def _answered(self, request: Request) -> Answer:
        """Return a handler's answer. From here on the connection counts as one with the secret."""
        task = asyncio.current_task()
        if task is not None and task in self._coming:
            del self._coming[task]
            self._served.add(task)
            task.add_done_callback(self._served.discard)
        try:
            return await self._handlers[request.kind](request)
        except Exception as error:  # noqa: BLE001 - of a handler, whatever it was: this connection alone is about it
            logger.error("cluster.fault", **log.described(error))
            return no("a fault; its log says more")

    def _refuse(self, why: str) -> None:
        self.refused[why] += 1
        now = time.monotonic()
        if now - self._told.get(why, -TOLD_EVERY) >= TOLD_EVERY:
            self._told[why] = now
            logger.warning("cluster.refused", why=why)


def unread(sock: socket.socket) -> float:
    """Return the seconds since the last data of a TCP connection came (`tcpi_last_data_recv` of struct tcp_info, linux/tcp.h). Raises OSError."""
    info = sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, LAST_DATA_RECV.stop)
    return int.from_bytes(info[LAST_DATA_RECV], sys.byteorder) / 1000


async def exactly(sock: socket.socket, size: int) -> bytes:
    """Read so many bytes of a non-blocking socket, and none more. Raises EOFError: it ended before; OSError."""
    loop = asyncio.get_running_loop()
    got = bytearray()
    while len(got) < size:
        some = await loop.sock_recv(sock, min(size - len(got), 65_536))
        if not some:
            raise EOFError
        got += some
    return bytes(got)
