# The arrays of an index, and its look-ups, which a scanner makes for each word.
# An index is an array of 32-bit numbers: HEADER of them, then the arrays in the order of the sections. `words`, `nodes`, `keys` and `mapped` have one
# row more than they count, whose offsets are the ends of the arrays that they point into. A node leads on by tokens (`keys`, ascending, to
# `children`) and by any word (`others`); `ends` are numbers of the caller's, of phrases that end there. A word has tokens, and as its `first` the
# nodes behind them in graph 0.

cimport cython
from libc.stdint cimport uint8_t, uint32_t, uint64_t

cdef extern from *:
    """
    #define fetch_ahead(place) __builtin_prefetch(place)
    """
    void fetch_ahead(const void *place) noexcept nogil

cdef enum:
    GRAPHS = 3
    SECTIONS = 15
    CODES = 0x10000  # that have a kind; of others `mapped` alone says what they look like

cdef enum:  # sections
    SLOT_HASHES
    SLOT_WORDS
    WORDS
    WORD_CHARS
    WORD_TOKENS
    FIRST
    NODES
    KEYS
    CHILDREN
    OTHERS
    ENDS
    ROOTS
    MAPPED
    MAPPED_CHARS
    KINDS

cdef enum:
    SAME = 0  # kinds of a character: it looks like itself
    ALIKE = 1  # like those of `mapped`

cdef enum:  # how many words behind the first one a phrase is recognised by
    REACH_MAX = 8
    ALONE = 255  # by none: it may end with its first word, or has any word in too many places

cdef enum:
    PAIR_BITS = 1 << 21  # so many that one in thirty answers is wrong

ctypedef const uint32_t *numbers_t

cdef struct word_t:
    uint32_t chars, tokens, first

cdef struct node_t:
    uint32_t keys, others, ends

cdef struct key_t:
    uint32_t token, children

cdef struct mapped_t:
    uint32_t code, chars


@cython.final
cdef class PhraseIndex:
    cdef Py_buffer view
    cdef bint open
    cdef uint32_t[SECTIONS] rows
    cdef numbers_t[SECTIONS] parts
    cdef uint32_t word_max  # characters of the longest word
    cdef uint8_t *reaches  # of each word: 0 if no phrase of graph 0 begins with it, else to REACH_MAX, or ALONE
    cdef uint64_t *pairs  # bits: a node behind a first word leads on by a token, maybe behind any words

    cdef object _lay_out(self)
    cdef object _check(self)
    cdef bint _ascends(self, int section, int column, int target) noexcept nogil
    cdef bint _names_nodes(self, int section) noexcept nogil
    cdef object _note_beginnings(self)
    cdef int _reach_of(self, uint32_t first, uint32_t *waiting, uint32_t *stamps, uint32_t *stamp) noexcept nogil


cdef inline uint32_t hashed(const Py_UCS4 *chars, Py_ssize_t size) noexcept nogil:
    """Return the FNV-1a of code points, with its high bits in the low ones."""
    cdef uint32_t key = 2166136261u
    cdef Py_ssize_t at
    for at in range(size):
        key = (key ^ <uint32_t>chars[at]) * 16777619u
    return key ^ (key >> 15)


cdef inline int word_of(PhraseIndex index, const Py_UCS4 *chars, Py_ssize_t size) noexcept nogil:
    """Return the number of a word, -1 if no phrase has it."""
    cdef uint32_t key, slot, word, at, mask = index.rows[SLOT_WORDS] - 1
    cdef const word_t *row
    cdef const uint32_t *known
    if size > index.word_max or size == 0:
        return -1
    key = hashed(chars, size)
    slot = key & mask
    while True:
        word = index.parts[SLOT_WORDS][slot]
        if word == 0:
            return -1
        if index.parts[SLOT_HASHES][slot] == key:
            row = <const word_t *>index.parts[WORDS] + (word - 1)
            if row[1].chars - row[0].chars == size:
                known = index.parts[WORD_CHARS] + row[0].chars
                at = 0
                while at < size and known[at] == <uint32_t>chars[at]:
                    at += 1
                if at == size:
                    return word - 1
        slot = (slot + 1) & mask


cdef inline const key_t *key_of(PhraseIndex index, uint32_t node, uint32_t token) noexcept nogil:
    """Return the key of a node by a token, NULL if it has none; the next key ends its children."""
    cdef const node_t *row = <const node_t *>index.parts[NODES] + node
    cdef const key_t *keys = <const key_t *>index.parts[KEYS]
    cdef uint32_t low = row[0].keys, high = row[1].keys, middle
    while low < high:
        middle = (low + high) >> 1
        if keys[middle].token < token:
            low = middle + 1
        else:
            high = middle
    return keys + low if low < row[1].keys and keys[low].token == token else NULL


cdef inline uint32_t pair_bit(uint32_t node, uint32_t token) noexcept nogil:
    """Return the place in `pairs` of a node and a token (a multiplicative hash of both)."""
    return <uint32_t>(((<uint64_t>node << 32 | token) * <uint64_t>0x9E3779B97F4A7C15) >> 40) & (PAIR_BITS - 1)


cdef inline bint has_pair(PhraseIndex index, uint32_t node, uint32_t token) noexcept nogil:
    """Whether a node behind a first word may lead on by a token, behind any words or none; wrong answers are yes."""
    cdef uint32_t bit = pair_bit(node, token)
    return index.pairs[bit >> 6] >> (bit & 63) & 1


cdef inline void fetch_word(PhraseIndex index, uint32_t key) noexcept nogil:
    """Fetch into the cache what `hashed_word` reads first."""
    cdef uint32_t slot = key & (index.rows[SLOT_WORDS] - 1)
    fetch_ahead(index.parts[SLOT_WORDS] + slot)
    fetch_ahead(index.parts[SLOT_HASHES] + slot)


cdef inline int hashed_word(PhraseIndex index, uint32_t key) noexcept nogil:
    """Return the number of the first word that has a hash, -1 if no word of a phrase has it."""
    cdef uint32_t mask = index.rows[SLOT_WORDS] - 1, slot = key & mask, word
    while True:
        word = index.parts[SLOT_WORDS][slot]
        if word == 0:
            return -1
        if index.parts[SLOT_HASHES][slot] == key:
            return word - 1
        slot = (slot + 1) & mask
