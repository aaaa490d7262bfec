"""A worker's process in the test's loop: who knocks is greeted, a page is the frontend's, and the end is the drain's."""

import asyncio
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from engine.rooms import hub_messages as rows
from server.fleet.frontend.metrics_merge import unpacked
from server.fleet.ipc.ipc_link import Kind
from server.fleet.ipc.ipc_peers import FRONTEND, HUB
from server.fleet.supervisor.child_process import ChildStart
from server.main.processes.worker_process import WorkerProcess, serve
from server.ops.config.settings import Settings
from server.ops.process import free_memory
from server.ops.process.listening_sockets import listen_public
from server.ops.process.shared_address_table import HostAddresses
from server.ops.security import secret_keys
from tests.ext.net.rig import frame, head
from tests.server.fleet.migrate.rig import until
from tests.server.fleet.processes.rig import Host, Served, Whole
from tests.server.site.web.servers import ROOT

pytestmark = [
    pytest.mark.blocking,  # a process reads its keys before it serves
    pytest.mark.usefixtures("collected"),
]


NEVER = (
    "sqlalchemy",
    "aiosqlite",
    "asyncpg",
    "alembic",
    "server.data.database.database",
    "server.data.store.store_runner",
)


def settings(folder: Path) -> Settings:
    """Of a host that keeps nothing."""
    secret_keys.load(folder)
    return Settings(
        data=folder,
        server={"drain": 0.2},
        store={"enabled": False},
        limits={"enabled": False},
        screening={"text": "off"},
        workers=2,
    )


class Knocking:
    """Somebody by TCP."""

    async def knock(self, port: int, begun: bytes) -> None:
        self.reader, self.writer = await asyncio.open_connection("127.0.0.1", port)
        self.writer.write(begun)

    async def reads(self, what: bytes) -> bytes:
        """All until these bytes."""
        return await asyncio.wait_for(self.reader.readuntil(what), 10)


class Serving:
    """A worker of a host, and where it is knocked at."""

    def __init__(self, made: Host, folder: Path) -> None:
        self.listening = listen_public("127.0.0.1", 0)
        self.port = self.listening.getsockname()[1]

        def make(up: object) -> Whole:
            process = WorkerProcess(1, up, self.listening, settings(folder))  # type: ignore[arg-type]
            process.ready()
            process.serve()
            return Whole(process, process.links.peers, self._close)

        self.process = made.start("worker 1", make).process
        self.knocking: list[Knocking] = []

    def _close(self) -> None:
        self.process.cut()
        self.listening.close()
        for one in self.knocking:
            one.writer.close()
        del self.process

    async def knock(self, begun: bytes) -> Knocking:
        """Somebody knocks."""
        one = Knocking()
        await one.knock(self.port, begun)
        self.knocking.append(one)
        return one


async def test_who_knocks_is_greeted_and_waits_in_the_hub(made: Host, tmp_path: Path) -> None:
    hub, serving = made.play(HUB), Serving(made, tmp_path)
    await made.joined()
    assert made.said["worker 1"][0].kind == Kind.UP
    visitor = await serving.knock(head(host=f"127.0.0.1:{serving.port}"))
    assert b'"type":"hello"' in await visitor.reads(b"}")
    visitor.writer.write(frame(b'{"type":"find"}'))
    await hub.rows(rows.TICKET)


async def test_a_page_is_the_frontends_with_what_was_read(made: Host, tmp_path: Path) -> None:
    frontend, serving = made.play(FRONTEND), Serving(made, tmp_path)
    await made.joined()
    asks = await serving.knock(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
    came = await frontend.next(Kind.HTTP)
    assert came.pieces == [b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"]
    os.write(came.descriptors[0], b"a page\n")
    os.close(came.descriptors[0])
    assert await asks.reads(b"\n") == b"a page\n"
    assert serving.process.worker.reactor.connections == 0
    frontend.peers.send("worker 1", Kind.TOOK, came.number)
    assert await asyncio.wait_for(asks.reader.read(), 10) == b"", "nobody has it any more"


async def test_whose_video_is_off_is_told_to_the_frontend_and_heard_from_it_and_told_to_a_new_one(
    made: Host, tmp_path: Path
) -> None:
    frontend, serving = made.play(FRONTEND), Serving(made, tmp_path)
    await made.joined()
    serving.process.worker.engine._core.outside.publish_pause(7, 600.0)
    assert (await frontend.next(Kind.PAUSED)).records == [[7, 600.0]]
    frontend.peers.send("worker 1", Kind.PAUSED, [8, 600.0])
    pauses = serving.process.worker.engine.pauses
    await until(lambda: pauses.left(8, time.monotonic()) > 590)
    made.kill(FRONTEND)
    after = made.play(FRONTEND)
    ((identity, seconds),) = (await after.next(Kind.PAUSED)).records
    assert (identity, 590 < seconds <= 600) == (8, True)


async def test_a_detection_of_a_day_is_sent_to_the_frontend_and_counted_from_it_and_sent_to_a_new_one(
    made: Host, tmp_path: Path
) -> None:
    frontend, serving = made.play(FRONTEND), Serving(made, tmp_path)
    await made.joined()
    serving.process.worker.engine._core.outside.publish_detection(7, "hate", 5)
    assert (await frontend.next(Kind.DETECTED)).records == [[7, "hate", 5, 0.0]]
    frontend.peers.send("worker 1", Kind.DETECTED, [8, "hate", 6, 60.0], [8, "a later class", 6, 60.0])
    daily = serving.process.worker.engine.daily
    await until(lambda: daily.chats(8, "hate", time.monotonic()) == 1)
    made.kill(FRONTEND)
    after = made.play(FRONTEND)
    ((*row, age),) = (await after.next(Kind.DETECTED)).records
    assert (row, age >= 60.0) == ([8, "hate", 6], True)


async def test_a_task_of_a_worker_that_failed_is_counted(
    made: Host, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fail() -> None:
        raise MemoryError

    monkeypatch.setattr(free_memory, "run", fail)
    frontend, _ = made.play(FRONTEND), Serving(made, tmp_path)
    await made.joined()
    frontend.peers.send("worker 1", Kind.READ, 1)
    figures = unpacked((await frontend.next(Kind.FIGURES)).records[2])
    assert figures["serendip_task_failures"]["free-memory",] == 1


async def test_who_goes_to_the_frontend_is_taken_by_it_as_by_a_worker(made: Host, tmp_path: Path) -> None:
    frontend, serving = made.play(FRONTEND), Serving(made, tmp_path)
    hub = made.play(HUB)
    await made.joined()
    visitor = await serving.knock(head(host=f"127.0.0.1:{serving.port}") + frame(b'{"type":"find"}'))
    (ticket,) = await hub.rows(rows.TICKET)
    who = [[ticket[1], ticket[2], 1], [77, 1, 0]]
    meeting = [rows.MEET, 1, who, [0.0, 0.0], [], 1.0, "any", False, None]
    hub.peers.send("worker 1", Kind.ROWS, [rows.GO, ticket[1], 0, meeting])
    came = await frontend.next(Kind.COME)
    os.close(came.descriptors[0])
    frontend.peers.send("worker 1", Kind.TOOK, came.number)
    await until(lambda: serving.process.links.tally.people["meet", "given"] == 1)
    await asyncio.wait_for(visitor.reader.read(), 10)


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT, None])
async def test_at_the_end_and_without_a_supervisor_its_people_are_told_to_come_back(
    tmp_path: Path, how: signal.Signals | None
) -> None:
    addresses = HostAddresses(2)
    with listen_public("127.0.0.1", 0) as listening:
        port = listening.getsockname()[1]
        worker = Served(lambda up: serve(1, ChildStart(up), listening, settings(tmp_path), Settings, addresses.part(1)))
        await worker.ready()
        visitor = Knocking()
        await visitor.knock(port, head(host=f"127.0.0.1:{port}"))
        await visitor.reads(b'"hello"')
        if how is None:
            worker.up.close()
        else:
            os.kill(os.getpid(), how)
        assert b'"restart"' in await visitor.reads(b'"restart"')
        visitor.writer.close()
        assert await worker.status() == 0
    addresses.close()


def test_neither_a_worker_nor_who_forks_it_knows_a_database() -> None:
    program = f"""
import sys
import server.main.cli, server.main.single_process_server, server.main.processes.worker_process
print([name for name in {NEVER} if name in sys.modules])
"""
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert done.stdout.strip() == "[]", done.stderr
