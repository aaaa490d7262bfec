"""Texts by small numbers: 16 bytes a number, 4 a bucket, and the text in units of 8.

A number is given again after `words_drop`. Hashing is the caller's, and must be keyed where strangers choose the texts.
"""
from libc.stdint cimport uint16_t, uint32_t
from libc.stdlib cimport free, malloc, realloc
from libc.string cimport memcmp, memcpy, memset

cdef enum:
    NONE = 0xFFFFFFFF
    START = 64  # buckets of an empty table


cdef int words_init(words_t *words) noexcept nogil:
    """An empty table; -1 where there is no memory."""
    memset(words, 0, sizeof(words_t))
    words.free = NONE
    words.buckets = <uint32_t *>malloc(START * 4)
    if words.buckets == NULL:
        return -1
    memset(words.buckets, 0xFF, START * 4)
    memset(words.given, 0xFF, sizeof(words.given))
    words.buckets_room = START
    words.mask = START - 1
    return 0


cdef void words_free(words_t *words) noexcept nogil:
    free(words.texts)
    free(words.buckets)
    free(words.arena)


cdef inline uint32_t bucket(const words_t *words, uint32_t hash) noexcept nogil:
    cdef uint32_t at = hash & words.mask
    return at if at >= words.split else hash & (words.mask * 2 + 1)


cdef uint32_t words_find(const words_t *words, uint32_t hash, const char *text, uint32_t size) noexcept nogil:
    """The number of a text, or NONE (0xFFFFFFFF)."""
    cdef uint32_t number = words.buckets[bucket(words, hash)]
    cdef const text_t *found
    while number != NONE:
        found = &words.texts[number]
        if found.hash == hash and found.size == size and not memcmp(words.arena + <size_t>found.offset * UNIT, text, size):
            return number
        number = found.next
    return NONE


cdef void split(words_t *words) noexcept nogil:
    """One bucket more; where there is no memory for it, chains grow longer instead."""
    cdef uint32_t source = words.split, target = source + words.mask + 1, number, after, at
    cdef void *grown
    if target >= words.buckets_room:
        grown = realloc(words.buckets, <size_t>words.buckets_room * 8)
        if grown == NULL:
            return
        words.buckets = <uint32_t *>grown
        words.buckets_room *= 2
    number = words.buckets[source]
    words.buckets[source] = words.buckets[target] = NONE
    words.split += 1
    if words.split > words.mask:
        words.split = 0
        words.mask = words.mask * 2 + 1
    while number != NONE:
        after = words.texts[number].next
        at = bucket(words, words.texts[number].hash)
        words.texts[number].next = words.buckets[at]
        words.buckets[at] = number
        number = after


cdef uint32_t piece(words_t *words, uint32_t units) noexcept nogil:
    """Where `units` units are free, in units; NONE: no memory."""
    cdef uint32_t offset = words.given[units], room
    cdef void *grown
    if offset != NONE:
        memcpy(&words.given[units], words.arena + <size_t>offset * UNIT, 4)
        return offset
    if words.arena_top + units > words.arena_room:
        room = words.arena_room + words.arena_room // 2 if words.arena_room else 1024
        grown = realloc(words.arena, <size_t>room * UNIT)
        if grown == NULL:
            return NONE
        words.arena = <char *>grown
        words.arena_room = room
    offset = words.arena_top
    words.arena_top += units
    return offset


cdef uint32_t words_add(words_t *words, uint32_t hash, const char *text, uint32_t size) noexcept nogil:
    """A number for a text that has none, of 1 to 4,096 bytes; NONE where there is no memory."""
    cdef uint32_t number = words.free, room, at, offset
    cdef void *grown
    if number == NONE and words.top == words.room:
        room = words.room + words.room // 2 if words.room else 256
        grown = realloc(words.texts, <size_t>room * sizeof(text_t))
        if grown == NULL:
            return NONE
        words.texts = <text_t *>grown
        words.room = room
    offset = piece(words, (size + UNIT - 1) // UNIT)
    if offset == NONE:
        return NONE
    if number != NONE:
        words.free = words.texts[number].next
    else:
        number = words.top
        words.top += 1
    memcpy(words.arena + <size_t>offset * UNIT, text, size)
    at = bucket(words, hash)
    words.texts[number] = text_t(hash, words.buckets[at], offset, <uint16_t>size, 1)
    words.buckets[at] = number
    words.count += 1
    if words.count > words.mask + 1 + words.split:
        split(words)
    return number


cdef void words_drop(words_t *words, uint32_t number) noexcept nogil:
    """Forget a text; its number and its place are free."""
    cdef text_t *text = &words.texts[number]
    cdef uint32_t units = (text.size + UNIT - 1) // UNIT
    cdef uint32_t *at = &words.buckets[bucket(words, text.hash)]
    while at[0] != number:
        at = &words.texts[at[0]].next
    at[0] = text.next
    memcpy(words.arena + <size_t>text.offset * UNIT, &words.given[units], 4)
    words.given[units] = text.offset
    text.used = 0
    text.next = words.free
    words.free = number
    words.count -= 1
