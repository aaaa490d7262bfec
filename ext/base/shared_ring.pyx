"""Pass messages from one process to another through a ring in shared memory: one end writes, one end reads, neither calls the kernel.

The two ends wake each other by the caller's means (an eventfd): `must_wake` tells the writer that the reader sleeps, `must_call` tells the reader
that the writer waits for room. Sizes are bytes.
**Invariant:** the reader checks every number that it reads of the memory; damaged memory raises ValueError and is never read beyond.
"""

# A message is its length (4 bytes) and its bytes; both may wrap around the end. `written` and `read` count bytes since the beginning and never fall.

import mmap
import os

from cpython.buffer cimport PyBUF_WRITABLE, PyBuffer_Release, PyObject_GetBuffer
from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_FromStringAndSize, PyBytes_GET_SIZE
from libc.stdint cimport uint8_t, uint32_t, uint64_t
from libc.string cimport memcpy

from ext.base.system cimport SEQ_CST, timespec, nanosleep, load32, load64, store32, store64, swap32

cdef enum:
    PAGE = 4096
    LENGTH = 4


cdef void copy_in(uint8_t *data, uint32_t size, uint64_t at, const char *bytes, uint32_t count) noexcept nogil:
    cdef uint32_t start = <uint32_t>(at % size), first = size - start if count > size - start else count
    memcpy(data + start, bytes, first)
    memcpy(data, bytes + first, count - first)


cdef void copy_out(const uint8_t *data, uint32_t size, uint64_t at, char *bytes, uint32_t count) noexcept nogil:
    cdef uint32_t start = <uint32_t>(at % size), first = size - start if count > size - start else count
    memcpy(bytes, data + start, first)
    memcpy(bytes + first, data, count - first)


def new_memory(uint32_t size, int rings) -> int:
    """Return a file of shared memory with empty rings of this size each. Raises OSError."""
    cdef int file = os.memfd_create("serendip ring", os.MFD_CLOEXEC)
    try:
        os.ftruncate(file, rings * (PAGE + size))
    except BaseException:
        os.close(file)
        raise
    return file


def pause(double seconds):
    """Wait for less than a millisecond: a process without connections lets messages gather."""
    cdef timespec time
    time.tv_sec = 0
    time.tv_nsec = <long>(min(seconds, 0.001) * 1e9)
    with nogil:
        nanosleep(&time, NULL)


cdef class SharedRing:
    """One end of ring number `place` in the shared memory of a file, which stays the caller's. `size`: a multiple of 4,096.

    Raises OSError, or ValueError for a file that is too small.
    """

    def __cinit__(self, int file, uint32_t size, int place=0):
        if size % PAGE or not size:
            raise ValueError("the size of a ring is a multiple of 4,096")
        if place < 0 or os.fstat(file).st_size < (place + 1) * (PAGE + size):
            raise ValueError("the shared memory is too small")
        self._map = mmap.mmap(file, PAGE + size, offset=place * (PAGE + size))
        PyObject_GetBuffer(self._map, &self._view, PyBUF_WRITABLE)
        self._head = <ring_head *>self._view.buf
        self._data = <uint8_t *>self._view.buf + PAGE
        self._size = size
        self._is_open = True

    def __dealloc__(self):
        if self._is_open:
            PyBuffer_Release(&self._view)

    # the writer's end

    cpdef bint put(self, bytes message) except -1:
        """Write a message; False: there is no room for it now. Raises ValueError for one that never fits, or damaged memory."""
        cdef uint64_t written = self._head.written
        cdef uint64_t used = written - load64(&self._head.read, SEQ_CST)
        cdef uint64_t count = <uint64_t>PyBytes_GET_SIZE(message)
        cdef uint32_t length
        if used > self._size:
            raise ValueError("the ring is damaged")
        if count > self._size - LENGTH:
            raise ValueError("a message larger than its ring")
        if count + LENGTH > self._size - used:
            return False
        length = <uint32_t>count
        copy_in(self._data, self._size, written, <const char *>&length, LENGTH)
        copy_in(self._data, self._size, written + LENGTH, PyBytes_AS_STRING(message), length)
        store64(&self._head.written, written + LENGTH + count, SEQ_CST)
        return True

    cpdef bint must_wake(self) noexcept:
        """Whether the reader sleeps: after `put` the caller wakes it. True once for each time that it fell asleep."""
        return load32(&self._head.asleep, SEQ_CST) and swap32(&self._head.asleep, 0, SEQ_CST)

    cpdef call_me(self):
        """Ask the reader for a call when it has read something: there was no room. Try `put` once more afterwards."""
        store32(&self._head.blocked, 1, SEQ_CST)

    # the reader's end

    cpdef list take(self):
        """Return all messages that are there, in order. Raises ValueError for damaged memory."""
        cdef list found = []
        cdef uint64_t written = load64(&self._head.written, SEQ_CST), at = self._head.read
        cdef uint32_t length
        cdef bytes message
        if written == at:
            return found
        if written - at > self._size:
            raise ValueError("the ring is damaged")
        while at != written:
            if written - at < LENGTH:
                raise ValueError("the ring is damaged")
            copy_out(self._data, self._size, at, <char *>&length, LENGTH)
            if length > written - at - LENGTH:
                raise ValueError("the ring is damaged")
            message = PyBytes_FromStringAndSize(NULL, length)
            copy_out(self._data, self._size, at + LENGTH, PyBytes_AS_STRING(message), length)
            found.append(message)
            at += LENGTH + length
        store64(&self._head.read, at, SEQ_CST)
        return found

    cpdef bint must_call(self) noexcept:
        """Whether the writer waits for room: after `take` the caller calls it. True once for each time that it asked."""
        return load32(&self._head.blocked, SEQ_CST) and swap32(&self._head.blocked, 0, SEQ_CST)

    cpdef bint sleep(self) noexcept:
        """Note that the reader sleeps from now on; False: it must not, because a message has come meanwhile."""
        store32(&self._head.asleep, 1, SEQ_CST)
        if load64(&self._head.written, SEQ_CST) == self._head.read:
            return True
        store32(&self._head.asleep, 0, SEQ_CST)
        return False
