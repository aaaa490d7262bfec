"""One connection: its struct, its output, its buckets. Rule: C only; whoever writes marks dirty, whoever ends a read flushes."""
from cpython.object cimport PyObject
from libc.stdint cimport uint8_t, uint16_t, uint32_t, uint64_t

from ext.net.counters cimport COUNTERS, times_t
from ext.net.ring cimport ring_t
from ext.net.wheel cimport timer_t, wheel_t

cdef enum:
    DEAD = 0
    HEAD = 1      # its request head is being read
    OPEN = 2
    CLOSING = 3   # the last bytes are on their way, what comes in is thrown away

cdef enum:
    GATED = 1       # a control frame waits for its effects: nothing behind it is parsed
    BLOCKED = 2     # the socket takes no more; epoll tells when it does
    DIRTY = 4       # output waits for the end of the read
    CONFIRM = 8     # the next text frame confirms a resume
    PAUSED = 16     # not read: over the byte limit, or its own output is not taken
    PINGED = 32     # a ping waits for an answer
    BROKEN = 64     # a send failed: epoll will say so
    COUNTED = 128   # stands in the table of addresses
    LINGER = 256    # closing: once all is sent, wait for the other side's end
    VIRTUAL = 512   # no socket: what it is sent comes back as mail, and BLOCKED means that its owner takes none

cdef enum:
    B_MESSAGES = 0
    B_FRAMES = 1
    B_BYTES = 2
    B_REFUSALS = 3
    B_SIGNALS = 4
    BUCKETS = 5

cdef enum:
    TAKE_SECONDS = 20  # in which a socket that waits must take something, protocol.md rule 4

cdef struct bucket_t:
    float burst
    float rate   # a second

cdef struct buffer_t:
    # bytes that lie at [start, end) behind this head; `room` of them have a place
    uint32_t start
    uint32_t end
    uint32_t room
    uint32_t mark            # of an output: whether it is one of the chunks; of a message that comes in pieces: its opcode

cdef union whose_t:
    PyObject *address        # key in the table of addresses
    conn_t *buried           # once dead: the next one in the graveyard

cdef struct conn_t:
    # one cache line of what every read touches
    timer_t timer            # first: a timer is its connection
    int fd
    uint16_t flags
    uint8_t state
    uint8_t side             # in its ring
    ring_t *ring
    PyObject *owner
    buffer_t *input          # bytes not parsed yet; NULL: none
    buffer_t *part           # payload of a message that comes in pieces; NULL: none does
    uint32_t heard           # second of the last byte from it
    uint32_t moved           # second of the last byte that it took
    # and one of what every send touches
    buffer_t *out            # NULL: nothing waits
    conn_t *next             # in the dirty list
    double stamp             # when the tokens were counted
    float tokens[5]
    uint32_t held            # messages in the output since it blocked
    uint32_t slot
    uint32_t generation
    whose_t of

cdef struct io_t:
    int epoll
    bint limits
    double start             # monotonic seconds at which second 0 began
    double now               # of the present batch
    double wall              # unix time = now + wall
    uint32_t second          # of now
    bucket_t bucket[5]
    conn_t *dirty
    conn_t *mail             # virtual connections with output, until the batch is collected
    wheel_t wheel
    uint64_t count[COUNTERS]
    uint64_t began           # clock at which the present turn's sockets were ready
    uint64_t timed           # messages whose time was taken
    times_t relayed          # from a socket ready to read until its message was sent
    times_t turns            # how long a turn held the loop

cdef uint8_t *reserve(io_t *io, conn_t *conn, uint32_t size) noexcept nogil
cdef void frame(io_t *io, conn_t *conn, int opcode, const uint8_t *payload, Py_ssize_t size) noexcept nogil
cdef void raw(io_t *io, conn_t *conn, const uint8_t *data, Py_ssize_t size) noexcept nogil
cdef void flush(io_t *io, conn_t *conn) noexcept nogil
cdef void flush_dirty(io_t *io) noexcept nogil
cdef void watch(io_t *io, conn_t *conn) noexcept nogil
cdef bint take(io_t *io, conn_t *conn, int bucket, float cost) noexcept nogil
cdef buffer_t *buffer_new(uint32_t room) noexcept nogil
cdef buffer_t *fit(buffer_t *buffer, uint32_t need) noexcept nogil
cdef void *aligned(size_t size) noexcept nogil
cdef conn_t *conn_new() noexcept nogil
cdef void conn_discard(conn_t *conn) noexcept nogil
cdef void conn_free(conn_t *conn) noexcept nogil
cdef void drop_output(conn_t *conn) noexcept nogil
cdef inline uint8_t *bytes_of(buffer_t *buffer) noexcept nogil:
    """Where what it holds begins."""
    return <uint8_t *>(buffer + 1) + buffer.start

cdef inline uint32_t held_by(buffer_t *buffer) noexcept nogil:
    """How many bytes it holds; none where there is no buffer."""
    return buffer.end - buffer.start if buffer != NULL else 0

cdef inline uint32_t pending(conn_t *conn) noexcept nogil:
    return held_by(conn.out)
