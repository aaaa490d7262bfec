"""Signals of somebody who hides the address: what comes out tells nothing, read by `ipaddress`. Also a target of `make fuzz`."""

import re
from collections.abc import Hashable, Iterator
from ipaddress import ip_address
from typing import Any

import orjson

from engine.wire.client_requests import Signal, parse
from engine.wire.engine_errors import Refusal
from server.realtime.video.signal_scrub import scrub

NOWHERE = "0.0.0.0"
WORDS = (
    b"v=0\r\n", b"a=", b"c=IN IP4 ", b"o=- 1 1 IN IP4 192.0.2.7\r\n", b"m=audio 9 UDP/TLS/RTP/SAVPF 111\r\n", b"\r\n", b"\n", b"\r", b" ",
    b":", b"::",
    b".", b"192.0.2.7", b"2001:db8::7", b"fe80::1%eth0", b"1:2:3:4:5:6:7:8", b"::ffff:192.0.2.7", b"a.local", b".local", b"candidate:",
    b"a=candidate:1 1 udp 41885439 198.51.100.9 61000 typ relay raddr 192.0.2.7 rport 5000 generation 0\r\n", b" typ relay", b" typ host",
    b" raddr 192.0.2.7 rport 5", b"a=fingerprint:sha-256 AB:CD:EF:01:AB:CD:EF:01:AB:CD:EF:01:AB:CD:EF:01\r\n", b"a=rtcp:9 IN IP4 192.0.2.7\r\n",
    b"a=remote-candidates:1 192.0.2.7 4\r\n", b"a=fmtp:111 x=", b"\xc2\xa0", "１９２.０.２.７".encode(),
    b"\0", b"ufrag 192.0.2.7", b"tcptype ", b"a" * 64,
)  # fmt: skip
_runs = re.compile(r"[0-9A-Fa-f:.]{2,}").finditer
_dotted = re.compile(r"(?<![0-9.])(?:[0-9]{1,3}\.){3}[0-9]{1,3}(?![0-9.])").findall
_local = re.compile(r"[A-Za-z0-9-]\.local(?![A-Za-z0-9-])", re.IGNORECASE).search
_fingerprint = re.compile(r"(?m)^a=fingerprint:[A-Za-z0-9-]{1,16} [0-9A-Fa-f:]+\r?$").sub
_relays = re.compile(
    r"(candidate:\d+ \d+ (?:udp|tcp) \d+) \S+ (?=\d+ typ relay raddr 0\.0\.0\.0 rport 9)", re.IGNORECASE
).sub


def addresses(text: str) -> Iterator[str]:
    """Every address in a text, wherever it stands between signs that none has."""
    for found in _dotted(text):
        if found != NOWHERE and is_address(found):
            yield found
    for run in _runs(text):
        parts = run[0].split(":")
        for first in range(len(parts)):
            for last in range(first + 3, min(first + 9, len(parts)) + 1):
                if is_address(":".join(parts[first:last])):
                    yield ":".join(parts[first:last])


def is_address(text: str) -> bool:
    """Whether `ipaddress` reads it as one."""
    try:
        ip_address(text)
    except ValueError:
        return False
    return True


def told(body: dict[str, Any]) -> list[str]:
    """The texts of a signal that the partner gets, without what may stand in them: relays, fingerprints."""
    (part,) = body.values()
    texts = [value for value in part.values() if isinstance(value, str)] if isinstance(part, dict) else []
    return [_fingerprint("", _relays(r"\1 ", text)) for text in texts]


def passed(part: dict[str, Any]) -> Hashable:
    """One signal through the parser and the scrubber; what came of it."""
    try:
        request = parse(orjson.dumps({"type": "signal", **part}))
        assert isinstance(request, Signal)
        made = scrub(request.body)
    except Refusal as refusal:
        return refusal.code
    if made is None:
        return None
    for text in told(made):
        assert list(addresses(text)) == []
        assert _local(text) is None
    assert scrub(made) == made
    return frozenset(line[:8] for text in told(made) for line in text.split("\r\n")[:20])


def fuzz(data: bytes) -> Hashable:
    """The input as a description, as a candidate and as a candidate's other field."""
    text = data.decode("utf-8", "replace")
    line = "candidate:1 1 udp 1 198.51.100.9 5 typ relay"
    return (
        passed({"description": {"type": "offer", "sdp": text}}),
        passed({"candidate": {"candidate": text[:1000]}}),
        passed({"candidate": {"candidate": line, "sdpMid": text[:100]}}) is None,
    )
