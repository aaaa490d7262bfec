"""The reactor: one epoll set for all sockets of a worker. Rule: what needs no decision never enters Python."""
from libc.stdint cimport uint8_t, uint32_t, uint64_t

from ext.addresses cimport Addresses
from ext.conn cimport conn_t, io_t
from ext.frames cimport frame_t
from ext.head cimport Judge

cdef class Reactor:
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
    cdef int accept(self) except -1
    cdef Py_ssize_t head(self, conn_t *conn, uint8_t *data, Py_ssize_t size) except -1
    cdef int hand_over(self, conn_t *conn, bytes data) except -1
    cdef int dismiss(self, conn_t *conn, int counter, bytes text) except -1
    cdef void closing(self, conn_t *conn, int linger) noexcept
    cdef void leave(self) noexcept
    cdef void finish(self, conn_t *conn) noexcept
    cdef void bury(self) noexcept
    cdef int lose(self, conn_t *conn, int how) except -1
    cdef int fail(self, conn_t *conn, int code) except -1
    cdef void say_close(self, conn_t *conn, int code) noexcept
    cdef int closed(self, conn_t *conn, uint8_t *payload, Py_ssize_t size) except -1
    cdef void shut(self, conn_t *conn) noexcept
    cdef int event(self, conn_t *conn, uint8_t *data, Py_ssize_t size) except -1
    cdef int message(self, conn_t *conn, int opcode, uint8_t *data, Py_ssize_t size) except -1
    cdef int piece(self, conn_t *conn, frame_t *head, uint8_t *data) except -1
    cdef int control(self, conn_t *conn, frame_t *head, uint8_t *data) except -1
    cdef Py_ssize_t consume(self, conn_t *conn, uint8_t *data, Py_ssize_t size) except -1
    cdef int keep(self, conn_t *conn, uint8_t *data, Py_ssize_t size) except -1
    cdef int readable(self, conn_t *conn) except -1
    cdef void unblock(self, conn_t *conn) noexcept
    cdef void pause(self, conn_t *conn) noexcept
    cdef int gone(self, conn_t *conn, int counter) except -1
    cdef void time_messages(self, uint64_t now) noexcept
    cdef void clock(self, double now) noexcept
    cdef list collect(self)
    cdef int post(self) except -1
    cdef int expire(self, conn_t *conn) except -1
    cdef conn_t *find(self, uint64_t number) noexcept
