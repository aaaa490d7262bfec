"""Declare growing buffers and a pool of output chunks (byte_buffers.pyx).
**Invariant:** the holder of a buffer frees the buffer, once.
"""
from libc.stdint cimport uint8_t, uint16_t, uint32_t

cdef struct buffer_t:
    # header of a buffer whose bytes are at [start, end) behind it, in space for `room` bytes
    uint32_t start
    uint32_t end
    uint32_t room
    uint16_t chunk           # whether it is a chunk of the pool
    uint16_t opcode          # opcode of a fragmented message

cdef buffer_t *buffer_new(uint32_t room) noexcept nogil
cdef buffer_t *fit(buffer_t *buffer, uint32_t need) noexcept nogil
cdef buffer_t *chunk_take() noexcept nogil
cdef void buffer_free(buffer_t *buffer) noexcept nogil
cdef void chunks_clear() noexcept nogil
cdef void *aligned(size_t size) noexcept nogil

cdef inline uint8_t *bytes_of(buffer_t *buffer) noexcept nogil:
    """Return the address of the first byte held."""
    return <uint8_t *>(buffer + 1) + buffer.start

cdef inline uint32_t held_by(buffer_t *buffer) noexcept nogil:
    """Return the number of bytes held; 0 for NULL."""
    return buffer.end - buffer.start if buffer != NULL else 0
