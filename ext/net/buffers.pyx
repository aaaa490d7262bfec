"""Buffers that grow, and chunks of 16 KiB from a pool.

A chunk is for the output of one read, so a few serve all; it goes back when the output was sent. Where the pool is empty an output is
small and grows: thousands who are told something in one turn must not hold thousands of chunks.

What a buffer held is cleared before its memory is freed. Chunks of the pool are cleared once a second, not for each message.
"""
from libc.stdint cimport uint32_t
from libc.stdlib cimport free, malloc
from libc.string cimport memcpy, memset

from ext.base.check cimport CHECK
from ext.base.system cimport aligned_alloc, explicit_bzero

cdef enum:
    CHUNK = 16 * 1024
    POOL = 8           # chunks at most: one a partner of a read, not one a connection
    LEAST = 512        # bytes of a buffer that grows, with its head: the answer to a request head and a greeting

cdef buffer_t *pool[8]
cdef int pooled = 0
cdef bint written = False  # whether a chunk came back since the pool was cleared
cdef int chunks = 0        # those in use included
cdef long live = 0         # buffers that somebody holds, chunks among them


def alive() -> dict[str, int]:
    """For the leak ledger: buffers that somebody holds; chunks that lie in the pool are nobody's."""
    return {"buffers": live}


cdef buffer_t *allocated(uint32_t room) noexcept nogil:
    cdef buffer_t *buffer = <buffer_t *>malloc(sizeof(buffer_t) + room)
    if buffer != NULL:
        buffer.start = buffer.end = 0
        buffer.chunk = buffer.opcode = 0
        buffer.room = room
    return buffer


cdef buffer_t *buffer_new(uint32_t room) noexcept nogil:
    """An empty buffer; NULL where the machine has no memory."""
    global live
    cdef buffer_t *buffer = allocated(room)
    live += buffer != NULL
    return buffer


cdef buffer_t *fit(buffer_t *buffer, uint32_t need) noexcept nogil:
    """`buffer` (NULL: none) with room for `need` bytes behind its own; NULL (and `buffer` unharmed) where there is no memory."""
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
        chunks -= buffer.chunk  # it outgrew the pool
        grown.start, grown.end, grown.opcode = buffer.start, buffer.end, buffer.opcode
        memcpy(grown + 1, buffer + 1, buffer.end)
        give_back(buffer)
    return grown


cdef void give_back(buffer_t *buffer) noexcept nogil:
    """Clears a buffer's memory and frees it."""
    explicit_bzero(buffer + 1, buffer.room)
    free(buffer)


cdef buffer_t *chunk_take() noexcept nogil:
    """An empty chunk; NULL where all are in use, or there is no memory."""
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
    """Takes a buffer's memory back; a chunk goes to the pool. NULL: nothing to take."""
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
    """Clears the chunks that nobody holds, if one was used since the last time."""
    global written
    cdef int i
    if written:
        for i in range(pooled):
            explicit_bzero(pool[i] + 1, pool[i].room)
        written = False


cdef void *aligned(size_t size) noexcept nogil:
    """Zeroed memory that begins a cache line, for structs whose hot fields fill whole ones; `free` takes it back."""
    cdef void *memory = aligned_alloc(64, (size + 63) // 64 * 64)
    if memory != NULL:
        memset(memory, 0, size)
    return memory
