"""Words to small numbers: bounded, counted uses, a weight by rarity. Normalising is the caller's (engine/matching/interests.py).

A number lives while somebody uses it and is then given to another word. How often a word was asked for is kept in a
fixed, decaying sketch, so that a word that comes back is not new. The words lie in ext.match.strings, keyed by Python's SipHash, whose key is
random for the process (or PYTHONHASHSEED's): strangers who choose words cannot choose collisions.
"""

from cpython.unicode cimport PyUnicode_1BYTE_DATA, PyUnicode_AsUTF8AndSize, PyUnicode_DecodeUTF8
from libc.math cimport log2
from libc.stdint cimport int64_t, uint16_t, uint32_t, uint64_t
from libc.stdlib cimport calloc, free, realloc
from libc.string cimport memcmp

from ext.match.strings cimport CLASSES, UNIT, strings_add, strings_drop, strings_find, strings_free, strings_init

cdef extern from *:
    bint PyUnicode_IS_ASCII(object text)

cdef enum:
    NONE = 0xFFFFFFFF
    ROWS = 2
    WIDTH = 65536  # cells of a row: 512 KiB in all
    HALVE = 4194304  # uses after which all counts are halved
    LEAST = 8  # the weight of a word that everybody names
    BIT = 8  # how much every halving of the frequency adds


cdef int64_t entries = 0  # words with a number, over all interners


def alive() -> dict[str, int]:
    """For the leak ledger: words that somebody uses, over all interners."""
    return {"interner entries": entries}


cdef class Ids:
    """Numbers of words, in their order: 4 bytes each, the usual few in the object itself. They change no more."""

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
        """Each number once, where it came first: these ids, where none comes twice."""
        cdef uint32_t *numbers = numbers_of(self)
        cdef uint32_t i, j
        for i in range(1, self.count):
            for j in range(i):
                if numbers[i] == numbers[j]:
                    return Ids(list(dict.fromkeys(self)))
        return self


cdef str word_of(Interner interner, uint32_t number):
    """The word of a number in use."""
    cdef const char *text = interner.strings.arena + <size_t>interner.strings.texts[number].offset * UNIT
    return PyUnicode_DecodeUTF8(text, interner.strings.texts[number].size, NULL)


cdef int ids_room(Ids ids, Py_ssize_t size) except -1:
    """Makes room in new ids, which hold `size` zeros then."""
    if size > FEW:
        ids._numbers.many = <uint32_t *>calloc(size, 4)
        if ids._numbers.many == NULL:
            raise MemoryError()
    ids.count = <uint32_t>size
    return 0


cdef const char *text_of(str word, Py_ssize_t *size) except NULL:
    """A word in UTF-8; ASCII as it lies. Raises UnicodeEncodeError for one with lone surrogates."""
    if PyUnicode_IS_ASCII(word):
        size[0] = len(word)
        return <const char *>PyUnicode_1BYTE_DATA(word)
    return PyUnicode_AsUTF8AndSize(word, size)


cdef class Interner:
    """At most `most` words at a time, each of 1 to 4,096 bytes of UTF-8, as the caller normalises them."""

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
        """Room for the uses and the weight of every number; what is behind the last one is not touched."""
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
        """Count one use in the sketch and weigh anew: 8 times log2 of (uses of all / uses of this), from 8 to 255."""
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
        """A number that somebody uses. Raises KeyError."""
        if not 0 <= found < 0xFFFFFFFF or not self.alive(<uint32_t>found):
            raise KeyError(found)
        return <uint32_t>found

    cdef int64_t _intern(self, str word) except -2:
        """The number of a normalised word, with one use added; -1 where it is new and the table full.

        Raises ValueError for an empty word, one of more than 4,096 bytes, and one with lone surrogates.
        """
        global entries
        cdef Py_ssize_t size
        cdef const char *text = text_of(word, &size)
        cdef uint64_t key = <uint64_t>hash(word)
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
            entries += 1
            if number >= self._room:
                self._grow()
            self._uses[number] = 0
        self._uses[number] += 1
        self._seen(number, key)
        return number

    cdef int64_t _used(self, str word) except -2:
        """The number of a word that is in the table as typed, with one use added; -1 where it is not, or not of ASCII alone."""
        cdef uint64_t key
        cdef Py_ssize_t size = len(word)
        cdef uint32_t number
        if not PyUnicode_IS_ASCII(word) or not 0 < size <= CLASSES * UNIT:
            return -1
        key = <uint64_t>hash(word)
        number = strings_find(&self.strings, <uint32_t>key, <const char *>PyUnicode_1BYTE_DATA(word), <uint32_t>size)
        if number == NONE:
            return -1
        self._uses[number] += 1
        self._seen(number, key)
        return number

    cpdef Ids intern_all(self, words, dict known, normal):
        """Numbers of words as typed, in their order; None where a new one finds no room: then nothing is held.

        One that somebody uses in this very spelling is normalised already, since normalising a normalised word changes nothing.
        Another is looked for in `known`, spellings to normalised words; else normal(word) says. What `normal` raises passes through,
        and nothing is held either.
        """
        cdef Ids ids = Ids.__new__(Ids)
        cdef Py_ssize_t size = len(words), done = 0
        cdef int64_t number
        ids_room(ids, size)
        try:
            for word in words:
                number = self._used(word)
                if number < 0:
                    key = known.get(word)
                    number = self._intern(normal(word) if key is None else key)
                    if number < 0:
                        break
                numbers_of(ids)[done] = <uint32_t>number
                done += 1
        finally:
            if done < size:
                self._release(numbers_of(ids), done)
        return ids if done == size else None

    cpdef bint spelled(self, ids, words) except -1:
        """Whether the words are in this order the normalised ones of the ids. Raises KeyError where nobody uses one."""
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
        """Take one use off each number. Raises KeyError for a number that nobody uses; those before it are released."""
        cdef uint32_t number
        if type(ids) is Ids:
            self._release(numbers_of(<Ids>ids), (<Ids>ids).count)
            return
        for found in ids:
            number = self._used_number(found)
            self._release(&number, 1)

    def word(self, found) -> str:
        """The normalised word of a number. Raises KeyError where nobody uses it."""
        return word_of(self, self._used_number(found))

    cpdef words_of(self, ids):
        """The normalised words of several numbers. Raises KeyError where nobody uses one."""
        return [word_of(self, self._used_number(found)) for found in ids]

    def weight(self, found) -> int:
        """What sharing this interest is worth: 8 (everybody's) to 255. Raises KeyError where nobody uses it."""
        return self.weights[self._used_number(found)]
