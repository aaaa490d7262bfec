"""A real host leaves its cell: who talks goes on at another one, and an operator is told what became of whom."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from serendip_client.client import Client
from serendip_client.events import Left, Matched, Message, Waiting
from server.fleet.supervisor.host_drain_report import ALONE
from server.ops.process import control_socket
from tests.server.fleet.cluster.test_together import hears, hosts
from tests.server.fleet.migrate.upgrades import people
from tests.server.fleet.nats.test_nats_bus import started
from tests.server.main.processes.test_process_group import Several
from tests.server.site.omegle.conftest import Caller

pytestmark = [pytest.mark.blocking, pytest.mark.timeout(180)]  # runs servers and commands, and waits for them
PAIRS = 6


class Balancer:
    """Leads each connection to the first host whose /readyz says 200, as one in front of a cell does."""

    def __init__(self, servers: list[Several], http: aiohttp.ClientSession) -> None:
        self._servers = servers
        self._http = http
        self._tasks: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Balancer:
        self._server = await asyncio.start_server(self._meet, "127.0.0.1", 0)
        self.url = f"ws://127.0.0.1:{self._server.sockets[0].getsockname()[1]}/ws"
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()

    async def _ready(self) -> int | None:
        for server in self._servers:
            with suppress(aiohttp.ClientError, OSError):
                async with self._http.get(f"http://127.0.0.1:{server.port}/readyz") as said:
                    if said.status == 200:
                        return server.port
        return None

    async def _meet(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        port = await self._ready()
        if port is None:
            writer.close()
            return
        with suppress(OSError):
            theirs, ours = await asyncio.open_connection("127.0.0.1", port)
            both = (self._pass(reader, ours), self._pass(theirs, writer))
            await asyncio.gather(*both, return_exceptions=True)

    async def _pass(self, one: asyncio.StreamReader, other: asyncio.StreamWriter) -> None:
        try:
            while data := await one.read(65_536):
                other.write(data)
                await other.drain()
        finally:
            other.close()


class Lines:
    """Two who send each other numbered lines, whatever becomes of their connections. `wrong`: what was lost, doubled, or cut."""

    def __init__(self, pair: tuple[Client, Client]) -> None:
        self.pair = pair
        self.sent, self.heard = [0, 0], [0, 0]
        self.wrong: list[str] = []
        self._stop = asyncio.Event()
        self._tasks = [asyncio.create_task(run(side)) for side in (0, 1) for run in (self._talk, self._listen)]

    async def _talk(self, side: int) -> None:
        while not self._stop.is_set():
            await self.pair[side].say(f"{side} {self.sent[side]}")
            self.sent[side] += 1
            await asyncio.sleep(0.01)
        await self.pair[side].say("end")

    async def _listen(self, side: int) -> None:
        while True:
            event = await self.pair[side].next(Message, Left)
            if isinstance(event, Left):
                self.wrong.append(f"left by {event.by} after {self.heard[side]}")
                return
            if event.text == "end":
                return
            if event.text != f"{1 - side} {self.heard[side]}":
                self.wrong.append(f"{event.text} after {self.heard[side]}")
            self.heard[side] += 1

    async def end(self) -> list[str]:
        """What is wrong."""
        self._stop.set()
        async with asyncio.timeout(30):
            await asyncio.gather(*self._tasks)
        if self.heard != self.sent[::-1]:
            self.wrong.append(f"sent {self.sent}, heard {self.heard}")
        return self.wrong


@asynccontextmanager
async def talking(balancer: Balancer, pairs: int) -> AsyncIterator[list[Lines]]:
    """So many pairs who do."""
    async with AsyncExitStack() as stack:
        made = []
        for number in range(pairs):
            one, two = [await stack.enter_async_context(Client(balancer.url)) for _ in range(2)]
            await asyncio.gather(one.find([f"word {number}"], strict=True), two.find([f"word {number}"], strict=True))
            await asyncio.gather(one.next(Matched), two.next(Matched))
            made.append(Lines((one, two)))
        yield made


async def drained(server: Several) -> list[dict[str, Any]]:
    """What `serendip drain` is answered, line by line."""
    return await asyncio.to_thread(lambda: list(control_socket.ask(server.data, {"do": "drain"})))


async def ended(server: Several) -> int:
    """The status of its end, which it comes to by itself."""
    return await asyncio.to_thread(server._process.wait, 30)


async def test_where_no_other_host_is_everybody_is_told_to_come_back_and_the_operator_why(tmp_path: Path) -> None:
    async with started() as nats, hosts(tmp_path, nats, 1) as (one,), aiohttp.ClientSession() as http:
        crowd = await people(http, one.port, 4)
        draining = asyncio.create_task(drained(one))
        for person in crowd:
            assert (await person.hear("error"))["code"] == "restart"
        first, *_, said = await draining
        assert first["said"] == ALONE
        assert (said["done"], said["people"]) == (True, 0)
        assert await ended(one) == 0


@pytest.mark.parametrize("how", ["drain", "SIGTERM"])
async def test_who_talks_on_a_host_that_leaves_goes_on_at_another_without_a_line_lost(tmp_path: Path, how: str) -> None:
    async with started() as nats, hosts(tmp_path, nats, 2) as (one, two), aiohttp.ClientSession() as http:
        await hears(one, two)
        await hears(two, one)
        async with (
            Balancer([one, two], http) as balancer,
            talking(balancer, PAIRS) as talks,
            Client(balancer.url) as waits,
        ):
            await waits.find(["sailing"], strict=True)
            await waits.next(Waiting)
            if how == "drain":
                said = (await drained(one))[-1]
                assert (said["done"], said["people"], said["chats"], said["stayed"]) == (
                    True,
                    2 * PAIRS + 1,
                    PAIRS,
                    0,
                )
            else:
                one._process.send_signal(signal.SIGTERM)
            assert await ended(one) == 0
            said_so_far = [sum(talk.sent) for talk in talks]
            async with asyncio.timeout(30):
                while any(sum(talk.heard) < said for talk, said in zip(talks, said_so_far, strict=True)):  # noqa: ASYNC110 - of other tasks
                    await asyncio.sleep(0.01)
            assert [wrong for talk in talks for wrong in await talk.end()] == []
            async with Client(balancer.url) as newcomer:
                await newcomer.find(["sailing"], strict=True)
                await asyncio.gather(newcomer.next(Matched), waits.next(Matched))
        for server in (one, two):
            for fault in (
                "worker.fault",
                "loop.fault",
                "task.failed",
                "migration.fault",
                "migration.refused",
                "process.died",
            ):
                assert server.events(fault) == [], fault
        left = {line["process"]: (line["people"], line["stayed"]) for line in one.events("host.left")}
        assert left["worker 1"] == (2 * PAIRS + 1, 0)


async def test_a_program_of_the_other_face_talks_on_until_its_chat_ends_and_the_host_after_it(tmp_path: Path) -> None:
    async with started() as nats, hosts(tmp_path, nats, 2) as (one, two), aiohttp.ClientSession() as http:
        await hears(one, two)
        async with (
            Balancer([one, two], http) as balancer,
            Client(balancer.url) as other,
            aiohttp.ClientSession(f"http://127.0.0.1:{one.port}") as web,
        ):
            caller = Caller(web)
            await other.find(["words"], strict=True)
            await other.next(Waiting)
            await caller.start(topics='["words"]', randid="ABCDEFGH")
            await other.next(Matched)
            draining = asyncio.create_task(drained(one))
            await one.told("host.leaving")
            await other.say("still there?")
            assert (await caller.until("gotMessage"))[1] == "still there?"
            assert await caller.post("/send", msg="yes") == "win"
            assert (await other.next(Message)).text == "yes"
            assert not draining.done()
            async with web.get("/readyz") as said:
                assert (said.status, (await said.json())["status"]) == (503, "draining")
            assert await caller.post("/disconnect") == "win"
            await other.next(Left)
            assert (await draining)[-1]["done"] is True
            await other.find(["words"], strict=True)
            await other.next(Waiting)


async def answers(port: int) -> bool:
    """Whether a connection is taken at a port of this machine, or at least waits there."""
    try:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
    except ConnectionError:
        return False
    writer.close()
    return True


async def test_a_host_that_is_drained_says_so_to_the_next_scrape_and_then_ends(tmp_path: Path) -> None:
    metrics = {"SERENDIP_METRICS__ENABLED": "true", "SERENDIP_METRICS__PORT": "0"}
    async with started() as nats, hosts(tmp_path, nats, 2, **metrics) as (one, two), aiohttp.ClientSession() as http:
        await hears(one, two)
        port = (await one.told("metrics.ready"))["port"]

        async def draining() -> float:
            async with http.get(f"http://127.0.0.1:{port}/metrics", headers={"Connection": "close"}) as said:
                lines = (await said.text()).splitlines()
            return float(next(line for line in lines if line.startswith("serendip_draining ")).split()[1])

        assert await draining() == 0
        leaving = asyncio.create_task(drained(one))
        await one.told("host.leaving")
        async with asyncio.timeout(30):
            while await answers(one.port):  # noqa: ASYNC110 - its workers are gone; another process waits for the scrape
                await asyncio.sleep(0.05)
            assert not leaving.done()
            while not await draining():  # noqa: ASYNC110 - another process
                await asyncio.sleep(0.05)
        assert (await leaving)[-1]["done"] is True
        assert await ended(one) == 0


async def test_an_operator_is_told_how_many_hosts_there_are_and_the_host_is_gone_at_once(tmp_path: Path) -> None:
    async with started() as nats, hosts(tmp_path, nats, 2) as (one, two):
        await hears(one, two)
        ran = await drained(one)
        assert ran[0] == {"step": "hosts", "hosts": 1, "said": ""}
        assert ran[-1]["done"] is True
        assert await ended(one) == 0
        await hears(two)
