"""Connect one scripted user with its own address and cookie. It reads every frame and accepts any."""

import asyncio
import contextlib
import json
import struct
from collections import Counter
from typing import Any, Final

from bench.load.websocket_client import HEAD, framed

PATIENCE: Final = 10.0  # seconds for whatever has to come
TEXT, CLOSE, PING = 0x81, 0x88, 0x89
_PONG: Final = b"\x8a\x80\0\0\0\0"


class Gone(Exception):
    """The connection ended, or was refused; `Stranger.refused` or `.closed` has the reason."""


class Stranger:
    """`address`: on loopback; `cookie`: 22 characters, or empty for none."""

    def __init__(self, address: str, cookie: str = "") -> None:
        self.refused = ""  # the status of who is not let in
        self.closed = 0  # the close code, once one came
        self.codes: Counter[str] = Counter()  # errors by their code
        self._address = address
        self._head = HEAD.replace(b"\r\n\r\n", b"\r\nCookie: id=%s\r\n\r\n" % cookie.encode()) if cookie else HEAD
        self._frames: asyncio.Queue[dict[str, Any] | None] = asyncio.Queue()
        self._reader: asyncio.StreamReader | None = None
        self._writer: asyncio.StreamWriter | None = None
        self._hearing: asyncio.Task[None] | None = None

    async def come(self, port: int) -> None:
        """Connect, until `hello`. Raises Gone."""
        try:
            async with asyncio.timeout(PATIENCE):
                self._reader, self._writer = await asyncio.open_connection(
                    "127.0.0.1", port, local_addr=(self._address, 0)
                )
                self._writer.write(self._head)
                answer = await self._reader.readuntil(b"\r\n\r\n")
        except (OSError, asyncio.IncompleteReadError, TimeoutError) as error:
            self.refused = type(error).__name__
            self.go()
            raise Gone from None
        status = answer[9:12].decode()
        if status != "101":
            self.refused = status
            self.go()
            raise Gone
        self._hearing = asyncio.create_task(self._hear(self._reader))
        await self.until("hello")

    def send(self, *frames: dict[str, Any], times: int = 1) -> None:
        """Send text frames, all of them `times` times."""
        if self._writer is not None:
            self._writer.write(b"".join(framed(json.dumps(frame).encode()) for frame in frames) * times)

    async def drain(self) -> None:
        """Wait until the server accepts more. Raises Gone."""
        try:
            if self._writer is not None:
                await self._writer.drain()
        except ConnectionError:
            raise Gone from None

    async def until(self, *types: str) -> dict[str, Any]:
        """Return the next frame of one of these types. Raises Gone; TimeoutError after PATIENCE seconds without one."""
        async with asyncio.timeout(PATIENCE):
            while True:
                frame = await self._frames.get()
                if frame is None:
                    self._frames.put_nowait(None)
                    raise Gone
                if frame["type"] in types:
                    return frame

    @property
    def over(self) -> bool:
        """Whether the server closed the connection."""
        return self._hearing is None or self._hearing.done()

    def go(self) -> None:
        """Disconnect."""
        if self._hearing is not None:
            self._hearing.cancel()
        if self._writer is not None:
            self._writer.transport.abort()

    async def _hear(self, reader: asyncio.StreamReader) -> None:
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
            while True:
                kind, size = await reader.readexactly(2)
                if size == 126:
                    (size,) = struct.unpack(">H", await reader.readexactly(2))
                payload = await reader.readexactly(size) if size else b""
                if kind == TEXT:
                    self._take(json.loads(payload))
                elif kind == CLOSE:
                    self.closed = int.from_bytes(payload[:2])
                elif kind == PING and self._writer is not None:
                    self._writer.write(_PONG)
        self._frames.put_nowait(None)

    def _take(self, frame: dict[str, Any]) -> None:
        if frame["type"] == "error":
            self.codes[frame["code"]] += 1
        self._frames.put_nowait(frame)


async def meet(port: int, one: Stranger, two: Stranger, **find: Any) -> None:
    """Connect both, and match them. Raises Gone."""
    for each in (one, two):
        await each.come(port)
        each.send({"type": "find", **find})
    for each in (one, two):
        if (await each.until("matched", "error"))["type"] == "error":
            raise Gone
