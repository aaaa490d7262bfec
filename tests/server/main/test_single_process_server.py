"""The life of a server process: nothing that reads its log can stop it, and what a balancer asks is answered."""

from __future__ import annotations

import asyncio
import fcntl
import os
import signal
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

import aiohttp
import orjson
import pytest
from structlog.testing import capture_logs

from server.main.single_process_server import tell_setup
from server.ops.config.settings import Settings
from server.ops.version import VERSION
from tests.server.data.privacy.drive import Running
from tests.server.data.store.test_store_runner import figures, running
from tests.server.site.web.servers import ROOT, WIDE, Server
from tests.support import services
from tests.support.forkserver import START
from tests.support.users import reads_proc

# ruff: noqa: ASYNC230, ASYNC240 - files of the tests, in a loop of their own
pytestmark = [pytest.mark.blocking, pytest.mark.timeout(120)]  # runs servers, two in turn, and waits for them
executed = pytest.mark.executed  # what the program finds in place of its standard error as it starts is what is tested
HERE = "127.0.0.1"


@contextmanager
def started(data: Path, **how: Any) -> Iterator[tuple[subprocess.Popen[bytes], int, int]]:
    """A server whose log nobody can read: (process, port, metrics' port)."""
    port, metrics = services.free_ports(2)
    settings = {"SERENDIP_METRICS__ENABLED": "true", "SERENDIP_METRICS__PORT": str(metrics)}
    command = [sys.executable, "-c", START, "serve", "--port", str(port), "--data", str(data)]
    process = subprocess.Popen(command, cwd=ROOT, env={**os.environ, **WIDE, **settings}, **how)
    try:
        yield process, port, metrics
    finally:
        process.kill()
        process.wait()


async def probed(client: aiohttp.ClientSession, port: int, path: str = "/readyz", **headers: str) -> tuple[int, Any]:
    """What a probe is answered."""
    async with client.get(f"http://{HERE}:{port}{path}", headers=headers) as answer:
        body = await answer.read()
        return answer.status, orjson.loads(body) if body.startswith(b"{") else body


async def comes_up(process: subprocess.Popen[bytes], port: int) -> None:
    """Wait until connections are taken."""
    async with aiohttp.ClientSession() as client, asyncio.timeout(60):  # a bound, on a machine that starts others too
        while True:
            assert process.poll() is None, "it ended instead"
            try:
                assert (await probed(client, port))[1]["status"] in {"ready", "degraded"}  # its store may take a second
                return
            except aiohttp.ClientConnectionError:
                await asyncio.sleep(0.05)


async def chats_and_drains(process: subprocess.Popen[bytes], port: int) -> None:
    """Somebody is here, is told to come back at the stop, and the process ends well."""
    async with aiohttp.ClientSession() as client, client.ws_connect(f"ws://{HERE}:{port}/ws") as socket:
        assert (await socket.receive_json(timeout=10))["type"] == "hello"
        process.send_signal(signal.SIGTERM)
        async with asyncio.timeout(20):
            while (await socket.receive()).type is not aiohttp.WSMsgType.CLOSE:
                pass
        assert socket.close_code == 1012
    assert await asyncio.to_thread(process.wait, 20) == 0


def test_what_an_operator_has_to_know_is_told_at_the_start(tmp_path: Path) -> None:
    settings = Settings.model_validate(
        {"data": tmp_path / "data", "operator": {"country": "Norway"}, "limits": {"enabled": False}}
    )
    with capture_logs() as said:
        tell_setup(settings)
    told = {(entry["event"], entry["log_level"], entry["check"]) for entry in said}
    assert told >= {("setup.notice", "info", "privacy"), ("setup.warning", "warning", "settings")}
    assert all(entry["remedy"] for entry in said)


@executed
async def test_a_log_on_a_full_disk_costs_lines_that_are_counted(tmp_path: Path) -> None:
    with Path("/dev/full").open("wb") as full, started(tmp_path, stderr=full) as (process, port, metrics):
        await comes_up(process, port)
        async with aiohttp.ClientSession() as client:
            _, text = await probed(client, metrics, "/metrics")
        dropped = next(line for line in text.splitlines() if line.startswith(b"serendip_log_dropped_total"))
        assert float(dropped.split()[1]) >= 2
        await chats_and_drains(process, port)


@reads_proc
@executed
async def test_a_server_without_standard_error_gives_its_number_to_nobody(tmp_path: Path) -> None:
    with started(tmp_path, preexec_fn=lambda: os.close(2)) as (process, port, _):
        await comes_up(process, port)
        assert Path(f"/proc/{process.pid}/fd/2").readlink() == Path("/dev/null")
        await chats_and_drains(process, port)


@executed
async def test_a_log_whose_reader_is_gone_stops_nothing(tmp_path: Path) -> None:
    reader, writer = os.pipe()
    with started(tmp_path, stderr=writer) as (process, port, _):
        os.close(reader)
        os.close(writer)
        await comes_up(process, port)
        await chats_and_drains(process, port)


@executed
async def test_a_log_that_nobody_reads_stops_nothing(tmp_path: Path) -> None:
    reader, writer = os.pipe()
    fcntl.fcntl(writer, fcntl.F_SETPIPE_SZ, 4096)
    os.write(writer, b"\n" * 4096)
    with started(tmp_path, stderr=writer) as (process, port, _):
        os.close(writer)
        await comes_up(process, port)
        await chats_and_drains(process, port)
    os.close(reader)


@executed
@pytest.mark.parametrize(("target", "workers"), [("/dev/full", "1"), ("/dev/null", "2")])
async def test_a_start_that_fails_makes_no_key_and_ends_with_status_1_whatever_takes_the_reason(
    tmp_path: Path, target: str, workers: str
) -> None:
    with Path(target).open("wb") as out, socket.create_server((HERE, 0)) as taken:
        port = str(taken.getsockname()[1])
        command = [sys.executable, "-c", START, "serve", "--port", port, "--data", str(tmp_path)]
        environment = os.environ | {"SERENDIP_WORKERS": workers}
        start = await asyncio.create_subprocess_exec(*command, cwd=ROOT, env=environment, stderr=out)
        assert await start.wait() == 1
    assert not (tmp_path / "secret").exists()
    assert not (tmp_path / "keys").exists()


async def test_a_list_of_helpers_that_is_wrong_is_named_and_nothing_starts(tmp_path: Path) -> None:
    file = tmp_path / "help.toml"
    file.write_text("[[DE]]\nname = 'x'\ncall = 'mother'\n")
    command = [sys.executable, "-c", START, "serve", "--port", "0", "--data", str(tmp_path / "data")]
    environment = os.environ | {"SERENDIP_SAFETY__HELP_FILE": str(file)}
    start = await asyncio.create_subprocess_exec(
        *command, cwd=ROOT, env=environment, stderr=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.DEVNULL
    )
    _, said = await asyncio.wait_for(start.communicate(), 30)
    assert start.returncode == 1
    assert b"serendip: safety.help_file: " in said
    assert b"DE: up to 8 entries" in said


def lines(file: Path, event: str, what: str = "") -> list[dict[str, Any]]:
    """The log's lines of one event, about one thing if that is named."""
    found = [line for line in map(orjson.loads, file.read_bytes().splitlines()) if line["event"] == event]
    return [line for line in found if not what or line["what"] == what]


async def seen(file: Path, event: str, count: int = 1, what: str = "") -> list[dict[str, Any]]:
    """Wait for an event to be logged so many times."""
    async with asyncio.timeout(20):
        while len(found := lines(file, event, what)) < count:  # noqa: ASYNC110 - another process
            await asyncio.sleep(0.02)
    return found


async def test_the_line_of_the_start_says_what_runs(tmp_path: Path) -> None:
    async with running(tmp_path / "data", tmp_path / "log") as server:
        (ready,) = lines(tmp_path / "log", "server.ready")
        assert (ready["version"], ready["pid"], ready["port"]) == (VERSION, server.pid, server.port)
        assert ready["descriptors"] > 0


@pytest.mark.timeout(120)
async def test_a_database_that_is_away_degrades_and_is_told_with_its_cause_each_time(tmp_path: Path) -> None:
    with services.postgres() as database:
        settings = {"SERENDIP_STORE__URL": database.url("postgres"), "SERENDIP_STORE__LINGER": "0"}
        async with (
            running(tmp_path / "data", tmp_path / "log", **settings) as server,
            aiohttp.ClientSession() as client,
        ):
            await is_well(client, server.port)
            await asyncio.to_thread(database.stop, signal.SIGQUIT)
            await a_chat(client, server.port)
            away = (await seen(tmp_path / "log", "store.away", 1, "records"))[0]
            assert away["cause"] == "refused"
            reason = "store: the database is away (refused); records wait"
            for port in (server.port, server.metrics):
                assert await probed(client, port) == (200, {"status": "degraded", "degraded": [reason]})
            await a_chat(client, server.port)
            await asyncio.to_thread(database.start)
            await seen(tmp_path / "log", "store.back", 1, "records")
            await is_well(client, server.port)
            while (await figures(server))["serendip_store_written_total"] < 2:  # noqa: ASYNC110 - the second in a batch of its own
                await asyncio.sleep(0.02)
            assert (await figures(server))["serendip_store_failures_total"] >= 1


async def is_well(client: aiohttp.ClientSession, port: int) -> None:
    """Wait until no part is away."""
    async with asyncio.timeout(60):  # a bound, on a machine that starts others too
        while await probed(client, port) != (200, {"status": "ready", "degraded": []}):  # noqa: ASYNC110 - another process
            await asyncio.sleep(0.05)


async def a_chat(client: aiohttp.ClientSession, port: int) -> None:
    """Two people meet and part."""
    async with (
        client.ws_connect(f"ws://{HERE}:{port}/ws") as one,
        client.ws_connect(f"ws://{HERE}:{port}/ws") as two,
    ):
        for socket in (one, two):
            await socket.send_json({"type": "find", "interests": ["health"]})
        for socket in (one, two):
            while (await socket.receive_json(timeout=10))["type"] != "matched":
                pass
        await one.send_json({"type": "leave"})
        while (await two.receive_json(timeout=10))["type"] != "left":
            pass


@asynccontextmanager
async def draining(data: Path, log: Path) -> AsyncIterator[tuple[Running, aiohttp.ClientSession]]:
    """A server that stops, and waits for somebody who does not go."""
    async with running(data, log, SERENDIP_SERVER__DRAIN="20") as server, aiohttp.ClientSession() as client:
        kept = await asyncio.to_thread(lambda: stubborn(server.port))
        assert (await probed(client, server.port))[0] == 200
        os.kill(server.pid, signal.SIGTERM)
        await seen(log, "server.stopping")
        yield server, client
        kept.close()


def stubborn(port: int) -> Any:
    """A WebSocket that never answers the closing handshake."""
    sock = socket.create_connection((HERE, port))
    head = "GET /ws HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    sock.sendall(f"{head}Sec-WebSocket-Key: {'A' * 22}==\r\nSec-WebSocket-Version: 13\r\n\r\n".encode())
    assert sock.recv(65536).startswith(b"HTTP/1.1 101")
    return sock


async def test_a_server_that_drains_says_so_where_a_balancer_asks_and_is_no_fault_of_ours(tmp_path: Path) -> None:
    async with draining(tmp_path / "data", tmp_path / "log") as (server, client):
        answer = (503, {"status": "draining", "degraded": []})
        assert await probed(client, server.metrics, Host="10.1.2.3:9464") == answer
        assert await probed(client, server.port) == answer  # on the connection that was kept
        _, text = await probed(client, server.metrics, "/metrics", Host="localhost")
        failed = next(line for line in text.splitlines() if b'status="5xx"' in line)
        assert float(failed.split()[1]) == 0


async def test_the_metrics_port_answers_probes_of_any_name_and_as_often_as_asked(tmp_path: Path) -> None:
    tight = {"SERENDIP_LIMITS__CONNECT_BURST": "1", "SERENDIP_LIMITS__CONNECT_RATE": "0.01"}
    async with running(tmp_path / "data", tmp_path / "log", **tight) as server:
        for _ in range(20):
            async with aiohttp.ClientSession() as client:  # a connection each
                assert (await probed(client, server.metrics, Host="10.9.8.7"))[0] == 200
                assert (await probed(client, server.metrics, "/healthz", Host="10.9.8.7")) == (200, b"ok\n")
                assert (await probed(client, server.metrics, "/metrics", Host="10.9.8.7"))[0] == 421


async def test_sighup_takes_up_what_can_change_and_names_what_cannot(tmp_path: Path) -> None:
    file, log = tmp_path / "serendip.toml", tmp_path / "log"
    file.write_text('[server]\nhosts = ["localhost"]\n[limits]\nfind_burst = 1\n[log]\nlevel = "info"\n')
    settings = {"SERENDIP_CONFIG": str(file), "SERENDIP_LIMITS__FIND_RATE": "0.001"}
    async with running(tmp_path / "data", log, **settings) as server, aiohttp.ClientSession() as client:
        assert (await probed(client, server.port, Host="localhost"))[0] == 200
        assert (await probed(client, server.port, Host="new.example"))[0] == 421
        assert await finds(client, server.port, "localhost") == 1
        file.write_text('[server]\nhosts = ["new.example"]\ndrain = 3\n[limits]\nfind_burst = 3\n')
        os.kill(server.pid, signal.SIGHUP)
        changed = {line["setting"] for line in await seen(log, "config.changed")}
        assert [line["setting"] for line in await seen(log, "config.restart")] == ["server.drain"]
        assert changed == {"server.hosts", "limits.find_burst"}
        assert (await probed(client, server.port, Host="localhost"))[0] == 421
        assert (await probed(client, server.port, Host="new.example"))[0] == 200
        assert await finds(client, server.port, "new.example") == 3


async def finds(client: aiohttp.ClientSession, port: int, host: str) -> int:
    """How many searches one person may begin at once."""
    async with client.ws_connect(f"ws://{HERE}:{port}/ws", headers={"Host": host}) as socket:
        for count in range(10):
            await socket.send_json({"type": "find"})
            while (frame := await socket.receive_json(timeout=10))["type"] not in {"waiting", "error"}:
                pass
            if frame["type"] == "error":
                return count
    return 10


async def test_sighup_with_a_wrong_file_changes_nothing_and_says_so(tmp_path: Path) -> None:
    file, log = tmp_path / "serendip.toml", tmp_path / "log"
    file.write_text('[server]\nhosts = ["localhost"]\n')
    async with running(tmp_path / "data", log, SERENDIP_CONFIG=str(file)) as server, aiohttp.ClientSession() as client:
        file.write_text('[server]\nhosts = ["new.example"]\n[store]\nqueue = "hunter2"\n')
        os.kill(server.pid, signal.SIGHUP)
        refused = await seen(log, "config.refused")
        assert [line["setting"] for line in refused] == [f"store.queue (file {file})"]
        assert "hunter2" not in log.read_text()
        assert (await probed(client, server.port, Host="new.example"))[0] == 421
        assert (await probed(client, server.port, Host="localhost"))[0] == 200
        file.write_text("not TOML")
        os.kill(server.pid, signal.SIGHUP)
        await seen(log, "config.refused", 2)
        assert (await probed(client, server.port, Host="localhost"))[0] == 200


STUCK = """
import asyncio
from server.trust.reports.report_intake import Intake
Intake.flush = lambda self, within: asyncio.Event().wait()
"""


@pytest.mark.thorough
def test_a_server_that_waits_for_ever_at_its_end_says_for_what_and_ends(tmp_path: Path) -> None:
    server = Server(tmp_path, first=STUCK, SERENDIP_SERVER__DRAIN="0")
    process = server._process
    assert process is not None
    try:
        process.send_signal(signal.SIGTERM)
        assert process.wait(100) == 1
    finally:
        process.kill()
    server._reader.join(30)
    assert process.stderr is not None
    process.stderr.close()
    unended = [orjson.loads(line) for line in server.said.splitlines() if '"process.unended"' in line]
    assert {line["process"] for line in unended} == {"server"}
    assert any(line["what"].startswith("task ") and "single_process_server.py:" in line["where"] for line in unended)
    assert '"server.stopped"' not in server.said
