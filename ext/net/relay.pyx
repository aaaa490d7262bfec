"""The data path: socket to frames to ring to the partner's frames to socket, without entering Python.

A line is wrapped, not decoded: `{"type":"message","seq":N,"text":"…"}`, for who watches with `,"from":1`. A partner who takes
nothing, or is away, has at most 64 KiB or 200 messages waiting; beyond that the sender is told `slow` (protocol.md, rule 8).
"""
from libc.stdint cimport uint8_t, uint32_t
from libc.stdio cimport snprintf
from libc.string cimport memcpy, strlen

from ext.net.connection cimport B_MESSAGES, B_REFUSALS, B_SIGNALS, BLOCKED, conn_t, frame, io_t, pending, reserve, take
from ext.net.counters cimport C_MESSAGE_BYTES, C_MESSAGES, C_SIGNALS, C_SLOW, C_TOO_FAST, C_TYPING
from ext.net.frames cimport TEXT, header_size, write_header
from ext.net.ring cimport entry_t, ring_append, ring_entry, ring_first, ring_read, ring_refuse, ring_t

cdef enum:
    UNSENT_MESSAGES = 200     # protocol.md, rule 8
    UNSENT_BYTES = 64 * 1024  # protocol.md, rule 8
    SIGNALS_BYTES = 256 * 1024  # a few descriptions of 32 KiB; more for a partner who takes none is refused
    MIDDLE = 9                # ,"text":"

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
    """Queues the frame of a message of `size` bytes but for the text; returns where the text goes, or NULL."""
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


cdef void refuse(io_t *io, conn_t *conn, const char *code, const uint8_t *id, Py_ssize_t id_size) noexcept nogil:
    """Tells the sender why a message was not taken: `slow` or `too_fast`."""
    cdef char text[320]
    cdef const char *words
    cdef const char *wait = b''
    cdef int n
    if code[0] == b's':
        words = b'The other side has not taken what you sent before.'
        io.count[C_SLOW] += 1
    else:
        words = b'Too fast. Wait a moment.'
        wait = b',"retry_after":1'
        io.count[C_TOO_FAST] += 1
    take(io, conn, B_REFUSALS, 1)
    n = snprintf(text, sizeof(text), b'{"type":"error","code":"%s","message":"%s","of":"message"%s%.*s%s%s}', code, words,
                 <const char *>b',"id":"' if id_size else <const char *>b'', <int>id_size,
                 <const char *>id if id_size else <const char *>b'', <const char *>b'"' if id_size else <const char *>b'', wait)
    if 0 < n < <int>sizeof(text):
        frame(io, conn, TEXT, <const uint8_t *>text, n)


cdef void relay_message(io_t *io, conn_t *conn, const uint8_t *text, Py_ssize_t size, const uint8_t *id, Py_ssize_t id_size) noexcept nogil:
    """Numbers a line of `conn`, which is linked as side 0 or 1, and brings it to the partner and to who watches."""
    cdef ring_t *ring = conn.ring
    cdef int side = conn.side, other = 1 - side, n
    cdef conn_t *partner = <conn_t *>ring.party[other]
    cdef conn_t *watcher = <conn_t *>ring.party[2]
    cdef uint32_t number
    cdef uint8_t *out
    cdef char answer[128]
    if not take(io, conn, B_MESSAGES, 1):
        ring_refuse(ring, side)
        refuse(io, conn, b'too_fast', id, id_size)
        return
    if partner == NULL:
        if ring.unsent[other] >= UNSENT_MESSAGES or ring.unsent_bytes[other] + size > UNSENT_BYTES:
            ring_refuse(ring, side)
            refuse(io, conn, b'slow', id, id_size)
            return
        ring.unsent[other] += 1
        ring.unsent_bytes[other] += <uint32_t>size
    elif full(partner):
        ring_refuse(ring, side)
        refuse(io, conn, b'slow', id, id_size)
        return
    number = ring_append(ring, side, text, size, <uint32_t>(io.now + io.wall))
    ring.taken[side] += 1
    io.count[C_MESSAGES] += 1
    io.count[C_MESSAGE_BYTES] += size
    if partner != NULL:
        out = envelope(io, partner, number, <uint32_t>size, END)
        if out != NULL:
            memcpy(out, text, size)
    if watcher != NULL and not full(watcher):
        # who watches and takes nothing misses lines, and sees so by the numbers: those who talk are never slowed by it
        out = envelope(io, watcher, number, <uint32_t>size, END_2 if side else END_1)
        if out != NULL:
            memcpy(out, text, size)
    if id_size:
        n = snprintf(answer, sizeof(answer), b'{"type":"sent","id":"%.*s","seq":%u}', <int>id_size, <const char *>id, number)
        if 0 < n < <int>sizeof(answer):
            frame(io, conn, TEXT, <const uint8_t *>answer, n)


cdef void relay_typing(io_t *io, conn_t *conn, bint typing) noexcept nogil:
    """Tells the partner, and who watches, that `conn` types or stopped; not worth keeping for who takes nothing."""
    cdef conn_t *partner = <conn_t *>conn.ring.party[1 - conn.side]
    cdef conn_t *watcher = <conn_t *>conn.ring.party[2]
    cdef const char *word = b'true' if typing else b'false'
    cdef char text[64]
    cdef int n
    if not take(io, conn, B_MESSAGES, 1):
        io.count[C_TOO_FAST] += 1  # a sign that comes too fast is not worth an answer either
        return
    io.count[C_TYPING] += 1
    if partner != NULL and not partner.flags & BLOCKED:
        n = snprintf(text, sizeof(text), b'{"type":"typing","typing":%s}', word)
        frame(io, partner, TEXT, <const uint8_t *>text, n)
    if watcher != NULL and not watcher.flags & BLOCKED:
        n = snprintf(text, sizeof(text), b'{"type":"typing","typing":%s,"from":%d}', word, conn.side + 1)
        frame(io, watcher, TEXT, <const uint8_t *>text, n)


cdef int relay_signal(io_t *io, conn_t *conn, const uint8_t *payload, Py_ssize_t size) noexcept nogil:
    """Brings a checked `signal` frame to the partner: 0. Not taken: 1 where the partner is away, or full; 2 where it is too fast."""
    cdef conn_t *partner = <conn_t *>conn.ring.party[1 - conn.side]
    if not take(io, conn, B_SIGNALS, 1):
        io.count[C_TOO_FAST] += 1
        return 2
    if partner == NULL or partner.flags & BLOCKED and pending(partner) > SIGNALS_BYTES:
        io.count[C_SLOW] += 1
        return 1
    io.count[C_SIGNALS] += 1
    frame(io, partner, TEXT, payload, size)
    return 0


cdef void replay(io_t *io, conn_t *conn, ring_t *ring, int side, unsigned int after) noexcept nogil:
    """Queues for `conn` what the others said behind number `after`, as far as the ring holds it."""
    cdef entry_t entry
    cdef uint32_t number = ring_first(ring), offset = ring.start
    cdef const char *end
    cdef uint8_t *out
    while number <= ring.last:
        offset = ring_entry(ring, offset, &entry)
        if number > after and <int>entry.side != side:
            end = END if side < 2 else END_2 if entry.side else END_1
            out = envelope(io, conn, number, entry.size, end)
            if out != NULL:
                ring_read(ring, offset, out, entry.size)
        offset = (offset + entry.size) & (ring.size - 1)
        number += 1
