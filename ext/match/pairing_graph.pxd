"""Declare the graph for pairing many tickets at once: each ticket's allowed partners of the highest weight.

**Invariant:** only this module decides whether a pair is allowed, and the pair's weight.
"""

from libc.stdint cimport int32_t, int64_t, uint8_t, uint32_t, uint64_t

cdef extern from "c/levels.h" nogil:
    enum:
        MX_GOOD, MX_GOOD_PART

cdef enum:
    DEEPEST = 5  # most new edges of an augmentation
    FIRST = 16  # partners of a ticket that are put in order at once; the others when one of them is asked for

cdef struct Graph:
    uint32_t n, keep, depth
    uint32_t at_home, abroad  # factors of the weight of a pair of one home, and of all others
    const uint32_t *offsets
    const uint32_t *ids
    const uint32_t *worth
    const uint64_t *persons
    const uint32_t *avoid_offsets
    const uint64_t *avoid
    const uint32_t *places
    const uint32_t *homes
    const uint8_t *levels
    uint32_t *total
    uint64_t *rows      # n rows with room for 2 * keep partners: `nth` reads them
    uint32_t *degree    # how many partners a row has
    uint32_t *in_order  # how many of them are in order, the heaviest first
    uint32_t *floor     # a partner of this weight or less has no place in a full row
    uint32_t *queue     # tickets whose augmentations are to be tried: `waiting` of them, from `head` on, in a ring
    uint8_t *queued
    uint32_t head, waiting
    int32_t *mate
    uint32_t *mate_weight
    uint32_t *asked     # how many of its partners a ticket has proposed to
    int32_t *suitor     # whose proposal a ticket holds, of the weight `mate_weight`
    uint32_t *none      # zeros: offsets if no person is avoided, places and homes if no ticket has one
    uint8_t *any_level  # levels if all tickets accept any overlap
    # the path that `extend` works on, and the best one so far
    uint32_t path[2 * DEEPEST + 8]
    uint32_t added[DEEPEST + 4]
    uint32_t best_path[2 * DEEPEST + 8]
    uint32_t best_added[DEEPEST + 4]
    int best_length
    int64_t best_gain
    bint best_closed
    uint32_t best_close_weight


cdef inline bint apart(const Graph *g, uint32_t a, uint32_t b) noexcept nogil:
    cdef uint32_t i
    if g.places[a] != g.places[b] and g.places[a] and g.places[b]:
        return True
    if g.persons != NULL and g.persons[a] and g.persons[a] == g.persons[b]:
        return True
    for i in range(g.avoid_offsets[a], g.avoid_offsets[a + 1]):
        if g.avoid[i] == g.persons[b]:
            return True
    for i in range(g.avoid_offsets[b], g.avoid_offsets[b + 1]):
        if g.avoid[i] == g.persons[a]:
            return True
    return False


cdef inline uint32_t factor(const Graph *g, uint32_t a, uint32_t b) noexcept nogil:
    return g.at_home if g.homes[a] and g.homes[a] == g.homes[b] else g.abroad


cdef inline uint32_t allowed(const Graph *g, uint32_t a, uint32_t b, uint32_t weight) noexcept nogil:
    """Return the weight times the pair's factor, or 0 if a rule forbids the pair: level GOOD requires a part of what either asked for."""
    cdef bint picky = g.levels[a] == MX_GOOD or g.levels[b] == MX_GOOD
    if weight == 0 or (picky and MX_GOOD_PART * weight < min(g.total[a], g.total[b])) or apart(g, a, b):
        return 0
    return weight * factor(g, a, b)


cdef inline uint32_t shared(const Graph *g, uint32_t a, uint32_t b) noexcept nogil:
    cdef uint32_t i = g.offsets[a], j = g.offsets[b], weight = 0
    while i < g.offsets[a + 1] and j < g.offsets[b + 1]:
        if g.ids[i] == g.ids[j]:
            weight += g.worth[i]
            i += 1
            j += 1
        elif g.ids[i] < g.ids[j]:
            i += 1
        else:
            j += 1
    return allowed(g, a, b, weight)


cdef inline uint64_t entry(uint32_t b, uint32_t weight) noexcept nogil:
    """Return a partner as a number: of two, the greater is heavier, or as heavy and older."""
    return <uint64_t>weight << 32 | <uint32_t>~b


cdef inline uint32_t partner(uint64_t entry) noexcept nogil:
    return ~<uint32_t>entry


cdef inline uint32_t weight_of(uint64_t entry) noexcept nogil:
    return <uint32_t>(entry >> 32)


cdef inline uint64_t *row(const Graph *g, uint32_t a) noexcept nogil:
    return g.rows + <uint64_t>a * 2 * g.keep


cdef inline uint64_t nth(Graph *g, uint32_t a, uint32_t k) noexcept nogil:
    """Return the k-th heaviest partner of a, as an `entry`; there are `degree` of them."""
    if k >= g.in_order[a]:
        sort(row(g, a), g.in_order[a], g.degree[a], g.degree[a])
        g.in_order[a] = g.degree[a]
    return row(g, a)[k]


cdef void sort(uint64_t *keys, int begin, int end, int want) noexcept nogil
cdef int graph_make(Graph *g) noexcept nogil
cdef void graph_free(Graph *g) noexcept nogil
cdef int neighbours(Graph *g, uint32_t most) noexcept nogil
