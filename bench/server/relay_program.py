"""Relay messages between two users on socket pairs in one reactor, for callgrind to count: `relay_program.py MESSAGES DEPTH [screened]`.

It uses ext only, so that a copy of ext can be measured; `DEPTH` messages arrive per read.
"""

import json
import socket
import sys

from ext.accept.address_limits import Addresses
from ext.accept.handshake import Judge
from ext.net.chat_ring import Rings
from ext.net.tap import Tap, make
from ext.reactor.reactor import Reactor

HEAD = b"GET /ws HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: c2VyZW5kaXAgYnkgbG9hZA==\r\nSec-WebSocket-Version: 13\r\n\r\n"
TEXT = b'{"type":"message","text":"00000012 0000000001 the quick brown fox jumps over the lazy dog"}'


def framed(text: bytes, mask: bytes = b"\x12\x34\x56\x78") -> bytes:
    """Return a masked text frame of at most 126 bytes."""
    body = bytes(byte ^ mask[i % 4] for i, byte in enumerate(text))
    return bytes([0x81, 0x80 | len(text)]) + mask + body


def main(messages: int, depth: int, screened: bool = False) -> int:
    """Relay messages to and fro; return how many the reactor counted or the ring numbered."""
    judge = Judge(hosts=("localhost",), origins=(), proxies=())
    addresses = Addresses(open_max=100, burst=100, rate=100, limits=False)
    reactor = Reactor(judge=judge, addresses=addresses, now=0.0, limits=False)
    ring = Rings(1 << 20).new(1)
    if screened:  # nobody reads along, and there is room for all of it
        reactor.screen(Tap(make(4 << 20)))
    ends = []
    for side in (0, 1):
        ours, theirs = socket.socketpair()
        ours.setblocking(False)
        number = reactor.adopt_socket(ours.detach(), "127.0.0.1")
        theirs.sendall(HEAD)
        reactor.drain(0.0)
        reactor.settle(0.0)
        reactor.link(number, ring, side)
        theirs.recv(4096)
        ends.append(theirs)
    packet = framed(TEXT) * depth
    for turn in range(messages // depth):
        ends[turn % 2].sendall(packet)
        reactor.drain(1.0)
        reactor.settle(1.0)
        ends[1 - turn % 2].recv(65536)
    for end in ends:
        end.close()
    return ring.last


if __name__ == "__main__":
    print(json.dumps({"messages": main(int(sys.argv[1]), int(sys.argv[2]), "screened" in sys.argv)}))
