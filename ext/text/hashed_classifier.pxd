"""Declare the classifier of texts (hashed_classifier.pyx)."""

cimport cython
from libc.stdint cimport int32_t, uint8_t, uint32_t

cdef enum:
    CLASSES_MOST = 64


@cython.final
cdef class HashedClassifier:
    cdef readonly Py_ssize_t classes
    cdef Py_ssize_t text_max
    cdef uint32_t mask
    cdef uint8_t *weights
    cdef uint32_t *buckets
    cdef double[CLASSES_MOST] bias, scale, least

    cdef bint finds(self, const Py_UCS4 *text, Py_ssize_t length) noexcept nogil
    cdef void _score(self, int kind, void *data, Py_ssize_t length, double *found) noexcept nogil
    cdef void _add_up(self, Py_ssize_t place, Py_ssize_t size, int32_t *sums) noexcept nogil
    cdef Py_ssize_t _hash(self, int kind, void *data, Py_ssize_t length) noexcept nogil
    cdef Py_ssize_t _hash_codes(self, const uint32_t *codes, Py_ssize_t size, bint wide) noexcept nogil
