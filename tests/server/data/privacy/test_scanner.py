"""The scanner sees: each planted leak is found by its item, its place and whose it is, or the canary run would prove nothing."""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
import urllib.parse
import zlib

import pytest

from tests.server.data.privacy.scanner import Marker, Scanner

ADDRESS = Marker("address", "a", "127.83.17.201")
COOKIE = Marker("identity", "a", "Qk3vVb8mZx1LwPp0aTt5Yg")
TOPIC = Marker("interests", "b", "mkTopicÆ7741 sailing")
TEXT = Marker("talk", "b", "mkText the brown fox 9931")
SCANNER = Scanner([ADDRESS, COOKIE, TOPIC, TEXT])


def line(**fields: object) -> bytes:
    """A log line of ours."""
    return json.dumps({"event": "x.y", "level": "info", **fields}).encode()


@pytest.mark.parametrize(
    ("marker", "place", "leak"),
    [
        (ADDRESS, "log:x.y.peer", line(peer="('127.83.17.201', 40112)")),
        (ADDRESS, "log:?", b"peer 127.83.17.201 closed"),
        (ADDRESS, "log:?", b"peer ::ffff:127.83.17.201 closed"),
        (ADDRESS, "chat.mood", hashlib.sha256(b"127.83.17.201").digest()),
        (ADDRESS, "chat.mood", b"2136150473"),
        (ADDRESS, "chat.mood", bytes([127, 83, 17, 201])),
        (COOKIE, "object", b"logs/Qk3vVb8mZx1LwPp0aTt5Yg/1"),
        (COOKIE, "file", b"\x00" + COOKIE.value.encode("utf-16-le") + b"\x00"),
        (COOKIE, "file", hashlib.md5(COOKIE.value.encode(), usedforsecurity=False).hexdigest().encode()),
        (COOKIE, "page", base64.b64encode(b"id=" + COOKIE.value.encode() + b";")),
        (COOKIE, "page", base64.urlsafe_b64encode(b"x" + COOKIE.value.encode() + b"yz")),
        (TOPIC, "metrics", f'serendip_waiting{{topic="{TOPIC.value}"}} 1'.encode()),
        (TOPIC, "log:x.y.query", line(query=urllib.parse.quote(TOPIC.value))),
        (TOPIC, "log:x.y.query", line(query=TOPIC.value)),
        (TEXT, "object", zlib.compress(b'{"lines":"' + TEXT.value.encode() + b'"}')),
        (TEXT, "object", gzip.compress(TEXT.value.upper().encode(), mtime=0)),  # the same name in every worker
        (TEXT, "chat.mood", TEXT.value.encode().hex().encode()),
        (TEXT, "partner", b"..." + TEXT.value.encode() + b"..."),
    ],
)
def test_a_planted_leak_is_found(marker: Marker, place: str, leak: bytes) -> None:
    found = SCANNER.scan_log(leak) if place.startswith("log:") else SCANNER.scan(place, leak, typed=True)
    assert {hit.triple for hit in found} == {(marker.item, place, marker.whose)}


def test_what_holds_no_marker_is_clean() -> None:
    for body in (b"", b"127.83.17.20", b"sailing", bytes(range(256)) * 40, None, 17):
        assert SCANNER.scan("x", body, typed=True) == []
