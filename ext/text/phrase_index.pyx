"""Hold the graphs of phrases as flat arrays, which processes may share: words, and from each node the nodes that a word leads to.

**Invariant:** an index is checked once, when it is opened, so that no damaged one leads out of its arrays.
"""

from cpython.buffer cimport PyBUF_SIMPLE, PyBuffer_Release, PyObject_GetBuffer
from libc.stdint cimport uint8_t

cdef enum:
    MAGIC = 0x58444950
    HEADER = 24
    HASHED_MAX = 512  # characters

MAGIC_NUMBER = MAGIC
HEADER_NUMBERS = HEADER

# Numbers of a row of each section, and rows more than it counts.
cdef int[SECTIONS] WIDTHS = [1, 1, 3, 1, 1, 1, 3, 2, 1, 1, 1, 1, 2, 1, 1]
cdef int[SECTIONS] EXTRA = [0, 0, 1, 0, 0, 0, 1, 1, 0, 0, 0, 0, 1, 0, 0]


def word_hash(str word) -> int:
    """Return the hash of a word by which an index has it."""
    cdef Py_UCS4[HASHED_MAX] chars
    cdef Py_ssize_t at
    if len(word) > HASHED_MAX:
        raise ValueError("a word is too long")
    for at in range(len(word)):
        chars[at] = word[at]
    return hashed(chars, len(word))


cdef class PhraseIndex:
    """Index over a buffer of 32-bit numbers, which it keeps open. Raises ValueError if a number in it leads out of its array."""

    def __cinit__(self, buffer):
        PyObject_GetBuffer(buffer, &self.view, PyBUF_SIMPLE)
        self.open = True
        self._lay_out()
        self._check()

    def __dealloc__(self):
        if self.open:
            PyBuffer_Release(&self.view)

    @property
    def nodes(self) -> int:
        """Nodes of all graphs."""
        return self.rows[NODES]

    cdef object _lay_out(self):
        cdef const uint32_t *numbers = <const uint32_t *>self.view.buf
        cdef Py_ssize_t left = self.view.len // 4
        cdef Py_ssize_t size
        cdef int place
        if self.view.len % 4 or left < HEADER or <size_t>self.view.buf % 4 or numbers[0] != MAGIC:
            raise ValueError("no index of phrases")
        left -= HEADER
        numbers += HEADER
        for place in range(SECTIONS):
            self.rows[place] = (<const uint32_t *>self.view.buf)[1 + place]
            self.parts[place] = numbers
            size = <Py_ssize_t>WIDTHS[place] * (<Py_ssize_t>self.rows[place] + EXTRA[place])
            if size > left:
                raise ValueError("an index of phrases is cut")
            left -= size
            numbers += size
        if left or self.rows[ROOTS] != GRAPHS or self.rows[KINDS] * 4 != CODES or self.rows[SLOT_WORDS] != self.rows[SLOT_HASHES]:
            raise ValueError("an index of phrases has another size")

    cdef object _check(self):
        cdef uint32_t slots = self.rows[SLOT_WORDS], at, used = 0
        cdef const uint8_t *kinds = <const uint8_t *>self.parts[KINDS]
        cdef const word_t *words = <const word_t *>self.parts[WORDS]
        cdef bint good = slots > 0 and slots & (slots - 1) == 0
        for at in range(slots):
            good = good and self.parts[SLOT_WORDS][at] <= self.rows[WORDS]
            used += self.parts[SLOT_WORDS][at] != 0
        good = good and used < slots  # a search of the table ends at an empty slot
        good = good and self._ascends(WORDS, 0, WORD_CHARS) and self._ascends(WORDS, 1, WORD_TOKENS) and self._ascends(WORDS, 2, FIRST)
        good = good and self._ascends(NODES, 0, KEYS) and self._ascends(NODES, 1, OTHERS) and self._ascends(NODES, 2, ENDS)
        good = good and self._ascends(KEYS, 1, CHILDREN) and self._ascends(MAPPED, 1, MAPPED_CHARS)
        good = good and self._names_nodes(FIRST) and self._names_nodes(CHILDREN) and self._names_nodes(OTHERS) and self._names_nodes(ROOTS)
        for at in range(<uint32_t>CODES):
            good = good and kinds[at] <= ALIKE
        if not good:
            raise ValueError("an index of phrases is damaged")
        for at in range(self.rows[WORDS]):
            self.word_max = max(self.word_max, words[at + 1].chars - words[at].chars)

    cdef bint _ascends(self, int section, int column, int target) noexcept nogil:
        """Whether a column of offsets begins with 0, never falls, and ends with the size of the array that it points into."""
        cdef const uint32_t *numbers = self.parts[section]
        cdef int width = WIDTHS[section]
        cdef uint32_t at
        if numbers[column] != 0:
            return False
        for at in range(self.rows[section]):
            if numbers[(at + 1) * width + column] < numbers[at * width + column]:
                return False
        return numbers[self.rows[section] * <size_t>width + column] == self.rows[target]

    cdef bint _names_nodes(self, int section) noexcept nogil:
        cdef uint32_t at
        for at in range(self.rows[section]):
            if self.parts[section][at] >= self.rows[NODES]:
                return False
        return True
