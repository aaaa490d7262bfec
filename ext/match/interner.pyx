"""Map words (interests) to small numbers with reference counts, and weigh words by rarity.

A number is freed when the last reference to its word is released. Use counts are kept longer, in a decaying sketch of fixed size, so a word that
comes back keeps its weight.
**Invariant:** memory is bounded; the hash key is random per process, so users cannot choose colliding words.
"""

# The caller normalises words (engine/matching/interest_normalisation.py), except plain ones, whose normalised form is their lower case. The words are
# in ext.match.string_table, by Python's SipHash of their UTF-8, whose key is random or PYTHONHASHSEED's.

from cpython.unicode cimport PyUnicode_1BYTE_DATA, PyUnicode_AsUTF8AndSize, PyUnicode_DecodeUTF8
from libc.math cimport log2
from libc.stdint cimport int64_t, uint16_t, uint32_t, uint64_t
from libc.stdlib cimport calloc, free, realloc
from libc.string cimport memcmp

from ext.base.system cimport prefetch
from ext.match.string_table cimport CLASSES, UNIT, strings_add, strings_drop, strings_fetch, strings_find, strings_free, strings_init

cdef extern from *:
    bint PyUnicode_IS_ASCII(object text)
    ctypedef struct PyHash_FuncDef:
        Py_hash_t (*hash)(const void *bytes, Py_ssize_t size) noexcept nogil
    PyHash_FuncDef *PyHash_GetFuncDef()

cdef enum:
    NONE = 0xFFFFFFFF
    ROWS = 2
    WIDTH = 65536  # cells per row: 512 KiB in total
    HALVE = 4194304  # uses after which all counts are halved
    LEAST = 8  # weight of a word that all users name
    BIT = 8  # weight added by each halving of the frequency
    PLAIN = 64  # bytes of the longest plain word: INTEREST_MAX of the protocol
    TOGETHER = 8  # words that are looked up at a time

cdef PyHash_FuncDef *hasher = PyHash_GetFuncDef()

cdef int64_t entries = 0  # words with a number, over all interners


def alive() -> dict[str, int]:
    """Return the words in use, over all interners, for the leak ledger."""
    return {"interner entries": entries}


cdef class Ids:
    """Immutable sequence of word numbers: 4 bytes each, a few in the object itself."""

    def __init__(self, numbers=()):
        cdef Py_ssize_t size = len(numbers), i
        if self.count:
            raise TypeError("ids change no more")
        ids_room(self, size)
        for i in range(size):
            numbers_of(self)[i] = numbers[i]

    def __dealloc__(self):
        if self.count > FEW:
            free(self._numbers.many)

    def __len__(self) -> int:
        return self.count

    def __getitem__(self, Py_ssize_t place) -> int:
        if not 0 <= place < <Py_ssize_t>self.count:
            raise IndexError("there is no number at that place")
        return numbers_of(self)[place]

    def __iter__(self):
        cdef uint32_t i
        return iter([numbers_of(self)[i] for i in range(self.count)])

    def __contains__(self, number) -> bool:
        return number in list(self)

    def __repr__(self) -> str:
        return f"Ids({list(self)})"

    cpdef Ids unique(self):
        """Return each number once, at its first place; this object if all differ."""
        cdef uint32_t *numbers = numbers_of(self)
        cdef uint32_t i, j
        for i in range(1, self.count):
            for j in range(i):
                if numbers[i] == numbers[j]:
                    return Ids(list(dict.fromkeys(self)))
        return self


cdef str word_of(Interner interner, uint32_t number):
    """Return the word of a number in use."""
    cdef const char *text = interner.strings.arena + <size_t>interner.strings.texts[number].offset * UNIT
    return PyUnicode_DecodeUTF8(text, interner.strings.texts[number].size, NULL)


cdef int ids_room(Ids ids, Py_ssize_t size) except -1:
    """Allocate room for `size` zeros in new ids."""
    if size > FEW:
        ids._numbers.many = <uint32_t *>calloc(size, 4)
        if ids._numbers.many == NULL:
            raise MemoryError()
    ids.count = <uint32_t>size
    return 0


cdef const char *text_of(str word, Py_ssize_t *size) except NULL:
    """Return a word in UTF-8, without a copy if it is ASCII. Raises UnicodeEncodeError for lone surrogates."""
    if PyUnicode_IS_ASCII(word):
        size[0] = len(word)
        return <const char *>PyUnicode_1BYTE_DATA(word)
    return PyUnicode_AsUTF8AndSize(word, size)


cdef bint fold_plain(str word, plain_t *plain) noexcept:
    """Write the lower case of a plain word and its size, or size 0 if it is not plain; return whether it is.

    Plain: 1 to 64 printable ASCII characters without a space at either end and without two in a row. Normalising changes nothing but their case.
    """
    cdef const unsigned char *text
    cdef unsigned char char, before = 32, bad = 0
    cdef Py_ssize_t i, size
    plain.size = 0
    if word is None:
        return False
    size = len(word)
    if not 0 < size <= PLAIN or not PyUnicode_IS_ASCII(word):
        return False
    text = <const unsigned char *>PyUnicode_1BYTE_DATA(word)
    for i in range(size):
        char = text[i]
        bad |= (char < 32) | (char > 126) | ((char == 32) & (before == 32))
        before = char
        plain.text[i] = char | (((char >= 65) & (char <= 90)) << 5)
    if bad or before == 32:
        return False
    plain.size = <uint32_t>size
    return True


cdef inline uint64_t hash_of(const char *text, Py_ssize_t size) noexcept:
    return <uint64_t>hasher.hash(text, size)


cdef class Interner:
    """Table of at most `most` words at a time, each of 1 to 4,096 bytes of UTF-8, as the caller normalises them."""

    def __cinit__(self, Py_ssize_t most=1_000_000):
        if most < 1 or most > 100_000_000:
            raise ValueError("most must be from 1 to 100,000,000")
        self.most = most
        self._sketch = <uint32_t *>calloc(ROWS * WIDTH, 4)
        if self._sketch == NULL or strings_init(&self.strings):
            raise MemoryError()

    def __dealloc__(self):
        global entries
        entries -= self.strings.count
        free(self._uses)
        free(self.weights)
        free(self._sketch)
        strings_free(&self.strings)

    def __len__(self) -> int:
        return self.strings.count

    cdef int _grow(self) except -1:
        """Allocate uses and weights up to the highest number."""
        cdef uint32_t room = self.strings.room
        cdef void *p
        p = realloc(self._uses, <size_t>room * 4)
        if p == NULL:
            raise MemoryError()
        self._uses = <uint32_t *>p
        p = realloc(self.weights, <size_t>room * 2)
        if p == NULL:
            raise MemoryError()
        self.weights = <uint16_t *>p
        self._room = room
        return 0

    cdef void _seen(self, uint32_t number, uint64_t hash) noexcept:
        """Count one use in the sketch and update the weight: 8 times log2 of (uses of all words / uses of this one), from 8 to 255."""
        cdef uint32_t *a = &self._sketch[hash & (WIDTH - 1)]
        cdef uint32_t *b = &self._sketch[WIDTH + (hash >> 32 & (WIDTH - 1))]
        cdef uint32_t count = min(a[0], b[0]) + 1
        cdef size_t k
        a[0] = max(a[0], count)
        b[0] = max(b[0], count)
        self._total += 1
        if self._total >= HALVE:
            self._total //= 2
            for k in range(<size_t>ROWS * WIDTH):
                self._sketch[k] //= 2
        cdef double w = BIT * log2(<double>(self._total + 1) / count)
        self.weights[number] = <uint16_t>(LEAST if w < LEAST else 255 if w > 255 else w)

    cdef bint alive(self, uint32_t number) noexcept:
        return number < self.strings.top and number < self._room and self._uses[number] != 0

    cdef uint32_t _used_number(self, found) except? 0xFFFFFFFF:
        """Check that a number is in use and return it. Raises KeyError."""
        if not 0 <= found < 0xFFFFFFFF or not self.alive(<uint32_t>found):
            raise KeyError(found)
        return <uint32_t>found

    cdef int64_t _count(self, const char *text, Py_ssize_t size, uint64_t key) except -2:
        """Return the number of a normalised word, with one use added; -1 if it is new and the table is full.

        Raises ValueError for an empty word and one of more than 4,096 bytes.
        """
        global entries
        cdef uint32_t number
        if not 0 < size <= CLASSES * UNIT:
            raise ValueError("a word has 1 to 4,096 bytes")
        number = strings_find(&self.strings, <uint32_t>key, text, <uint32_t>size)
        if number == NONE:
            if self.strings.count >= self.most:
                return -1
            number = strings_add(&self.strings, <uint32_t>key, text, <uint32_t>size)
            if number == NONE:
                raise MemoryError()
            if number >= self._room:
                try:
                    self._grow()
                except MemoryError:
                    strings_drop(&self.strings, number)  # a number without room for its uses must not be found
                    raise
            entries += 1
            self._uses[number] = 0
        self._uses[number] += 1
        self._seen(number, key)
        return number

    cdef void _fetch(self, const plain_t *plain, uint32_t count) noexcept:
        """Fetch what counting plain words will read, so that the misses of one do not wait for those of another."""
        cdef uint32_t i
        cdef uint32_t[TOGETHER] hashes, first
        for i in range(count):
            hashes[i] = <uint32_t>plain[i].key
            prefetch(&self._sketch[plain[i].key & (WIDTH - 1)])
            prefetch(&self._sketch[WIDTH + (plain[i].key >> 32 & (WIDTH - 1))])
        strings_fetch(&self.strings, hashes, first, count)
        for i in range(count):
            prefetch(&self._uses[first[i]])
            prefetch(&self.weights[first[i]])

    cpdef Ids intern_all(self, words, dict known, normal):
        """Return the numbers of words as typed, in order; None, with no use added, if there is no room for a new one.

        Plain words (see `fold_plain`) are normalised here. Others are looked up in `known`, which maps spellings to normalised words; else
        normal(word) is called. Its exceptions pass through, with no use added, as does ValueError for a normalised word of no or more than
        4,096 bytes or with a lone surrogate.
        """
        cdef Ids ids = Ids.__new__(Ids)
        cdef list row = words if type(words) is list else list(words)
        cdef Py_ssize_t size = len(row), done = 0, length
        cdef uint32_t i, count
        cdef plain_t[TOGETHER] plain
        cdef const char *text
        cdef int64_t number = 0
        ids_room(ids, size)
        try:
            while done < size and number >= 0:
                count = <uint32_t>min(size - done, <Py_ssize_t>TOGETHER)
                for i in range(count):
                    plain[i].key = hash_of(plain[i].text, plain[i].size) if fold_plain(row[done + i], &plain[i]) else 0
                self._fetch(plain, count)
                for i in range(count):
                    if plain[i].size:
                        number = self._count(plain[i].text, plain[i].size, plain[i].key)
                    else:
                        word = row[done]
                        key = known.get(word)
                        if key is None:
                            key = normal(word)
                        text = text_of(key, &length)
                        number = self._count(text, length, hash_of(text, length))
                    if number < 0:
                        break
                    numbers_of(ids)[done] = <uint32_t>number
                    done += 1
        finally:
            if done < size:
                self._release(numbers_of(ids), done)
        return ids if done == size else None

    cpdef bint spelled(self, ids, words) except -1:
        """Whether `words` are the normalised words of `ids`, in this order. Raises KeyError if a number is not in use."""
        cdef Py_ssize_t i, size
        cdef uint32_t number
        cdef const char *text
        if len(ids) != len(words):
            return False
        for i, word in enumerate(words):
            number = numbers_of(<Ids>ids)[i] if type(ids) is Ids else self._used_number(ids[i])
            if not self.alive(number):
                raise KeyError(number)
            text = text_of(word, &size)
            if <Py_ssize_t>self.strings.texts[number].size != size:
                return False
            if memcmp(self.strings.arena + <size_t>self.strings.texts[number].offset * UNIT, text, size) != 0:
                return False
        return True

    cdef int _release(self, const uint32_t *numbers, Py_ssize_t count) except -1:
        global entries
        cdef Py_ssize_t i
        cdef uint32_t number
        for i in range(count):
            number = numbers[i]
            if not self.alive(number):
                raise KeyError(number)
            self._uses[number] -= 1
            if not self._uses[number]:
                self.weights[number] = 0
                entries -= 1
                strings_drop(&self.strings, number)
        return 0

    cpdef release(self, ids):
        """Release one use of each number. Raises KeyError for a number that is not in use; those before it are released."""
        cdef uint32_t number
        if type(ids) is Ids:
            self._release(numbers_of(<Ids>ids), (<Ids>ids).count)
            return
        for found in ids:
            number = self._used_number(found)
            self._release(&number, 1)

    def word(self, found) -> str:
        """Return the normalised word of a number. Raises KeyError if it is not in use."""
        return word_of(self, self._used_number(found))

    cpdef words_of(self, ids):
        """Return the normalised words of several numbers. Raises KeyError if one is not in use."""
        return [word_of(self, self._used_number(found)) for found in ids]

    def weight(self, found) -> int:
        """Return the weight of sharing this interest: 8 (very common) to 255. Raises KeyError if it is not in use."""
        return self.weights[self._used_number(found)]
