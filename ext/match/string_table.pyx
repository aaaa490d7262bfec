"""Store texts under small numbers in a compact C hash table; a number is reused after `strings_drop`.

The caller computes the hashes, with a secret key if users choose the texts. Memory: 16 bytes per number, 4 per bucket, texts rounded up to 8.
"""
from libc.stdint cimport uint16_t, uint32_t
from libc.stdlib cimport free, malloc, realloc
from libc.string cimport memcmp, memcpy, memset

from ext.base.system cimport prefetch

cdef enum:
    NONE = 0xFFFFFFFF
    START = 64  # initial number of buckets


cdef int strings_init(strings_t *strings) noexcept nogil:
    """Make an empty table; -1 if there is no memory."""
    memset(strings, 0, sizeof(strings_t))
    strings.free = NONE
    strings.buckets = <uint32_t *>malloc(START * 4)
    if strings.buckets == NULL:
        return -1
    memset(strings.buckets, 0xFF, START * 4)
    memset(strings.given, 0xFF, sizeof(strings.given))
    strings.buckets_room = START
    strings.mask = START - 1
    return 0


cdef void strings_free(strings_t *strings) noexcept nogil:
    free(strings.texts)
    free(strings.buckets)
    free(strings.arena)


cdef inline uint32_t bucket(const strings_t *strings, uint32_t hash) noexcept nogil:
    cdef uint32_t at = hash & strings.mask
    return at if at >= strings.split else hash & (strings.mask * 2 + 1)


cdef void strings_fetch(const strings_t *strings, const uint32_t *hashes, uint32_t *first, uint32_t count) noexcept nogil:
    """Fetch what `strings_find` will read of several texts into the cache, all at a time. first: the number that each bucket begins with, 0 if
    it is empty.
    """
    cdef uint32_t i
    for i in range(count):
        prefetch(&strings.buckets[bucket(strings, hashes[i])])
        first[i] = 0
    if not strings.top:
        return
    for i in range(count):
        first[i] = strings.buckets[bucket(strings, hashes[i])]
        first[i] = 0 if first[i] == NONE else first[i]
        prefetch(&strings.texts[first[i]])
    for i in range(count):
        prefetch(strings.arena + <size_t>strings.texts[first[i]].offset * UNIT)


cdef uint32_t strings_find(const strings_t *strings, uint32_t hash, const char *text, uint32_t size) noexcept nogil:
    """Return the number of a text, or NONE (0xFFFFFFFF)."""
    cdef uint32_t number = strings.buckets[bucket(strings, hash)]
    cdef const text_t *found
    while number != NONE:
        found = &strings.texts[number]
        if found.hash == hash and found.size == size and not memcmp(strings.arena + <size_t>found.offset * UNIT, text, size):
            return number
        number = found.next
    return NONE


cdef void split(strings_t *strings) noexcept nogil:
    """Add a bucket; if there is no memory for it, chains grow longer instead."""
    cdef uint32_t source = strings.split, target = source + strings.mask + 1, number, after, at
    cdef void *grown
    if target >= strings.buckets_room:
        grown = realloc(strings.buckets, <size_t>strings.buckets_room * 8)
        if grown == NULL:
            return
        strings.buckets = <uint32_t *>grown
        strings.buckets_room *= 2
    number = strings.buckets[source]
    strings.buckets[source] = strings.buckets[target] = NONE
    strings.split += 1
    if strings.split > strings.mask:
        strings.split = 0
        strings.mask = strings.mask * 2 + 1
    while number != NONE:
        after = strings.texts[number].next
        at = bucket(strings, strings.texts[number].hash)
        strings.texts[number].next = strings.buckets[at]
        strings.buckets[at] = number
        number = after


cdef uint32_t piece(strings_t *strings, uint32_t units) noexcept nogil:
    """Return the offset of `units` free units; NONE: no memory."""
    cdef uint32_t offset = strings.given[units], room
    cdef void *grown
    if offset != NONE:
        memcpy(&strings.given[units], strings.arena + <size_t>offset * UNIT, 4)
        return offset
    if strings.arena_top + units > strings.arena_room:
        room = strings.arena_room + strings.arena_room // 2 if strings.arena_room else 1024
        grown = realloc(strings.arena, <size_t>room * UNIT)
        if grown == NULL:
            return NONE
        strings.arena = <char *>grown
        strings.arena_room = room
    offset = strings.arena_top
    strings.arena_top += units
    return offset


cdef uint32_t strings_add(strings_t *strings, uint32_t hash, const char *text, uint32_t size) noexcept nogil:
    """Store a new text of 1 to 4,096 bytes and return its number; NONE if there is no memory."""
    cdef uint32_t number = strings.free, room, at, offset
    cdef void *grown
    if number == NONE and strings.top == strings.room:
        room = strings.room + strings.room // 2 if strings.room else 256
        grown = realloc(strings.texts, <size_t>room * sizeof(text_t))
        if grown == NULL:
            return NONE
        strings.texts = <text_t *>grown
        strings.room = room
    offset = piece(strings, (size + UNIT - 1) // UNIT)
    if offset == NONE:
        return NONE
    if number != NONE:
        strings.free = strings.texts[number].next
    else:
        number = strings.top
        strings.top += 1
    memcpy(strings.arena + <size_t>offset * UNIT, text, size)
    at = bucket(strings, hash)
    strings.texts[number] = text_t(hash, strings.buckets[at], offset, <uint16_t>size, 1)
    strings.buckets[at] = number
    strings.count += 1
    if strings.count > strings.mask + 1 + strings.split:
        split(strings)
    return number


cdef void strings_drop(strings_t *strings, uint32_t number) noexcept nogil:
    """Delete a text; its number and its place become free."""
    cdef text_t *text = &strings.texts[number]
    cdef uint32_t units = (text.size + UNIT - 1) // UNIT
    cdef uint32_t *at = &strings.buckets[bucket(strings, text.hash)]
    while at[0] != number:
        at = &strings.texts[at[0]].next
    at[0] = text.next
    memcpy(strings.arena + <size_t>text.offset * UNIT, &strings.given[units], 4)
    strings.given[units] = text.offset
    text.used = 0
    text.next = strings.free
    strings.free = number
    strings.count -= 1
