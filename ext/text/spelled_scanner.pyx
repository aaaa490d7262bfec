"""Find the phrases of a text that hold a word spelled in single letters ("s n a p"), beside a scanner that has found the others.

**Invariant:** nothing is found twice: each phrase holds such a word. A walk is made only from such a word, or if the scanner's own came to one.
"""

cimport cython
from libc.stdint cimport uint32_t

from ext.text.phrase_scanner cimport SPELLED_ROW, PhraseScanner, unspaced


@cython.final
cdef class SpelledScanner:
    """Scanner of the words in single letters of the texts that `plain` scans."""

    cdef PhraseScanner plain
    cdef PhraseScanner joined  # the same text, in which such a word is one

    def __cinit__(self, PhraseScanner plain not None):
        self.plain = plain
        self.joined = PhraseScanner(plain.index, plain.wanted, plain.words_max)

    cpdef list scan(self):
        """Return the phrases of graph 0 with a spelled word in the text that `plain` scanned last, as its `hits`, in its words."""
        cdef PhraseScanner joined = self.joined
        cdef Py_ssize_t at
        self._join()
        self._find()
        return [
            (joined.found[at].end, joined.begins[joined.found[at].begin], joined.begins[joined.found[at].behind])
            for at in range(joined.count)
            if self._words(joined.found[at].begin, joined.found[at].behind) > joined.found[at].behind - joined.found[at].begin
        ]

    cdef Py_ssize_t _words(self, Py_ssize_t begin, Py_ssize_t behind) noexcept:
        """Return how many words of `plain` are in a row of joined ones."""
        return <Py_ssize_t>self.joined.begins[behind] - <Py_ssize_t>self.joined.begins[begin]

    cdef void _join(self) noexcept:
        """Note the words, each row of single letters as one, with their readings; `begins` has the first word of `plain` that each is."""
        cdef PhraseScanner plain = self.plain, joined = self.joined
        cdef Py_ssize_t place = 0, end, size
        joined.size = joined.count = joined.length = 0
        joined.signs = plain.signs
        joined.id_begins[0] = 0
        while place < plain.size:
            end = place
            size = 0
            while end < plain.size and plain._word_at(end) == 1 and not unspaced(plain.word[0]):
                joined.word[size] = plain.word[0]
                size += 1
                end += 1
            if size >= SPELLED_ROW:
                joined.begins[joined.size] = <uint32_t>place
                joined.size += 1
                joined._read_word(joined.size - 1, size)
                place = end
                continue
            end = max(end, place + 1)
            while place < end:
                joined.begins[joined.size] = <uint32_t>place
                joined.size += 1
                self._copy_readings(place)
                place += 1
        joined.begins[joined.size] = <uint32_t>plain.size

    cdef void _copy_readings(self, Py_ssize_t place) noexcept:
        """Give the last word the readings of one of `plain`."""
        cdef PhraseScanner plain = self.plain, joined = self.joined
        cdef uint32_t at, end = joined.id_begins[joined.size - 1]
        for at in range(plain.id_begins[place], plain.id_begins[place + 1]):
            joined.ids[end] = plain.ids[at]
            end += 1
        joined.id_begins[joined.size] = end

    cdef void _find(self) noexcept:
        """Find the phrases that begin with a spelled word, or whose walk in `plain` came to one."""
        cdef PhraseScanner plain = self.plain, joined = self.joined
        cdef Py_ssize_t place
        cdef uint32_t spelled = <uint32_t>plain.size  # the first letter of the next spelled word, from the end of the text on
        for place in range(joined.size - 1, -1, -1):
            if self._words(place, place + 1) > 1:
                spelled = joined.begins[place]
            joined.walked[place] = spelled < <uint32_t>plain.size and plain.walked[joined.begins[place]] >= spelled
        for place in range(joined.size):
            if joined.walked[place] or self._words(place, place + 1) > 1:
                joined._walk_first(place)
