"""Programs that poll and talk without a pause go from one process's face to another's, and back: each line arrives once, and no chat ends.

Rule: two applications over one worker, since sessions move by themselves; all else is as between two processes.
"""

import asyncio
import socket
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, cast

import aiohttp
from aiohttp import web

from ext.accept.address_limits import Addresses
from ext.accept.handshake import Judge
from server.http.pages.error_pages import PROGRAMS
from server.http.request.client_info import add_client_info
from server.http.request.counted_connections import SeparatePaths
from server.http.request.reactor_handoff import Door
from server.http.request.request_migration import pass_on
from server.http.request.site_services import SERVICES, Services
from server.ops.config.settings import Settings
from server.ops.health.readiness import Health
from server.realtime.worker.worker_loop import Worker
from server.site.omegle.omegle_adapter import OmegleAdapter
from server.site.omegle.omegle_client import OmegleClient
from server.site.omegle.routes import ADAPTER, REFUSALS, WORKER, add_omegle
from tests.server.realtime.worker.late_ports import LatePorts
from tests.server.site.omegle.test_client_table import ports, secret, worker  # noqa: F401 - fixtures

PAIRS, LINES, UPGRADES = 6, 120, 4


class Face:
    """One process's."""

    def __init__(self, door: Door, adapter: OmegleAdapter) -> None:
        self.door = door
        self.adapter = adapter

    def give(self, client: OmegleClient, to: "Face") -> None:
        """A client goes."""
        blobs: list[bytes] = []
        now, session = time.monotonic(), client.session
        living = self.adapter.of(session.id) is client
        to.adapter.unpack(self.adapter.pack(client, now, blobs), blobs, session if living else None, now)

    async def hand_over(self, to: "Face") -> None:
        """Everything goes; who is asked for goes first."""

        def send(fd: int, where: str, begun: bytes) -> bool:
            to.door.arrive(fd, where, begun)
            return True

        async def want(id: str) -> bool:
            client = self.adapter.clients.get(id)
            while client is not None and self.adapter.clients.get(id) is client:
                if self.adapter.ready(client):
                    self.give(client, to)
                await asyncio.sleep(0)
            return id in to.adapter.clients

        to.adapter.wanted.begin(want)
        self.door.leave(send)
        while self.adapter.clients:
            client = next(iter(self.adapter.clients.values()))
            if self.adapter.ready(client):
                self.give(client, to)
            await asyncio.sleep(0.002)  # others are asked for meanwhile
        while self.door.open:  # noqa: ASYNC110 - the end of a connection has no event
            await asyncio.sleep(0.002)
        self.door.stay()
        to.adapter.wanted.end()


@asynccontextmanager
async def face(worker: Worker) -> AsyncIterator[Face]:  # noqa: F811 - what the fixture gives
    """One is open."""
    settings = Settings(limits={"enabled": False})  # type: ignore[arg-type]  # as it is configured
    judge = Judge(hosts=[], origins=[], proxies=[])
    app = web.Application(middlewares=[pass_on])
    app[SERVICES] = Services(settings, worker, Health(), judge)
    app[WORKER] = worker
    app[PROGRAMS] = set()
    add_client_info(app)
    add_omegle(app)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    many, programs = (Addresses(open_max=5_000, burst=5_000, rate=9, limits=True) for _ in range(2))
    yield Face(Door(cast(Any, runner.server), judge, many, SeparatePaths(programs, REFUSALS)), app[ADAPTER])
    await runner.cleanup()


class Program:
    """One that polls as soon as it was answered, and says its lines meanwhile."""

    def __init__(self, url: str, topic: str, name: str) -> None:
        self._url = url
        self._topic = topic
        self._name = name
        self.heard: list[str] = []
        self.answers: list[Any] = []

    async def talk(self) -> None:
        """Until it said all, and heard all."""
        async with aiohttp.ClientSession(self._url) as http:
            query = {"caps": "recaptcha2", "firstevents": "1", "topics": f'["{self._topic}"]'}
            found = await (await http.post("/start", params=query)).json()
            self.id = found["clientID"]
            matched = asyncio.Event()
            said = asyncio.create_task(self._say(http, matched))
            events = found["events"]
            while len(self.heard) < LINES:
                for event in events:
                    if event[0] == "connected":
                        matched.set()
                    elif event[0] == "gotMessage":
                        self.heard.append(event[1])
                    assert event[0] not in {"strangerDisconnected", "error"}, event
                if len(self.heard) < LINES:
                    events = await (await http.post("/events", data={"id": self.id})).json()
                    assert events is not None, "its chat did not end"
            await said

    async def _say(self, http: aiohttp.ClientSession, matched: asyncio.Event) -> None:
        await matched.wait()
        for number in range(LINES):
            answer = await http.post("/send", data={"id": self.id, "msg": f"{self._name} {number}"})
            assert await answer.text() == "win"
            await asyncio.sleep(0.005)


async def test_every_line_of_programs_arrives_once_through_hand_overs(
    worker: Worker,  # noqa: F811 - a fixture
    ports: LatePorts,  # noqa: F811 - a fixture
    monkeypatch: Any,
) -> None:
    monkeypatch.setattr("server.site.omegle.omegle_client.POLL_COST", 0.0)  # who polls at once is made to wait
    loop = asyncio.get_running_loop()
    async with face(worker) as here, face(worker) as there:
        faces = [here, there]

        def frames(conn: int, payloads: list[bytes | int]) -> None:
            for one in faces:
                one.adapter.frames(conn, payloads)

        ports.on_frames = frames
        with socket.create_server(("127.0.0.1", 0), backlog=100) as listener:
            listener.setblocking(False)

            def accept() -> None:
                sock, _ = listener.accept()
                sock.setblocking(False)
                faces[0].door.take(sock.detach(), b"", loop.time())

            loop.add_reader(listener.fileno(), accept)
            url = f"http://127.0.0.1:{listener.getsockname()[1]}"
            programs = [Program(url, f"topic {number // 2}", str(number)) for number in range(2 * PAIRS)]
            talks = [asyncio.create_task(program.talk()) for program in programs]
            for number in range(UPGRADES):
                goal = LINES * (number + 1) // (UPGRADES + 1)
                async with asyncio.timeout(30):
                    while min(len(program.heard) for program in programs) < goal:
                        if any(talk.done() for talk in talks):
                            break
                        await asyncio.sleep(0.005)
                    await faces[0].hand_over(faces[1])
                faces.reverse()
            async with asyncio.timeout(40):
                await asyncio.gather(*talks)
            loop.remove_reader(listener.fileno())
        for number, program in enumerate(programs):
            assert program.heard == [f"{number ^ 1} {line}" for line in range(LINES)]
        for one in faces:
            for client in [*one.adapter.clients.values()]:
                one.adapter.leave(client)
