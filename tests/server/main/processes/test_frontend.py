"""The frontend in the test's loop: a connection that a worker gives it is answered, also one that was given before it could serve."""

import asyncio
import os
import signal
import socket
from pathlib import Path

import pytest

from server.fleet.ipc.ipc_link import Kind, Link, Message
from server.fleet.supervisor.child_process import ChildStart
from server.http.request.counted_connections import NEW
from server.main.processes.frontend import serve
from server.ops.config.settings import Settings
from server.ops.process.listening_sockets import listen_public
from server.ops.process.shared_address_table import HostAddresses
from server.ops.security import secret_keys
from tests.server.fleet.migrate.rig import until
from tests.server.fleet.processes.rig import Served, pair

pytestmark = [
    pytest.mark.blocking,  # a process reads its keys and its pages before it serves
    pytest.mark.usefixtures("collected"),
]
ASKED = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"


def settings(folder: Path) -> Settings:
    """Of a host that keeps nothing."""
    secret_keys.load(folder)
    return Settings(
        data=folder, server={"drain": 0.2, "port": 0}, store={"enabled": False}, metrics={"enabled": False},
        limits={"enabled": False}, workers=2,
    )  # fmt: skip


class Frontend(Served):
    """A frontend, and a worker that is played: `came` by its link."""

    def __init__(self, folder: Path) -> None:
        self.addresses = HostAddresses(2)
        chosen = settings(folder)
        self.listening = listen_public("127.0.0.1", 0)
        super().__init__(
            lambda up: serve(ChildStart(up), chosen, lambda: chosen, self.addresses.part(0), self.listening)
        )
        ours, theirs = pair()
        self.came: list[Message] = []
        self.worker = Link(ours, self.came.append, lambda _: None)
        self.up.send(Kind.PEER, "worker 1", 1, True, descriptors=[theirs.fileno()])
        theirs.close()

    def join(self, name: str, pid: int) -> tuple[Link, list[Message]]:
        """Another worker, and what comes by its link."""
        came: list[Message] = []
        ours, theirs = pair()
        link = Link(ours, came.append, lambda _: None)
        self.up.send(Kind.PEER, name, pid, True, descriptors=[theirs.fileno()])
        theirs.close()
        return link, came

    async def ask(self, begun: bytes) -> socket.socket:
        """A worker gives a connection: the client's end of it."""
        with socket.create_server(("127.0.0.1", 0)) as server:
            client = socket.create_connection(server.getsockname())
            theirs, _ = server.accept()
        client.setblocking(False)
        theirs.setblocking(False)
        self.worker.send(Kind.HTTP, NEW, pieces=[begun], descriptors=[theirs.fileno()])
        theirs.close()
        return client

    async def ends(self) -> int:
        """It is told to end."""
        os.kill(os.getpid(), signal.SIGTERM)
        try:
            return await self.status()
        finally:
            self.worker.close()
            self.addresses.close()
            self.listening.close()


async def answered(client: socket.socket) -> bytes:
    """All that the client is told."""
    said = b""
    while data := await asyncio.wait_for(asyncio.get_running_loop().sock_recv(client, 65_536), 20):
        said += data
    client.close()
    return said


async def test_what_was_given_before_it_serves_and_since_is_answered_and_taken(tmp_path: Path) -> None:
    frontend = Frontend(tmp_path)
    early = await frontend.ask(ASKED)  # it has not begun
    await frontend.ready()
    late = await frontend.ask(ASKED)
    for client in (early, late):
        assert (await answered(client)).startswith(b"HTTP/1.1 200 ")
    await until(lambda: [message.records for message in frontend.came if message.kind == Kind.TOOK] == [[1], [2]])
    assert await frontend.ends() == 0


def paused(came: list[Message]) -> list[tuple[int, float]]:
    """Of whom it was told that their video is off, and for how many minutes still."""
    rows = [row for message in came if message.kind == Kind.PAUSED for row in message.records]
    return [(identity, round(seconds / 60)) for identity, seconds in rows]


async def test_whose_video_is_off_is_told_to_the_other_workers_once_and_to_one_that_starts_later(
    tmp_path: Path,
) -> None:
    frontend = Frontend(tmp_path)
    await frontend.ready()
    second, came = frontend.join("worker 2", 2)
    frontend.worker.send(Kind.PAUSED, [7, 600.0], [8, 3_600.0])
    await until(lambda: paused(came) == [(7, 10), (8, 60)])
    frontend.worker.send(Kind.PAUSED, [7, 599.5])
    frontend.worker.send(Kind.PAUSED, [9, 600.0])
    await until(lambda: paused(came) == [(7, 10), (8, 60), (9, 10)])  # and what was known is not told again
    third, later = frontend.join("worker 3", 3)
    await until(lambda: paused(later) == [(7, 10), (8, 60), (9, 10)])
    assert paused(frontend.came) == []
    assert await frontend.ends() == 0
    for link in (second, third):
        link.close()


async def test_without_a_supervisor_it_ends(tmp_path: Path) -> None:
    frontend = Frontend(tmp_path)
    await frontend.ready()
    frontend.up.close()
    assert await frontend.status() == 0
    frontend.worker.close()
    frontend.addresses.close()
    frontend.listening.close()
