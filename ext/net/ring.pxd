"""The ring of a chat. Rule: it gives the numbers, holds the last messages, and knows which connections are attached."""
from libc.stdint cimport uint8_t, uint32_t, uint64_t

cdef enum:
    SIDES = 3      # the two who talk, and one who watches
    REFUSALS = 200  # ordinals kept, protocol.md `resumed`

cdef struct budget_t:
    uint64_t limit      # bytes, for all rings together
    uint64_t used
    uint64_t rings
    uint64_t evicted    # ended rings emptied to stay within the limit
    uint64_t dropped    # messages that live rings gave up to stay within it
    ring_t *oldest      # ended rings, oldest first
    ring_t *newest
    int references

cdef struct ring_t:
    # one cache line of what every message touches
    uint8_t *data
    uint32_t size       # bytes allocated, a power of two
    uint32_t start      # offset of the oldest entry
    uint32_t used       # bytes in use
    uint32_t count      # entries held
    uint32_t last       # number of the newest message; 0: none yet
    uint32_t taken[2]   # `message` frames dealt with, a side
    int references
    void *party[3]      # conn_t of a side, NULL while away; 2: who watches
    # and what few do
    budget_t *budget
    ring_t *older
    ring_t *newer
    uint32_t refusals[2]
    uint32_t *refused[2]   # the newest REFUSALS ordinals, made when there is one
    uint32_t unsent[2]        # messages for a side that is away
    uint32_t unsent_bytes[2]
    bint ended

cdef struct entry_t:
    uint32_t size       # bytes of the text as a JSON string without its quotes
    uint32_t time       # unix seconds
    uint32_t side

cdef uint32_t ring_append(ring_t *ring, int side, const uint8_t *text, Py_ssize_t size, uint32_t time) noexcept nogil
cdef void ring_refuse(ring_t *ring, int side) noexcept nogil
cdef uint32_t ring_first(ring_t *ring) noexcept nogil
cdef uint32_t ring_entry(ring_t *ring, uint32_t offset, entry_t *entry) noexcept nogil
cdef void ring_read(ring_t *ring, uint32_t offset, uint8_t *out, uint32_t size) noexcept nogil
cdef long ring_missed(ring_t *ring, int side, uint32_t after) noexcept nogil
cdef void ring_keep(ring_t *ring) noexcept nogil
cdef void ring_release(ring_t *ring) noexcept nogil

cdef class Rings:
    cdef budget_t *budget

cdef class Ring:
    cdef ring_t *ring
