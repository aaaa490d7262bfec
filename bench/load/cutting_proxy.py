"""Simulate a network that fails at a chosen byte: a loopback proxy whose connections can be cut.

`down` and `up` are budgets in bytes: when one is used up, exactly that much has been forwarded, and both ends are reset. **Invariant:** it never
changes a byte. A connection can also die without a sign (`silence`): nothing passes any more, and neither end is told.
"""

import asyncio
from collections.abc import Callable
from typing import cast


class Cable:
    """One proxied connection."""

    def __init__(self, up: int | None, down: int | None) -> None:
        self.front: asyncio.Transport | None = None  # to the client
        self.back: asyncio.Transport | None = None  # to the server
        self.up = up
        self.down = down
        self.passed = [0, 0]  # bytes up, down
        self.early: list[bytes] = []
        self.cut_ = False
        self.silent = False
        self.over = False  # one end is closed, perhaps before there was another

    def cut(self) -> None:
        """Reset both ends."""
        self.cut_ = True
        for end in (self.front, self.back):
            if end is not None:
                end.abort()

    def silence(self) -> None:
        """Pass nothing on any more, and tell neither end."""
        self.silent = True

    def upward(self, data: bytes) -> None:
        """Forward from the client."""
        if self.silent:
            return
        if self.up is not None:
            data, self.up = data[: self.up], self.up - min(self.up, len(data))
        self.passed[0] += len(data)
        if self.back is None:
            self.early.append(data)
        else:
            self.back.write(data)
            if self.up == 0:
                self.cut()

    def downward(self, data: bytes) -> None:
        """Forward from the server."""
        if self.silent:
            return
        if self.down is not None:
            data, self.down = data[: self.down], self.down - min(self.down, len(data))
        self.passed[1] += len(data)
        if self.front is not None:
            self.front.write(data)
        if self.down == 0:
            self.cut()


class _End(asyncio.Protocol):
    def __init__(
        self, made: Callable[[asyncio.Transport], None], data: Callable[[bytes], None], lost: Callable[[], None]
    ):
        self._made = made
        self._data = data
        self._lost = lost

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._made(cast(asyncio.Transport, transport))

    def data_received(self, data: bytes) -> None:
        self._data(data)

    def connection_lost(self, exc: Exception | None) -> None:
        self._lost()


class Cutter:
    """Proxy in front of `port`. `budgets()` returns the (up, down) budgets of each new connection."""

    def __init__(self, port: int, budgets: Callable[[], tuple[int | None, int | None]] = lambda: (None, None)) -> None:
        self._behind = port
        self._budgets = budgets
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self.open: list[Cable] = []
        self.cuts = 0
        self.port = 0

    async def __aenter__(self) -> "Cutter":
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(self._accept, "127.0.0.1", 0, backlog=4096)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._server is not None:
            self._server.close()
        for cable in list(self.open):
            cable.cut()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await asyncio.sleep(0)

    @property
    def url(self) -> str:
        """URL for clients."""
        return f"ws://127.0.0.1:{self.port}/ws"

    def _accept(self) -> asyncio.Protocol:
        cable = Cable(*self._budgets())

        def made(transport: asyncio.Transport) -> None:
            cable.front = transport
            self.open.append(cable)
            task = asyncio.get_running_loop().create_task(self._connect(cable))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

        return _End(made, cable.upward, lambda: self._lost(cable, cable.back))

    async def _connect(self, cable: Cable) -> None:
        def made(transport: asyncio.Transport) -> None:
            cable.back = transport
            for data in cable.early:
                transport.write(data)
            if cable.up == 0 or cable.cut_:
                cable.cut()
            elif cable.over:
                transport.close()

        loop = asyncio.get_running_loop()
        try:
            await loop.create_connection(
                lambda: _End(made, cable.downward, lambda: self._lost(cable, cable.front)), "127.0.0.1", self._behind
            )
        except OSError:
            cable.cut()

    def _lost(self, cable: Cable, other: asyncio.Transport | None) -> None:
        """Close the other end after what was written to it, when one end closed; of a silent connection it stays open."""
        if cable.silent and not cable.cut_ and other is not None and not other.is_closing():
            return
        cable.over = True
        if cable in self.open:
            self.open.remove(cable)
            self.cuts += cable.cut_
        if other is not None and not other.is_closing():
            other.close()
