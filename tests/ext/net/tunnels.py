"""Drive tunnels over socket pairs: a client at one end, the test as its home at the other. Invariant: the reactor between them is the service's."""

import contextlib
import os
import socket
from collections.abc import Sequence
from typing import Any

from engine.wire.protocol import FRAME, RECORD, UNTUNNELLED
from ext.migrate.tunnel_transfer import record_frame
from ext.reactor import debug_hooks
from tests.ext.net.rig import FIND, LEAVE, PING, TEXT, Peer, Rig, frame

CONTINUATION = 0
# A client's frames: events, a ping, a fragmented message with a ping between its fragments.
STREAM = b"".join(
    [
        frame(FIND),
        frame(b"?", PING),
        frame(b"[1,", fin=False),
        frame(b"!", PING),
        frame(b"", CONTINUATION, fin=False),
        frame(b"2]", CONTINUATION),
        frame(b"{}" + b" " * 200),
        frame(LEAVE),
    ]
)
EVENTS = [FIND, b"[1,2]", b"{}" + b" " * 200, LEAVE]


def sockets(buffer: int = 0, inet: bool = False) -> tuple[socket.socket, socket.socket]:
    """Return two non-blocking ends. `buffer`: bytes of the buffers between them, 0: the system's; `inet`: over TCP."""
    if inet:
        with socket.create_server(("127.0.0.1", 0)) as listener:
            far = socket.create_connection(listener.getsockname())
            near = listener.accept()[0]
    else:
        near, far = socket.socketpair()
    for each in (near, far):
        each.setblocking(False)
        if buffer:
            each.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, buffer)
            each.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffer)
    return near, far


def piped(
    rig: Rig, buffer: int = 0, to_client: bytes = b"", to_home: bytes = b"", inet: bool = False, **said: Any
) -> tuple[Peer, Peer]:
    """Return a tunnel's client, which owns it, and its home; the far end of each is held."""
    ours, theirs = sockets(buffer, inet)
    near, far = sockets(buffer, inet)
    client, home = Peer(rig, 0, theirs), Peer(rig, 0, far)
    number = rig.reactor.pipe(ours.detach(), "127.0.0.1", near.detach(), to_client, to_home, client, **said)
    client.number = home.number = number
    rig.peers += [client, home]
    return client, home


def piped_from(rig: Rig) -> tuple[Peer, Peer]:
    """Make a tunnel of an ordinary connection of an edge, with its state."""
    client = rig.dial()
    near, far = sockets()
    found = rig.reactor.release(client.number)
    assert found is not None
    fd, address, _, data = found
    client.number = rig.reactor.pipe(fd, address, near.detach(), b"", data, client)
    home = Peer(rig, client.number, far)
    rig.peers.append(home)
    return client, home


def unpiped(client: Peer, to: Rig, returned: bytes | None = None) -> bool:
    """Continue the client of a tunnel in a reactor as an ordinary connection. False: it cannot."""
    found = client.rig.reactor.unpipe(client.number, returned)
    if found is None:
        return False
    client.rig.peers.remove(client)
    client.rig, client.number = to, to.reactor.take(*found, client)
    to.peers.append(client)
    return True


def carried(client: Peer, home: Peer, to: Rig) -> bool:
    """Move a tunnel to another reactor, with new descriptors. False: not now."""
    found = client.rig.reactor.release_tunnel(client.number)
    if found is None:
        return False
    one, address, other, state, data = found
    again = [os.dup(fd) for fd in (one, other)]
    for fd in (one, other):
        os.close(fd)
    number = to.reactor.take_tunnel(again[0], address, again[1], state, data, client)
    for peer in (client, home):
        peer.rig.peers.remove(peer)
        peer.rig, peer.number = to, number
        to.peers.append(peer)
    return True


def ended(rig: Rig) -> list[int]:
    """Return how tunnels ended so far."""
    return rig.take(UNTUNNELLED)


def records(rig: Rig) -> list[bytes]:
    """Return the records of homes so far."""
    return rig.take(RECORD)


def said(*payloads: bytes, opcode: int = TEXT) -> bytes:
    """Return frames as a server sends them."""
    return b"".join(debug_hooks.build(opcode, payload) for payload in payloads)


def whole(data: bytes) -> tuple[bytes, list[bytes], bool]:
    """Split a home's bytes, as a reference: the whole frames for the client, the records, and whether nothing is left over."""
    at, out, told = 0, b"", list[bytes]()
    while len(data) - at >= 2:
        size, head = data[at + 1], 2
        if size >= 126:
            head = 4 if size == 126 else 10
            size = int.from_bytes(data[at + 2 : at + head])
        if len(data) < at + head or len(data) - at - head < size:
            break
        if data[at] & 0x0F == 3:
            told.append(data[at + head : at + head + size])
        else:
            out += data[at : at + head + size]
        at += head + size
    return out, told, at == len(data)


def mixed(parts: Sequence[tuple[int, bytes]]) -> bytes:
    """Return a home's frames, of which some are records."""
    return b"".join(
        record_frame(payload) if opcode == 3 else debug_hooks.build(opcode, payload) for opcode, payload in parts
    )


def poured(rig: Rig, source: Peer, sink: Peer, data: bytes, size: int) -> bytes:
    """Send `data` from one end until `size` bytes have arrived at the other, which reads a little at a time; return them."""
    view, got, still = memoryview(data), b"", 0
    while len(got) < size and still < 100:
        still += 1
        if view:
            with contextlib.suppress(BlockingIOError):
                view = view[source.sock.send(view) :]
        rig.run()
        with contextlib.suppress(BlockingIOError):
            got += sink.sock.recv(3001)
            still = 0
    return got


def drained(rig: Rig, sink: Peer) -> bytes:
    """Return all bytes that arrive at an end after the last was sent."""
    got = b""
    while more := sink.read():
        got += more
        rig.run()
    return got


def hangs_up(rig: Rig, peer: Peer) -> bool:
    """Whether the reactor closed this end: an end of stream, or a reset."""
    rig.run()
    peer.read()
    return peer.ended()


def settled(rig: Rig) -> list[bytes]:
    """Return the frames that clients sent to an ordinary reactor, opening its gates as often as necessary."""
    rig.run()
    return rig.take(FRAME)


def heard(data: bytes) -> list[bytes]:
    """Return the frames that an ordinary reactor reads in a client's bytes."""
    made = Rig()
    peer = made.dial()
    peer.send(data)
    found = settled(made)
    made.close()
    return found
