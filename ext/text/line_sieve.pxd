"""Declare the sieve of chat lines (line_sieve.pyx)."""

cimport cython
from libc.stdint cimport uint8_t, uint16_t, uint32_t, uint64_t

from ext.net.similarity cimport Shingles, sketch_t
from ext.net.tap cimport Tapped, tap_entry_t
from ext.text.hashed_classifier cimport HashedClassifier
from ext.text.phrase_scanner cimport PhraseScanner

cdef enum:
    LINE_MAX = 256  # characters of a line that is settled here, at most

cdef struct writer_t:
    uint64_t key
    uint32_t lines  # 0: an empty slot


@cython.final
cdef class FirstLines:
    cdef writer_t *young
    cdef writer_t *old
    cdef uint64_t mask
    cdef Py_ssize_t room, size  # writers of `young`: at most, and now
    cdef uint32_t first

    cdef bint count(self, uint64_t key) noexcept nogil
    cdef writer_t *_slot(self, writer_t *table, uint64_t key) noexcept nogil


@cython.final
cdef class LineSieve:
    cdef Tapped tapped
    cdef PhraseScanner own
    cdef PhraseScanner added
    cdef HashedClassifier model
    cdef FirstLines writers
    cdef Shingles table
    cdef bytes folds
    cdef const uint16_t *folded
    cdef bint on, twice, modelling  # lines are settled; by two scanners; by a model
    cdef Py_ssize_t line_max, letters_min
    cdef readonly Py_ssize_t taken, settled, modelled, model_work
    cdef readonly double began
    cdef uint8_t[256] lower  # of the printable characters of ASCII but the backslash; 0: another byte
    cdef Py_UCS4[LINE_MAX + 1] text

    cdef bint _settles(self, const tap_entry_t *entry, const uint8_t *line, bint first, double now, double since) noexcept nogil
    cdef bint _is_clean(self, PhraseScanner scanner, Py_ssize_t length, bint ascii) noexcept nogil
    cdef int _sketch(self, Py_ssize_t length, bint ascii, sketch_t *made) noexcept nogil
    cdef bint _has_small_numbers(self) noexcept nogil
    cdef bint _begins_long(self, Py_ssize_t begin, Py_ssize_t end) noexcept nogil
    cdef bint _ends_street(self, Py_ssize_t end) noexcept nogil
    cdef Py_UCS4 _folded_at(self, const uint8_t *line, Py_ssize_t size, Py_ssize_t *at, bint *spaced) noexcept nogil
    cdef Py_ssize_t _fold(self, const uint8_t *line, Py_ssize_t size, bint *ascii) noexcept nogil
    cdef Py_ssize_t _space(self, Py_ssize_t length) noexcept nogil
    cdef Py_UCS4 _decoded(self, const uint8_t *line, Py_ssize_t size, Py_ssize_t *at) noexcept nogil
