"""Test `/api/why` and `/client/` on a real server: what a page of another origin, or a program, reads there."""

import gzip
import http.client
import json
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from server.site.front.page_files import CLIENT
from tests.server.site.web.servers import Server

LISTED = "https://front.example"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server that lists the origin of another page."""
    server = Server(tmp_path_factory.mktemp("data"), SERENDIP_SERVER__ORIGINS=LISTED)
    yield server
    server.stop()


def asked(server: Server, path: str, **headers: str) -> tuple[http.client.HTTPResponse, bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=20)
    connection.request("GET", path, headers={name.replace("_", "-"): value for name, value in headers.items()})
    answer = connection.getresponse()
    body = answer.read()
    connection.close()
    return answer, body


def why(server: Server, **headers: str) -> tuple[str | None, dict[str, Any]]:
    """The origin that may read the answer, and the answer."""
    answer, body = asked(server, "/api/why", **headers)
    return answer.getheader("Access-Control-Allow-Origin"), json.loads(body)


def test_who_would_be_let_in_reads_that_and_the_path(server: Server) -> None:
    accepted = {"status": 101, "path": "/ws", "final": False}
    assert why(server) == ("*", accepted)
    assert why(server, Origin=LISTED) == (LISTED, accepted)
    assert why(server, Origin=f"http://127.0.0.1:{server.port}") == ("*", accepted)


def test_a_page_that_is_not_listed_is_told_for_good(server: Server) -> None:
    allowed, told = why(server, Origin="https://evil.example")
    assert (allowed, told["status"], told["final"]) == ("*", 403, True)
    assert "https://evil.example" in told["reason"]
    assert "SERENDIP_SERVER__ORIGINS" in told["reason"]


def test_a_network_with_too_many_connections_is_told_so_before_and_by_the_handshake(tmp_path: Path) -> None:
    server = Server(tmp_path, SERENDIP_SERVER__PROXIES="127.0.0.1", SERENDIP_LIMITS__CONNECTIONS="1")
    try:
        behind = {"X-Forwarded-For": "203.0.113.9"}
        assert why(server, **behind)[1]["status"] == 101
        with socket.create_connection(("127.0.0.1", server.port), timeout=20) as first:
            first.sendall(handshake(server, "X-Forwarded-For: 203.0.113.9"))
            assert first.recv(12) == b"HTTP/1.1 101"
            told = why(server, **behind)[1]
            assert (told["status"], told["final"], "retry_after" in told) == (429, False, False)
            assert why(server, X_Forwarded_For="203.0.113.10")[1]["status"] == 101
            with socket.create_connection(("127.0.0.1", server.port), timeout=20) as second:
                second.sendall(handshake(server, "X-Forwarded-For: 203.0.113.9"))
                refused = second.makefile("rb").read()
        assert refused.startswith(b"HTTP/1.1 429")
        assert b"\r\nAccess-Control-Allow-Origin: *\r\n" in refused
    finally:
        server.stop()


def handshake(server: Server, *more: str) -> bytes:
    """A request for the WebSocket."""
    head = (
        "GET /ws HTTP/1.1",
        f"Host: 127.0.0.1:{server.port}",
        "Upgrade: websocket",
        "Connection: Upgrade",
        "Sec-WebSocket-Version: 13",
    )
    return "\r\n".join((*head, "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==", *more, "", "")).encode()


def test_any_page_may_read_that_the_server_does_not_know_its_name(server: Server) -> None:
    for path in ("/api/why", "/client/v1.js", "/ws"):
        answer, _ = asked(server, path, Host="other.example", Origin="https://any.example")
        assert (answer.status, answer.getheader("Access-Control-Allow-Origin")) == (421, "*"), path
    answer, _ = asked(server, "/api/why", Host="other.example", Origin=LISTED)
    assert answer.getheader("Access-Control-Allow-Origin") == LISTED


def test_any_page_may_import_the_client_byte_for_byte_as_the_package_has_it(server: Server) -> None:
    answer, body = asked(server, "/client/v1.js", Origin="https://any.example", Accept_Encoding="gzip")
    assert answer.getheader("Access-Control-Allow-Origin") == "*"
    assert answer.getheader("Cross-Origin-Resource-Policy") == "cross-origin"
    assert answer.getheader("Content-Type") == "text/javascript; charset=utf-8"
    assert gzip.decompress(body) == (CLIENT / "v1.js").read_bytes()
    assert len(body) <= 6 * 1024
    for name in ("v1.d.ts", "puzzle.js", "search.js", "why.js", "testing.js"):
        assert asked(server, f"/client/{name}")[1] == (CLIENT / name).read_bytes()
    assert [asked(server, path)[0].status for path in ("/client/package.json", "/client/none.js")] == [404, 404]
