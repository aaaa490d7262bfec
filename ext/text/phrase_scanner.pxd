"""Declare the scanner of phrases, and the flags of what it sees (phrase_scanner.pyx)."""

cimport cython
from libc.stdint cimport uint8_t, uint32_t, uint64_t

from ext.text.phrase_index cimport PhraseIndex

cdef enum:
    TEXT_MAX = 2048  # characters of a text
    HITS_MAX = 1024  # of a text
    WORD_HITS_MAX = 24  # that begin at one word, so that those of a word hide none of another

cdef enum:
    HIT_FLAG = 1
    DIGIT_FLAG = 2
    DOT_FLAG = 4
    AT_FLAG = 8
    PLUS_FLAG = 16
    SPELLED_FLAG = 32
    SIGNS_FLAG = 64
    WIDE_FLAG = 128

cdef enum:  # of `look_plainly`
    SIMPLE = 256
    NUMBERED = 512

cdef enum:
    SPELLED_ROW = 3  # single letters in a row that make a word

cdef struct hit_t:
    uint32_t end, begin, behind

cdef struct open_t:  # a first word behind which a phrase may go on
    uint32_t word
    int place
    int left  # words behind it that may lead on


cdef inline bint unspaced(Py_UCS4 char) noexcept nogil:
    """Whether a character is of a script that is written without spaces: Han, kana, Thai."""
    return 0x2E80 <= char < 0xA000 or 0x0E00 <= char < 0x0E80


@cython.final
cdef class PhraseScanner:
    cdef PhraseIndex index
    cdef bytes wanted
    cdef const uint8_t *wanted_ends
    cdef Py_ssize_t wanted_size, words_max
    cdef Py_UCS4 *text
    cdef Py_UCS4 *word
    cdef uint32_t *begins
    cdef uint32_t *reaches
    cdef uint32_t *walked  # of each word, the last one that a walk from it tried
    cdef uint32_t *id_begins  # of each word, and the end
    cdef uint32_t *ids  # words of the index: the readings of each word
    cdef uint32_t *frontier
    cdef uint32_t *following
    cdef uint32_t *stamps
    cdef uint32_t stamp
    cdef Py_ssize_t more  # nodes of `following`
    cdef hit_t *found
    cdef Py_ssize_t count  # of `found`
    cdef Py_ssize_t size  # words
    cdef Py_ssize_t length  # characters
    cdef bint signs  # words may have readings
    cdef readonly Py_ssize_t digits  # decimal digits of the text

    cpdef int scan(self, str text) except -1
    cdef int scan_written(self, Py_ssize_t length, bint ascii) noexcept nogil
    cdef int look_plainly(self, const Py_UCS4 *text) noexcept nogil
    cdef bint _has_phrase(self, const uint32_t *keys, Py_ssize_t count) noexcept nogil
    cdef uint64_t _note_word(self, open_t *opened, int *count, uint32_t key) noexcept nogil
    cdef bint _walks_from(self, uint64_t begins) noexcept nogil
    cdef void _walk_first(self, Py_ssize_t place) noexcept nogil
    cpdef list hits(self)
    cpdef list spans(self)
    cpdef list find(self, int graph)
    cpdef bint has_phrase_at(self, int graph, Py_ssize_t place) except -1
    cdef int _check_graph(self, int graph) except -1
    cdef int _look(self, bint ascii) noexcept nogil
    cdef int _split(self) noexcept nogil
    cdef Py_ssize_t _word_at(self, Py_ssize_t place) noexcept nogil
    cdef void _add(self, Py_ssize_t place, const Py_UCS4 *chars, Py_ssize_t size) noexcept nogil
    cdef void _read_word(self, Py_ssize_t place, Py_ssize_t size) noexcept nogil
    cdef bint _is_strange(self, Py_ssize_t size) noexcept nogil
    cdef Py_ssize_t _alike(self, Py_ssize_t size, Py_UCS4 *alike) noexcept nogil
    cdef void _add_shortened(self, Py_ssize_t place, const Py_UCS4 *chars, Py_ssize_t size) noexcept nogil
    cdef void _add_imitated(self, Py_ssize_t place, const Py_UCS4 *chars, Py_ssize_t size) noexcept nogil
    cdef int _find_first(self) noexcept nogil
    cdef void _find_at(self, int graph, Py_ssize_t place) noexcept nogil
    cdef void _next_stamp(self) noexcept nogil
    cdef void _push(self, uint32_t node) noexcept nogil
    cdef void _lead(self, uint32_t node, Py_ssize_t place) noexcept nogil
    cdef Py_ssize_t _walk(self, Py_ssize_t place) noexcept nogil
