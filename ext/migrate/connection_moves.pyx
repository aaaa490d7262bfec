"""Export an open connection with its state from one reactor, and import the connection in another, usually of another process.

**Invariant:** a state from another process is accepted only if its fields agree with each other and with the buffered bytes in it; an imported
descriptor belongs to the connection or is closed. A state holds ages instead of times, because clocks differ; unknown keys are ignored.
"""

#     heard, moved   age in seconds of the last byte received, and of the last that the client accepted; 0 is left out
#     held           messages in the output since it blocked
#     tokens         contents of its buckets, five numbers; left out if all are full
#     confirm, paused, pinged, blocked, virtual, visitor   1 if this flag of connection_table.pxd is set
#     input          bytes that were read and not parsed
#     opcode, part   of a fragmented message, and the bytes of its fragments so far
#     out            bytes that are queued and not accepted; the connection's bytes are these three, in this order

from cpython.bytes cimport PyBytes_FromStringAndSize
from cpython.object cimport PyObject
from cpython.ref cimport Py_DECREF, Py_INCREF
from libc.errno cimport ENOMEM, errno
from libc.stdint cimport uint8_t, uint32_t
from libc.string cimport memcpy

from ext.net.byte_buffers cimport buffer_new, buffer_t, bytes_of, held_by
from ext.net.rate_limit_carry_over cimport LimitsOwner, move_limits, read_tokens
from ext.base.check cimport CHECK
from ext.net.connection_table cimport (
    BLOCKED, BROKEN, BUCKETS, CONFIRM, COUNTED, GATED, HEAD, OPEN, PAUSED, PINGED, VIRTUAL, VISITOR, connection_holds, connection_new,
    name, refill, shut,
)
from ext.net.connection_end cimport free, let_go
from ext.net.frames cimport BINARY, own_frames
from ext.net.output cimport awaited, flush, mark_dirty
from ext.base.protocol cimport TAKE_SECONDS
from ext.net.chat_ring_snapshot cimport whole
from ext.base.system cimport EPOLL_CTL_ADD, EPOLL_CTL_DEL, close, epoll_ctl, epoll_event
from ext.migrate.tcp_peer_liveness cimport LOOK_SECONDS
from ext.net.wheel cimport wheel_arm

cdef enum:
    AGE_MAX = 0x7fffffff
    BYTES_MAX = 0x7fffffff


cdef bint has_event(io_t *io, conn_t *conn) noexcept nogil:
    """Whether an event of the connection waits to be collected."""
    cdef uint32_t i
    for i in range(io.events.taken, io.events.count):
        if io.events.event[i].conn == conn:
            return True
    return False


cdef tuple move_out(io_t *io, Addresses addresses, conn_t *conn):
    """Release an open connection and return its (descriptor, address, state, bytes); None if it cannot move now."""
    cdef str address
    cdef int fd = conn.fd
    CHECK(conn.state == OPEN)
    if conn.flags & (GATED | BROKEN) or has_event(io, conn):
        return None
    if conn.out != NULL and not conn.flags & (BLOCKED | VIRTUAL):
        flush(io, conn)
        if conn.flags & BROKEN:
            return None
    refill(io, conn.tokens, &conn.stamp.counted)
    address = <str>conn.address
    found = (fd, address, state_of(io, conn), bytes_held(conn))
    give_up(io, addresses, conn)
    return found


cdef void give_up(io_t *io, Addresses addresses, conn_t *conn):
    """Remove a connection whose descriptor belongs to the caller now, without an event."""
    if conn.fd >= 0:
        epoll_ctl(io.epoll, EPOLL_CTL_DEL, conn.fd, NULL)
    conn.fd = -1
    free(io, conn)
    try:
        let_go(io, addresses, conn)
    except MemoryError:
        pass  # it is removed all the same; the rest is released when the batch is collected


cdef dict state_of(io_t *io, conn_t *conn):
    cdef dict state = {}
    cdef uint32_t heard = io.second - conn.heard, moved = io.second - conn.moved
    cdef int i
    if heard:
        state["heard"] = heard
    if moved:
        state["moved"] = moved
    if conn.held:
        state["held"] = conn.held
    for i in range(BUCKETS):
        if conn.tokens[i] < io.bucket[i].burst:
            state["tokens"] = [conn.tokens[i] for i in range(BUCKETS)]
            break
    if conn.flags & CONFIRM:
        state["confirm"] = 1
    if conn.flags & PAUSED:
        state["paused"] = 1
    if conn.flags & PINGED:
        state["pinged"] = 1
    if conn.flags & BLOCKED:
        state["blocked"] = 1
    if conn.flags & VIRTUAL:
        state["virtual"] = 1
    if conn.flags & VISITOR:
        state["visitor"] = 1
    if held_by(conn.input):
        state["input"] = held_by(conn.input)
    if conn.part != NULL:
        state["opcode"] = conn.part.opcode
        if held_by(conn.part):
            state["part"] = held_by(conn.part)
    if held_by(conn.out):
        state["out"] = held_by(conn.out)
    return state


cdef bytes bytes_held(conn_t *conn):
    """Return input, fragments and output."""
    cdef uint32_t unread = held_by(conn.input), part = held_by(conn.part), out = held_by(conn.out)
    cdef bytes found = PyBytes_FromStringAndSize(NULL, <Py_ssize_t>unread + part + out)
    cdef char *at = found
    if unread:
        memcpy(at, bytes_of(conn.input), unread)
    if part:
        memcpy(at + unread, bytes_of(conn.part), part)
    if out:
        memcpy(at + unread + part, bytes_of(conn.out), out)
    return found


cdef object move_in(io_t *io, Addresses addresses, int fd, str address, dict state, bytes data, object owner):
    """Open the connection that another reactor released, with its gate shut; return its number.

    `fd` belongs to this reactor; -1 for a virtual one.

    It counts at its address, but not as a new connection. Raises ValueError for an inconsistent state, OSError if there is no memory or
    epoll refuses; then the descriptor is closed and nothing else has changed.
    """
    cdef conn_t *conn = connection_new(io, fd)
    cdef object number
    if conn == NULL:
        if fd >= 0:
            close(fd)
        raise OSError(ENOMEM, "no memory for another connection")
    Py_INCREF(address)
    conn.address = <PyObject *>address
    conn.flags = VIRTUAL if fd < 0 else 0
    conn.state = OPEN
    io.open += 1
    try:
        number = name(conn)
        read_flags(conn, state)
        read_numbers(io, conn, state)
        read_bytes(io, conn, state, data)
        enlist(io, addresses, conn)
    except BaseException:
        free(io, conn)
        let_go(io, addresses, conn)
        raise
    if isinstance(owner, LimitsOwner):
        move_limits(io, <LimitsOwner>owner, conn)
    Py_INCREF(owner)
    conn.owner = <PyObject *>owner
    CHECK(connection_holds(conn))
    return number


cdef int read_flags(conn_t *conn, dict state) except -1:
    if whole(state, "virtual", 1) != (conn.fd < 0):
        raise ValueError("a connection has a descriptor or is virtual")
    if whole(state, "confirm", 1):
        conn.flags |= CONFIRM
    if whole(state, "paused", 1):
        conn.flags |= PAUSED
    if whole(state, "pinged", 1):
        conn.flags |= PINGED
    if whole(state, "blocked", 1):
        conn.flags |= BLOCKED
    if whole(state, "visitor", 1):
        conn.flags |= VISITOR
    if conn.flags & VIRTUAL and conn.flags & (PAUSED | PINGED):
        raise ValueError("a virtual connection is never read")
    return 0


cdef int read_numbers(io_t *io, conn_t *conn, dict state) except -1:
    """Read the ages and the tokens, which are capped at this process's burst."""
    conn.heard = io.second - whole(state, "heard", AGE_MAX)
    conn.moved = io.second - whole(state, "moved", AGE_MAX)
    conn.held = whole(state, "held", AGE_MAX)
    tokens = state.get("tokens")
    if tokens is not None:
        if not isinstance(tokens, list):
            raise ValueError("tokens must be five numbers")
        read_tokens(io, tokens, conn.tokens)
    return 0


cdef int read_bytes(io_t *io, conn_t *conn, dict state, bytes data) except -1:
    cdef const uint8_t *at = <const uint8_t *><const char *>data
    cdef uint32_t opcode = whole(state, "opcode", BINARY)
    cdef uint32_t unread = whole(state, "input", BYTES_MAX), part = whole(state, "part", BYTES_MAX), out = whole(state, "out", BYTES_MAX)
    if <Py_ssize_t>unread + part + out != len(data):
        raise ValueError("the bytes of a connection are its input, part and out")
    if part and not opcode or opcode == BINARY and not io.echo:
        raise ValueError("a message in pieces has the opcode of a text")
    if conn.flags & VIRTUAL and (unread or opcode or not own_frames(at, out)):
        raise ValueError("a virtual connection has whole frames to be read back, and no input")
    if conn.flags & BLOCKED and not conn.flags & VIRTUAL and not out:
        raise ValueError("nothing waits for a socket that is blocked")
    if unread:
        conn.input = filled(at, unread)
    if opcode:
        conn.part = filled(at + unread, part)
        conn.part.opcode = <uint8_t>opcode
    if out:
        conn.out = filled(at + unread + part, out)
    return 0


cdef buffer_t *filled(const uint8_t *data, uint32_t size) except NULL:
    """Return a buffer with these bytes."""
    cdef buffer_t *buffer = buffer_new(size)
    if buffer == NULL:
        raise OSError(ENOMEM, "no memory for the bytes of a connection")
    memcpy(bytes_of(buffer), data, size)
    buffer.end = size
    return buffer


cdef int enlist(io_t *io, Addresses addresses, conn_t *conn) except -1:
    """Register the connection with epoll, the wheel, the gates and the dirty list, and last with the table of addresses."""
    cdef epoll_event event
    if not shut(io, conn):
        raise OSError(ENOMEM, "no memory for another gate")
    if conn.flags & VIRTUAL:
        if conn.flags & BLOCKED:
            wheel_arm(&io.wheel, &conn.timer, next_look(io, conn))
        elif conn.out != NULL:
            mark_dirty(io, conn)
        return 0
    event.events = awaited(conn)
    event.data.ptr = conn
    if epoll_ctl(io.epoll, EPOLL_CTL_ADD, conn.fd, &event) < 0:
        raise OSError(errno, "epoll_ctl")
    wheel_arm(&io.wheel, &conn.timer, next_look(io, conn))
    if conn.out != NULL and not conn.flags & BLOCKED:
        mark_dirty(io, conn)
    return count_at(io, addresses, conn)


cdef int count_at(io_t *io, Addresses addresses, conn_t *conn) except -1:
    """Count the connection at its address, not as a new one, unless another host counts it."""
    cdef str key = None if conn.flags & VISITOR else addresses.moved(<str>conn.address, io.now)
    if key is not None:
        conn.flags |= COUNTED
        Py_INCREF(key)
        Py_DECREF(<object>conn.address)
        conn.address = <PyObject *>key
    return 0


cdef uint32_t next_look(io_t *io, conn_t *conn) noexcept nogil:
    """Return the seconds until its timer must fire; timeouts.pyx then decides what is due."""
    cdef uint32_t silent = io.second - conn.heard, stuck = io.second - conn.moved
    cdef uint32_t wait = io.idle + (io.patience if conn.flags & PINGED else 0)
    if conn.flags & PAUSED:
        return 1
    wait = wait - silent if silent < wait else 1
    if conn.flags & BLOCKED:
        wait = min(wait, TAKE_SECONDS - stuck if stuck < TAKE_SECONDS else 1)
    if conn.flags & VISITOR:
        wait = min(wait, <uint32_t>LOOK_SECONDS)
    return wait


cdef list newcomers_out(io_t *io, Addresses addresses):
    """Release all connections whose head is incomplete: (descriptor, address, bytes read) of each."""
    cdef uint32_t i
    cdef conn_t *conn
    cdef list found = []
    try:
        for i in range(io.slot_count):
            conn = io.slots[i]
            if conn != NULL and conn.state == HEAD and not conn.flags & GATED and not has_event(io, conn):
                found.append((conn.fd, <str>conn.address, bytes_held(conn)))
                give_up(io, addresses, conn)
    except BaseException:  # no memory: the newcomers are dropped
        for gone in found:
            close(<int>gone[0])
        raise
    return found
