"""Memory for bytes: buffers that grow, and a pool of chunks. Rule: whoever holds a buffer gives it back, once."""
from libc.stdint cimport uint8_t, uint16_t, uint32_t

cdef struct buffer_t:
    # bytes that lie at [start, end) behind this head; `room` of them have a place
    uint32_t start
    uint32_t end
    uint32_t room
    uint16_t chunk           # whether it is one of the pool
    uint16_t opcode          # of a message that comes in pieces

cdef buffer_t *buffer_new(uint32_t room) noexcept nogil
cdef buffer_t *fit(buffer_t *buffer, uint32_t need) noexcept nogil
cdef buffer_t *chunk_take() noexcept nogil
cdef void buffer_free(buffer_t *buffer) noexcept nogil
cdef void chunks_clear() noexcept nogil
cdef void *aligned(size_t size) noexcept nogil

cdef inline uint8_t *bytes_of(buffer_t *buffer) noexcept nogil:
    """Where what it holds begins."""
    return <uint8_t *>(buffer + 1) + buffer.start

cdef inline uint32_t held_by(buffer_t *buffer) noexcept nogil:
    """How many bytes it holds; none where there is no buffer."""
    return buffer.end - buffer.start if buffer != NULL else 0
