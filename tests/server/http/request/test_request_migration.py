"""Connections go from one door to another, whatever their clients do meanwhile: each request has one answer, and a right one."""

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any, cast

import aiohttp
import pytest
import uvloop
from aiohttp import web

from ext.accept.address_limits import Addresses
from ext.accept.handshake import Judge
from server.http.request import request_migration
from server.http.request.reactor_handoff import Door
from server.http.request.request_migration import move_request, pass_on, rebuild_request

HEAD = b"GET /%s HTTP/1.1\r\nHost: localhost\r\n\r\n"
POST = b"POST /%s HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n\r\n%s"

Handle = Callable[[web.Request], Awaitable[web.StreamResponse]]


class House:
    """An application behind a door; its name stands in each answer."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.asked: list[str] = []
        self.addresses = Addresses(open_max=5_000, burst=5_000, rate=9, limits=True)
        self.held = asyncio.Event()
        self.door: Door

    async def answer(self, request: web.Request) -> web.Response:
        self.asked.append(request.path)
        sent = await request.read()
        if request.path == "/gone" and await move_request(request, sent):
            return web.Response()
        if request.path == "/held":
            await self.held.wait()
        if request.path == "/large":
            return web.Response(body=b"x" * 300_000)
        return web.Response(body=b"%s %s" % (request.path[1:].encode(), sent), headers={"House": self.name})


@asynccontextmanager
async def house(name: str) -> AsyncIterator[House]:
    """It is open."""
    made = House(name)
    app = web.Application(middlewares=[pass_on], client_max_size=1 << 20)
    app.router.add_route("*", "/{any}", made.answer)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    assert runner.server is not None
    made.door = Door(cast(Any, runner.server), Judge(hosts=[], origins=[], proxies=[]), made.addresses)
    try:
        yield made
    finally:
        made.door.stay()
        await runner.cleanup()


@asynccontextmanager
async def houses() -> AsyncIterator[tuple[House, House]]:
    """Two of them."""
    async with house("old") as old, house("new") as new:
        yield old, new


def leave(old: House, new: House) -> list[bytes]:
    """The first gives to the second; what was read of each connection that went."""
    went: list[bytes] = []

    def send(fd: int, where: str, begun: bytes) -> bool:
        went.append(begun)
        new.door.arrive(fd, where, begun)
        return True

    old.door.leave(send)
    return went


@asynccontextmanager
async def line(old: House, begun: bytes = HEAD % b"first") -> AsyncIterator[tuple[asyncio.StreamReader, socket.socket]]:
    """A connection to a house, on which something was begun."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        client = socket.create_connection(listener.getsockname())
        theirs, _ = listener.accept()
    theirs.setblocking(False)
    old.door.take(theirs.detach(), begun, asyncio.get_running_loop().time())
    reader, writer = await asyncio.open_connection(sock=client)
    try:
        yield reader, client
    finally:
        writer.close()


async def answered(reader: asyncio.StreamReader) -> tuple[str, bytes]:
    """The house and the body of the next answer."""
    head = (await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 20)).decode()
    assert head.startswith("HTTP/1.1 200"), head
    fields = dict(field.split(": ", 1) for field in head.split("\r\n")[1:-2])
    return fields.get("House", ""), await reader.readexactly(int(fields["Content-Length"]))


async def until(met: Callable[[], bool]) -> None:
    """A condition that has no event."""
    async with asyncio.timeout(20):
        while not met():  # noqa: ASYNC110 - see above
            await asyncio.sleep(0.001)


async def test_an_idle_connection_goes_at_once_and_is_counted_where_it_is() -> None:
    async with houses() as (old, new), line(old) as (reader, client):
        assert await answered(reader) == ("old", b"first ")
        assert (len(old.addresses), len(new.addresses)) == (2, 0)  # the address and its network
        assert leave(old, new) == [b""]
        await until(lambda: not old.door.open)
        assert (old.door.busy, new.door.open, len(new.addresses)) == (0, 1, 2)
        client.send(HEAD % b"second")
        assert await answered(reader) == ("new", b"second ")


async def test_a_connection_whose_request_is_in_work_goes_when_it_is_answered() -> None:
    async with houses() as (old, new), line(old, HEAD % b"held") as (reader, client):
        await until(lambda: bool(old.asked))
        assert leave(old, new) == []
        assert old.door.busy == 1
        old.held.set()
        assert await answered(reader) == ("old", b"held ")
        await until(lambda: not old.door.open)
        client.send(HEAD % b"second")
        assert await answered(reader) == ("new", b"second ")


@pytest.mark.parametrize("request_", [HEAD % b"cut", POST % (b"cut", 7, b"a=b&c=d")], ids=["head", "body"])
async def test_a_request_that_was_read_half_is_finished_and_goes_on_whole(request_: bytes) -> None:
    async with house("old") as old, house("new") as new:
        for cut in range(1, len(request_)):
            async with line(old, HEAD % b"first") as (reader, client):
                await answered(reader)
                handler = next(iter(old.door.server.connections))
                client.send(request_[:cut])
                begun = cut >= request_.index(b"\r\n\r\n") + 4  # its head is whole: it is in work in a moment
                await until(lambda: not cast(Any, handler)._between and old.asked[1:] == ["/cut"] * begun)  # noqa: B023 - called here
                went = leave(old, new)
                assert went == [], cut
                client.send(request_[cut:])
                assert (await answered(reader))[0] == ("old" if begun else "new"), cut
                client.send(HEAD % b"next")
                assert await answered(reader) == ("new", b"next ")
                old.door.stay()
                old.asked.clear()


async def test_a_request_that_comes_with_the_last_ones_end_is_neither_lost_nor_answered_twice() -> None:
    async with houses() as (old, new), line(old, HEAD % b"held") as (reader, client):
        await until(lambda: bool(old.asked))
        client.send((HEAD % b"next")[:9])
        handler = next(iter(old.door.server.connections))
        await until(lambda: not cast(Any, handler)._between)
        leave(old, new)
        old.held.set()
        assert await answered(reader) == ("old", b"held ")
        client.send((HEAD % b"next")[9:] + HEAD % b"more")
        assert (await answered(reader))[1] == b"next "
        assert (await answered(reader))[1] == b"more "
        await until(lambda: not old.door.open)


async def test_an_answer_that_is_not_taken_yet_arrives_whole() -> None:
    async with houses() as (old, new), line(old, HEAD % b"large") as (reader, client):
        await until(lambda: bool(old.asked))
        leave(old, new)
        assert len((await answered(reader))[1]) == 300_000
        client.send(HEAD % b"second")
        assert await answered(reader) == ("new", b"second ")


async def test_who_comes_while_the_process_hands_over_is_not_taken_here() -> None:
    async with houses() as (old, new):
        went = leave(old, new)
        async with line(old) as (reader, _client):
            assert await answered(reader) == ("new", b"first ")
        assert (went, old.asked) == ([HEAD % b"first"], [])


async def test_a_way_that_is_full_is_asked_again_and_nobody_notices() -> None:
    async with houses() as (old, new), line(old) as (reader, client):
        await answered(reader)
        free = False

        def send(fd: int, where: str, begun: bytes) -> bool:
            if free:
                new.door.arrive(fd, where, begun)
            return free

        old.door.leave(send)
        client.send(HEAD % b"second")
        assert await answered(reader) == ("old", b"second ")
        free = True
        await until(lambda: not old.door.open)
        client.send(HEAD % b"third")
        assert await answered(reader) == ("new", b"third ")


async def test_what_began_before_and_is_found_gone_goes_on_with_its_body() -> None:
    request = POST % (b"gone", 3, b"abc")
    async with houses() as (old, new), line(old, request[:-1]) as (reader, client):
        await until(lambda: bool(old.asked))
        leave(old, new)
        client.send(request[-1:])
        assert await answered(reader) == ("new", b"gone abc")
        assert old.asked == new.asked == ["/gone"]


async def test_a_request_waits_for_room_on_its_way_and_for_no_more_than_a_moment(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(request_migration, "PATIENCE", 0.05)
    async with houses() as (old, new), line(old) as (reader, client):
        await answered(reader)
        refused = 0

        def send(fd: int, where: str, begun: bytes) -> bool:
            nonlocal refused
            refused += bool(begun)
            if refused == 2:
                new.door.arrive(fd, where, begun)
            return refused == 2

        old.door.leave(send)
        client.send(POST % (b"body", 3, b"abc"))
        assert await answered(reader) == ("new", b"body abc")
        old.door.stay()
    async with houses() as (old, new), line(old) as (reader, client):
        await answered(reader)
        old.door.leave(lambda fd, where, begun: False)
        client.send(POST % (b"body", 3, b"abc"))
        assert (await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 20)).startswith(b"HTTP/1.1 503")


async def test_what_stays_after_all_is_served_here() -> None:
    async with houses() as (old, new):
        leave(old, new)
        old.door.stay()
        async with line(old) as (reader, _client):
            assert await answered(reader) == ("old", b"first ")


@pytest.mark.parametrize(
    ("sent", "body"),
    [
        (b"PUT /a?b=c&d=%41 HTTP/1.1\r\nHost: x\r\nCookie: a=b\r\nCookie: c=d\r\n\r\n", b""),
        (b"POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n", b""),
        (b"POST /%C3%BF HTTP/1.0\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc", b"abc"),
    ],
)
async def test_a_request_is_said_as_it_came(sent: bytes, body: bytes) -> None:
    found: list[bytes] = []

    async def handle(request: web.BaseRequest) -> web.Response:
        found.append(rebuild_request(request, await request.read()))
        return web.Response()

    server = web.Server(handle, access_log=None)
    door = Door(cast(Any, server), Judge(hosts=[], origins=[], proxies=[]), House("").addresses)
    with socket.create_server(("127.0.0.1", 0)) as listener, socket.create_connection(listener.getsockname()):
        theirs, _ = listener.accept()
        theirs.setblocking(False)
        door.take(theirs.detach(), sent, 0.0)
        await until(lambda: bool(found))
    assert found == [sent]
    await server.shutdown(0.1)


async def test_a_body_in_chunks_goes_on_in_one_piece() -> None:
    chunks = b"POST /a HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n1\r\nc\r\n0\r\n\r\n"
    async with houses() as (old, new), line(old) as (reader, client):
        await answered(reader)
        went: list[bytes] = []

        def send(fd: int, where: str, begun: bytes) -> bool:
            if begun:  # not as it is idle
                went.append(begun)
                new.door.arrive(fd, where, begun)
            return bool(begun)

        old.door.leave(send)
        client.send(chunks)
        assert await answered(reader) == ("new", b"a abc")
        assert went == [b"POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc"]


async def hammer(port: int, number: int, stop: asyncio.Event) -> int:
    """One client with connections of its own, as fast as it can: how many requests had their right answer."""
    done = 0
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=4)) as web_:

        async def one(which: int) -> None:
            nonlocal done
            while not stop.is_set():
                text = f"{number}.{which}.{done}"
                if done % 3:
                    answer = await web_.post(f"http://127.0.0.1:{port}/p", data=text, allow_redirects=False)
                    assert await answer.text() == f"p {text}"
                else:
                    answer = await web_.get(f"http://127.0.0.1:{port}/{text}")
                    assert await answer.text() == f"{text} "
                done += 1

        await asyncio.gather(*(one(which) for which in range(4)))
    return done


@pytest.mark.parametrize("make", [asyncio.new_event_loop, uvloop.new_event_loop], ids=["asyncio", "uvloop"])
def test_clients_that_ask_as_fast_as_they_can_get_one_right_answer_each_through_twenty_hand_overs(
    make: Callable[[], asyncio.AbstractEventLoop],
) -> None:
    with asyncio.Runner(loop_factory=make) as runner:
        runner.run(hammered())


async def hammered() -> None:
    """Eight clients; every connection goes from one house to the other and back."""
    loop = asyncio.get_running_loop()
    async with house("a") as one, house("b") as two:
        here, there = one, two
        with socket.create_server(("127.0.0.1", 0), backlog=100) as listener:
            listener.setblocking(False)

            def accept() -> None:
                theirs, _ = listener.accept()
                theirs.setblocking(False)
                here.door.take(theirs.detach(), b"", loop.time())

            loop.add_reader(listener.fileno(), accept)
            stop = asyncio.Event()
            clients = [loop.create_task(hammer(listener.getsockname()[1], number, stop)) for number in range(8)]
            for _ in range(20):
                before = len(there.asked)
                leave(here, there)
                old, here, there = here, there, here
                await until(lambda: not old.door.open and len(here.asked) > before + 50)  # noqa: B023 - called here
                old.door.stay()
            stop.set()
            done = sum(await asyncio.gather(*clients))
            loop.remove_reader(listener.fileno())
        assert done == len(one.asked) + len(two.asked)
        await until(lambda: not one.door.open and not two.door.open)
