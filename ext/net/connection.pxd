"""One connection, the table of all, and what a worker's sockets share. Rule: C only; a flag stands where the table says.

What may stand in which state, and who sets it. A connection goes from left to right only, and may skip. `connection_holds` looks at
it in debug builds, at both ends of a read.

               HEAD  OPEN  PIPED  CLOSING  DEAD   set by, and taken away
    GATED       x     x      .      .       .     intake, for a head or a frame to be decided on; moving; settle, linger
    PAUSED      x     x      x      .       .     intake, over the byte limit or its output is not taken; the next second, linger; tunnel
    CONFIRM     .     x      .      .       .     adopt; the next text frame
    PINGED      .     x      .      .       .     timeouts; the next read
    BLOCKED     .     x      x      x       .     output, where a socket takes no more; `hold`, of a virtual one; output, hold, linger; tunnel
    DIRTY       .     x      x      x       x     output, whoever writes; flush_dirty, and the post of virtual ones
    BROKEN      .     x      x      x       .     output, a send failed: epoll will say so
    FRESH       .     x      .      .       .     entrance, the answer to its head waits for the greeting; the engine's first word, settle, linger
    COMING      x     .      .      x       x     entrance, a newcomer that was neither let in nor handed over; those two, reclaim
    COUNTED     x     x      x      x       x     entrance, it stands in the table of addresses, by what COMING says; the same; piping
    VIRTUAL     .     x      .      x       x     virtual
    LINGER      .     .      .      x       .     ending, once all is sent wait for the other side's end
    UNTOLD      .     .      .      x       x     ending, there was no memory for the event of its loss; collect
    VISITOR     .     x      x      .       .     moving and piping, by its state: another host counts it at its address; linger

One that is PIPED is a leg of a tunnel (tunnel.pyx): a client whose session is at another host, or the way there.

A virtual connection has no socket: what it is sent comes back as an event, and BLOCKED means that its owner takes none.
One that was taken from another reactor (moving) has CONFIRM, PAUSED, PINGED, BLOCKED, VIRTUAL and VISITOR as they stood there, COUNTED where
the table of addresses had room, and GATED until the next settle; one that is released goes from OPEN to DEAD, with neither GATED nor BROKEN.
"""
from libc.stdint cimport uint32_t, uint64_t

from ext.net.counters cimport COUNTERS, times_t
from ext.net.events cimport events_t
from ext.net.tap cimport tap_t
from ext.net.types cimport conn_t
from ext.net.wheel cimport wheel_t

cdef enum:
    DEAD = 0
    HEAD = 1      # its request head is being read, or judged
    OPEN = 2
    CLOSING = 3   # the last bytes are on their way, what comes in is thrown away
    PIPED = 4     # a leg of a tunnel: what comes in goes to the other leg

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
    float rate   # a second

cdef struct names_t:
    # connections to be looked at, by number: who is gone meanwhile is not found
    uint64_t *number
    uint32_t count
    uint32_t room

cdef struct io_t:
    int epoll
    int listener             # -1: no newcomers are wanted
    bint listening           # whether epoll watches it
    bint draining            # newcomers are told to come back
    int spare                # a descriptor to be given up for a newcomer that finds none, -1: there is none
    int busy_from            # a newcomer with this descriptor or a higher one is told that the server is full
    int shut_from            # and from here on at once, before its head was read
    uint32_t coming          # newcomers: their head is to come, or was refused and they are not gone yet
    bint limits              # whether rate limits have verdicts
    tap_t *tap               # where a copy of each line goes, NULL: nobody reads along
    bint echo                # each message goes back as it came, of either kind: set by probe.pyx alone
    uint32_t message_max     # payload bytes of a message
    double start             # monotonic seconds at which second 0 began
    double now               # of the present batch
    double wall              # unix time = now + wall
    uint32_t second          # of now
    bucket_t bucket[5]
    conn_t *dirty            # who has output that no flush saw, by `next`
    conn_t *later            # who is FRESH and has output, by `next`; still dirty
    conn_t *unread           # virtual connections with output, until the batch is collected
    conn_t *dead             # the dead of the batch, which may still point at them
    events_t events
    names_t gated            # gates to be opened by the next settle
    names_t opening          # those that the present one opens
    names_t leaving          # closing ones whose output may be gone
    uint32_t untold
    uint32_t open            # connections of people
    uint32_t open_max
    uint32_t tunnels         # of clients whose sessions are at other hosts
    uint32_t idle            # seconds of silence until a ping
    uint32_t patience        # seconds for its answer
    conn_t **slots           # the table; NULL: a free slot
    uint32_t *free_slots     # a stack of `freed`
    uint32_t freed
    uint32_t slot_count      # slots in use or freed
    uint32_t slot_room
    wheel_t wheel
    uint64_t count[COUNTERS]
    uint64_t began           # clock at which the present turn's sockets were ready
    uint64_t timed           # messages whose time was taken
    times_t relayed          # from a socket ready to read until its message was sent
    times_t turns            # how long a turn held the loop

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
    """What a connection is called outside: its slot, and a serial that never comes twice."""
    return <uint64_t>conn.generation << 32 | conn.slot

cdef inline object owner_of(conn_t *conn):
    """Whose the connection is; None before it was adopted."""
    return <object>conn.owner if conn.owner != NULL else None
