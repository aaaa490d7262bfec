"""Declare the ring, a chat's buffer of last messages.
**Invariant:** chat_ring.pyx alone numbers messages and writes a ring's fields.
"""
from libc.stdint cimport uint8_t, uint32_t

from ext.net.structs cimport budget_t, conn_t, ring_t

cdef struct entry_t:
    uint32_t size       # bytes of the text as a JSON string without its quotes
    uint32_t time       # Unix seconds
    uint32_t side

cdef void ring_attach(ring_t *ring, int side, conn_t *conn) noexcept nogil
cdef void ring_detach(conn_t *conn) noexcept nogil
cdef uint32_t ring_append(ring_t *ring, int side, const uint8_t *text, Py_ssize_t size, uint32_t time) noexcept nogil
cdef void ring_refuse(ring_t *ring, int side) noexcept nogil
cdef void ring_tell(ring_t *ring, int side) noexcept nogil
cdef bint ring_unsent(ring_t *ring, int side, Py_ssize_t size) noexcept nogil
cdef uint32_t ring_first(ring_t *ring) noexcept nogil
cdef uint32_t ring_entry(ring_t *ring, uint32_t offset, entry_t *entry) noexcept nogil
cdef void ring_read(ring_t *ring, uint32_t offset, uint8_t *out, uint32_t size) noexcept nogil

cdef class Rings:
    cdef budget_t *budget

cdef class Ring:
    cdef ring_t *ring
