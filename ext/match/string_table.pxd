"""Declare the hash table of texts under small numbers (string_table.pyx). The caller counts the uses of a text."""
from libc.stdint cimport uint16_t, uint32_t

cdef enum:
    UNIT = 8        # bytes: a text occupies whole units
    CLASSES = 512   # units of the longest text

cdef struct text_t:
    uint32_t hash
    uint32_t next    # next in its bucket, or in the list of free numbers
    uint32_t offset  # in units
    uint16_t size    # in bytes
    uint16_t used    # 1: a text; 0: a free number

cdef struct strings_t:
    text_t *texts
    uint32_t room, top, count, free
    uint32_t *buckets
    uint32_t buckets_room, mask, split   # linear hashing: no step moves more than one bucket
    char *arena
    uint32_t arena_room, arena_top       # in units
    uint32_t given[513]                  # freed pieces by size, each holding the offset of the next

cdef int strings_init(strings_t *strings) noexcept nogil
cdef void strings_free(strings_t *strings) noexcept nogil
cdef void strings_fetch(const strings_t *strings, const uint32_t *hashes, uint32_t *first, uint32_t count) noexcept nogil
cdef uint32_t strings_find(const strings_t *strings, uint32_t hash, const char *text, uint32_t size) noexcept nogil
cdef uint32_t strings_add(strings_t *strings, uint32_t hash, const char *text, uint32_t size) noexcept nogil
cdef void strings_drop(strings_t *strings, uint32_t number) noexcept nogil
