"""The table of connections and their ends. Rule: whoever takes a connection from the table lets go of all that it holds."""
from libc.stdint cimport uint8_t, uint32_t, uint64_t

from ext.net.admission cimport Addresses
from ext.net.connection cimport conn_t, io_t
from ext.net.handshake cimport Judge

cdef enum:
    K_OPENED = 0
    K_FRAME = 1
    K_LOST = 2
    K_CONFIRMED = 3
    K_HTTP = 4
    K_MAIL = 5
    H_LEFT = 0
    H_DROPPED = 1
    H_BROKE = 2
    H_FLOODED = 3

cdef class Sockets:
    cdef io_t io
    cdef Judge judge
    cdef Addresses addresses
    cdef readonly bint echo
    cdef int listener
    cdef bint listening
    cdef uint32_t message_max
    cdef uint32_t connections_max
    cdef uint32_t open
    cdef uint32_t idle_seconds
    cdef uint32_t answer_seconds
    cdef conn_t **slots
    cdef uint32_t slot_count
    cdef uint32_t slot_room
    cdef list free_slots
    cdef list gated      # names of connections whose gate is shut
    cdef list leaving    # names of closing connections to be looked at
    cdef list events
    cdef conn_t *graveyard

    cdef conn_t *begin(self, int fd, str address) except? NULL
    cdef conn_t *find(self, uint64_t number) noexcept
    cdef void shut(self, conn_t *conn) noexcept
    cdef void closing(self, conn_t *conn, int linger) noexcept
    cdef void leave(self) noexcept
    cdef void unblock(self, conn_t *conn) noexcept
    cdef void finish(self, conn_t *conn) noexcept
    cdef void bury(self) noexcept
    cdef int lose(self, conn_t *conn, int how) except -1
    cdef int fail(self, conn_t *conn, int code) except -1
    cdef void say_close(self, conn_t *conn, int code) noexcept
    cdef int closed(self, conn_t *conn, uint8_t *payload, Py_ssize_t size) except -1
    cdef int gone(self, conn_t *conn, int counter) except -1
    cdef void clock(self, double now) noexcept

cdef void detach(conn_t *conn) noexcept

cdef inline uint64_t name(conn_t *conn) noexcept:
    """What a connection is called outside: its slot, and a serial that never comes twice."""
    return <uint64_t>conn.generation << 32 | conn.slot

cdef inline object owner_of(conn_t *conn):
    """Whose the connection is; None before it was adopted."""
    return <object>conn.owner if conn.owner != NULL else None
