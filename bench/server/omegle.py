"""Load Omegle's protocol: chats started per second of one core, and the memory of held polls.

The server is its own process with default settings except the limits of an address; its CPU time and memory are read from /proc, so that the load's
own cost and other processes do not count. Every answer is checked.

    python -m bench omegle            both, as the figures in the README are made
    python -m bench omegle --chats 20000 --connections 64
    python -m bench omegle --polls 5000
"""

import argparse
import asyncio
import re
import time
from itertools import count

import orjson
import uvloop

from bench.support.serving import Serving

LENGTH = re.compile(rb"Content-Length: (\d+)")
ARRIVALS = 400  # clients a second that come to wait
_ids = count(1)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Choose one of the two, and the number; both if neither is named."""
    parser.add_argument("--chats", type=int, default=0)
    parser.add_argument("--connections", type=int, default=64)
    parser.add_argument("--polls", type=int, default=0)


def main(chosen: argparse.Namespace) -> int:
    """Run the chosen ones."""
    if chosen.chats or not chosen.polls:
        with Serving() as server:
            uvloop.run(chats(server, chosen.chats or 10_000, chosen.connections))
    if chosen.polls or not chosen.chats:
        with Serving(SERENDIP_OMEGLE__HOLD="50") as server:
            uvloop.run(polls(server, chosen.polls or 5_000))
    return 0


class Connection(asyncio.Protocol):
    """A kept-alive connection with one request at a time."""

    def __init__(self) -> None:
        self._data = b""
        self._answer: asyncio.Future[bytes] | None = None
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport  # type: ignore[assignment]

    def data_received(self, data: bytes) -> None:
        self._data += data
        end = self._data.find(b"\r\n\r\n")
        found = LENGTH.search(self._data, 0, end) if end >= 0 else None
        if found is None or len(self._data) < end + 4 + int(found[1]):
            return
        body, self._data = self._data[end + 4 :], b""
        if self._answer is not None and not self._answer.done():
            self._answer.set_result(body)

    def connection_lost(self, exc: Exception | None) -> None:
        if self._answer is not None and not self._answer.done():
            self._answer.set_exception(ConnectionError("the server hung up"))

    async def post(self, path: str, body: str = "") -> bytes:
        """Return the body of the answer."""
        if self._transport is None:
            raise ConnectionError("not connected")
        self._answer = asyncio.get_running_loop().create_future()
        head = (
            f"POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-www-form-urlencoded\r\n"
            f"Origin: http://www.omegle.com\r\nUser-Agent: bench\r\nContent-Length: {len(body)}\r\n\r\n{body}"
        )
        self._transport.write(head.encode())
        return await self._answer

    def close(self) -> None:
        if self._transport is not None:
            self._transport.close()


async def connect(port: int) -> Connection:
    """Return a new connection to the server."""
    _, connection = await asyncio.get_running_loop().create_connection(Connection, "127.0.0.1", port)
    return connection


async def one_chat(a: Connection, b: Connection, language: str) -> list[float]:
    """Run two starts and the poll that brings `connected`; both leave. Return seconds from the second start to either's `connected`."""
    first = orjson.loads(
        await a.post(f"/start?caps=recaptcha2&firstevents=1&randid=ABCD{next(_ids):08d}&lang={language}")
    )
    poll = asyncio.ensure_future(a.post("/events", "id=" + first["clientID"]))
    began = time.perf_counter()
    second = orjson.loads(
        await b.post(f"/start?caps=recaptcha2&firstevents=1&randid=ABCD{next(_ids):08d}&lang={language}")
    )
    told = time.perf_counter()
    batch = orjson.loads(await poll)
    heard = time.perf_counter()
    assert first["events"][0] == ["waiting"], first
    assert second["events"][0] == ["connected"], second
    assert batch[0] == ["connected"], batch
    await b.post("/disconnect", "id=" + second["clientID"])
    await a.post("/disconnect", "id=" + first["clientID"])
    return [told - began, heard - began]


async def chats(server: Serving, number: int, connections: int) -> None:
    """Run `number` chats over pairs of connections, as fast as possible."""
    pairs = [(await connect(server.port), await connect(server.port)) for _ in range(connections // 2)]
    times: list[float] = []
    left = count(number, -1)

    async def run(place: int) -> None:
        a, b = pairs[place]
        # a language of its own a pair, so that who meets whom is known
        language = "q" + chr(97 + place // 26 % 26) + chr(97 + place % 26)
        while next(left) > 0:
            times.extend(await one_chat(a, b, language))

    await asyncio.gather(*[one_chat(a, b, f"z{chr(97 + place % 26)}") for place, (a, b) in enumerate(pairs[:26])])
    used, began = server.cpu(), time.perf_counter()
    await asyncio.gather(*[run(place) for place in range(len(pairs))])
    used, took = server.cpu() - used, time.perf_counter() - began
    times.sort()
    print(
        f"chats: {number} over {connections} connections: {number / used:.0f} a second of one core "
        f"({1e6 * used / number:.0f} us a chat: 2 starts, 1 poll, 2 disconnects), {number / took:.0f} a second as it went, "
        f"to `connected` p50 {1e3 * times[len(times) // 2]:.1f} ms, p99 {1e3 * times[len(times) * 99 // 100]:.1f} ms"
    )
    for a, b in pairs:
        a.close()
        b.close()


async def polls(server: Serving, number: int) -> None:
    """Run `number` waiting clients, each with a held poll on its own connection."""
    before = server.resident()
    connections: list[Connection] = []
    held: list[asyncio.Future[bytes]] = []
    for _ in range(number):
        await asyncio.sleep(1 / ARRIVALS)
        connection = await connect(server.port)
        asked = f"/start?randid=ABCD{next(_ids):08d}&lang=en&topics=%5B%22{next(_ids)}%22%5D"
        id = orjson.loads(await connection.post(asked))
        first = orjson.loads(await connection.post("/events", "id=" + id))
        assert first[0] == ["waiting"], first
        connections.append(connection)
        held.append(asyncio.ensure_future(connection.post("/events", "id=" + id)))
    await asyncio.sleep(3)
    assert not any(poll.done() for poll in held)
    idle = server.cpu()
    await asyncio.sleep(5)
    idle = (server.cpu() - idle) / 5
    print(
        f"polls: {number}: {(server.resident() - before) / number / 1024:.1f} KiB each, {100 * idle:.1f} % of a core while they wait"
    )
    for poll in held:
        poll.cancel()
    for connection in connections:
        connection.close()
