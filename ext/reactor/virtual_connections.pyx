"""Manage virtual connections: participants without a socket, whose clients use another protocol (Omegle's, over HTTP).

A virtual connection takes part in chats like any other: frames of its client are passed in by call, and its output is returned as events.
"""
from cpython.bytes cimport PyBytes_FromStringAndSize
from cpython.object cimport PyObject
from cpython.ref cimport Py_INCREF
from libc.stdint cimport uint8_t, uint32_t

from ext.net.byte_buffers cimport buffer_free, bytes_of
from ext.net.connection_table cimport BLOCKED, DEAD, DIRTY, OPEN, VIRTUAL, connection_new, name, owner_of
from ext.net.connection_end cimport TOO_BIG, fail, unblock
from ext.net.frames cimport CLOSE, TEXT, own_frame
from ext.reactor.socket_input cimport message
from ext.net.output cimport pending
from ext.base.protocol cimport EVENT_FRAMES, TAKE_SECONDS
from ext.net.wheel cimport wheel_arm


cdef conn_t *virtual_new(io_t *io, str address) noexcept:
    """Return a virtual connection, open at once; NULL if there is no memory."""
    cdef conn_t *conn = connection_new(io, -1)
    if conn != NULL:
        Py_INCREF(address)
        conn.address = <PyObject *>address
        conn.flags |= VIRTUAL
        conn.state = OPEN
        io.open += 1
    return conn


cdef void inject(io_t *io, conn_t *conn, bytes payload):
    """Handle a text frame of its client; the gate must be open."""
    if <uint32_t>len(payload) > io.message_max:
        fail(io, conn, TOO_BIG)
        return
    conn.heard = io.second
    message(io, conn, TEXT, payload, len(payload))


cdef void hold(io_t *io, conn_t *conn, bint on) noexcept nogil:
    """Block (`on`) or unblock its output."""
    conn.held = 0
    conn.moved = io.second
    if on:
        conn.flags |= BLOCKED
        wheel_arm(&io.wheel, &conn.timer, TAKE_SECONDS)
    else:
        unblock(io, conn)


cdef list payloads(conn_t *conn):
    """Return its output: payloads of text frames, and the close code as a number."""
    cdef const uint8_t *at = bytes_of(conn.out)
    cdef const uint8_t *end = at + pending(conn)
    cdef Py_ssize_t size = 0
    cdef int opcode = 0
    cdef list found = []
    while at < end:
        at = own_frame(at, &opcode, &size)
        if opcode == CLOSE:
            found.append(<int>at[0] << 8 | at[1])
        else:
            found.append(PyBytes_FromStringAndSize(<const char *>at, size))
        at += size
    return found


cdef void post(io_t *io, list events):
    """Append the output of virtual connections to the events, after all others."""
    cdef conn_t *conn
    while io.unread != NULL:
        conn = io.unread
        if conn.state != DEAD:
            events.append((EVENT_FRAMES, name(conn), owner_of(conn), payloads(conn)))
            buffer_free(conn.out)
            conn.out = NULL
        io.unread = conn.next
        conn.next = NULL
        conn.flags &= ~DIRTY
