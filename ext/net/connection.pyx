"""One connection's memory and output.

Output goes into a chunk of 16 KiB from a pool, and all that one read produced leaves in one `send`; then the chunk goes back, so
that an idle connection holds none. Where the pool is empty the output is small and grows: thousands who are told something in one
turn must not hold thousands of chunks. What the socket does not take moves to memory of its own size, and epoll is asked for room.
"""
from libc.errno cimport EAGAIN, EINTR, errno
from libc.stdint cimport uint8_t, uint32_t
from libc.stdlib cimport free, malloc, realloc
from libc.string cimport memcpy, memmove, memset

from ext.net.counters cimport C_BLOCKED, C_BYTES_OUT, C_SENDS
from ext.net.frames cimport header_size, write_header
from ext.net.wheel cimport wheel_arm

cdef extern from "<stdlib.h>" nogil:
    void *aligned_alloc(size_t alignment, size_t size)

cdef extern from "<sys/socket.h>" nogil:
    ssize_t send(int fd, const void *data, size_t size, int flags)
    int MSG_NOSIGNAL
    int MSG_DONTWAIT

cdef extern from "<sys/epoll.h>" nogil:
    ctypedef union epoll_data_t:
        void *ptr
    struct epoll_event:
        uint32_t events
        epoll_data_t data
    int epoll_ctl(int epoll, int verb, int fd, epoll_event *event)
    int EPOLL_CTL_MOD
    uint32_t EPOLLIN
    uint32_t EPOLLOUT

cdef extern from *:
    """
    #ifdef __SANITIZE_ADDRESS__
    #define SLAB 0  /* each connection an allocation of its own, so that the sanitizer sees what is used after its end */
    #else
    #define SLAB 64
    #endif
    """
    const int SLAB  # connections that are allocated at once

cdef enum:
    CHUNK = 16 * 1024
    POOL = 8           # chunks at most: one a partner of a read, not one a connection
    LEAST = 512        # bytes of a buffer that grows, with its head: the answer to a request head and a greeting

cdef buffer_t *pool[8]
cdef int pooled = 0
cdef int chunks = 0        # those in use included
cdef conn_t *spare = NULL  # connections that are free, by `next`


if sizeof(conn_t) != 128:
    raise SystemError("a connection must fill two cache lines")


cdef buffer_t *buffer_new(uint32_t room) noexcept nogil:
    """An empty buffer; NULL where the machine has no memory."""
    cdef buffer_t *buffer = <buffer_t *>malloc(sizeof(buffer_t) + room)
    if buffer != NULL:
        buffer.start = buffer.end = buffer.mark = 0
        buffer.room = room
    return buffer


cdef buffer_t *fit(buffer_t *buffer, uint32_t need) noexcept nogil:
    """`buffer` (NULL: none) with room for `need` bytes behind its own; NULL (and `buffer` unharmed) where there is no memory."""
    cdef uint32_t head = sizeof(buffer_t), size = LEAST
    if buffer == NULL:
        while size - head < need:
            size *= 2
        return buffer_new(size - head)
    if buffer.end + need <= buffer.room:
        return buffer
    size = buffer.room + head
    while size - head < buffer.end + need:
        size *= 2
    buffer = <buffer_t *>realloc(buffer, size)
    if buffer != NULL:
        buffer.room = size - head
    return buffer


cdef buffer_t *chunk_take() noexcept nogil:
    """An empty chunk; NULL where all are in use, or there is no memory."""
    global pooled, chunks
    cdef buffer_t *chunk
    if pooled:
        pooled -= 1
        return pool[pooled]
    if chunks == POOL:
        return NULL
    chunk = buffer_new(CHUNK)
    if chunk != NULL:
        chunk.mark = 1
        chunks += 1
    return chunk


cdef inline bint is_chunk(buffer_t *buffer) noexcept nogil:
    return buffer.mark != 0


cdef void output_give(buffer_t *buffer) noexcept nogil:
    """Takes an output's memory back."""
    global pooled
    if is_chunk(buffer):
        buffer.start = buffer.end = 0
        pool[pooled] = buffer
        pooled += 1
    else:
        free(buffer)


cdef uint8_t *reserve(io_t *io, conn_t *conn, uint32_t size) noexcept nogil:
    """Where `size` bytes of output may be written; they count as written. NULL: the connection takes nothing (any more)."""
    global chunks
    cdef buffer_t *out = conn.out
    cdef buffer_t *grown
    cdef uint32_t used
    if conn.state == DEAD or conn.flags & BROKEN:
        return NULL
    if out == NULL:
        out = chunk_take()
        if out == NULL:
            out = fit(NULL, size)
            if out == NULL:
                return NULL
        conn.out = out
    if out.end + size > out.room:
        if out.start:
            used = out.end - out.start
            memmove(out + 1, bytes_of(out), used)
            out.start = 0
            out.end = used
        if out.end + size > out.room:
            grown = fit(out, size)
            if grown == NULL:
                return NULL
            chunks -= is_chunk(grown)
            grown.mark = 0
            conn.out = out = grown
    if not conn.flags & DIRTY:
        conn.flags |= DIRTY
        conn.next = io.dirty
        io.dirty = conn
    out.end += size
    return <uint8_t *>(out + 1) + out.end - size


cdef void frame(io_t *io, conn_t *conn, int opcode, const uint8_t *payload, Py_ssize_t size) noexcept nogil:
    """Queues one whole frame."""
    cdef int head = header_size(size)
    cdef uint8_t *out = reserve(io, conn, <uint32_t>(head + size))
    if out != NULL:
        write_header(out, opcode, size)
        if size:
            memcpy(out + head, payload, size)


cdef void raw(io_t *io, conn_t *conn, const uint8_t *data, Py_ssize_t size) noexcept nogil:
    """Queues bytes that are no frame: the answer to a request head."""
    cdef uint8_t *out = reserve(io, conn, <uint32_t>size)
    if out != NULL:
        memcpy(out, data, size)


cdef void watch(io_t *io, conn_t *conn) noexcept nogil:
    """Tells epoll what the connection's flags ask for."""
    cdef epoll_event event
    if conn.fd < 0:
        return
    event.events = (0 if conn.flags & PAUSED else EPOLLIN) | (EPOLLOUT if conn.flags & BLOCKED else 0)
    event.data.ptr = conn
    epoll_ctl(io.epoll, EPOLL_CTL_MOD, conn.fd, &event)


cdef void shrink(conn_t *conn) noexcept nogil:
    """Moves what is left to memory of its size, and gives the chunk back."""
    cdef uint32_t left = pending(conn)
    cdef buffer_t *own
    if not is_chunk(conn.out):
        return
    own = buffer_new(left)
    if own == NULL:
        return
    memcpy(own + 1, bytes_of(conn.out), left)
    own.end = left
    output_give(conn.out)
    conn.out = own


cdef void drop_output(conn_t *conn) noexcept nogil:
    if conn.out != NULL:
        output_give(conn.out)
    conn.out = NULL


cdef void flush(io_t *io, conn_t *conn) noexcept nogil:
    """Sends what waits; what is not taken stays, and epoll will tell."""
    cdef ssize_t sent
    cdef buffer_t *out = conn.out
    cdef uint32_t before = held_by(out)
    while held_by(out):
        sent = send(conn.fd, bytes_of(out), held_by(out), MSG_NOSIGNAL | MSG_DONTWAIT)
        if sent < 0:
            if errno == EINTR:
                continue
            if errno == EAGAIN:
                break
            conn.flags |= BROKEN
            out.start = out.end
            break
        io.count[C_SENDS] += 1
        io.count[C_BYTES_OUT] += <uint32_t>sent
        out.start += <uint32_t>sent
        conn.moved = io.second
    if held_by(out):
        if not conn.flags & BLOCKED:
            conn.flags |= BLOCKED
            conn.moved = io.second
            conn.held = 0
            io.count[C_BLOCKED] += 1
            watch(io, conn)
            wheel_arm(&io.wheel, &conn.timer, TAKE_SECONDS)
        elif before:
            conn.held = <uint32_t>(<double>conn.held * pending(conn) / before)
        shrink(conn)
        return
    drop_output(conn)
    if conn.flags & BLOCKED:
        conn.flags &= ~BLOCKED
        conn.held = 0
        watch(io, conn)


cdef void flush_dirty(io_t *io) noexcept nogil:
    """Sends what the read that ends now produced, for everybody."""
    cdef conn_t *conn
    while io.dirty != NULL:
        conn = io.dirty
        io.dirty = conn.next
        conn.next = NULL
        if conn.flags & VIRTUAL and conn.state != DEAD and not conn.flags & BLOCKED:
            conn.next = io.mail  # still dirty: it stands in one list at most
            io.mail = conn
            continue
        conn.flags &= ~DIRTY
        if conn.state != DEAD and not conn.flags & BLOCKED:
            flush(io, conn)


cdef bint take(io_t *io, conn_t *conn, int bucket, float cost) noexcept nogil:
    """Takes `cost` from one of the connection's buckets; False where it holds less. Always True where limits are lifted."""
    cdef float elapsed
    cdef int i
    if not io.limits:
        return True
    elapsed = <float>(io.now - conn.stamp)
    if elapsed > 0:
        conn.stamp = io.now
        for i in range(BUCKETS):
            conn.tokens[i] += elapsed * io.bucket[i].rate
            if conn.tokens[i] > io.bucket[i].burst:
                conn.tokens[i] = io.bucket[i].burst
    if conn.tokens[bucket] < cost:
        return False
    conn.tokens[bucket] -= cost
    return True


cdef void *aligned(size_t size) noexcept nogil:
    """Zeroed memory that begins a cache line, for structs whose hot fields fill whole ones; `free` takes it back."""
    cdef void *memory = aligned_alloc(64, (size + 63) // 64 * 64)
    if memory != NULL:
        memset(memory, 0, size)
    return memory


cdef conn_t *conn_new() noexcept nogil:
    """A zeroed connection; NULL where there is no memory. They come in slabs: one by one, alignment costs each 64 bytes."""
    global spare
    cdef conn_t *slab
    cdef int i
    if SLAB == 0:
        return <conn_t *>aligned(sizeof(conn_t))
    if spare == NULL:
        slab = <conn_t *>aligned_alloc(64, SLAB * sizeof(conn_t))
        if slab == NULL:
            return NULL
        for i in range(SLAB):
            slab[i].next = spare
            spare = &slab[i]
    slab = spare
    spare = slab.next
    memset(slab, 0, sizeof(conn_t))
    return slab


cdef void conn_discard(conn_t *conn) noexcept nogil:
    """Takes a connection's memory back."""
    global spare
    if SLAB == 0:
        free(conn)
    else:
        conn.next = spare
        spare = conn


cdef void conn_free(conn_t *conn) noexcept nogil:
    """Frees a dead connection's memory; whoever calls has let go of owner, address and ring."""
    drop_output(conn)
    free(conn.input)
    free(conn.part)
    conn_discard(conn)
