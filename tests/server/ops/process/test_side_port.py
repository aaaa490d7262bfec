"""Ports beside the public one: half heads end, and take neither their own port's room nor the descriptors of the public one."""

from __future__ import annotations

import contextlib
import http.client
import select
import socket
import time
from collections.abc import Iterator

import pytest

from server.ops.process.side_port import IDLE_SECONDS
from tests.server.site.web.servers import Server
from tests.support.services import free_port

HALF = b"GET / HTTP/1.1\r\nHost: localhost\r\nX-"
HEADS = 300
# Too few descriptors for what the test opens at either port.
FEW = "import resource; resource.setrlimit(resource.RLIMIT_NOFILE, (320, 320));"


@pytest.fixture(scope="module")
def ports(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, int]]:
    """Those of a server with few descriptors."""
    metrics, console = free_port(), free_port()
    server = Server(
        tmp_path_factory.mktemp("side"), FEW, SERENDIP_METRICS__ENABLED="true", SERENDIP_METRICS__PORT=str(metrics),
        SERENDIP_CONSOLE__ENABLED="true", SERENDIP_CONSOLE__PORT=str(console),
    )  # fmt: skip
    yield {"public": server.port, "metrics": metrics, "console": console}
    assert server.stop() == 0
    assert server.strange == []


def status(port: int, path: str) -> int:
    """Of a request over a connection of its own."""
    connection = http.client.HTTPConnection("localhost", port, timeout=20)
    with contextlib.closing(connection):
        connection.request("GET", path)
        return connection.getresponse().status


def ended(sockets: list[socket.socket]) -> list[socket.socket]:
    """Which of them the server has ended by now."""
    over, poll = [], select.poll()
    for one in sockets:
        poll.register(one, select.POLLIN)
    by_number = {one.fileno(): one for one in sockets}
    for number, _ in poll.poll(0):
        with contextlib.suppress(ConnectionResetError):
            assert by_number[number].recv(4096) == b""
        over.append(by_number[number])
    return over


@pytest.mark.timeout(60)
@pytest.mark.parametrize("port", ["metrics", "console"])
def test_half_heads_at_a_side_port_leave_room_for_all_and_end(ports: dict[str, int], port: str) -> None:
    held = []
    with contextlib.ExitStack() as stack:
        for _ in range(HEADS):
            held.append(stack.enter_context(socket.create_connection(("127.0.0.1", ports[port]), timeout=20)))
            held[-1].sendall(HALF)
        assert status(ports["public"], "/") == 200
        assert status(ports["metrics"], "/metrics") == 200
        assert status(ports["console"], "/sign-in") == 200
        late = time.monotonic() + 3 * IDLE_SECONDS
        left = held
        while left and time.monotonic() < late:
            over = ended(left)
            left = [one for one in left if one not in over]
            select.select(left, [], [], 1.0)
        assert left == []


def test_who_asks_often_over_one_connection_is_answered_each_time(ports: dict[str, int]) -> None:
    connection = http.client.HTTPConnection("localhost", ports["metrics"], timeout=20)
    for _ in range(3):
        connection.request("GET", "/metrics")
        answer = connection.getresponse()
        assert (answer.status, b"serendip_http_spoilt_total" in answer.read()) == (200, True)
    connection.close()
