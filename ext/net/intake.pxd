"""From bytes to frames to what they mean. Rule: nothing behind a shut gate is parsed."""
from libc.stdint cimport uint8_t

from ext.net.connection cimport conn_t
from ext.net.frames cimport frame_t
from ext.net.ending cimport Sockets

cdef enum:
    OWN_BYTES = 256 * 1024    # output that a client leaves untaken before it is no longer read

cdef class Reader(Sockets):
    cdef Py_ssize_t head(self, conn_t *conn, uint8_t *data, Py_ssize_t size) except -1
    cdef int hand_over(self, conn_t *conn, bytes data) except -1
    cdef int dismiss(self, conn_t *conn, int counter, bytes text) except -1
    cdef int event(self, conn_t *conn, uint8_t *data, Py_ssize_t size) except -1
    cdef int message(self, conn_t *conn, int opcode, uint8_t *data, Py_ssize_t size) except -1
    cdef int piece(self, conn_t *conn, frame_t *head, uint8_t *data) except -1
    cdef int control(self, conn_t *conn, frame_t *head, uint8_t *data) except -1
    cdef Py_ssize_t consume(self, conn_t *conn, uint8_t *data, Py_ssize_t size) except -1
    cdef int keep(self, conn_t *conn, uint8_t *data, Py_ssize_t size) except -1
    cdef int readable(self, conn_t *conn) except -1
    cdef void pause(self, conn_t *conn) noexcept
