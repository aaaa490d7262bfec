"""Read a socket once, parse the complete frames, relay the chat lines, and queue all other messages as events for the engine.

**Invariant:** after a request head, or a text frame that needs a decision of the engine, nothing more of that connection is parsed until the
decision is made (its gate is shut).
"""

# A complete frame is handled in the receive buffer that all connections share; only an incomplete one is copied to its connection.

from libc.errno cimport EAGAIN, EINTR, errno
from libc.stdint cimport uint8_t, uint32_t, uint64_t
from libc.stdlib cimport malloc
from libc.string cimport memcpy, memmove, strlen

from ext.net.byte_buffers cimport buffer_free, buffer_new, buffer_t, bytes_of, fit, held_by
from ext.net.fast_chat_line_parser cimport ASK_PONG, MESSAGE, TYPING_OFF, TYPING_ON, line_t, scan
from ext.base.check cimport CHECK
from ext.net.connection_table cimport (
    B_BYTES, B_FRAMES, B_REFUSALS, BLOCKED, CLOSING, CONFIRM, DEAD, FRESH, GATED, HEAD, OPEN, PAUSED, PINGED, PIPED, connection_holds,
    connection_open, name, names_add, shut, take,
)
from ext.net.counters cimport *
from ext.net.connection_end cimport BINARY_DATA, CLIENT_NONE, ENCODING, FLOOD, PROTOCOL, TOO_BIG, cause_of, fail, leave, lose
from ext.net.event_queue cimport EVENT_HEAD, event_add
from ext.net.frames cimport BINARY, CLOSE, CONTINUATION, PING, PONG, TEXT, frame_t, parse_header, unmask
from ext.accept.handshake cimport HEAD_MAX, head_end
from ext.net.output cimport fault, flush, flush_dirty, frame, pending, watch
from ext.base.protocol cimport CODE_TOO_FAST, EVENT_CONFIRMED, EVENT_FRAME, TOO_FAST_RETRY_AFTER, WATCHER, WORDS_TOO_FAST
from ext.net.relay cimport relay_message, relay_typing, talks
from ext.net.chat_ring_snapshot cimport ENTRY
from ext.base.system cimport EPOLLERR, EPOLLHUP, EPOLLIN, EPOLLOUT, explicit_bzero, prefetch, prefetch_to_write, recv
from ext.migrate.tunnel cimport tunnelled
from ext.net.structs cimport ring_t
from ext.net.utf8 cimport valid
from ext.net.wheel cimport wheel_arm

cdef enum:
    READ = 64 * 1024          # bytes per read
    LINE = 64                 # bytes of a cache line
    AHEAD = 1024              # bytes of a message that are prefetched

cdef const char *PONG_FRAME = b'{"type":"pong"}'
cdef uint8_t *stage = <uint8_t *>malloc(STAGE + READ)
cdef Py_ssize_t written = 0  # upper bound of the bytes written to the stage since it was cleared
if stage == NULL:
    raise MemoryError


cdef void stage_clear() noexcept nogil:
    """Clear what reads have left in the stage, between two turns."""
    global written
    explicit_bzero(stage, written)
    written = 0


cdef void prefetch_reads(epoll_event *ready, int i, int n) noexcept nogil:
    """Prefetch what the next reads will touch: the kernel's work has driven it out of the cache."""
    cdef conn_t *conn
    cdef conn_t *partner
    cdef ring_t *ring
    cdef uint32_t at, end
    if i + 4 < n and ready[i + 4].data.ptr != NULL:
        conn = <conn_t *>ready[i + 4].data.ptr
        prefetch(conn)
    if i + 3 < n and ready[i + 3].data.ptr != NULL:
        conn = <conn_t *>ready[i + 3].data.ptr
        prefetch(conn.ring)  # prefetching NULL does nothing
    if i + 2 < n and ready[i + 2].data.ptr != NULL:
        conn = <conn_t *>ready[i + 2].data.ptr
        ring = conn.ring
        if ring != NULL and conn.side < WATCHER:
            partner = ring.party[1 - conn.side]
            if partner != NULL:
                prefetch(partner)
                prefetch(&partner.out)
            if ring.data != NULL:
                at = ring.start + ring.used
                end = at + ENTRY + min(ring.recent, <uint32_t>AHEAD) + LINE
                while at < end:
                    prefetch_to_write(ring.data + (at & (ring.size - 1)))
                    at += LINE


cdef void serve(io_t *io, conn_t *conn, uint32_t ready) noexcept nogil:
    """Handle a ready socket (`ready`: epoll's flags) and send what follows."""
    global written
    if conn.state == DEAD:
        return
    if conn.state == PIPED:
        written = max(written, <Py_ssize_t>READ)
        tunnelled(io, conn, ready, stage)
        flush_dirty(io)
        return
    if ready & EPOLLOUT:
        flush(io, conn)
        if conn.state == CLOSING:
            names_add(&io.leaving, name(conn))  # if there is no memory for the list, the wheel ends it
    if ready & (EPOLLIN | EPOLLHUP | EPOLLERR):
        readable(io, conn)
    flush_dirty(io)


cdef bint talks_calmly(io_t *io, conn_t *conn) noexcept nogil:
    """Whether a connection is in a chat, and was refused next to nothing in the last second. Through a tunnel the home refuses, not this host."""
    cdef double refilled
    if conn.state == PIPED:
        return conn.stamp.tunnel.talks
    if conn.ring == NULL or not io.limits:
        return conn.ring != NULL
    refilled = conn.tokens[B_REFUSALS] + (io.now - conn.stamp.counted) * io.bucket[B_REFUSALS].rate
    return refilled + io.bucket[B_REFUSALS].rate >= io.bucket[B_REFUSALS].burst


cdef void readable(io_t *io, conn_t *conn) noexcept nogil:
    """Read once and handle all that this completes."""
    global written
    cdef uint8_t *data = stage
    cdef buffer_t *kept
    cdef Py_ssize_t before = held_by(conn.input), got, room = READ
    CHECK(connection_holds(conn))
    if conn.flags & GATED:
        return
    if before > STAGE - READ:
        kept = fit(conn.input, READ)
        if kept == NULL:
            lose(io, conn, CLIENT_NONE)
            return
        conn.input = kept
        data = bytes_of(kept)
    if conn.state == HEAD:
        room = HEAD_MAX + 1 - before  # bytes after a head may be for the HTTP server, which would have to buffer them
    got = recv(conn.fd, data + before, room, 0)
    if got < 0 and (errno == EAGAIN or errno == EINTR):
        return
    if got <= 0:
        lose(io, conn, CLIENT_NONE)
        return
    if conn.state == CLOSING:
        return
    io.count[C_READS] += 1
    io.count[C_BYTES_IN] += got
    conn.heard = io.second
    conn.flags &= ~PINGED
    if data == stage:
        written = max(written, before + got)
        if before:
            memcpy(stage, bytes_of(conn.input), before)
    if io.limits:
        take(io, conn, B_BYTES, 0)
        conn.tokens[B_BYTES] -= got
    if conn.flags & BLOCKED and pending(conn) > OWN_BYTES or io.limits and conn.tokens[B_BYTES] < 0:
        pause(io, conn)
    parse(io, conn, data, before + got)
    CHECK(connection_holds(conn))


cdef void parse(io_t *io, conn_t *conn, uint8_t *data, Py_ssize_t size) noexcept nogil:
    """Parse the complete part of a read and keep the rest. `data`: the stage, or the connection's own input if that is large."""
    cdef Py_ssize_t used = consume(io, conn, data, size)
    cdef buffer_t *kept
    if conn.state == DEAD:
        return
    if data == stage:
        keep(io, conn, data + used, size - used)
        return
    memmove(data, data + used, size - used)
    kept = conn.input
    kept.end = kept.start + <uint32_t>(size - used)
    if size - used <= STAGE - READ:
        conn.input = NULL
        keep(io, conn, data, size - used)
        buffer_free(kept)


cdef void begin_with(io_t *io, conn_t *conn, const uint8_t *data, Py_ssize_t size) noexcept nogil:
    """Handle bytes that were read elsewhere, at most STAGE, as if they came now."""
    global written
    CHECK(size <= STAGE)
    written = max(written, size)
    memcpy(stage, data, size)
    parse(io, conn, stage, size)


cdef void open_gates(io_t *io, uint32_t most) noexcept nogil:
    """Parse what is behind the first `most` gates that are shut now; gates that this shuts are the last, and stay shut."""
    cdef uint32_t end = io.ungated + min(most, io.gated.count - io.ungated)
    cdef conn_t *conn
    while io.ungated < end:
        conn = connection_open(io, io.gated.number[io.ungated])
        io.ungated += 1
        if conn != NULL and conn.flags & GATED:
            resume(io, conn)
    if io.ungated == io.gated.count:
        io.gated.count = io.ungated = 0
    elif io.ungated > io.gated.count // 2:  # so that each is moved once at most
        io.gated.count -= io.ungated
        memcpy(io.gated.number, io.gated.number + io.ungated, io.gated.count * sizeof(uint64_t))
        io.ungated = 0


cdef void resume(io_t *io, conn_t *conn) noexcept nogil:
    """Open a gate and parse what is behind it."""
    cdef buffer_t *kept = conn.input
    cdef Py_ssize_t used
    conn.flags &= ~(GATED | FRESH)
    if kept == NULL or conn.flags & PAUSED:
        return
    conn.input = NULL
    used = consume(io, conn, bytes_of(kept), held_by(kept))
    if conn.state != DEAD:
        keep(io, conn, bytes_of(kept) + used, held_by(kept) - used)
    buffer_free(kept)


cdef void keep(io_t *io, conn_t *conn, const uint8_t *data, Py_ssize_t size) noexcept nogil:
    """Keep `size` unparsed bytes at `data` for the next turn, in memory of their size."""
    cdef buffer_t *own = NULL
    if size and conn.state != CLOSING:
        own = buffer_new(<uint32_t>size)
        if own == NULL:
            lose(io, conn, CLIENT_NONE)
            return
        memcpy(bytes_of(own), data, size)
        own.end = <uint32_t>size
    buffer_free(conn.input)
    conn.input = own


cdef void pause(io_t *io, conn_t *conn) noexcept nogil:
    """Stop reading for a second."""
    io.count[C_PAUSED] += 1
    conn.flags |= PAUSED
    watch(io, conn)
    wheel_arm(&io.wheel, &conn.timer, 1)


cdef Py_ssize_t consume(io_t *io, conn_t *conn, uint8_t *data, Py_ssize_t size) noexcept nogil:
    """Parse the complete frames in `size` bytes at `data`, up to a shut gate; return the bytes used."""
    cdef Py_ssize_t at = 0
    cdef frame_t head
    cdef int verdict
    if conn.state == HEAD:
        await_head(io, conn, data, size)
    while at < size and conn.state == OPEN and not conn.flags & GATED:
        verdict = parse_header(data + at, size - at, io.message_max, &head)
        if verdict < 0:
            fail(io, conn, cause_of(-verdict))
            break
        if verdict == 0 or size - at - verdict < <Py_ssize_t>head.length:
            break
        at += verdict
        unmask(data + at, <Py_ssize_t>head.length, head.mask)
        io.count[C_FRAMES] += 1
        if head.opcode >= CLOSE:
            control(io, conn, &head, data + at)
        else:
            piece(io, conn, &head, data + at)
        at += <Py_ssize_t>head.length
    return at if conn.state == OPEN or conn.state == HEAD else size


cdef void await_head(io_t *io, conn_t *conn, const uint8_t *data, Py_ssize_t size) noexcept nogil:
    """Queue a complete (or too large) request head to be checked when the batch is collected; all its bytes are kept until then."""
    cdef Py_ssize_t end = head_end(data, size)
    if end == 0:
        if size <= HEAD_MAX:
            return
        end = size
    conn.flags |= GATED
    if not event_add(&io.events, EVENT_HEAD, conn, 0, NULL, <uint32_t>end):
        lose(io, conn, CLIENT_NONE)


cdef void control(io_t *io, conn_t *conn, frame_t *head, const uint8_t *data) noexcept nogil:
    if head.opcode == CLOSE:
        leave(io, conn, data, <Py_ssize_t>head.length)
    elif head.opcode == PING and not (conn.flags & BLOCKED and pending(conn) > OWN_BYTES):
        frame(io, conn, PONG, data, <Py_ssize_t>head.length)


cdef void piece(io_t *io, conn_t *conn, frame_t *head, const uint8_t *data) noexcept nogil:
    """Handle a data frame: a whole message, or a fragment of one (5.4)."""
    cdef Py_ssize_t size = <Py_ssize_t>head.length
    cdef buffer_t *part
    cdef int opcode = head.opcode
    if opcode == BINARY and not io.echo:
        fail(io, conn, BINARY_DATA)
    elif (opcode == CONTINUATION) != (conn.part != NULL):
        fail(io, conn, PROTOCOL)
    elif opcode != CONTINUATION and head.fin:
        message(io, conn, opcode, data, size)
    elif held_by(conn.part) + size > io.message_max:
        fail(io, conn, TOO_BIG)
    else:
        part = fit(conn.part, <uint32_t>size)
        if part == NULL:
            fail(io, conn, TOO_BIG)
            return
        if opcode != CONTINUATION:
            part.opcode = <uint8_t>opcode
        memcpy(bytes_of(part) + part.end, data, size)
        part.end += <uint32_t>size
        conn.part = part
        if head.fin:
            conn.part = NULL
            message(io, conn, part.opcode, bytes_of(part), part.end)
            buffer_free(part)


cdef void message(io_t *io, conn_t *conn, int opcode, const uint8_t *data, Py_ssize_t size) noexcept nogil:
    """Relay a whole message, or queue it as an event."""
    cdef line_t line
    cdef int kind
    CHECK(conn.state == OPEN and not conn.flags & GATED)
    if io.echo:
        if opcode == TEXT and not valid(data, size):
            fail(io, conn, ENCODING)
        else:
            frame(io, conn, opcode, data, size)
        return
    if conn.flags & CONFIRM and not confirmed(io, conn):
        return
    kind = scan(data, size, &line)
    if kind == MESSAGE and talks(conn):
        relay_message(io, conn, line.text, line.size, line.id, line.id_size)
    elif (kind == TYPING_ON or kind == TYPING_OFF) and talks(conn):
        relay_typing(io, conn, kind == TYPING_ON)
    elif kind == ASK_PONG and take(io, conn, B_FRAMES, 1):
        frame(io, conn, TEXT, <const uint8_t *>PONG_FRAME, strlen(PONG_FRAME))
    elif not valid(data, size):
        fail(io, conn, ENCODING)
        return
    elif take(io, conn, B_FRAMES, 1):
        decide(io, conn, data, size)
        return
    else:
        io.count[C_TOO_FAST] += 1
        take(io, conn, B_REFUSALS, 1)
        fault(io, conn, CODE_TOO_FAST, WORDS_TOO_FAST, NULL, NULL, 0, TOO_FAST_RETRY_AFTER)
    if io.limits and conn.tokens[B_REFUSALS] < 1:
        fail(io, conn, FLOOD)


cdef bint confirmed(io_t *io, conn_t *conn) noexcept nogil:
    """Report the first text frame after a resume. False if there is no memory for that: then the connection is gone."""
    conn.flags &= ~CONFIRM
    if event_add(&io.events, EVENT_CONFIRMED, conn, 0, NULL, 0):
        return True
    lose(io, conn, CLIENT_NONE)
    return False


cdef void decide(io_t *io, conn_t *conn, const uint8_t *data, Py_ssize_t size) noexcept nogil:
    """Queue a text frame that needs a decision, and shut the gate behind it."""
    io.count[C_EVENTS] += 1
    if not event_add(&io.events, EVENT_FRAME, conn, 0, data, <uint32_t>size) or not shut(io, conn):
        lose(io, conn, CLIENT_NONE)
