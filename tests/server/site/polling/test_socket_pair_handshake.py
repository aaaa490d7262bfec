"""Test the handshake that is made of an HTTP request, and what becomes of its answers."""

import socket
from collections.abc import Callable

import pytest
from aiohttp.test_utils import make_mocked_request

from server.site.polling.socket_pair_handshake import Refused, open_socket, write_handshake

HEADERS = {
    "Host": "chat.example",
    "Origin": "https://chat.example",
    "X-Forwarded-For": "203.0.113.9",
    "Cookie": "id=1",
    "Content-Length": "3",
    "Connection": "keep-alive",
    "Sec-WebSocket-Key": "mine",
}


def answering(answer: bytes) -> Callable[[int, str, bytes, int], None]:
    """A reactor that gives this answer, and closes unless it accepts."""

    def take(descriptor: int, _address: str, _begun: bytes, _port: int) -> None:
        with socket.socket(fileno=descriptor) as there:
            there.setblocking(False)
            there.send(answer)

    return take


def test_the_head_has_what_is_checked_and_nothing_of_the_request_s_own_connection() -> None:
    head = write_handshake(make_mocked_request("POST", "/api/poll?a=1", headers=HEADERS)).decode()
    assert head.startswith("GET /ws?a=1 HTTP/1.1\r\n")
    assert head.endswith("\r\n\r\n")
    for name in ("Host", "Origin", "X-Forwarded-For", "Cookie"):
        assert f"\r\n{name}: {HEADERS[name]}\r\n" in head
    assert "Content-Length" not in head
    assert head.count("Connection:") == head.count("Sec-WebSocket-Key:") == 1
    assert "Connection: Upgrade" in head


async def test_an_accepted_end_has_the_frames_behind_the_head() -> None:
    request = make_mocked_request("POST", "/api/poll", headers=HEADERS)
    with await open_socket(
        request, answering(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\nframes"), 0
    ) as end:
        assert end.recv(100) == b"frames"


@pytest.mark.parametrize(
    ("answer", "status", "text", "after"),
    [
        (b"HTTP/1.1 429 Too Many Requests\r\nRetry-After: 7\r\nContent-Length: 5\r\n\r\nlater", 429, "later", "7"),
        (b"HTTP/1.1 403 Forbidden\r\nContent-Length: 9\r\n\r\nno", 403, "no", None),
        (b"no answer\r\n\r\n", 503, "This server is full.\n", "5"),
        (b"", 503, "This server is full.\n", "5"),
    ],
)
async def test_a_refusal_has_the_status_of_the_websocket_s(
    answer: bytes, status: int, text: str, after: str | None
) -> None:
    with pytest.raises(Refused) as raised:
        await open_socket(make_mocked_request("POST", "/api/poll", headers=HEADERS), answering(answer), 0)
    assert (raised.value.status, raised.value.text, raised.value.retry_after) == (status, text, after)
