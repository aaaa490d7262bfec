"""Declare the connection, the table of all connections, and the state that all sockets of a worker share.

**Invariant:** C only; a connection's flags fit its state, by the table below, which debug builds check.
"""

# The table says which flag may be set in which state, and by which module it is set, then cleared. A connection moves from left to right only, and
# may skip states. `connection_holds` checks this in debug builds, at both ends of a read.
#
#              HEAD  OPEN  PIPED  CLOSING  DEAD   set by; cleared by
#     GATED      x     x     .       .      .     socket_input, for a head or a frame that needs a decision; connection_moves; settle, linger
#     PAUSED     x     x     x       .      .     socket_input, over the byte limit or its output is not read; the next second, linger; tunnel
#     CONFIRM    .     x     .       .      .     adopt; the next text frame
#     PINGED     .     x     .       .      .     timeouts; the next read
#     BLOCKED    .     x     x       x      .     output, if a socket accepts no more; `hold`, of a virtual one; output, hold, linger; tunnel
#     DIRTY      .     x     x       x      x     output, for every write; flush_dirty, and the post of virtual connections
#     BROKEN     .     x     x       x      .     output, after a send failed: epoll reports it
#     FRESH      .     x     .       .      .     new_connections, its reply waits for the greeting; the engine's first frame, settle, linger
#     COMING     x     .     .       x      x     new_connections, a newcomer that was neither accepted nor handed over; the same, reclaim
#     COUNTED    x     x     x       x      x     new_connections, it is counted at its address, as COMING says; the same; tunnel_transfer
#     VIRTUAL    .     x     .       x      x     virtual_connections
#     LINGER     .     .     .       x      .     connection_end, to wait for the client's end once all is sent
#     UNTOLD     .     .     .       x      x     connection_end, there was no memory for the event of its loss; collect
#     VISITOR    .     x     x       .      .     connection_moves and tunnel_transfer, by its state: another host counts its address; linger
#
# A PIPED connection is one end of a tunnel (tunnel.pyx): a client whose session is at another host, or the socket to that host.
#
# A virtual connection has no socket: its output is returned as an event, and BLOCKED means that its owner accepts none. A connection that came from
# another reactor (connection_moves) keeps CONFIRM, PAUSED, PINGED, BLOCKED, VIRTUAL and VISITOR, has COUNTED if the table of addresses had room, and
# GATED until the next settle; one that is released moves from OPEN to DEAD, with neither GATED nor BROKEN.

from libc.stdint cimport uint32_t, uint64_t

from ext.net.counters cimport COUNTERS, times_t
from ext.net.event_queue cimport events_t
from ext.net.tap cimport tap_t
from ext.net.structs cimport conn_t
from ext.net.wheel cimport wheel_t

cdef enum:
    DEAD = 0
    HEAD = 1      # its request head is being read or checked
    OPEN = 2
    CLOSING = 3   # its last bytes are being sent, input is discarded
    PIPED = 4     # one end of a tunnel: input is sent to the other end

cdef enum:
    GATED = 1
    BLOCKED = 2
    DIRTY = 4
    CONFIRM = 8
    PAUSED = 16
    PINGED = 32
    BROKEN = 64
    COUNTED = 128
    LINGER = 256
    VIRTUAL = 512
    UNTOLD = 1024
    COMING = 2048
    FRESH = 4096
    VISITOR = 8192

cdef enum:
    IN_HEAD = GATED | PAUSED | COMING | COUNTED
    IN_OPEN = GATED | PAUSED | CONFIRM | PINGED | BLOCKED | DIRTY | BROKEN | COUNTED | VIRTUAL | FRESH | VISITOR
    IN_PIPED = PAUSED | BLOCKED | DIRTY | BROKEN | COUNTED | VISITOR
    IN_CLOSING = BLOCKED | DIRTY | BROKEN | COUNTED | COMING | VIRTUAL | LINGER | UNTOLD
    IN_DEAD = DIRTY | COUNTED | COMING | VIRTUAL | UNTOLD

cdef enum:
    B_MESSAGES = 0
    B_FRAMES = 1
    B_BYTES = 2
    B_REFUSALS = 3
    B_SIGNALS = 4
    BUCKETS = 5

cdef struct bucket_t:
    float burst
    float rate   # tokens per second

cdef struct names_t:
    # numbers of connections to be visited; a number whose connection is gone is skipped
    uint64_t *number
    uint32_t count
    uint32_t room

cdef struct io_t:
    int epoll
    int listener             # -1: newcomers are not wanted
    bint listening           # whether epoll watches it
    bint draining            # newcomers are asked to come back later
    int spare                # reserve descriptor, given up to answer a newcomer when there is none left; -1: there is none
    int busy_from            # a newcomer with this descriptor or a higher one is refused as the server is full
    int shut_from            # from this descriptor on it is refused at once, before its head is read
    uint32_t coming          # newcomers: their head is incomplete, or they were refused and are still open
    bint limits              # whether rate limits are enforced
    tap_t *tap               # receives a copy of each line; NULL: nothing reads along
    bint echo                # echoes each message of either kind: set by debug_hooks.pyx alone
    uint32_t message_max     # payload bytes of a message
    double start             # monotonic seconds of second 0
    double now               # time of the current batch
    double wall              # Unix time = now + wall
    uint32_t second          # second of `now`
    bucket_t bucket[5]
    conn_t *dirty            # connections with unflushed output, by `next`
    conn_t *later            # FRESH connections with output, by `next`; still dirty
    conn_t *unread           # virtual connections with output, until the batch is collected
    conn_t *dead             # connections that died in the batch, which may still point at them
    events_t events
    names_t gated            # gates to be opened, in order; the first `ungated` are open
    uint32_t ungated
    uint32_t first           # place in a batch at which the next bounded one begins
    names_t leaving          # closing connections whose output may be sent
    uint32_t untold
    uint32_t open            # open connections of users
    uint32_t open_max
    uint32_t tunnels         # tunnels: clients whose sessions are at other hosts
    uint32_t idle            # seconds of silence until a ping
    uint32_t patience        # seconds to answer it
    conn_t **slots           # the table; NULL: a free slot
    uint32_t *free_slots     # a stack of `freed` entries
    uint32_t freed
    uint32_t slot_count      # slots in use or freed
    uint32_t slot_room
    wheel_t wheel
    uint64_t count[COUNTERS]
    uint64_t began           # clock at which the sockets of the current turn were ready
    uint64_t timed           # messages whose time was counted
    times_t relayed          # from a socket ready to read until its message was sent
    times_t turns            # duration of turns

cdef conn_t *connection_new(io_t *io, int fd) noexcept nogil
cdef void connection_unlist(io_t *io, conn_t *conn) noexcept nogil
cdef void connection_free(conn_t *conn) noexcept nogil
cdef conn_t *connection_named(io_t *io, uint64_t number) noexcept nogil
cdef conn_t *connection_open(io_t *io, uint64_t number) noexcept nogil
cdef bint connection_holds(conn_t *conn) noexcept nogil
cdef bint names_add(names_t *names, uint64_t number) noexcept nogil
cdef bint shut(io_t *io, conn_t *conn) noexcept nogil
cdef void refill(io_t *io, float *tokens, double *counted) noexcept nogil
cdef bint take(io_t *io, conn_t *conn, int bucket, float cost) noexcept nogil
cdef void tables_free(io_t *io) noexcept nogil
cdef void set_clock(io_t *io, double now) noexcept nogil
cdef void time_messages(io_t *io, uint64_t now) noexcept nogil
cdef str described(io_t *io, conn_t *conn)

cdef inline uint64_t name(conn_t *conn) noexcept nogil:
    """Return the number of a connection, known outside: its slot and a serial that is never used twice."""
    return <uint64_t>conn.generation << 32 | conn.slot

cdef inline object owner_of(conn_t *conn):
    """Return the owner of a connection; None before it was adopted."""
    return <object>conn.owner if conn.owner != NULL else None
