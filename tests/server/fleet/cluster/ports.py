"""A cluster port in the test's loop, and raw connections to it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

from server.fleet.rpc.rpc_client import RpcClient
from server.fleet.rpc.rpc_envelope import Status
from server.fleet.rpc.rpc_seal import Seal
from server.fleet.rpc.rpc_server import Answer, Handler, Request, RpcServer
from server.ops.config.cluster_settings import split
from server.ops.process.listening_sockets import listen_at
from server.ops.security import secret_keys

NODE = "00000000aa"


class There:
    """One host's port, and another's way to it, which share `secret`."""

    def __init__(self, secret: secret_keys.Keys, handlers: Mapping[int, Handler], at: str, port: int) -> None:
        sock = listen_at(at, port)
        self.address = f"{f'[{at}]' if ':' in at else at}:{sock.getsockname()[1]}"
        self.seal = Seal(secret)
        self.off = 0.0  # seconds by which its clock is ahead of the test's
        self.now = 1_795_000_000.0
        self.port = RpcServer(sock, self.seal, self.address, handlers, lambda: self.now + self.off)
        self.asker = RpcClient(self.seal, NODE, lambda: self.now)

    def other(self, folder: Path) -> RpcClient:
        """Of a host with another secret."""
        return RpcClient(Seal(secret_keys.load(folder)), NODE, lambda: self.now)

    async def open(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """A connection that says nothing yet."""
        return await asyncio.open_connection(*split(self.address))

    async def say(self, data: bytes, *, ended: bool = False) -> bytes:
        """Send bytes, and the end of them where that is `ended`; what comes until the other end, which comes by itself."""
        reader, writer = await self.open()
        writer.write(data)
        if ended:
            writer.write_eof()
        try:
            return await asyncio.wait_for(reader.read(), 20)
        except ConnectionResetError:
            return b""
        finally:
            writer.close()


@asynccontextmanager
async def there(
    secret: secret_keys.Keys,
    handlers: Mapping[int, Handler],
    at: str = "127.0.0.1",
    port: int = 0,
    began: float = -3600.0,
) -> AsyncIterator[There]:
    """A port that accepts, closed at the end. `began`: when, in seconds from now."""
    made = There(secret, handlers, at, port)
    made.off = began
    made.port.start()
    made.off = 0.0
    try:
        yield made
    finally:
        await made.port.close()


async def echo(request: Request) -> Answer:
    """A handler: what it was asked, by whom."""
    return Answer(Status.TAKEN, request.node.encode() + b" " + request.body)
