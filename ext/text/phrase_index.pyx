"""Hold the graphs of phrases as flat arrays, which processes may share: words, and from each node the nodes that a word leads to.

**Invariant:** an index is checked once, when it is opened, so that no damaged one leads out of its arrays.
"""

from cpython.buffer cimport PyBUF_SIMPLE, PyBuffer_Release, PyObject_GetBuffer
from libc.stdint cimport uint8_t, uint32_t, uint64_t
from libc.stdlib cimport calloc, free

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
        self._note_beginnings()

    def __dealloc__(self):
        free(self.reaches)
        free(self.pairs)
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

    cdef object _note_beginnings(self):
        """Note by which words behind its first one a phrase of graph 0 is recognised: see `has_pair`."""
        cdef const word_t *words = <const word_t *>self.parts[WORDS]
        cdef uint32_t nodes = self.rows[NODES], word, at
        cdef uint32_t stamp = 0
        cdef int found
        cdef uint8_t *known = <uint8_t *>calloc(nodes + 1, 1)  # the reach of a node, once it was asked for
        cdef uint32_t *waiting = <uint32_t *>calloc(2 * <size_t>nodes + 1, sizeof(uint32_t))
        cdef uint32_t *stamps = <uint32_t *>calloc(nodes + 1, sizeof(uint32_t))
        self.reaches = <uint8_t *>calloc(self.rows[WORDS] + 1, 1)
        self.pairs = <uint64_t *>calloc(PAIR_BITS // 64, sizeof(uint64_t))
        try:
            if known == NULL or waiting == NULL or stamps == NULL or self.reaches == NULL or self.pairs == NULL:
                raise MemoryError
            for word in range(self.rows[WORDS]):
                for at in range(words[word].first, words[word + 1].first):
                    if known[self.parts[FIRST][at]] == 0:
                        known[self.parts[FIRST][at]] = self._reach_of(self.parts[FIRST][at], waiting, stamps, &stamp)
                    self.reaches[word] = max(self.reaches[word], known[self.parts[FIRST][at]])
            for at in range(self.rows[SLOT_WORDS]):  # words of one hash are taken for the first of them
                found = hashed_word(self, self.parts[SLOT_HASHES][at])
                if found >= 0 and self.parts[SLOT_WORDS][at] and <uint32_t>found != self.parts[SLOT_WORDS][at] - 1:
                    self.reaches[found] = ALONE
        finally:
            free(known)
            free(waiting)
            free(stamps)

    cdef int _reach_of(self, uint32_t first, uint32_t *waiting, uint32_t *stamps, uint32_t *stamp) noexcept nogil:
        """Note the tokens by which a node leads on; return how many words behind it they may be at most, or ALONE.

        `waiting`, `stamps`: room for each node twice, and once; `stamp`: the last one that was used. A node may be reached over several numbers of
        words, of which the highest counts.
        """
        cdef const node_t *nodes = <const node_t *>self.parts[NODES]
        cdef const key_t *keys = <const key_t *>self.parts[KEYS]
        cdef uint32_t *following = waiting + self.rows[NODES]
        cdef uint32_t count = 1, more, at, one, bit
        cdef int reach = 0
        waiting[0] = first
        while count:
            reach += 1
            if reach > REACH_MAX:
                return ALONE
            stamp[0] += 1
            more = 0
            for at in range(count):
                if nodes[waiting[at]].ends < nodes[waiting[at] + 1].ends:
                    return ALONE
                for one in range(nodes[waiting[at]].keys, nodes[waiting[at] + 1].keys):
                    bit = pair_bit(first, keys[one].token)
                    self.pairs[bit >> 6] |= <uint64_t>1 << (bit & 63)
                for one in range(nodes[waiting[at]].others, nodes[waiting[at] + 1].others):
                    if stamps[self.parts[OTHERS][one]] != stamp[0]:
                        stamps[self.parts[OTHERS][one]] = stamp[0]
                        following[more] = self.parts[OTHERS][one]
                        more += 1
            waiting, following, count = following, waiting, more
        return reach
