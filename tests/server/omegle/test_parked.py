"""A poll held for more than a second leaves aiohttp, and nobody can tell."""

import asyncio
import re
from collections.abc import Callable

from tests.server.omegle.conftest import Caller, pair
from tests.server.web.servers import Server

Make = Callable[[], Caller]
PARKED = 2.5  # seconds after which a poll is parked for certain: one, and a tick of a second


class Line:
    """One connection, by hand."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    @classmethod
    async def to(cls, server: Server) -> "Line":
        return cls(*await asyncio.open_connection("127.0.0.1", server.port))

    def post(self, path: str, body: str) -> None:
        head = f"POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-www-form-urlencoded\r\n"
        self.writer.write(f"{head}Content-Length: {len(body)}\r\n\r\n{body}".encode())

    async def answer(self) -> tuple[str, bytes]:
        """Head and body of the next answer."""
        head = (await asyncio.wait_for(self.reader.readuntil(b"\r\n\r\n"), 10)).decode()
        found = re.search("Content-Length: ([0-9]+)", head)
        assert found is not None
        return head, await self.reader.readexactly(int(found[1]))


async def test_its_answer_is_whole_and_the_connection_goes_on(caller: Make, wide: Server) -> None:
    one, two = await pair(caller, "parked")
    line = await Line.to(wide)
    for text in ("first", "second"):
        line.post("/events", f"id={one.id}")
        await asyncio.sleep(PARKED)
        await two.post("/send", msg=text)
        head, body = await line.answer()
        assert head.startswith("HTTP/1.1 200 OK\r\n")
        assert "Access-Control-Allow-Origin: *" in head
        assert "application/json" in head
        assert body == b'[["gotMessage","%s"]]' % text.encode()
    line.post("/send", f"id={one.id}&msg=back")
    assert (await line.answer())[1] == b"win"
    assert await two.events() == [["gotMessage", "back"]]
    line.writer.close()


async def test_what_comes_behind_it_on_the_connection_ends_it(caller: Make, wide: Server) -> None:
    one, two = await pair(caller, "behind")
    line = await Line.to(wide)
    line.post("/events", f"id={one.id}")
    await asyncio.sleep(PARKED)
    line.post("/send", f"id={one.id}&msg=now")
    assert (await line.answer())[1] == b"[]"
    assert (await line.answer())[1] == b"win"
    assert await two.events() == [["gotMessage", "now"]]
    line.writer.close()


async def test_one_that_is_dropped_loses_no_event(caller: Make, wide: Server) -> None:
    one, two = await pair(caller, "drops")
    line = await Line.to(wide)
    line.post("/events", f"id={one.id}")
    await asyncio.sleep(PARKED)
    line.writer.transport.abort()
    await asyncio.sleep(0.2)
    await two.post("/send", msg="kept")
    assert await one.events() == [["gotMessage", "kept"]]


async def test_a_newer_poll_answers_it(caller: Make, wide: Server) -> None:
    one, two = await pair(caller, "newest")
    line = await Line.to(wide)
    line.post("/events", f"id={one.id}")
    await asyncio.sleep(PARKED)
    newer = asyncio.ensure_future(one.events())
    assert (await line.answer())[1] == b"[]"
    await two.post("/disconnect")
    assert await newer == [["strangerDisconnected"]]
    line.writer.close()


async def test_a_client_of_http_1_0_is_served_without(caller: Make, wide: Server) -> None:
    one, two = await pair(caller, "old")
    line = await Line.to(wide)
    body = f"id={one.id}"
    line.writer.write(f"POST /events HTTP/1.0\r\nHost: localhost\r\nContent-Length: {len(body)}\r\n\r\n{body}".encode())
    await asyncio.sleep(PARKED)
    await two.post("/send", msg="hi")
    assert (await line.answer())[1] == b'[["gotMessage","hi"]]'
    assert await line.reader.read() == b""
    line.writer.close()
