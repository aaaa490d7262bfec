"""Test the handshake reply: the standard's accept key, in one piece, with the subprotocol if it was offered."""

import random
from base64 import b64encode
from hashlib import sha1

import pytest

from ext.accept.handshake import Judge
from ext.reactor.debug_hooks import examine

GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
JUDGE = Judge(hosts=["*"], origins=["*"], proxies=[])


def answered(key: bytes, more: bytes = b"") -> bytes:
    """What a client with this key is told."""
    head = (
        b"GET /ws HTTP/1.1\r\nHost: chat.example\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
        b"Sec-WebSocket-Key: " + key + b"\r\n" + more + b"\r\n"
    )
    return examine(JUDGE, head, "192.0.2.1")[2]


@pytest.mark.parametrize("seed", range(50))
def test_each_key_is_answered_by_its_hash(seed: int) -> None:
    key = b64encode(random.Random(seed).randbytes(16))
    accept = b64encode(sha1(key + GUID, usedforsecurity=False).digest())
    assert answered(key) == (
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: "
        + accept + b"\r\n\r\n"
    )  # fmt: skip


def test_our_protocol_is_named_where_it_was_offered() -> None:
    key = b"dGhlIHNhbXBsZSBub25jZQ=="
    ours = answered(key, b"Sec-WebSocket-Protocol: other, serendip.v1\r\n")
    assert ours.endswith(b"Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\nSec-WebSocket-Protocol: serendip.v1\r\n\r\n")
    assert answered(key, b"Sec-WebSocket-Protocol: other\r\n").endswith(b"Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n")
