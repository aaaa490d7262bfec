"""Newcomers find out who does not serve them: each way not to be served is done by a server of the test's own, and counted."""

import asyncio
import contextlib
import socket
from collections.abc import Awaitable, Callable

import pytest

from bench.load.upgrade_newcomers import Newcomers

OPENED = b"HTTP/1.1 101 Switching Protocols\r\n\r\n"
WAITING = b'{"type":"waiting"}'
ERROR = b'{"type":"error","code":"busy"}'
WELL = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
ILL = b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n"

Answer = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


def framed(text: bytes) -> bytes:
    """As a server sends it."""
    return bytes((0x81, len(text))) + text


def serving(said: bytes, page: bytes) -> Answer:
    """Tells who searches `said` (nothing: hangs up), and who reads pages `page` (nothing: hangs up)."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.closing(writer), contextlib.suppress(EOFError, ConnectionError):
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                if not head.startswith(b"GET /ws"):
                    if not page:
                        return
                    writer.write(page)
                    continue
                writer.write(OPENED)
                await reader.read(1_000)  # the search
                if not said:
                    return
                writer.write(framed(said))
                await reader.read()
                return

    return answer


async def comes(answer: Answer, wanted: Callable[[dict[str, float]], bool]) -> dict[str, float]:
    """The figures once they are as wanted."""
    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    newcomers = Newcomers(server.sockets[0].getsockname()[1], 100.0)
    coming = asyncio.create_task(newcomers.run())
    async with asyncio.timeout(20), server:
        while not wanted(newcomers.figures()):  # noqa: ASYNC110 - a poll: counts tell nobody
            await asyncio.sleep(0.01)
        coming.cancel()
        await asyncio.gather(coming, return_exceptions=True)
    return newcomers.figures()


async def test_who_is_served_is_counted_with_the_longest_time() -> None:
    found = await comes(serving(WAITING, WELL), lambda so_far: so_far["served"] > 3 and so_far["pages"] > 1)
    assert (found["unserved"], found["unanswered"]) == (0, 0)
    assert found["longest_ms"] > 0


@pytest.mark.parametrize("said", [b"", ERROR], ids=["hangs up", "error"])
async def test_who_is_not_told_to_wait_is_unserved(said: bytes) -> None:
    found = await comes(serving(said, WELL), lambda so_far: so_far["unserved"] > 3)
    assert found["served"] == 0


@pytest.mark.parametrize("page", [b"", ILL], ids=["hangs up", "503"])
async def test_a_page_that_does_not_come_is_unanswered(page: bytes) -> None:
    found = await comes(serving(WAITING, page), lambda so_far: so_far["unanswered"] > 1)
    assert found["pages"] == 0


async def test_where_nobody_listens_nobody_is_served() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    newcomers = Newcomers(port, 100.0)
    coming = asyncio.create_task(newcomers.run())
    async with asyncio.timeout(20):
        while not (newcomers.unserved and newcomers.unanswered):  # noqa: ASYNC110 - a poll: counts tell nobody
            await asyncio.sleep(0.01)
    coming.cancel()
    await asyncio.gather(coming, return_exceptions=True)
    assert newcomers.figures()["served"] == 0
