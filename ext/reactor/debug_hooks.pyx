"""Doors into the C of the data road for tests and benches; the service opens none of them.

Rule: what only tests and benches call stands here, so that the modules of the service have one caller in mind.
"""
from libc.stdint cimport uint8_t, uint32_t, uint64_t
from libc.string cimport memset

from ext.accept.admission cimport Addresses
from ext.accept.census cimport NOWHERE, Census, look, seen_t
from ext.accept.census cimport claim as claim_slot, hand_on as hand_on_slot, hold as hold_slot
from ext.net.chatline cimport MESSAGE, OTHER, line_t, scan
from ext.net.connection cimport connection_holds
from ext.net.frames cimport frame_t, parse_header, write_header
from ext.accept.handshake cimport Judge, Verdict
from ext.reactor.reactor cimport Reactor
from ext.net.ring cimport Ring, ring_append, ring_refuse
from ext.accept.siphash cimport siphash
from ext.net.types cimport conn_t
from ext.net.utf8 cimport valid
from ext.net.wheel cimport timer_t, wheel_arm, wheel_disarm, wheel_due, wheel_init, wheel_t


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


def arrive(addresses: Addresses, key: str, now: float) -> bool:
    """Counts a newcomer; False where its address has too many."""
    return addresses.arrive(key, now)


def settle(addresses: Addresses, key: str, now: float) -> None:
    """It is no newcomer any more."""
    addresses.settle(key, now)


def counted(census: Census, key: str) -> tuple[int, int, int] | None:
    """(open, newcomers, nanoseconds at which its bucket is full) of an address in all processes of a host; None: nothing is known of it."""
    cdef seen_t seen
    look(&census.table, census.hashed(key), &seen)
    return None if seen.slot == NOWHERE else (seen.open, seen.coming, seen.due)


def slots(census: Census) -> list[tuple[int, list[int]]]:
    """(word, cell of each process) of every slot."""
    cdef uint64_t slot
    cdef int column
    cdef list found = []
    for slot in range((<uint64_t>census.table.sets + 1) * 16):
        cells = [census.table.cells[slot * census.table.width + <uint32_t>column] for column in range(census.columns)]
        found.append((census.table.words[slot], cells))
    return found


def claim(census: Census, slot: int, column: int, time: int) -> bool:
    """The first half of giving a slot away, at a time in nanoseconds; False where it is not idle."""
    return claim_slot(&census.table, column, slot, time)


def hand_on(census: Census, slot: int, column: int, key: str, time: int) -> bool:
    """The other half, to another address; False where somebody counts there all the same."""
    return hand_on_slot(&census.table, column, slot, census.hashed(key) & ~<uint64_t>0xFF | 1, time)


def hold(census: Census, slot: int, column: int, key: str, cell: int) -> bool:
    """A process found the slot of an address a moment ago, and counts there now; False where it is that address's no more."""
    return hold_slot(&census.table, column, census.hashed(key), slot, cell)


def write(census: Census, slot: int, column: int, cell: int) -> None:
    """A process that saw that the slot was its address's has this count there."""
    census.table.cells[<uint64_t>slot * census.table.width + <uint32_t>column] = cell


def hashed(key: bytes, data: bytes) -> int:
    """SipHash-2-4 of some bytes under a key of 16."""
    return siphash(<const uint64_t *><const char *>key, <const uint8_t *><const char *>data, len(data))


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


cdef class Wheel:
    """A timer wheel at `second` with a few timers, known by their number: what `wheel.pyx` does, to be held against a model."""

    cdef wheel_t wheel
    cdef timer_t timers[16]

    def __cinit__(self, second: int):
        memset(self.timers, 0, sizeof(self.timers))
        wheel_init(&self.wheel, second)

    def arm(self, number: int, seconds: int) -> None:
        """Arms (or moves) timer 0 to 15, `seconds` from the second that the wheel was turned to."""
        wheel_arm(&self.wheel, &self.timers[number & 15], seconds)

    def disarm(self, number: int) -> None:
        """Takes a timer out."""
        wheel_disarm(&self.timers[number & 15])

    def due(self, second: int) -> list[int]:
        """Turns to `second`; the timers that were due by then, in their order."""
        cdef timer_t *timer
        found = []
        while True:
            timer = wheel_due(&self.wheel, second)
            if timer == NULL:
                return found
            found.append(timer - self.timers)
