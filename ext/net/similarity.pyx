"""Find similar texts with MinHash (one permutation, shingles of four bytes) in a bounded table.

**Invariant:** the table holds keyed hashes, never a text.
"""

# A text becomes 16 numbers: each shingle's hash falls into one of 16 bins, of which each keeps the least; an empty bin takes its next neighbour's,
# rotated by the distance. The share of equal bins of two texts estimates the share of shingles that they have in common. Two texts are compared if
# one of eight bands, of two bins each, leads both into one bucket: a line of cache with the newest of its texts. Of each it has a mark, four bits of
# each bin, which rules nearly all of those out that share a few words, so that an entry is read only if it is similar.
# Entries are overwritten in order of arrival, and nothing is ever removed from a bucket: what it has of an overwritten entry is passed over.

from libc.stdint cimport uint8_t, uint32_t, uint64_t
from libc.string cimport memcpy, memset
from posix.mman cimport MADV_DONTNEED, MAP_ANONYMOUS, MAP_FAILED, MAP_PRIVATE, PROT_READ, PROT_WRITE, madvise, mmap, munmap

cdef enum:
    BUCKETS_MIN = 64  # per band
    SHARE = 8  # texts of the room for each of them, at most


if sizeof(bucket_t) != 64:
    raise ImportError("a bucket is a line of cache")


cdef extern from *:
    """
    #define fetch_ahead(place) __builtin_prefetch(place)
    """
    void fetch_ahead(const void *place) noexcept nogil


cdef void *pages(size_t size) noexcept nogil:
    """Return memory of zeros, which takes room page by page as it is written; NULL without it. (`calloc` writes it under glibc's perturb.)"""
    cdef void *found = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
    return NULL if found == MAP_FAILED else found


cdef void set_to_zeros(void *memory, size_t size) noexcept nogil:
    """Let memory of `pages` hold zeros again, and take no room until it is written. Locked memory keeps its room."""
    if madvise(memory, size, MADV_DONTNEED):
        memset(memory, 0, size)


cdef void give_back(void *memory, size_t size) noexcept nogil:
    if memory != NULL:
        munmap(memory, size)


cdef inline uint64_t mixed(uint64_t word) noexcept nogil:
    """Finish a hash as SplitMix64 does: each bit of the word changes half of the result's."""
    word = (word ^ (word >> 30)) * <uint64_t>0xBF58476D1CE4E5B9
    word = (word ^ (word >> 27)) * <uint64_t>0x94D049BB133111EB
    return word ^ (word >> 31)


cdef void sketched(const uint64_t *key, const uint8_t *text, size_t size, uint32_t *bins) noexcept nogil:
    """Compute the bins of `size` bytes, at least SHINGLE."""
    cdef uint64_t[BINS] least
    cdef uint64_t hash, NONE = <uint64_t>1 << 32
    cdef uint32_t word = 0
    cdef size_t at
    cdef int place, step
    for place in range(BINS):
        least[place] = NONE
    for at in range(size - SHINGLE + 1):
        memcpy(&word, text + at, SHINGLE)
        hash = mixed(mixed(word ^ key[0]) + key[1])
        place = <int>(hash >> 60)
        least[place] = min(least[place], <uint32_t>hash)  # without a branch, which would be guessed wrongly as often as not
    for place in range(BINS):
        step = 0
        while least[(place + step) % BINS] == NONE:
            step += 1
        bins[place] = <uint32_t>least[(place + step) % BINS] + <uint32_t>step * <uint32_t>0x9E3779B1


cdef inline int equal(const uint32_t *a, const uint32_t *b) noexcept nogil:
    """Return the number of equal bins."""
    cdef int place, found = 0
    for place in range(BINS):
        found += a[place] == b[place]
    return found


cdef inline bint has_number(const uint64_t *numbers, int count, uint64_t number) noexcept nogil:
    cdef int place
    for place in range(count):
        if numbers[place] == number:
            return True
    return False


cdef inline uint64_t mark_of(const uint32_t *bins) noexcept nogil:
    """Return four bits of each bin."""
    cdef uint64_t mark = 0
    cdef int place
    for place in range(BINS):
        mark = mark << 4 | (bins[place] & 15)
    return mark


cdef inline int equal_marks(uint64_t a, uint64_t b) noexcept nogil:
    """Return how many bins may be equal by their marks: at least as many as are."""
    cdef uint64_t unlike = a ^ b
    unlike |= unlike >> 2
    unlike |= unlike >> 1
    unlike = (unlike & <uint64_t>0x0101010101010101) + (unlike >> 4 & <uint64_t>0x0101010101010101)
    return BINS - <int>(unlike * <uint64_t>0x0101010101010101 >> 56)


cdef class Shingles:
    """Table of texts. `key`: 16 bytes; `room`: texts that are remembered; `least`: equal bins, of 16, of similar texts."""

    def __cinit__(self, key: bytes, room: int, least: int = 8):
        if len(key) != 16 or not 1 <= room <= 1 << 24 or not 1 <= least <= BINS:
            raise ValueError("16 bytes, room for one text at least, and 1 to 16 bins")
        memcpy(self.key, <const char *>key, 16)
        self.room, self.least, self.buckets_mask = room, least, BUCKETS_MIN - 1
        while self.buckets_mask * SHARE < self.room:
            self.buckets_mask = 2 * self.buckets_mask + 1
        self.entries = <entry_t *>pages(self.room * sizeof(entry_t))
        self.buckets = <bucket_t *>pages(self._buckets_size())
        if self.entries == NULL or self.buckets == NULL:
            raise MemoryError

    def __dealloc__(self):
        give_back(self.entries, self.room * sizeof(entry_t))
        give_back(self.buckets, self._buckets_size())

    cdef size_t _buckets_size(self) noexcept nogil:
        return BANDS * (self.buckets_mask + 1) * sizeof(bucket_t)

    def clear(self) -> None:
        """Forget all texts, and give their memory back."""
        set_to_zeros(self.entries, self.room * sizeof(entry_t))
        set_to_zeros(self.buckets, self._buckets_size())
        self.last, self.latest = 0, 0.0

    def __len__(self) -> int:
        return min(self.last, self.room)

    def put(self, text: bytes, chat: int, side: int, time: float, since: float) -> tuple[int, list[tuple[int, int, int, float]]]:
        """Remember a text.

        Return its number, counted from 1, and (number, chat, side, time) of up to MOST similar earlier ones, not older than `since`.

        `time` never decreases. Raises ValueError for less than four bytes.
        """
        cdef const uint8_t[::1] view = text
        cdef sketch_t made
        cdef uint64_t[MOST] found
        cdef double oldest = since
        cdef int count, place
        cdef entry_t *entry
        if view.shape[0] < SHINGLE:
            raise ValueError("a text has four bytes at least")
        with nogil:
            self.sketch(&view[0], view.shape[0], &made)
            count = self._alike(made.bins, made.buckets, oldest, found)
        alike = []
        for place in range(count):
            entry = self.entries + found[place] % self.room
            alike.append((found[place], entry.chat, entry.side, entry.time))
        self._add(made.bins, made.buckets, chat, side, time)
        return self.last, alike

    cdef void sketch(self, const uint8_t *text, size_t size, sketch_t *made) noexcept nogil:
        """Write the sketch of a text of four bytes or more, and begin to fetch what `add_new` reads of the table."""
        sketched(self.key, text, size, made.bins)
        self._find_buckets(made.bins, made.buckets)

    cdef bint add_new(self, sketch_t *made, uint64_t chat, uint32_t side, double time, double since) noexcept nogil:
        """Remember a text by its sketch if no earlier one, not older than `since`, is similar; return whether."""
        cdef uint64_t[MOST] found
        if self._alike(made.bins, made.buckets, since, found):
            return False
        self._add(made.bins, made.buckets, chat, side, time)
        return True

    cdef void _find_buckets(self, const uint32_t *bins, bucket_at *buckets) noexcept nogil:
        """Write the bucket of each band, and fetch all of them at once."""
        cdef uint64_t both
        cdef int band
        for band in range(BANDS):
            memcpy(&both, bins + 2 * band, sizeof(both))
            buckets[band] = self.buckets + (<size_t>band * (self.buckets_mask + 1) + <size_t>(mixed(both) & self.buckets_mask))
            fetch_ahead(buckets[band])

    cdef int _alike(self, const uint32_t *bins, bucket_at *buckets, double since, uint64_t *found) noexcept nogil:
        """Write the numbers of similar entries, not older than `since`, the newest of each bucket first; return how many."""
        cdef uint64_t mark = mark_of(bins), number
        cdef int band, age, count = 0
        cdef uint32_t place
        for age in range(1, PLACES + 1):
            for band in range(BANDS):
                place = (buckets[band].next + PLACES - <uint32_t>age) % PLACES
                if equal_marks(buckets[band].marks[place], mark) >= self.least:
                    number = self._similar(buckets[band].numbers[place], bins, since)
                    if number and not has_number(found, count, number):
                        found[count] = number
                        count += 1
                        if count == MOST:
                            return count
        return count

    cdef uint64_t _similar(self, uint32_t low, const uint32_t *bins, double since) noexcept nogil:
        """Return the number of an entry by its low half, 0 if it was overwritten, is too old, not similar, or was never written."""
        cdef uint32_t gap = <uint32_t>self.last - low
        cdef const entry_t *entry
        if gap >= self.room or gap >= self.last:
            return 0
        entry = self.entries + (self.last - gap) % self.room
        return self.last - gap if entry.time >= since and equal(entry.bins, bins) >= self.least else 0

    cdef void _add(self, const uint32_t *bins, bucket_at *buckets, uint64_t chat, uint32_t side, double time) noexcept nogil:
        cdef uint64_t mark = mark_of(bins)
        cdef entry_t *entry
        cdef int band
        self.last += 1
        self.latest = time
        entry = self.entries + self.last % self.room
        memcpy(entry.bins, bins, BINS * sizeof(uint32_t))
        entry.chat, entry.side, entry.time = chat, side, time
        for band in range(BANDS):
            buckets[band].marks[buckets[band].next] = mark
            buckets[band].numbers[buckets[band].next] = <uint32_t>self.last
            buckets[band].next = (buckets[band].next + 1) % PLACES
