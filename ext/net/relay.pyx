"""Relay chat lines from one partner to the other, in C, without entering Python.

A line's text is copied into a new frame without decoding. At most 64 KiB or 200 messages wait for a partner who is away or reads nothing; beyond
that the sender receives the error `slow` (docs/protocol.md, rule 8).
"""

# The frame is `{"type":"message","seq":N,"text":"…"}`, with `,"from":1` for a spy.

from libc.stdint cimport uint8_t, uint32_t
from libc.stdio cimport snprintf
from libc.string cimport memcpy, strlen

from ext.base.check cimport CHECK
from ext.net.connection_table cimport B_MESSAGES, B_REFUSALS, B_SIGNALS, BLOCKED, take
from ext.net.counters cimport C_MESSAGE_BYTES, C_MESSAGES, C_SIGNALS, C_SLOW, C_TOO_FAST, C_TYPING
from ext.net.frames cimport TEXT, header_size, write_header
from ext.net.output cimport fault, frame, pending, reserve
from ext.base.protocol cimport (
    CODE_SLOW, CODE_TOO_FAST, ID_ESCAPED_MAX, TOO_FAST_RETRY_AFTER, UNSENT_BYTES, UNSENT_MESSAGES, WATCHER, WORDS_SLOW, WORDS_TOO_FAST,
)
from ext.net.chat_ring cimport entry_t, ring_append, ring_entry, ring_first, ring_read, ring_refuse, ring_tell, ring_unsent
from ext.net.tap cimport tap_put

cdef enum:
    SIGNALS_BYTES = 256 * 1024  # a few descriptions of 32 KiB; further signals for a partner who reads nothing are refused
    MIDDLE = 9                # ,"text":"
    SENT_MAX = 64 + ID_ESCAPED_MAX  # bytes of a `sent` frame

cdef const char *BEGIN = b'{"type":"message","seq":'
cdef const char *TEXT_KEY = b',"text":"'
cdef const char *END = b'"}'
cdef const char *END_1 = b'","from":1}'
cdef const char *END_2 = b'","from":2}'


cdef int digits(uint32_t number, uint8_t *out) noexcept nogil:
    cdef uint8_t backwards[10]
    cdef int n = 0, i
    while True:
        backwards[n] = <uint8_t>(48 + number % 10)
        number //= 10
        n += 1
        if number == 0:
            break
    for i in range(n):
        out[i] = backwards[n - 1 - i]
    return n


cdef uint8_t *envelope(io_t *io, conn_t *to, uint32_t number, uint32_t size, const char *end) noexcept nogil:
    """Queue the frame of a message of `size` bytes without its text; return the address for the text, or NULL."""
    cdef uint8_t digit[10]
    cdef int n = digits(number, digit), tail = <int>strlen(end)
    cdef uint32_t length = 24 + n + MIDDLE + size + tail
    cdef uint8_t *out = reserve(io, to, header_size(length) + length)
    if out == NULL:
        return NULL
    out += write_header(out, TEXT, length)
    memcpy(out, BEGIN, 24)
    memcpy(out + 24, digit, n)
    memcpy(out + 24 + n, TEXT_KEY, MIDDLE)
    out += 24 + n + MIDDLE
    memcpy(out + size, end, tail)
    if to.flags & BLOCKED:
        to.held += 1
    return out


cdef inline bint full(conn_t *to) noexcept nogil:
    return to.flags & BLOCKED and (to.held >= UNSENT_MESSAGES or pending(to) >= UNSENT_BYTES)


cdef void refuse_slow(io_t *io, conn_t *conn, const uint8_t *id, Py_ssize_t id_size) noexcept nogil:
    """Report to the sender that a message was refused, because earlier ones still wait for the partner."""
    ring_refuse(conn.ring, conn.side)
    io.count[C_SLOW] += 1
    take(io, conn, B_REFUSALS, 1)
    fault(io, conn, CODE_SLOW, WORDS_SLOW, b"message", id, id_size, 0)


cdef void refuse_too_fast(io_t *io, conn_t *conn, const uint8_t *id, Py_ssize_t id_size) noexcept nogil:
    """Report to the sender that a message was refused, because it sends too many."""
    ring_refuse(conn.ring, conn.side)
    io.count[C_TOO_FAST] += 1
    take(io, conn, B_REFUSALS, 1)
    fault(io, conn, CODE_TOO_FAST, WORDS_TOO_FAST, b"message", id, id_size, TOO_FAST_RETRY_AFTER)


cdef void relay_message(io_t *io, conn_t *conn, const uint8_t *text, Py_ssize_t size, const uint8_t *id, Py_ssize_t id_size) noexcept nogil:
    """Number a line of `conn`, which is linked as side 0 or 1, and send it to the partner and the spy."""
    cdef ring_t *ring = conn.ring
    cdef int side = conn.side, other = 1 - side, n
    cdef conn_t *partner = ring.party[other]
    cdef conn_t *watcher = ring.party[WATCHER]
    cdef uint32_t number
    cdef uint8_t *out
    cdef char answer[SENT_MAX]
    CHECK(ring.party[side] == conn)
    if not take(io, conn, B_MESSAGES, 1):
        refuse_too_fast(io, conn, id, id_size)
        return
    if not ring_unsent(ring, other, size) if partner == NULL else full(partner):
        refuse_slow(io, conn, id, id_size)
        return
    number = ring_append(ring, side, text, size, <uint32_t>(io.now + io.wall))
    if io.tap != NULL:
        tap_put(io.tap, ring.tag, side, number, io.now + io.wall, text, <uint32_t>size)
    io.count[C_MESSAGES] += 1
    io.count[C_MESSAGE_BYTES] += size
    if partner != NULL:
        out = envelope(io, partner, number, <uint32_t>size, END)
        if out != NULL:
            memcpy(out, text, size)
    if watcher != NULL and not full(watcher):
        # a spy who reads nothing misses lines, and notices by the numbers; it never slows the partners down
        out = envelope(io, watcher, number, <uint32_t>size, END_2 if side else END_1)
        if out != NULL:
            memcpy(out, text, size)
    if id_size:
        n = snprintf(answer, sizeof(answer), b'{"type":"sent","id":"%.*s","seq":%u}', <int>id_size, <const char *>id, number)
        if 0 < n < <int>sizeof(answer):
            frame(io, conn, TEXT, <const uint8_t *>answer, n)


cdef void relay_typing(io_t *io, conn_t *conn, bint typing) noexcept nogil:
    """Tell the partner and the spy that `conn` types or stopped; dropped for a receiver that reads nothing."""
    cdef conn_t *partner = conn.ring.party[1 - conn.side]
    cdef conn_t *watcher = conn.ring.party[WATCHER]
    cdef const char *word = b'true' if typing else b'false'
    cdef char text[64]
    cdef int n
    if not take(io, conn, B_MESSAGES, 1):
        io.count[C_TOO_FAST] += 1  # too frequent typing signs are dropped without an answer
        return
    io.count[C_TYPING] += 1
    if partner != NULL and not partner.flags & BLOCKED:
        n = snprintf(text, sizeof(text), b'{"type":"typing","typing":%s}', word)
        frame(io, partner, TEXT, <const uint8_t *>text, n)
    if watcher != NULL and not watcher.flags & BLOCKED:
        n = snprintf(text, sizeof(text), b'{"type":"typing","typing":%s,"from":%d}', word, conn.side + 1)
        frame(io, watcher, TEXT, <const uint8_t *>text, n)


cdef int relay_signal(io_t *io, conn_t *conn, const uint8_t *payload, Py_ssize_t size) noexcept nogil:
    """Send a checked `signal` frame to the partner; return SIGNAL_…."""
    cdef conn_t *partner = conn.ring.party[1 - conn.side]
    if not take(io, conn, B_SIGNALS, 1):
        io.count[C_TOO_FAST] += 1
        return SIGNAL_TOO_FAST
    if partner == NULL or partner.flags & BLOCKED and pending(partner) > SIGNALS_BYTES:
        io.count[C_SLOW] += 1
        return SIGNAL_SLOW
    io.count[C_SIGNALS] += 1
    frame(io, partner, TEXT, payload, size)
    return SIGNAL_TAKEN


cdef void replay(io_t *io, conn_t *conn, ring_t *ring, int side, uint32_t after) noexcept nogil:
    """Queue for `conn` the other sides' messages after number `after`, as far as the ring holds them."""
    cdef entry_t entry
    cdef uint32_t number = ring_first(ring), offset = ring.start
    cdef const char *end
    cdef uint8_t *out
    ring_tell(ring, side)
    while number <= ring.last:
        offset = ring_entry(ring, offset, &entry)
        if number > after and <int>entry.side != side:
            end = END if side < WATCHER else END_2 if entry.side else END_1
            out = envelope(io, conn, number, entry.size, end)
            if out != NULL:
                ring_read(ring, offset, out, entry.size)
        offset = (offset + entry.size) & (ring.size - 1)
        number += 1
