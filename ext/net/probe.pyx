"""Doors into the C of the data road for tests and benches; the service opens none of them.

Rule: what only tests and benches call stands here, so that the modules of the service have one caller in mind.
"""
from libc.stdint cimport uint8_t

from ext.net.chatline cimport MESSAGE, OTHER, line_t, scan
from ext.net.connection cimport connection_holds
from ext.net.frames cimport frame_t, parse_header, write_header
from ext.net.handshake cimport Judge, Verdict
from ext.net.reactor cimport Reactor
from ext.net.ring cimport Ring, ring_append, ring_refuse
from ext.net.types cimport conn_t
from ext.net.utf8 cimport valid


def echo(reactor: Reactor) -> None:
    """Each message goes back as it came, text or binary, and nothing is said before a close: for conformance suites."""
    reactor.io.echo = True


def starve(reactor: Reactor, events: int) -> None:
    """From now on the queue has memory for so many events at once."""
    reactor.io.events.most = events


def may_stand(state: int, flags: int) -> bool:
    """Whether the table of connection.pxd allows those flags in that state."""
    cdef conn_t conn
    conn.state = state
    conn.flags = flags
    return connection_holds(&conn)


def examine(judge: Judge, head: bytes, peer: str) -> tuple[int, str, bytes, str, bytes | None]:
    """(status, reason, answer, address, identity) of a whole request head."""
    cdef Verdict verdict = judge.judge(head, peer)
    return verdict.status, verdict.reason, verdict.answer, verdict.address, verdict.identity


def read_header(data: bytes, limit: int) -> tuple[int, int, bool, int, bytes]:
    """(verdict, opcode, fin, length, mask) of the header at the start of `data`; the verdict as of `parse_header`."""
    cdef frame_t frame
    cdef const unsigned char[::1] view = data
    cdef int verdict = 0 if view.shape[0] == 0 else parse_header(&view[0], view.shape[0], limit, &frame)
    if verdict <= 0:
        return verdict, 0, False, 0, b""
    return verdict, frame.opcode, bool(frame.fin), frame.length, bytes(frame.mask[:4])


def build(opcode: int, payload: bytes) -> bytes:
    """One whole unmasked frame, as the server sends it."""
    cdef uint8_t head[10]
    cdef int size = write_header(head, opcode, len(payload))
    return bytes(head[:size]) + payload


def is_valid(data: bytes) -> bool:
    """Whether `data` is well-formed UTF-8."""
    cdef const unsigned char[::1] view = data
    return True if view.shape[0] == 0 else valid(&view[0], view.shape[0])


def classify(data: bytes) -> tuple[str, bytes, bytes]:
    """(kind, text, id) of one text frame: kind is "other", "message", "typing on", "typing off" or "ping"."""
    cdef line_t line
    cdef const unsigned char[::1] view = data
    cdef int kind = OTHER if view.shape[0] == 0 else scan(&view[0], view.shape[0], &line)
    if kind == MESSAGE:
        return "message", line.text[:line.size], line.id[:line.id_size] if line.id_size else b""
    return ("other", "", "typing on", "typing off", "ping")[kind], b"", b""


def append(ring: Ring, side: int, text: bytes, time: int = 0) -> int:
    """Numbers and keeps a message (`text`: a JSON string without its quotes; `time`: unix seconds); returns its number."""
    cdef const unsigned char[::1] view = text
    if not 0 <= side < 2 or view.shape[0] == 0:
        raise ValueError("a message has a side, 0 or 1, and a text")
    return ring_append(ring.ring, side, &view[0], view.shape[0], time)


def refuse(ring: Ring, side: int) -> None:
    """Counts a refused `message` frame of `side` (0 or 1)."""
    if not 0 <= side < 2:
        raise ValueError("a side that talks is 0 or 1")
    ring_refuse(ring.ring, side)
