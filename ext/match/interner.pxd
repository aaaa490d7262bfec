from libc.stdint cimport int64_t, uint16_t, uint32_t, uint64_t

from ext.match.string_table cimport strings_t


cdef enum:
    FEW = 6  # numbers stored in the object itself: 48 bytes in total

cdef union numbers_t:
    uint32_t few[6]
    uint32_t *many


cdef class Ids:
    cdef uint32_t count
    cdef numbers_t _numbers

    cpdef Ids unique(self)

cdef inline uint32_t *numbers_of(Ids ids) noexcept:
    """Return the address of the first of `ids.count` numbers."""
    return ids._numbers.many if ids.count > FEW else ids._numbers.few


cdef struct plain_t:
    uint64_t key    # its hash
    uint32_t size   # in bytes; 0: the word is not plain
    char text[64]   # PLAIN


cdef class Interner:
    cdef readonly Py_ssize_t most
    cdef strings_t strings
    cdef uint32_t *_uses
    cdef uint16_t *weights  # per number; 0 if it is free
    cdef uint32_t _room
    cdef uint32_t *_sketch
    cdef uint64_t _total

    cdef int _grow(self) except -1
    cdef void _seen(self, uint32_t number, uint64_t hash) noexcept
    cdef bint alive(self, uint32_t number) noexcept
    cdef int64_t _count(self, const char *text, Py_ssize_t size, uint64_t key) except -2
    cdef void _fetch(self, const plain_t *plain, uint32_t count) noexcept
    cpdef Ids intern_all(self, words, dict known, normal)
    cpdef bint spelled(self, ids, words) except -1
    cpdef release(self, ids)
    cpdef words_of(self, ids)
    cdef int _release(self, const uint32_t *numbers, Py_ssize_t count) except -1
    cdef uint32_t _used_number(self, found) except? 0xFFFFFFFF
