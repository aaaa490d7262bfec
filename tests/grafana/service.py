"""A server, a Prometheus that watches it, and people who talk: what the test of truth drives."""

import asyncio
import contextlib
import json
import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import aiohttp

from tests.grafana.boards import FOLDER, ROOT
from tests.support.forkserver import START
from tests.support.services import free_port, free_ports

PATIENCE = 30.0  # seconds for a process to answer, on a machine that does other things too


@contextmanager
def running(command: list[str], log: Path, **env: str) -> Iterator[subprocess.Popen[bytes]]:
    """A process, ended at the end; its output goes to `log`."""
    with log.open("wb") as out:
        process = subprocess.Popen(
            command, stdout=out, stderr=out, cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT), **env}
        )
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


@contextmanager
def serendip(folder: Path, **env: str) -> Iterator[tuple[int, int]]:
    """A server; (port, metrics port)."""
    port, metrics = free_ports(2)
    settings = {
        "SERENDIP_DATA": str(folder / "data"),
        "SERENDIP_METRICS__PORT": str(metrics),
        "SERENDIP_CONSOLE__PORT": "0",
        "SERENDIP_MATCHING__ANY_AFTER": "0.2",
        "SERENDIP_MATCHING__ANYONE_AFTER": "0.4",
        **env,
    }
    command = [sys.executable, "-c", START, "serve", "--port", str(port)]
    with running(command, folder / "server.ops.log", **settings):
        await_line("server.ready", folder / "server.ops.log")  # the metrics' port is open by then
        await_store(port, folder / "server.ops.log")
        yield port, metrics


def await_line(event: str, log: Path) -> None:
    """Wait until the log has that event."""
    end = time.monotonic() + PATIENCE
    while f'"{event}"' not in log.read_text():
        if time.monotonic() > end:
            raise TimeoutError(f"no {event}:\n{log.read_text()[-2000:]}")
        time.sleep(0.05)  # a poll: a file that grows has no event


def await_store(port: int, log: Path) -> None:
    """Poll until nothing is degraded: a database that takes its time is opened behind the service, and saves nothing yet."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=PATIENCE) as answer:
            if json.load(answer)["status"] == "ready":
                return
        time.sleep(0.05)  # a poll: the store that opens has no event
    raise TimeoutError(f"the store does not open:\n{log.read_text()[-2000:]}")


def await_ready(url: str, log: Path) -> None:
    """Poll until `url` answers 200: it listens before it is ready, and its first answers are 503."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        with contextlib.suppress(OSError), urllib.request.urlopen(url, timeout=5):  # noqa: S310 - ours
            return
        time.sleep(0.1)
    raise TimeoutError(f"{url} is not ready:\n{log.read_text()[-2000:]}")


@contextmanager
def prometheus(folder: Path, *metrics: int) -> Iterator[str]:
    """Debian's Prometheus with our rules, scraping these ports every second; its address."""
    port = free_port()
    text = (FOLDER / "prometheus.yml").read_text().replace("15s", "1s")
    text = text.replace('["127.0.0.1:9464"]', str([f"127.0.0.1:{one}" for one in metrics]))
    (folder / "prometheus.yml").write_text(text)
    (folder / "alerts.yml").write_text((FOLDER / "alerts.yml").read_text())
    command = [
        "prometheus", f"--config.file={folder / 'prometheus.yml'}", f"--storage.tsdb.path={folder / 'tsdb'}",
        f"--web.listen-address=127.0.0.1:{port}", "--log.level=warn",
    ]  # fmt: skip
    with running(command, folder / "prometheus.log"):
        await_port(port, folder / "prometheus.log")
        await_ready(f"http://127.0.0.1:{port}/-/ready", folder / "prometheus.log")
        yield f"http://127.0.0.1:{port}"


def await_port(port: int, log: Path) -> None:
    """Wait until somebody listens."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        with socket.socket() as sock:
            if sock.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)  # a poll: a process that starts has no event
    raise TimeoutError(f"nobody listens on {port}:\n{log.read_text()[-2000:]}")


class Person:
    """One client of the native protocol."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self.socket = socket

    @classmethod
    async def comes(cls, http: aiohttp.ClientSession, port: int) -> tuple["Person", dict[str, Any]]:
        """Connects; the `hello` too."""
        person = cls(await http.ws_connect(f"http://127.0.0.1:{port}/ws"))
        return person, await person.hears("hello")

    async def says(self, **frame: Any) -> None:
        """Send a frame in the canonical spelling."""
        await self.socket.send_str(json.dumps(frame, separators=(",", ":"), ensure_ascii=False))

    async def hears(self, kind: str) -> dict[str, Any]:
        """The next frame of that type; others are passed over."""
        while True:
            frame = await asyncio.wait_for(self.socket.receive(), PATIENCE)
            if frame.type is not aiohttp.WSMsgType.TEXT:
                raise ConnectionError(f"no {kind}, but {frame.type.name} {frame.data}")
            found: dict[str, Any] = json.loads(frame.data)
            if found["type"] == kind:
                return found

    async def leaves(self) -> None:
        """Close with 1000."""
        await self.socket.close()
