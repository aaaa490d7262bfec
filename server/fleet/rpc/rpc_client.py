"""Send a request to another host's rpc server and return the answer, within a given time. An error says what failed in words for an operator."""

from __future__ import annotations

import asyncio
import contextlib
import os
import secrets
import socket
import time
from collections.abc import Callable

from server.fleet.rpc import rpc_envelope
from server.fleet.rpc.rpc_envelope import ANSWER, BOUNDS, NONCE, Head, Kind, Status
from server.fleet.rpc.rpc_seal import SEALED, Seal
from server.fleet.rpc.rpc_server import exactly
from server.ops.config.cluster_settings import split

SECRET = "another secret: DATA/secret is not the same on both hosts"


class HostAway(Exception):
    """Another host did not answer, or not properly; the text says why."""


class HostRefused(HostAway):
    """Another host refused a request; `status`: of its answer."""

    def __init__(self, status: int, why: str) -> None:
        super().__init__(why)
        self.status = status


async def dial(address: str) -> socket.socket:
    """Return a non-blocking connection to another host's rpc server. Raises OSError."""
    at = split(address)
    sock = socket.socket(socket.AF_INET6 if ":" in at[0] else socket.AF_INET, socket.SOCK_STREAM | socket.SOCK_NONBLOCK)
    try:
        await asyncio.get_running_loop().sock_connect(sock, at)
    except BaseException:
        sock.close()
        raise
    return sock


class RpcClient:
    """Client of one host. `node`: its own; `wall`: Unix seconds."""

    def __init__(self, seal: Seal, node: str, wall: Callable[[], float] = time.time) -> None:
        self.seal = seal
        self._node = node
        self._wall = wall

    async def ask(self, address: str, kind: Kind, body: bytes, *, within: float = 2.0, nonce: bytes = b"") -> bytes:
        """Send a request; returns the answer, within so many seconds. `nonce`: of this one request, if the caller has to know it. Raises
        HostAway.
        """
        sock, answer = await self.reach(address, kind, body, within=within, nonce=nonce)
        sock.close()
        return answer

    async def reach(
        self, address: str, kind: Kind, body: bytes, *, within: float = 2.0, nonce: bytes = b""
    ) -> tuple[socket.socket, bytes]:
        """Send a request as `ask` does, and keep its connection: it is the caller's, with no byte read behind the answer."""
        nonce = nonce or secrets.token_bytes(NONCE)
        with contextlib.ExitStack() as unless_taken:
            try:
                async with asyncio.timeout(within):
                    sock = unless_taken.enter_context(await dial(address))
                    await self.say(sock, address, kind, body, nonce)
                    answer = await self.hear(sock, address, kind, body, nonce)
            except TimeoutError:
                raise HostAway(f"no answer within {within:g} s") from None
            except ConnectionRefusedError:
                raise HostAway("refused: no process listens there") from None
            except (EOFError, ConnectionResetError, BrokenPipeError):
                raise HostAway(f"no answer, but an end: {SECRET}, or it has too much to do") from None
            except OSError as error:
                raise HostAway(os.strerror(error.errno) if error.errno else str(error)) from None
            unless_taken.pop_all()
        return sock, answer

    async def say(
        self, sock: socket.socket, address: str, kind: Kind, body: bytes, nonce: bytes, challenge: bytes = b""
    ) -> None:
        """Write a request to a connection to `address`. `challenge`: of an answer AGAIN. Raises OSError."""
        asks = Head(kind, self._node, int(self._wall() * 1000), nonce, len(body))
        request = rpc_envelope.request(self.seal, address, asks, body, challenge)
        await asyncio.get_running_loop().sock_sendall(sock, request)

    async def hear(self, sock: socket.socket, address: str, kind: Kind, body: bytes, nonce: bytes) -> bytes:
        """Read the answer to a request, which is sent once more if the other host demands that; no byte behind the answer is read.

        Raises HostAway, HostRefused, EOFError, OSError.
        """
        status, answer = await self._answer(sock, kind, nonce)
        if status == Status.AGAIN:
            await self.say(sock, address, kind, body, nonce, answer)
            status, answer = await self._answer(sock, kind, nonce)
        if status != Status.TAKEN:
            raise HostRefused(status, self._why(status, answer))
        return answer

    async def _answer(self, sock: socket.socket, kind: Kind, nonce: bytes) -> tuple[int, bytes]:
        """Read an answer; returns its status and body. Raises HostAway, EOFError, OSError."""
        status, length = ANSWER.unpack(await exactly(sock, ANSWER.size))
        if length > BOUNDS[kind]:
            raise HostAway("what it answers is no answer: is it another program's port?")
        answer = rpc_envelope.answered(self.seal, nonce, status, await exactly(sock, SEALED + length))
        if answer is None:
            raise HostAway(f"what it answers is not sealed by this service: {SECRET}")
        return status, answer

    def _why(self, status: int, body: bytes) -> str:
        if status == Status.CLOCK:
            ahead = int.from_bytes(body, "big") / 1000 - self._wall()
            return f"clock off: its clock is {abs(ahead):.0f} s {'ahead of' if ahead > 0 else 'behind'} ours"
        if status == Status.FULL:
            return "it has too much to do"
        if status == Status.NO:
            return body.decode(errors="replace")
        return "another version: it does not know what it is asked"
