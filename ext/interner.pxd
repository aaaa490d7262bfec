from libc.stdint cimport uint16_t, uint32_t, uint64_t


cdef class Interner:
    cdef readonly Py_ssize_t most
    cdef dict _ids
    cdef list _words
    cdef uint32_t *_uses
    cdef uint16_t *weights  # by id; 0 where the id is free
    cdef uint32_t _room, _top
    cdef list _free
    cdef uint32_t *_sketch
    cdef uint64_t _total

    cdef int _grow(self) except -1
    cdef uint16_t _seen(self, uint32_t i, Py_hash_t h) noexcept
    cdef bint alive(self, uint32_t i) noexcept
