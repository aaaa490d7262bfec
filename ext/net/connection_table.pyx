"""Keep connections in slabs of memory, and find a connection by its number.

**Invariant:** a number (slot and serial) is never reused, so a call for a connection that has ended does nothing.
"""

# Allocated one by one, alignment would cost 64 bytes each. A connection that ends within a batch keeps its memory until the batch ends
# (connection_end.pyx).

from libc.stdint cimport uint32_t, uint64_t
from libc.stdlib cimport free, realloc
from libc.string cimport memset

from ext.net.byte_buffers cimport aligned, buffer_free, held_by
from ext.base.check cimport CHECK
from ext.net.counters cimport C_MESSAGES, times_add
from ext.net.event_queue cimport events_free
from ext.base.system cimport SERENDIP_SANITIZED, aligned_alloc

cdef enum:
    SLAB = 64              # connections per allocation
    SLOTS_LEAST = 1024
    NAMES_LEAST = 64

cdef conn_t *spare = NULL  # free connections, by `next`
cdef uint32_t serials = 0
cdef long live = 0

if sizeof(conn_t) != 128:
    raise SystemError("a connection must fill two cache lines")


def alive() -> dict[str, int]:
    """Return the connections in use, of all reactors, for the leak ledger."""
    return {"connections": live}


cdef conn_t *allocated() noexcept nogil:
    """Return a zeroed connection; NULL if there is no memory."""
    global spare, live
    cdef conn_t *conn
    cdef int i
    if SERENDIP_SANITIZED:
        conn = <conn_t *>aligned(sizeof(conn_t))
        live += conn != NULL
        return conn
    if spare == NULL:
        conn = <conn_t *>aligned_alloc(64, SLAB * sizeof(conn_t))
        if conn == NULL:
            return NULL
        for i in range(SLAB):
            conn[i].next = spare
            spare = &conn[i]
    conn = spare
    spare = conn.next
    memset(conn, 0, sizeof(conn_t))
    live += 1
    return conn


cdef void discard(conn_t *conn) noexcept nogil:
    """Return a connection's memory to the free list."""
    global spare, live
    live -= 1
    if SERENDIP_SANITIZED:
        free(conn)
    else:
        conn.next = spare
        spare = conn


cdef bint more_slots(io_t *io) noexcept nogil:
    cdef uint32_t room = io.slot_room * 2 if io.slot_room else SLOTS_LEAST
    cdef void *grown = realloc(io.slots, room * sizeof(conn_t *))
    if grown == NULL:
        return False
    io.slots = <conn_t **>grown
    grown = realloc(io.free_slots, room * sizeof(uint32_t))
    if grown == NULL:
        return False
    io.free_slots = <uint32_t *>grown
    io.slot_room = room
    return True


cdef conn_t *connection_new(io_t *io, int fd) noexcept nogil:
    """Add a connection in state HEAD to the table; NULL if there is no memory. The caller sets its owner and address."""
    global serials
    cdef conn_t *conn = allocated()
    cdef int i
    if conn == NULL:
        return NULL
    if io.freed:
        io.freed -= 1
        conn.slot = io.free_slots[io.freed]
    else:
        if io.slot_count == io.slot_room and not more_slots(io):
            discard(conn)
            return NULL
        conn.slot = io.slot_count
        io.slot_count += 1
    serials += 1
    conn.fd = fd
    conn.generation = serials
    conn.state = HEAD
    conn.heard = conn.moved = io.second
    conn.stamp.counted = io.now
    for i in range(BUCKETS):
        conn.tokens[i] = io.bucket[i].burst
    io.slots[conn.slot] = conn
    return conn


cdef void connection_unlist(io_t *io, conn_t *conn) noexcept nogil:
    """Remove a dead connection from the table, so that its number finds nothing."""
    CHECK(io.slots[conn.slot] == conn and io.freed < io.slot_room)
    io.slots[conn.slot] = NULL
    io.free_slots[io.freed] = conn.slot
    io.freed += 1


cdef void connection_free(conn_t *conn) noexcept nogil:
    """Free a dead connection's memory; the caller has released its owner, address and ring."""
    CHECK(conn.state == DEAD and conn.ring == NULL)
    buffer_free(conn.out)
    buffer_free(conn.input)
    buffer_free(conn.part)
    discard(conn)


cdef conn_t *connection_named(io_t *io, uint64_t number) noexcept nogil:
    """Return the connection with this number in any state but DEAD, or NULL."""
    cdef uint32_t slot = <uint32_t>number
    cdef conn_t *conn
    if slot >= io.slot_count:
        return NULL
    conn = io.slots[slot]
    return conn if conn != NULL and conn.generation == number >> 32 else NULL


cdef conn_t *connection_open(io_t *io, uint64_t number) noexcept nogil:
    """Return the open connection with this number, or NULL."""
    cdef conn_t *conn = connection_named(io, number)
    return conn if conn != NULL and conn.state == OPEN else NULL


cdef bint connection_holds(conn_t *conn) noexcept nogil:
    """Whether all flags are allowed in the connection's state by the table of connection_table.pxd."""
    cdef uint32_t[5] allowed
    allowed[DEAD], allowed[HEAD], allowed[OPEN], allowed[CLOSING], allowed[PIPED] = IN_DEAD, IN_HEAD, IN_OPEN, IN_CLOSING, IN_PIPED
    return conn.state <= PIPED and not conn.flags & ~allowed[conn.state]


cdef bint names_add(names_t *names, uint64_t number) noexcept nogil:
    """Append a number; False if there is no memory."""
    cdef uint64_t *grown
    cdef uint32_t room
    if names.count == names.room:
        room = names.room * 2 if names.room else NAMES_LEAST
        grown = <uint64_t *>realloc(names.number, room * sizeof(uint64_t))
        if grown == NULL:
            return False
        names.number = grown
        names.room = room
    names.number[names.count] = number
    names.count += 1
    return True


cdef bint shut(io_t *io, conn_t *conn) noexcept nogil:
    """Shut a connection's gate: further input is not parsed until the next `settle`. False if there is no memory to remember it."""
    if conn.flags & GATED:
        return True  # a second entry would open the gate after the first
    if not names_add(&io.gated, name(conn)):
        return False
    conn.flags |= GATED
    return True


cdef void refill(io_t *io, float *tokens, double *counted) noexcept nogil:
    """Refill buckets with the tokens of the time since they were counted."""
    cdef float elapsed = <float>(io.now - counted[0])
    cdef int i
    if elapsed > 0:
        counted[0] = io.now
        for i in range(BUCKETS):
            tokens[i] += elapsed * io.bucket[i].rate
            if tokens[i] > io.bucket[i].burst:
                tokens[i] = io.bucket[i].burst


cdef bint take(io_t *io, conn_t *conn, int bucket, float cost) noexcept nogil:
    """Take `cost` tokens from one of the connection's buckets; False if it holds less. Always True if limits are not enforced."""
    if not io.limits:
        return True
    refill(io, conn.tokens, &conn.stamp.counted)
    if conn.tokens[bucket] < cost:
        return False
    conn.tokens[bucket] -= cost
    return True


cdef void tables_free(io_t *io) noexcept nogil:
    """Free the table, which is empty, and the lists beside it."""
    CHECK(io.freed == io.slot_count)
    events_free(&io.events)
    free(io.slots)
    free(io.free_slots)
    free(io.gated.number)
    free(io.leaving.number)


cdef void set_clock(io_t *io, double now) noexcept nogil:
    """Set the time, which never decreases."""
    if now > io.now:
        io.now = now
        io.second = <uint32_t>(now - io.start)


cdef void time_messages(io_t *io, uint64_t now) noexcept nogil:
    """Count the time of the messages that were relayed and sent since the last call."""
    times_add(&io.relayed, now - io.began, io.count[C_MESSAGES] - io.timed)
    io.timed = io.count[C_MESSAGES]


cdef tuple STATES = ("dead", "head", "open", "closing", "piped")
cdef tuple FLAGS = (
    "gated", "blocked", "dirty", "confirm", "paused", "pinged", "broken", "counted", "linger", "virtual", "untold", "coming", "fresh", "visitor",
)


cdef str described(io_t *io, conn_t *conn):
    """Describe a connection in one line for debugging: no address and no text."""
    flags = "|".join(word for bit, word in enumerate(FLAGS) if conn.flags >> bit & 1)
    tokens = "/".join(f"{conn.tokens[i]:.1f}" for i in range(BUCKETS))
    chat = "no ring" if conn.ring == NULL else f"side {conn.side} of a ring at {conn.ring.last}"
    return (
        f"connection {name(conn)}: {STATES[conn.state]} [{flags}], fd {conn.fd}, input {held_by(conn.input)}, part {held_by(conn.part)}, "
        f"out {held_by(conn.out)} ({conn.held} held), tokens {tokens}, heard {io.second - conn.heard} s ago, "
        f"took {io.second - conn.moved} s ago, {'owned' if conn.owner != NULL else 'no owner'}, {chat}"
    )
