"""The server's life, as a process: what it does where descriptors run out, and what those hear who come while it stops."""

import asyncio
import contextlib
import json
import re
import signal
import socket
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from prometheus_client.parser import text_string_to_metric_families
from wsproto import ConnectionType, WSConnection
from wsproto.events import AcceptConnection, CloseConnection, Request, TextMessage

from engine.wire.protocol import FULL_AFTER_LEAST, FULL_AFTER_MOST
from tests.server.data.chat_logs.conftest import save, talked
from tests.server.site.web.servers import Server
from tests.support.services import free_port


@contextmanager
def bounded(data: Path, soft: int, hard: int) -> Iterator[tuple[Server, int]]:
    """A server whose process may hold so many descriptors, and the port of its metrics."""
    port = free_port()
    first = f"import resource; resource.setrlimit(resource.RLIMIT_NOFILE, ({soft}, {hard}))\n"
    server = Server(data, first, SERENDIP_METRICS__ENABLED="true", SERENDIP_METRICS__PORT=str(port))
    try:
        yield server, port
    finally:
        server.stop()


def metrics(port: int) -> dict[str, float]:
    """A scrape: each sample by its name and label values."""
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10) as answer:
        families = list(text_string_to_metric_families(answer.read().decode()))
    return {" ".join([s.name, *s.labels.values()]): s.value for family in families for s in family.samples}


def silent(server: Server, count: int) -> list[socket.socket]:
    """So many connections that say nothing."""
    return [socket.create_connection(("127.0.0.1", server.port), timeout=10) for _ in range(count)]


def answer(server: Server, request: bytes) -> bytes:
    """All that one connection is answered."""
    found = b""
    with socket.create_connection(("127.0.0.1", server.port), timeout=10) as sock, contextlib.suppress(ConnectionError):
        sock.sendall(request)
        while part := sock.recv(65536):
            found += part
    return found


def taken_again(server: Server) -> None:
    """Waits until newcomers are served, and until the log says that they were not."""
    while b"200 OK" not in answer(server, b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"):
        time.sleep(0.05)
    while not events(server, "server.short"):
        time.sleep(0.05)


def events(server: Server, name: str) -> list[dict[str, object]]:
    return [event for line in server.said.splitlines() if (event := json.loads(line))["event"] == name]


def test_the_soft_limit_of_descriptors_is_raised_to_the_hard_one(tmp_path: Path) -> None:
    with bounded(tmp_path, 300, 4096) as (_, port):
        assert metrics(port)["process_max_fds"] == 4096


async def test_without_descriptors_newcomers_are_told_chats_are_saved_and_the_metrics_answer(tmp_path: Path) -> None:
    with bounded(tmp_path, 256, 256) as (server, port):
        async with talked(server, "crowded", "a line") as pair:
            flood = await asyncio.to_thread(silent, server, 400)
            heard = await asyncio.to_thread(answer, server, b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
            assert heard.startswith(b"HTTP/1.1 503 ")
            (again,) = re.findall(rb"Retry-After: (\d+)\r\n", heard)
            assert FULL_AFTER_LEAST <= int(again) <= FULL_AFTER_MOST
            found = await asyncio.to_thread(metrics, port)
            used = found["serendip_process_open_fds server"] / found["serendip_process_max_fds server"]
            assert used > 0.85  # SerendipDescriptorsNearLimit
            assert found["serendip_handshakes_total short"] > 100
            assert (await save(pair.one)).url.startswith("/log/")
            for sock in flood:
                sock.close()
        await asyncio.to_thread(taken_again, server)
        assert len(events(server, "server.short")) == 1
        assert not events(server, "loop.fault")


def test_who_comes_while_the_server_stops_is_told_to_come_back_and_readyz_says_503(tmp_path: Path) -> None:
    server = Server(tmp_path)
    client = WSConnection(ConnectionType.CLIENT)
    with socket.create_connection(("127.0.0.1", server.port), timeout=10) as sock:
        sock.sendall(client.send(Request(host=f"localhost:{server.port}", target="/ws")))
        heard = b""
        while b"hello" not in heard:
            heard += sock.recv(65536)
        server.send(signal.SIGTERM)
        while b"restart" not in heard:
            heard += sock.recv(65536)
        # It does not hang up, so the drain goes on.
        for path in ("/readyz", "/"):
            told = answer(server, f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
            assert told.startswith(b"HTTP/1.1 503 ")
            assert b"Retry-After: 5\r\n" in told
        late = WSConnection(ConnectionType.CLIENT)
        late.receive_data(answer(server, late.send(Request(host="localhost", target="/ws"))))
        accepted, error, close = list(late.events())
        assert isinstance(accepted, AcceptConnection)
        assert isinstance(error, TextMessage)
        assert json.loads(error.data)["code"] == "restart"
        assert isinstance(close, CloseConnection)
        assert close.code == 1012
    server.stop()
