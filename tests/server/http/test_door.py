"""A WebSocket may begin on a connection that served HTTP before: proxies keep theirs."""

import contextlib
import http.client
import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from wsproto import ConnectionType, WSConnection
from wsproto.connection import Connection
from wsproto.events import AcceptConnection, CloseConnection, Request, TextMessage

from tests.server.web.servers import Server


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    server = Server(tmp_path_factory.mktemp("data"))
    yield server
    server.stop()


def used(server: Server, requests: int = 2) -> socket.socket:
    """A connection on which requests were answered."""
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=10)
    for _ in range(requests):
        connection.request("GET", "/healthz")
        assert connection.getresponse().read() == b"ok\n"
    assert connection.sock is not None
    sock: socket.socket = connection.sock.dup()
    connection.close()
    sock.settimeout(10)
    return sock


def begun(server: Server) -> tuple[WSConnection, bytes]:
    """A client, and the request that it begins with."""
    client = WSConnection(ConnectionType.CLIENT)
    return client, client.send(Request(host=f"127.0.0.1:{server.port}", target="/ws"))


def texts(sock: socket.socket, client: WSConnection) -> Iterator[str]:
    """What the server says, frame by frame, until it closes."""
    while True:
        data = sock.recv(65536)
        client.receive_data(data or None)
        for event in client.events():
            if isinstance(event, TextMessage):
                yield event.data
            elif isinstance(event, CloseConnection):
                return
            else:
                assert isinstance(event, AcceptConnection)


def descriptors(server: Server) -> int:
    """How many descriptors the server's process holds."""
    assert server._process is not None
    return len(os.listdir(f"/proc/{server._process.pid}/fd"))


def test_a_web_socket_begins_on_a_connection_that_served_requests(served: Server) -> None:
    with used(served) as sock:
        client, head = begun(served)
        sock.sendall(head)
        heard = texts(sock, client)
        assert next(heard).startswith('{"type":"hello"')
        sock.sendall(client.send(TextMessage('{"type":"ping"}')))
        assert next(heard) == '{"type":"pong"}'
        sock.sendall(client.send(CloseConnection(1000)))
        assert list(heard) == []


@pytest.mark.parametrize("pieces", [1, 7])
def test_frames_sent_with_the_head_are_not_lost(served: Server, pieces: int) -> None:
    with used(served) as sock:
        client, head = begun(served)
        # The client does not wait for the 101, as RFC 6455 would have it; what stands behind the head stays in order.
        frames = Connection(ConnectionType.CLIENT)
        pings = b"".join(frames.send(TextMessage('{"type":"ping"}')) for _ in range(3))
        packet = head + pings
        size = -(-len(packet) // pieces)
        for start in range(0, len(packet), size):
            sock.sendall(packet[start : start + size])
        heard = texts(sock, client)
        assert next(heard).startswith('{"type":"hello"')
        assert [next(heard) for _ in range(3)] == ['{"type":"pong"}'] * 3


def test_what_comes_back_is_judged_like_every_other(served: Server) -> None:
    with used(served) as sock:
        _, head = begun(served)
        sock.sendall(head.replace(b"Sec-WebSocket-Version: 13", b"Sec-WebSocket-Version: 12"))
        assert sock.recv(65536).startswith(b"HTTP/1.1 426 ")
    with used(served) as sock:
        _, head = begun(served)
        sock.sendall(head.replace(b"\r\n\r\n", b"\r\nOrigin: https://evil.example\r\n\r\n"))
        assert sock.recv(65536).startswith(b"HTTP/1.1 403 ")


def test_no_descriptor_is_left_behind(served: Server) -> None:
    before = descriptors(served)
    for _ in range(50):
        with used(served, 1) as sock:
            client, head = begun(served)
            sock.sendall(head)
            heard = texts(sock, client)
            next(heard)
            sock.sendall(client.send(CloseConnection(1000)))
            assert list(heard) == []
            assert sock.recv(1) == b""
    assert descriptors(served) <= before


def test_a_plain_get_of_ws_is_told_what_is_spoken_here(served: Server, tmp_path: Path) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", served.port, timeout=10)
    for _ in range(2):
        connection.request("GET", "/ws")
        answer = connection.getresponse()
        assert (answer.status, answer.headers["Upgrade"]) == (426, "websocket")
        answer.read()
        connection.close()


@pytest.mark.parametrize("target", ["/%77s", "/ws#x", "http://{host}/ws", "//ws"])
def test_what_only_one_of_the_two_judges_takes_for_ws_is_answered_and_not_handed_on(
    served: Server, target: str
) -> None:
    client = WSConnection(ConnectionType.CLIENT)
    host = f"127.0.0.1:{served.port}"
    head = client.send(Request(host=host, target=target.format(host=host)))
    with socket.create_connection(("127.0.0.1", served.port), timeout=10) as sock:
        sock.sendall(head)
        assert sock.recv(65536).split(b"\r\n")[0].split(b" ")[1] in {b"404", b"400"}


def test_an_upgrade_with_much_behind_it_is_refused_and_leaves_no_descriptor(served: Server) -> None:
    before = descriptors(served)
    for _ in range(20):
        _, head = begun(served)
        with (
            socket.create_connection(("127.0.0.1", served.port), timeout=10) as sock,
            contextlib.suppress(ConnectionError),
        ):
            # Both requests come before the first is answered, so aiohttp has read far behind the second one; it is refused
            # before all of it was taken.
            sock.sendall(b"GET /api/status HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n" + head + b"\0" * 600_000)
            while sock.recv(65536):
                pass
    assert descriptors(served) <= before + 1
