"""Words to small numbers: bounded, counted uses, a weight by rarity. Normalising is the caller's (engine/interests.py).

A number lives while somebody uses it and is then given to another word. How often a word was asked for is kept in a
fixed, decaying sketch, so that a word that comes back is not new. The table is keyed by Python's SipHash, whose key is
random for the process (or PYTHONHASHSEED's): strangers who choose words cannot choose collisions.
"""

from libc.math cimport log2
from libc.stdlib cimport calloc, free, realloc
from libc.string cimport memset

cdef enum:
    ROWS = 2
    WIDTH = 65536  # cells of a row: 512 KiB in all
    HALVE = 4194304  # uses after which all counts are halved
    LEAST = 8  # the weight of a word that everybody names
    BIT = 8  # how much every halving of the frequency adds


cdef class Interner:
    """At most `most` words at a time, each at most 64 code points as the caller normalises them."""

    def __cinit__(self, Py_ssize_t most=1_000_000):
        if most < 1 or most > 100_000_000:
            raise ValueError("most must be from 1 to 100,000,000")
        self.most = most
        self._ids = {}
        self._words = []
        self._free = []
        self._sketch = <uint32_t *>calloc(ROWS * WIDTH, 4)
        if self._sketch == NULL:
            raise MemoryError()

    def __dealloc__(self):
        free(self._uses)
        free(self.weights)
        free(self._sketch)

    def __len__(self) -> int:
        return len(self._ids)

    cdef int _grow(self) except -1:
        cdef uint32_t room = self._room * 2 if self._room else 1024
        cdef void *p
        p = realloc(self._uses, room * 4)
        if p == NULL:
            raise MemoryError()
        self._uses = <uint32_t *>p
        p = realloc(self.weights, room * 2)
        if p == NULL:
            raise MemoryError()
        self.weights = <uint16_t *>p
        memset(&self._uses[self._room], 0, (room - self._room) * 4)
        memset(&self.weights[self._room], 0, (room - self._room) * 2)
        self._room = room
        return 0

    cdef uint16_t _seen(self, uint32_t i, Py_hash_t h) noexcept:
        """Count one use in the sketch and weigh anew: 8 times log2 of (uses of all / uses of this), from 8 to 255."""
        cdef uint32_t *a = &self._sketch[<uint64_t>h & (WIDTH - 1)]
        cdef uint32_t *b = &self._sketch[WIDTH + (<uint64_t>h >> 32 & (WIDTH - 1))]
        cdef uint32_t count = min(a[0], b[0]) + 1, k
        a[0] = max(a[0], count)
        b[0] = max(b[0], count)
        self._total += 1
        if self._total >= HALVE:
            self._total //= 2
            for k in range(ROWS * WIDTH):
                self._sketch[k] //= 2
        cdef double w = BIT * log2(<double>(self._total + 1) / count)
        self.weights[i] = <uint16_t>(LEAST if w < LEAST else 255 if w > 255 else w)
        return self.weights[i]

    cdef bint alive(self, uint32_t i) noexcept:
        return i < self._top and self._uses[i] != 0

    def intern(self, str word not None) -> int:
        """The number of a normalised word, with one use added; -1 where it is new and the table full."""
        cdef uint32_t i
        found = self._ids.get(word)
        if found is None:
            if len(self._ids) >= self.most:
                return -1
            if self._free:
                found = self._free.pop()
                self._words[found] = word
            else:
                found = self._top
                if self._top == self._room:
                    self._grow()
                self._top += 1
                self._words.append(word)
            self._ids[word] = found
        i = found
        self._uses[i] += 1
        self._seen(i, hash(word))
        return found

    def intern_all(self, words, dict known not None, normal):
        """Numbers of words as typed, in their order, or None where a new one finds no room; then nothing is held.

        known: spellings to normalised words, looked into first; normal(word) where it is not there. What `normal` raises
        passes through, and nothing is held either.
        """
        cdef list keys = []
        cdef list ids = []
        for word in words:
            key = known.get(word)
            keys.append(key if key is not None else normal(word))
        for key in keys:
            found = self.intern(key)
            if found < 0:
                self.release(ids)
                return None
            ids.append(found)
        return tuple(ids)

    def release(self, ids) -> None:
        """Take one use off each number. Raises KeyError for a number that nobody uses; those before it are released."""
        cdef uint32_t i
        for found in ids:
            if found < 0 or found >= self._top or self._uses[<uint32_t>found] == 0:
                raise KeyError(found)
            i = found
            self._uses[i] -= 1
            if not self._uses[i]:
                del self._ids[self._words[i]]
                self._words[i] = None
                self.weights[i] = 0
                self._free.append(found)

    def word(self, found) -> str:
        """The normalised word of a number. Raises KeyError where nobody uses it."""
        if found < 0 or found >= self._top or self._uses[<uint32_t>found] == 0:
            raise KeyError(found)
        return self._words[found]

    def weight(self, found) -> int:
        """What sharing this interest is worth: 8 (everybody's) to 255. Raises KeyError where nobody uses it."""
        if found < 0 or found >= self._top or self._uses[<uint32_t>found] == 0:
            raise KeyError(found)
        return self.weights[<uint32_t>found]
