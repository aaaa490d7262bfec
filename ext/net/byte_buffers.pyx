"""Provide byte buffers that grow, and a pool of 16 KiB chunks for output.

**Invariant:** memory that held messages is cleared before it is freed; chunks of the pool are cleared once a second, not per message.
"""

# A chunk holds the output that one read produces, so a few serve all connections; it returns to the pool once it is sent. If the pool is empty, an
# output begins small and grows: thousands of connections that receive something in one turn must not hold thousands of chunks.

from libc.stdint cimport uint32_t
from libc.stdlib cimport free, malloc
from libc.string cimport memcpy, memset

from ext.base.check cimport CHECK
from ext.base.system cimport aligned_alloc, explicit_bzero

cdef enum:
    CHUNK = 16 * 1024
    POOL = 8           # chunks at most: one per receiver of a read, not per connection
    LEAST = 512        # bytes of a growing buffer with its header: a handshake reply and a greeting

cdef buffer_t *pool[8]
cdef int pooled = 0
cdef bint written = False  # whether a chunk was returned since the pool was last cleared
cdef int chunks = 0        # chunks that exist, pooled or in use
cdef long live = 0         # buffers in use, chunks included


def alive() -> dict[str, int]:
    """Return the buffers in use, for the leak ledger; chunks in the pool are not in use."""
    return {"buffers": live}


cdef buffer_t *allocated(uint32_t room) noexcept nogil:
    cdef buffer_t *buffer = <buffer_t *>malloc(sizeof(buffer_t) + room)
    if buffer != NULL:
        buffer.start = buffer.end = 0
        buffer.chunk = buffer.opcode = 0
        buffer.room = room
    return buffer


cdef buffer_t *buffer_new(uint32_t room) noexcept nogil:
    """Return an empty buffer; NULL if there is no memory."""
    global live
    cdef buffer_t *buffer = allocated(room)
    live += buffer != NULL
    return buffer


cdef buffer_t *fit(buffer_t *buffer, uint32_t need) noexcept nogil:
    """Return `buffer` (or a new one for NULL) with room for `need` more bytes; NULL, and `buffer` unchanged, if there is no memory."""
    global chunks
    cdef uint32_t head = sizeof(buffer_t), size = LEAST
    cdef buffer_t *grown
    if buffer == NULL:
        while size - head < need:
            size *= 2
        return buffer_new(size - head)
    CHECK(buffer.start <= buffer.end <= buffer.room)
    if buffer.end + need <= buffer.room:
        return buffer
    size = buffer.room + head
    while size - head < buffer.end + need:
        size *= 2
    grown = allocated(size - head)
    if grown != NULL:
        chunks -= buffer.chunk  # its bytes no longer fit a chunk
        grown.start, grown.end, grown.opcode = buffer.start, buffer.end, buffer.opcode
        memcpy(grown + 1, buffer + 1, buffer.end)
        give_back(buffer)
    return grown


cdef void give_back(buffer_t *buffer) noexcept nogil:
    """Clear a buffer's memory and free it."""
    explicit_bzero(buffer + 1, buffer.room)
    free(buffer)


cdef buffer_t *chunk_take() noexcept nogil:
    """Return an empty chunk; NULL if all are in use or there is no memory."""
    global pooled, chunks, live
    cdef buffer_t *chunk
    if pooled:
        pooled -= 1
        live += 1
        return pool[pooled]
    if chunks == POOL:
        return NULL
    chunk = buffer_new(CHUNK)
    if chunk != NULL:
        chunk.chunk = 1
        chunks += 1
    return chunk


cdef void buffer_free(buffer_t *buffer) noexcept nogil:
    """Free a buffer; a chunk returns to the pool. NULL is ignored."""
    global pooled, live, written
    if buffer == NULL:
        return
    live -= 1
    if buffer.chunk:
        CHECK(pooled < POOL)
        buffer.start = buffer.end = 0
        pool[pooled] = buffer
        pooled += 1
        written = True
    else:
        give_back(buffer)


cdef void chunks_clear() noexcept nogil:
    """Clear the pooled chunks if one was used since the last call."""
    global written
    cdef int i
    if written:
        for i in range(pooled):
            explicit_bzero(pool[i] + 1, pool[i].room)
        written = False


cdef void *aligned(size_t size) noexcept nogil:
    """Return zeroed memory aligned to a cache line, for structs whose hot fields fill whole lines; release it with `free`."""
    cdef void *memory = aligned_alloc(64, (size + 63) // 64 * 64)
    if memory != NULL:
        memset(memory, 0, size)
    return memory
