"""Fuzz the check of request heads against h11, alone and behind the reactor, in packets of any size. Also a target of `make fuzz`.

**Invariant:** h11 accepts each head that the check accepts, with the same key; a head not for `/ws` is handed over byte for byte. The check
may refuse more than h11 does.
"""

import base64
import hashlib
from ipaddress import ip_address

import h11

from engine.wire.protocol import HTTP, OPENED
from ext.accept.handshake import Judge
from ext.reactor.debug_hooks import examine
from tests.ext.net.rig import KEY, Rig

HOSTS = ["localhost", "127.0.0.1", "[::1]", "chat.example"]
PROXY, STRANGER = "10.0.0.1", "192.0.2.1"
GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
HEAD_MAX = 16 * 1024
WORDS = (
    b"\r\n", b"\r\n\r\n", b"\n", b"\r", b"\0", b" ", b"\t", b":", b": ", b",", b";", b"GET /ws HTTP/1.1\r\n", b"GET ", b"POST ", b"/ws", b"/ws?",
    b"/%77s", b" HTTP/1.0", b" HTTP/1.1", b" HTTP/2", b"host: localhost\r\n", b"host:", b"upgrade: websocket\r\n",
    b"connection: keep-alive, Upgrade\r\n",
    b"sec-websocket-key: " + KEY.encode() + b"\r\n", b"sec-websocket-version: 13\r\n", b"sec-websocket-protocol: serendip.v1\r\n",
    b"origin: http://localhost\r\n", b"origin: null\r\n", b"origin: http://[\r\n", b"content-length: 0\r\n", b"transfer-encoding: chunked\r\n",
    b"cookie: id=x; __Host-id=y\r\n", b"x-forwarded-for: 1.2.3.4, ::1\r\n", b"chat.example:443", b"[::1]:80", b"==", b"\xff", b"a: b\r\n",
    b" a: b\r\n",
)  # fmt: skip


JUDGE = Judge(hosts=HOSTS, origins=["https://page.example"], proxies=["10.0.0.0/8"])


def head_of(data: bytes) -> bytes:
    """Return the head at the start of the data: up to its empty line, or to a line feed alone, with which none is valid; empty: incomplete."""
    at = data.find(b"\n")
    while at >= 0 and data[at - 1 : at] == b"\r" and data[max(at - 3, 0) : at + 1] != b"\r\n\r\n":
        at = data.find(b"\n", at + 1)
    return data[: at + 1]


def enter(data: bytes) -> int:
    """Check a head from a proxy and from an unknown address; the first byte is not of it, as in `fuzz`."""
    head = head_of(data[1:])
    if not 0 < len(head) <= HEAD_MAX:
        return -1
    status, reason, answer, address, identity = examine(JUDGE, head, STRANGER)
    assert status != 101 or (address == STRANGER and b"Sec-WebSocket-Accept: " in answer)
    assert identity is None or 0 < len(identity) <= 64
    assert reason or status in {0, 101}
    examine(JUDGE, head, PROXY)
    return status


def let_in(head: bytes) -> dict[bytes, bytes] | None:
    """Return the header fields that h11 reads in a whole head; None if it refuses it."""
    server = h11.Connection(h11.SERVER)
    server.receive_data(head)
    try:
        event = server.next_event()
    except h11.RemoteProtocolError:
        return None
    return dict(event.headers) if isinstance(event, h11.Request) else None


def judged(head: bytes, peer: str) -> int:
    """Return the status of the check, and compare all its outputs."""
    judge = Judge(hosts=HOSTS, origins=["https://page.example"], proxies=["10.0.0.0/8"])
    status, reason, answer, address, identity = examine(judge, head, peer)
    assert status in {0, 101, 400, 403, 405, 421, 426}
    if status == 101:
        fields = let_in(head)
        assert fields is not None, "h11 refuses it"
        key = fields[b"sec-websocket-key"]
        accept = base64.b64encode(hashlib.sha1(key + GUID, usedforsecurity=False).digest())
        assert b"\r\nSec-WebSocket-Accept: " + accept + b"\r\n" in answer
        assert str(ip_address(address)) == address
        assert address == STRANGER or peer == PROXY
        assert identity is None or 0 < len(identity) <= 64
    elif status:
        assert reason
        assert answer.startswith(b"HTTP/1.1 %d " % status)
    client = h11.Connection(h11.CLIENT)
    if status:
        client.send(
            h11.Request(
                method="GET", target="/ws", headers=[("host", "x"), ("upgrade", "w"), ("connection", "upgrade")]
            )
        )
        client.receive_data(answer)
        assert client.next_event().status_code == status  # type: ignore[union-attr]
    return status


def fuzz(data: bytes) -> tuple[int, int]:
    """Check a head from a proxy and from an unknown address, then through a reactor; the first byte gives the size of packets.

    Return both statuses.
    """
    step, data = (data[0] or 1) if data else 1, data[1:]
    head = head_of(data)
    verdicts = (judged(head, PROXY), judged(head, STRANGER)) if 0 < len(head) <= HEAD_MAX else (-1, -1)
    rig = Rig(Judge(hosts=HOSTS, origins=["https://page.example"], proxies=[]))
    peer = rig.begin()
    for at in range(0, len(data), step):
        peer.send(data[at : at + step])
        rig.run()
        if rig.events:
            break  # the connection is open or handed over: no more is read here
    heard = peer.read()
    if verdicts[1] > 0:
        assert heard.startswith(b"HTTP/1.1 %d " % verdicts[1])
        assert len(rig.take(OPENED)) == (verdicts[1] == 101)
    elif verdicts[1] == 0:
        handed_over(rig, data)
    else:
        assert heard == b""
    rig.close()
    return verdicts


def handed_over(rig: Rig, data: bytes) -> None:
    """Check that all bytes read were handed over with the socket."""
    import os

    (found,) = [event for event in rig.events if event[0] == HTTP]
    assert data.startswith(found[3])
    os.close(found[1])
