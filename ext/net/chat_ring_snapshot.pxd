"""Declare the snapshot of a chat's ring buffer (chat_ring_snapshot.pyx)."""
from libc.stdint cimport uint8_t, uint32_t

from ext.base.protocol cimport REFUSED_KEPT
from ext.net.structs cimport ring_t

cdef enum:
    ENTRY = 12                # bytes of an entry before its text

cdef struct ring_snapshot_t:
    uint32_t last
    uint32_t count
    uint32_t taken[2]
    uint32_t unsent[2]
    uint32_t unsent_bytes[2]
    uint32_t refusals[2]
    uint32_t kept[2]          # number of ordinals in `refused`
    uint32_t refused[2][REFUSED_KEPT]
    bint ended

cdef list ordinals(ring_t *ring, int side)
cdef dict snapshot_of(ring_t *ring)
cdef int read_snapshot(dict state, const uint8_t *data, Py_ssize_t size, ring_snapshot_t *found) except -1
cdef uint32_t whole(dict state, str key, uint32_t most) except? 0xffffffff
