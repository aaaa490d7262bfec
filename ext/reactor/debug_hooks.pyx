"""Expose C functions of ext to tests and benchmarks, so that modules of the service need no functions for tests.

**Invariant:** the service does not import this module.
"""
from libc.stdint cimport uint8_t, uint32_t, uint64_t
from libc.string cimport memset

from ext.accept.address_limits cimport Addresses
from ext.accept.address_table cimport NOWHERE, AddressTable, look, seen_t
from ext.accept.address_table cimport claim as claim_slot, hand_on as hand_on_slot, hold as hold_slot
from ext.net.fast_chat_line_parser cimport MESSAGE, OTHER, line_t, scan
from ext.net.connection_table cimport connection_holds
from ext.net.frames cimport frame_t, parse_header, write_header
from ext.accept.handshake cimport Judge, Verdict
from ext.reactor.reactor cimport Reactor
from ext.net.chat_ring cimport Ring, ring_append, ring_refuse
from ext.accept.siphash cimport siphash
from ext.net.structs cimport conn_t
from ext.net.utf8 cimport valid
from ext.net.wheel cimport timer_t, wheel_arm, wheel_disarm, wheel_due, wheel_init, wheel_t


def echo(reactor: Reactor) -> None:
    """Echo each message, text or binary, and send no error before a close: for conformance suites."""
    reactor.io.echo = True


def starve(reactor: Reactor, events: int) -> None:
    """Limit the event queue to `events` entries."""
    reactor.io.events.most = events


def may_stand(state: int, flags: int) -> bool:
    """Whether the table of connection_table.pxd allows these flags in this state."""
    cdef conn_t conn
    conn.state = state
    conn.flags = flags
    return connection_holds(&conn)


def arrive(addresses: Addresses, key: str, now: float) -> bool:
    """Count a newcomer; False if its address has too many."""
    return addresses.arrive(key, now)


def settle(addresses: Addresses, key: str, now: float) -> None:
    """Count a newcomer as one no longer."""
    addresses.settle(key, now)


def counted(host: AddressTable, key: str) -> tuple[int, int, int] | None:
    """Return (open, newcomers, nanoseconds at which its bucket is full) of an address in all processes of a host; None if it is unknown."""
    cdef seen_t seen
    look(&host.table, host.hashed(key), &seen)
    return None if seen.slot == NOWHERE else (seen.open, seen.coming, seen.due)


def slots(host: AddressTable) -> list[tuple[int, list[int]]]:
    """Return (word, cell of each process) of every slot."""
    cdef uint64_t slot
    cdef int column
    cdef list found = []
    for slot in range((<uint64_t>host.table.sets + 1) * 16):
        cells = [host.table.cells[slot * host.table.width + <uint32_t>column] for column in range(host.columns)]
        found.append((host.table.words[slot], cells))
    return found


def claim(host: AddressTable, slot: int, column: int, time: int) -> bool:
    """Do the first half of reassigning a slot, at a time in nanoseconds; False if it is not idle."""
    return claim_slot(&host.table, column, slot, time)


def hand_on(host: AddressTable, slot: int, column: int, key: str, time: int) -> bool:
    """Do the second half, for another address; False if a process counts there after all."""
    return hand_on_slot(&host.table, column, slot, host.hashed(key) & ~<uint64_t>0xFF | 1, time)


def hold(host: AddressTable, slot: int, column: int, key: str, cell: int) -> bool:
    """Write the count of a process that found the slot of an address a moment ago; False if the slot was reassigned."""
    return hold_slot(&host.table, column, host.hashed(key), slot, cell)


def write(host: AddressTable, slot: int, column: int, cell: int) -> None:
    """Write the count of a process without a check."""
    host.table.cells[<uint64_t>slot * host.table.width + <uint32_t>column] = cell


def hashed(key: bytes, data: bytes) -> int:
    """Return the SipHash-2-4 of some bytes under a key of 16 bytes."""
    return siphash(<const uint64_t *><const char *>key, <const uint8_t *><const char *>data, len(data))


def examine(judge: Judge, head: bytes, peer: str) -> tuple[int, str, bytes, str, bytes | None]:
    """Return (status, reason, answer, address, identity) of a whole request head."""
    cdef Verdict verdict = judge.judge(head, peer)
    return verdict.status, verdict.reason, verdict.answer, verdict.address, verdict.identity


def read_header(data: bytes, limit: int) -> tuple[int, int, bool, int, bytes]:
    """Return (verdict, opcode, fin, length, mask) of the header at the start of `data`; the verdict is `parse_header`'s."""
    cdef frame_t frame
    cdef const unsigned char[::1] view = data
    cdef int verdict = 0 if view.shape[0] == 0 else parse_header(&view[0], view.shape[0], limit, &frame)
    if verdict <= 0:
        return verdict, 0, False, 0, b""
    return verdict, frame.opcode, bool(frame.fin), frame.length, bytes(frame.mask[:4])


def build(opcode: int, payload: bytes) -> bytes:
    """Return one whole unmasked frame, as the server sends it."""
    cdef uint8_t head[10]
    cdef int size = write_header(head, opcode, len(payload))
    return bytes(head[:size]) + payload


def is_valid(data: bytes) -> bool:
    """Whether `data` is well-formed UTF-8."""
    cdef const unsigned char[::1] view = data
    return True if view.shape[0] == 0 else valid(&view[0], view.shape[0])


def classify(data: bytes) -> tuple[str, bytes, bytes]:
    """Return (kind, text, id) of one text frame; kind is "other", "message", "typing on", "typing off" or "ping"."""
    cdef line_t line
    cdef const unsigned char[::1] view = data
    cdef int kind = OTHER if view.shape[0] == 0 else scan(&view[0], view.shape[0], &line)
    if kind == MESSAGE:
        return "message", line.text[:line.size], line.id[:line.id_size] if line.id_size else b""
    return ("other", "", "typing on", "typing off", "ping")[kind], b"", b""


def append(ring: Ring, side: int, text: bytes, time: int = 0) -> int:
    """Number and keep a message (`text`: a JSON string without its quotes; `time`: Unix seconds); return its number."""
    cdef const unsigned char[::1] view = text
    if not 0 <= side < 2 or view.shape[0] == 0:
        raise ValueError("a message has a side, 0 or 1, and a text")
    return ring_append(ring.ring, side, &view[0], view.shape[0], time)


def refuse(ring: Ring, side: int) -> None:
    """Count a refused `message` frame of `side` (0 or 1)."""
    if not 0 <= side < 2:
        raise ValueError("a side that talks is 0 or 1")
    ring_refuse(ring.ring, side)


cdef class Wheel:
    """A timer wheel at `second` with a few numbered timers, for comparison of `wheel.pyx` with a model."""

    cdef wheel_t wheel
    cdef timer_t timers[16]

    def __cinit__(self, second: int):
        memset(self.timers, 0, sizeof(self.timers))
        wheel_init(&self.wheel, second)

    def arm(self, number: int, seconds: int) -> None:
        """Arm (or move) timer 0 to 15, `seconds` from the wheel's current second."""
        wheel_arm(&self.wheel, &self.timers[number & 15], seconds)

    def disarm(self, number: int) -> None:
        """Remove a timer."""
        wheel_disarm(&self.timers[number & 15])

    def due(self, second: int) -> list[int]:
        """Advance to `second`; return the timers due by then, in order."""
        cdef timer_t *timer
        found = []
        while True:
            timer = wheel_due(&self.wheel, second)
            if timer == NULL:
                return found
            found.append(timer - self.timers)
