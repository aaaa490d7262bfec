from libc.stdint cimport uint16_t, uint32_t, uint64_t

from ext.words cimport words_t


cdef class Interner:
    cdef readonly Py_ssize_t most
    cdef words_t words
    cdef uint32_t *_uses
    cdef uint16_t *weights  # by number; 0 where it is free
    cdef uint32_t _room
    cdef uint32_t *_sketch
    cdef uint64_t _total

    cdef int _grow(self) except -1
    cdef void _seen(self, uint32_t number, uint64_t hash) noexcept
    cdef bint alive(self, uint32_t number) noexcept
    cdef uint32_t _held(self, found) except? 0xFFFFFFFF
