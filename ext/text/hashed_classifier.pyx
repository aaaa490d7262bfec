"""Score a text by a linear model: hashed character n-grams and words, and for each class a row of small weights.

**Invariant:** of a text the first `text_max` characters are read, and nothing of it is kept.
"""

# A weight is an int8, a row of them a bucket; rows are padded to LANES columns, so that a bucket is added in one step. Digits are alike, and of a
# character that is repeated two are read. Hashes are FNV-1a in 32 bits.

cimport cython
from cpython.mem cimport PyMem_Calloc, PyMem_Free
from libc.math cimport sqrt
from libc.stdint cimport int8_t, int32_t, uint32_t

cdef extern from "Python.h":
    int PyUnicode_KIND(object text)
    void *PyUnicode_DATA(object text)
    Py_UCS4 PyUnicode_READ(int kind, void *data, Py_ssize_t at) nogil

cdef enum:
    TEXT_MOST = 1024
    FEATURES_MOST = 8 * (TEXT_MOST + 2)  # n-grams of four lengths, a word, two and three words in a row
    GRAM_MOST = 5  # characters of the longest n-gram
    WIDE = 0x2E80  # from here on scripts write a word in a few characters: pairs are features too
    LANES = 8
    CLASSES_MOST = 64
    PRIME = 16777619


cdef inline uint32_t spread(uint32_t key, int bits) noexcept nogil:
    return key ^ (key >> bits)


@cython.final
cdef class HashedClassifier:
    """`weights`: rows of `classes` int8 each, their number a power of two; `text_max`: characters that are read. Raises ValueError otherwise.

    A class's score is its bias and the sum of its weights, times its scale, over the root of the number of features.
    """

    cdef readonly Py_ssize_t classes
    cdef Py_ssize_t stride, text_max
    cdef uint32_t mask
    cdef int8_t *weights
    cdef uint32_t *buckets
    cdef double[CLASSES_MOST] bias, scale, least

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
        self.stride = (count + LANES - 1) // LANES * LANES
        self.weights = <int8_t *>PyMem_Calloc(number, self.stride)
        self.buckets = <uint32_t *>PyMem_Calloc(FEATURES_MOST, sizeof(uint32_t))
        if self.weights == NULL or self.buckets == NULL:
            raise MemoryError
        for at in range(number):
            for place in range(count):
                self.weights[at * self.stride + place] = given[at * count + place]
        for place in range(count):
            self.bias[place], self.scale[place], self.least[place] = rows[place]

    def __dealloc__(self):
        PyMem_Free(self.weights)
        PyMem_Free(self.buckets)

    def features(self, str text) -> list[int]:
        """Return the buckets of a text."""
        cdef Py_ssize_t at
        return [self.buckets[at] for at in range(self._hash(text))]

    def scores(self, str text) -> list[float]:
        """Return the score of each class; of an empty text its bias."""
        cdef double[CLASSES_MOST] found
        cdef Py_ssize_t place
        self._score(text, found)
        return [found[place] for place in range(self.classes)]

    def find(self, str text) -> list[tuple[int, float]]:
        """Return each class whose score is its least one or more, by number, with its score."""
        cdef double[CLASSES_MOST] found
        cdef Py_ssize_t place
        cdef list good = []
        self._score(text, found)
        for place in range(self.classes):
            if found[place] >= self.least[place]:
                good.append((place, found[place]))
        return good

    cdef void _score(self, str text, double *found):
        cdef int32_t[CLASSES_MOST] sums
        cdef Py_ssize_t size = self._hash(text), blocks = self.stride // LANES, at, place, block, lane
        cdef const int8_t *row
        cdef double root = sqrt(<double>size) if size else 1.0
        for place in range(self.stride):
            sums[place] = 0
        with nogil:
            for at in range(size):
                row = self.weights + <size_t>self.buckets[at] * self.stride
                for block in range(blocks):
                    for lane in range(LANES):
                        sums[block * LANES + lane] += row[block * LANES + lane]
        for place in range(self.classes):
            found[place] = self.bias[place] + self.scale[place] * sums[place] / root

    cdef Py_ssize_t _hash(self, str text) noexcept:
        """Write the buckets of a text; return their number."""
        cdef uint32_t[TEXT_MOST + 2] codes
        cdef int kind = PyUnicode_KIND(text)
        cdef void *data = PyUnicode_DATA(text)
        cdef uint32_t code, last = 0
        cdef Py_ssize_t at, again = 0, size = 1
        codes[0] = 2
        for at in range(min(len(text), self.text_max)):
            code = <uint32_t>PyUnicode_READ(kind, data, at)
            if 48 <= code <= 57:
                code = 48
            again = again + 1 if code == last else 0
            if again < 2:
                codes[size] = code
                size += 1
            last = code
        codes[size] = 3
        return self._hash_codes(codes, size + 1)

    cdef Py_ssize_t _hash_codes(self, const uint32_t *codes, Py_ssize_t size) noexcept nogil:
        cdef uint32_t key, before = 0, earlier = 0, pair
        cdef Py_ssize_t begin, at, end, least, count = 0
        for begin in range(size):
            key = <uint32_t>2166136261u
            least = begin + (1 if codes[begin] >= WIDE else 2)
            end = min(begin + GRAM_MOST, size)
            for at in range(begin, end):
                key = (key ^ codes[at]) * <uint32_t>PRIME
                if at >= least:
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
