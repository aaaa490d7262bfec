"""However much a socket holds, one read is small; the reader hears what every other hears."""

import asyncio
import socket

import pytest

from server.http.request.socket_read_size import READ, BoundedReads


class Reader(asyncio.Protocol):
    """Notes what it is told."""

    def __init__(self) -> None:
        self.told: list[str] = []
        self.sizes: list[int] = []
        self.data = bytearray()
        self.over = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport
        self.told.append("made")

    def data_received(self, data: bytes) -> None:
        self.sizes.append(len(data))
        self.data += data

    def eof_received(self) -> bool:
        self.told.append("eof")
        return False

    def pause_writing(self) -> None:
        self.told.append("pause")

    def resume_writing(self) -> None:
        self.told.append("resume")

    def connection_lost(self, exc: Exception | None) -> None:
        self.told.append("lost")
        self.over.set_result(None)


@pytest.mark.parametrize("size", [1, READ, 200_000])
async def test_bytes_arrive_in_order_and_in_pieces(size: int) -> None:
    loop = asyncio.get_running_loop()
    ours, theirs = socket.socketpair()
    data = bytes(number % 251 for number in range(size))
    with ours:
        ours.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 20)
        ours.setblocking(False)
        assert ours.send(data) == size  # all of it lies there before the first read
        reader = Reader()
        await loop.create_connection(lambda: BoundedReads(reader), sock=theirs)
        ours.shutdown(socket.SHUT_WR)
        async with asyncio.timeout(20):
            await reader.over
    assert reader.data == data
    assert max(reader.sizes) <= READ
    assert reader.told == ["made", "eof", "lost"]


async def test_a_socket_that_takes_no_more_is_told() -> None:
    loop = asyncio.get_running_loop()
    ours, theirs = socket.socketpair()
    with ours:
        ours.setblocking(False)
        reader = Reader()
        transport, _ = await loop.create_connection(lambda: BoundedReads(reader), sock=theirs)
        transport.write(b"x" * 4_000_000)
        assert reader.told == ["made", "pause"]
        async with asyncio.timeout(20):
            while reader.told[-1] != "resume":
                await loop.sock_recv(ours, 1 << 20)
        transport.abort()
        await reader.over
