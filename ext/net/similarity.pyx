"""Find similar texts with MinHash (one permutation, shingles of four bytes) in a bounded table.

**Invariant:** the table holds keyed hashes, never a text.
"""

# A text becomes 16 numbers: each shingle's hash falls into one of 16 bins, of which each keeps the least; an empty bin takes its next neighbour's,
# rotated by the distance. The share of equal bins of two texts estimates the share of shingles that they have in common. Two texts are compared if
# one of eight bands, of two bins each, is equal. Entries are overwritten in order of arrival; a band's chains lead from new to old entries and end at
# one that was overwritten, so that nothing is ever removed from them.

from libc.stdint cimport uint8_t, uint32_t, uint64_t
from libc.string cimport memcpy
from posix.mman cimport MAP_ANONYMOUS, MAP_FAILED, MAP_PRIVATE, PROT_READ, PROT_WRITE, mmap, munmap

cdef enum:
    BANDS = 8
    BUCKETS = 1 << 16  # per band
    STEPS = 32  # entries of a chain that are visited


cdef extern from *:
    """
    #define fetch_ahead(place) __builtin_prefetch(place)
    """
    void fetch_ahead(const void *place) noexcept nogil


cdef void *pages(size_t size) noexcept nogil:
    """Return memory of zeros, which takes room page by page as it is written; NULL without it. (`calloc` writes it under glibc's perturb.)"""
    cdef void *found = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
    return NULL if found == MAP_FAILED else found


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
    cdef bint[BINS] there
    cdef uint64_t hash
    cdef uint32_t word = 0, value
    cdef size_t at
    cdef int place, step
    for place in range(BINS):
        there[place] = False
        bins[place] = 0
    for at in range(size - SHINGLE + 1):
        memcpy(&word, text + at, SHINGLE)
        hash = mixed(mixed(word ^ key[0]) + key[1])
        place = <int>(hash >> 60)
        value = <uint32_t>hash
        if not there[place] or value < bins[place]:
            bins[place] = value
            there[place] = True
    for place in range(BINS):
        if not there[place]:
            step = 1
            while not there[(place + step) % BINS]:
                step += 1
            bins[place] = bins[(place + step) % BINS] + <uint32_t>step * <uint32_t>0x9E3779B1


cdef inline int equal(const uint32_t *a, const uint32_t *b) noexcept nogil:
    """Return the number of equal bins."""
    cdef int place, found = 0
    for place in range(BINS):
        found += a[place] == b[place]
    return found


cdef class Shingles:
    """Table of texts. `key`: 16 bytes; `room`: texts that are remembered; `least`: equal bins, of 16, of similar texts."""

    def __cinit__(self, key: bytes, room: int, least: int = 8):
        if len(key) != 16 or not 1 <= room <= 1 << 24 or not 1 <= least <= BINS:
            raise ValueError("16 bytes, room for one text at least, and 1 to 16 bins")
        memcpy(self.key, <const char *>key, 16)
        self.room, self.least = room, least
        self._take_pages()

    def __dealloc__(self):
        self._give_back()

    cdef object _take_pages(self):
        self.entries = <entry_t *>pages(self.room * sizeof(entry_t))
        self.older = <uint32_t *>pages(self.room * BANDS * sizeof(uint32_t))
        self.newest = <uint32_t *>pages(<size_t>BANDS * BUCKETS * sizeof(uint32_t))
        if self.entries == NULL or self.older == NULL or self.newest == NULL:
            raise MemoryError

    cdef void _give_back(self) noexcept:
        give_back(self.entries, self.room * sizeof(entry_t))
        give_back(self.older, self.room * BANDS * sizeof(uint32_t))
        give_back(self.newest, <size_t>BANDS * BUCKETS * sizeof(uint32_t))
        self.entries, self.older, self.newest = NULL, NULL, NULL

    def clear(self) -> None:
        """Forget all texts, and give their memory back."""
        self._give_back()
        self.last, self.latest = 0, 0.0
        self._take_pages()

    def __len__(self) -> int:
        return min(self.last, self.room)

    def put(self, text: bytes, chat: int, side: int, time: float, since: float) -> tuple[int, list[tuple[int, int, int, float]]]:
        """Remember a text.

        Return its number, counted from 1, and (number, chat, side, time) of up to 6 similar earlier ones, not older than `since`.

        `time` never decreases. Raises ValueError for less than four bytes.
        """
        cdef const uint8_t[::1] view = text
        cdef uint32_t[BINS] bins
        cdef uint64_t[MOST] found
        cdef double oldest = since
        cdef int count, place
        cdef entry_t *entry
        if view.shape[0] < SHINGLE:
            raise ValueError("a text has four bytes at least")
        with nogil:
            sketched(self.key, &view[0], view.shape[0], bins)
            count = self._alike(bins, oldest, found)
        alike = []
        for place in range(count):
            entry = self.entries + found[place] % self.room
            alike.append((found[place], entry.chat, entry.side, entry.time))
        self._add(bins, chat, side, time)
        return self.last, alike

    cdef bint add_new(self, const uint8_t *text, size_t size, uint64_t chat, uint32_t side, double time, double since) noexcept nogil:
        """Remember a text of four bytes or more if no earlier one, not older than `since`, is similar; return whether."""
        cdef uint32_t[BINS] bins
        cdef uint64_t[MOST] found
        sketched(self.key, text, size, bins)
        if self._alike(bins, since, found):
            return False
        self._add(bins, chat, side, time)
        return True

    cdef int _alike(self, const uint32_t *bins, double since, uint64_t *found) noexcept nogil:
        """Walk the chains of all bands abreast, so that the memory of one is fetched while another is compared."""
        cdef uint64_t[BANDS] places  # the entry that is next in each band, 0: its chain is over
        cdef size_t[BANDS] buckets
        cdef int band, seen, over, _step, count = 0
        cdef uint64_t number
        cdef const entry_t *entry
        for band in range(BANDS):
            buckets[band] = self._bucket(bins, band)
            fetch_ahead(self.newest + buckets[band])
        for band in range(BANDS):
            places[band] = self._at(self.newest[buckets[band]], band)
        for _step in range(STEPS):
            over = 0
            for band in range(BANDS):
                number = places[band]
                if number == 0:
                    over += 1
                    continue
                entry = self.entries + number % self.room
                if entry.time < since:
                    places[band] = 0
                    continue
                if equal(entry.bins, bins) >= self.least:
                    seen = 0
                    while seen < count and found[seen] != number:
                        seen += 1
                    if seen == count:
                        found[count] = number
                        count += 1
                        if count == MOST:
                            return count
                places[band] = self._at(self.older[(number % self.room) * BANDS + band], band)
            if over == BANDS:
                break
        return count

    cdef inline uint64_t _at(self, uint32_t low, int band) noexcept nogil:
        """Return the number of an entry by its low half, and fetch it ahead; 0 if it was overwritten, or there was none."""
        cdef uint32_t gap = <uint32_t>self.last - low
        if gap >= self.room or gap >= self.last:
            return 0
        fetch_ahead(self.entries + (self.last - gap) % self.room)
        fetch_ahead(&self.entries[(self.last - gap) % self.room].time)
        fetch_ahead(self.older + ((self.last - gap) % self.room) * BANDS + band)
        return self.last - gap

    cdef size_t _bucket(self, const uint32_t *bins, int band) noexcept nogil:
        cdef uint64_t both
        memcpy(&both, bins + 2 * band, sizeof(both))
        return <size_t>band * BUCKETS + <size_t>(mixed(both) & (BUCKETS - 1))

    cdef void _add(self, const uint32_t *bins, uint64_t chat, uint32_t side, double time) noexcept nogil:
        cdef uint64_t slot
        cdef size_t bucket
        cdef int band
        self.last += 1
        self.latest = time
        slot = self.last % self.room
        memcpy(self.entries[slot].bins, bins, BINS * sizeof(uint32_t))
        self.entries[slot].chat, self.entries[slot].side, self.entries[slot].time = chat, side, time
        for band in range(BANDS):
            bucket = self._bucket(bins, band)
            self.older[slot * BANDS + band] = self.newest[bucket]
            self.newest[bucket] = <uint32_t>self.last
