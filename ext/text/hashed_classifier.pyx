"""Score a text by a linear model: hashed character n-grams and words, and for each class a row of small weights.

**Invariant:** of a text the first `text_max` characters are read, and nothing of it is kept.
"""

# A weight is an int8, a row of them a bucket, kept with OFFSET added, so that LANES weights of two buckets are two additions of eight 16-bit sums
# (gram_features.h). Digits are alike, and of a character that is repeated two are read. Hashes are FNV-1a in 32 bits.

cimport cython
from cpython.mem cimport PyMem_Calloc, PyMem_Free
from libc.math cimport sqrt
from libc.stdint cimport int8_t, int32_t, uint8_t, uint16_t, uint32_t
from libc.string cimport memcpy

cdef extern from "gram_features.h" nogil:
    int make_digits_alike(uint32_t *codes, size_t size, uint32_t least, int *wide)
    size_t hash_grams(const uint32_t *codes, size_t size, uint32_t mask, uint32_t *buckets)
    void sum_rows(const uint8_t *weights, size_t stride, const uint32_t *buckets, size_t count, uint16_t *sums)

cdef extern from "Python.h":
    int PyUnicode_KIND(object text)
    void *PyUnicode_DATA(object text)
    Py_UCS4 PyUnicode_READ(int kind, void *data, Py_ssize_t at) nogil

cdef enum:
    TEXT_MOST = 1024
    FEATURES_MOST = 8 * (TEXT_MOST + 2)  # n-grams of four lengths, a word, two and three words in a row
    WIDE = 0x2E80  # from here on scripts write a word in a few characters: pairs are features too
    LANES = 8
    PRIME = 16777619
    OFFSET = 128
    ADDED_MAX = 256  # of numbers below 256 that fit into 16 bits together


cdef inline uint32_t spread(uint32_t key, int bits) noexcept nogil:
    return key ^ (key >> bits)


@cython.final
cdef class HashedClassifier:
    """`weights`: rows of `classes` int8 each, their number a power of two; `text_max`: characters that are read. Raises ValueError otherwise.

    A class's score is its bias and the sum of its weights, times its scale, over the root of the number of features.
    """

    def __cinit__(self, bytes weights, rows, Py_ssize_t text_max):
        """`rows`: bias, scale and least score to find of each class."""
        cdef Py_ssize_t count = len(rows), size = len(weights), at, place, number
        cdef const int8_t *given = <const int8_t *><const char *>weights
        if not 0 < count <= CLASSES_MOST or not 0 < text_max <= TEXT_MOST:
            raise ValueError("too many classes, or characters")
        number = size // count
        if not number or number & (number - 1) or number * count != size or number > 1 << 28:
            raise ValueError("its weights are not a power of two of rows")
        self.classes, self.text_max, self.mask = count, text_max, <uint32_t>(number - 1)
        self.weights = <uint8_t *>PyMem_Calloc(size + LANES, 1)  # the last row is read beyond its end
        self.buckets = <uint32_t *>PyMem_Calloc(FEATURES_MOST, sizeof(uint32_t))
        if self.weights == NULL or self.buckets == NULL:
            raise MemoryError
        for at in range(size):
            self.weights[at] = <uint8_t>(given[at] + OFFSET)
        for place in range(count):
            self.bias[place], self.scale[place], self.least[place] = rows[place]

    def __dealloc__(self):
        PyMem_Free(self.weights)
        PyMem_Free(self.buckets)

    def features(self, str text) -> list[int]:
        """Return the buckets of a text."""
        cdef Py_ssize_t at
        return [self.buckets[at] for at in range(self._hash(PyUnicode_KIND(text), PyUnicode_DATA(text), len(text)))]

    def scores(self, str text) -> list[float]:
        """Return the score of each class; of an empty text its bias."""
        cdef double[CLASSES_MOST] found
        cdef Py_ssize_t place
        self._score(PyUnicode_KIND(text), PyUnicode_DATA(text), len(text), found)
        return [found[place] for place in range(self.classes)]

    def find(self, str text) -> list[tuple[int, float]]:
        """Return each class whose score is its least one or more, by number, with its score."""
        cdef double[CLASSES_MOST] found
        cdef Py_ssize_t place
        cdef list good = []
        self._score(PyUnicode_KIND(text), PyUnicode_DATA(text), len(text), found)
        for place in range(self.classes):
            if found[place] >= self.least[place]:
                good.append((place, found[place]))
        return good

    cdef bint finds(self, const Py_UCS4 *text, Py_ssize_t length) noexcept nogil:
        """Whether a text has a class by `find`."""
        cdef double[CLASSES_MOST] found
        cdef Py_ssize_t place
        self._score(sizeof(Py_UCS4), <void *>text, length, found)
        for place in range(self.classes):
            if found[place] >= self.least[place]:
                return True
        return False

    cdef void _score(self, int kind, void *data, Py_ssize_t length, double *found) noexcept nogil:
        cdef int32_t[CLASSES_MOST] sums
        cdef Py_ssize_t size = self._hash(kind, data, length), place
        cdef double root = sqrt(<double>size) if size else 1.0
        for place in range((self.classes + LANES - 1) // LANES):
            self._add_up(place * LANES, size, sums + place * LANES)
        for place in range(self.classes):
            found[place] = self.bias[place] + self.scale[place] * sums[place] / root

    cdef void _add_up(self, Py_ssize_t place, Py_ssize_t size, int32_t *sums) noexcept nogil:
        """Write the sums of LANES columns, from `place` on, over the buckets."""
        cdef uint16_t[LANES] found
        cdef Py_ssize_t at = 0, count
        cdef int lane
        for lane in range(LANES):
            sums[lane] = -OFFSET * <int32_t>size
        while at < size:
            count = min(size - at, ADDED_MAX)
            sum_rows(self.weights + place, self.classes, self.buckets + at, count, found)
            for lane in range(LANES):
                sums[lane] += found[lane]
            at += count

    cdef Py_ssize_t _hash(self, int kind, void *data, Py_ssize_t length) noexcept nogil:
        """Write the buckets of a text; return their number. `kind`: bytes of a character."""
        cdef uint32_t[TEXT_MOST + 2] codes
        cdef uint32_t last = 0
        cdef Py_ssize_t at, again = 0, size = 1, count = min(length, self.text_max)
        cdef int wide = 0
        codes[0] = 2
        if kind == sizeof(uint32_t):
            memcpy(codes + 1, data, count * sizeof(uint32_t))
        else:
            for at in range(count):
                codes[1 + at] = <uint32_t>PyUnicode_READ(kind, data, at)
        if make_digits_alike(codes + 1, count, WIDE, &wide):
            for at in range(1, 1 + count):
                again = again + 1 if codes[at] == last else 0
                last = codes[at]
                codes[size] = last
                size += again < 2
        else:
            size += count
        codes[size] = 3
        return self._hash_codes(codes, size + 1, wide)

    cdef Py_ssize_t _hash_codes(self, const uint32_t *codes, Py_ssize_t size, bint wide) noexcept nogil:
        cdef uint32_t key, before = 0, earlier = 0, pair
        cdef Py_ssize_t at, count = <Py_ssize_t>hash_grams(codes, size, self.mask, self.buckets)
        if wide:
            for at in range(size - 1):
                if codes[at] >= WIDE:
                    key = ((<uint32_t>2166136261u ^ codes[at]) * <uint32_t>PRIME ^ codes[at + 1]) * <uint32_t>PRIME
                    self.buckets[count] = spread(key, 15) & self.mask
                    count += 1
        key = 0
        for at in range(1, size):
            if codes[at] > 32 and at < size - 1:
                key = ((key if key else <uint32_t>84696351) ^ codes[at]) * <uint32_t>PRIME
            elif key:
                self.buckets[count] = spread(key, 13) & self.mask
                count += 1
                if before:
                    pair = (before * 31 ^ key) * <uint32_t>PRIME
                    self.buckets[count] = spread(pair, 15) & self.mask
                    count += 1
                    if earlier:
                        pair = (earlier * 961 ^ pair) * <uint32_t>PRIME
                        self.buckets[count] = spread(pair, 15) & self.mask
                        count += 1
                earlier, before, key = before, key, 0
        return count
