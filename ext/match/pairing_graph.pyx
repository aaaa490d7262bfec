"""Build the graph for pairing many tickets at once (`ext.match.batch_pairing`): for each ticket the allowed partners of the highest weight.

Partners are found through lists of tickets per interest.
"""

from libc.stdint cimport uint8_t, uint32_t, uint64_t
from libc.stdlib cimport calloc, free, malloc
from libc.string cimport memset


cdef void graph_free(Graph *g) noexcept nogil:
    free(g.none)
    free(g.any_level)
    free(g.total)
    free(g.rows)
    free(g.degree)
    free(g.in_order)
    free(g.floor)
    free(g.queue)
    free(g.queued)
    free(g.asked)
    free(g.suitor)
    free(g.mate_weight)


cdef int graph_make(Graph *g) noexcept nogil:
    """Allocate `n` tickets with room for `2 * keep` partners each. -1: no memory."""
    g.none = <uint32_t *>calloc(g.n + 1, 4)
    g.any_level = <uint8_t *>malloc(g.n)
    g.total = <uint32_t *>calloc(g.n, 4)
    g.rows = <uint64_t *>malloc(<size_t>g.n * 2 * g.keep * sizeof(uint64_t))
    g.degree = <uint32_t *>calloc(g.n, 4)
    g.in_order = <uint32_t *>calloc(g.n, 4)
    g.floor = <uint32_t *>calloc(g.n, 4)
    g.queue = <uint32_t *>malloc(<size_t>g.n * 4)
    g.queued = <uint8_t *>calloc(g.n, 1)
    g.asked = <uint32_t *>calloc(g.n, 4)
    g.suitor = <int32_t *>malloc(<size_t>g.n * 4)
    g.mate_weight = <uint32_t *>calloc(g.n, 4)
    if (g.none == NULL or g.any_level == NULL or g.total == NULL or g.rows == NULL or g.degree == NULL or g.in_order == NULL
            or g.floor == NULL or g.queue == NULL or g.queued == NULL or g.asked == NULL or g.suitor == NULL or g.mate_weight == NULL):
        graph_free(g)
        return -1
    memset(g.any_level, 1, g.n)
    return 0


cdef void sort(uint64_t *keys, int begin, int end, int want) noexcept nogil:
    """Put the first `want` of the descending order of keys[begin:end], all different, in their places; the rest follow unordered."""
    cdef int i, j
    cdef uint64_t pivot, key
    while end - begin > 12:
        pivot = middle(keys[begin], keys[begin + (end - begin) // 2], keys[end - 1])
        i = begin
        j = end - 1
        while i <= j:
            while keys[i] > pivot:
                i += 1
            while keys[j] < pivot:
                j -= 1
            if i <= j:
                key = keys[i]
                keys[i] = keys[j]
                keys[j] = key
                i += 1
                j -= 1
        if i < want:
            sort(keys, i, end, want)
        end = j + 1
    for i in range(begin + 1, end):
        key = keys[i]
        j = i
        while j > begin and keys[j - 1] < key:
            keys[j] = keys[j - 1]
            j -= 1
        keys[j] = key


cdef inline uint64_t middle(uint64_t a, uint64_t b, uint64_t c) noexcept nogil:
    return max(min(a, b), min(max(a, b), c))


cdef inline void offer(Graph *g, uint32_t a, uint32_t b, uint32_t weight) noexcept nogil:
    """Add b to the partners of a, unless `keep` heavier ones are known."""
    if weight <= g.floor[a]:
        return
    if g.degree[a] == 2 * g.keep:
        sort(row(g, a), 0, g.degree[a], g.keep)
        g.degree[a] = g.keep
        g.floor[a] = weight_of(row(g, a)[g.keep - 1])
        if weight <= g.floor[a]:
            return
    row(g, a)[g.degree[a]] = entry(b, weight)
    g.degree[a] += 1


cdef struct Lists:
    uint32_t *start    # per interest: where its row begins
    uint32_t *fill     # per interest: the length of its row
    uint32_t *row      # tickets of each interest
    uint32_t *sums     # per ticket: the weight shared with the current one
    uint32_t *touched  # tickets whose sum is not 0


cdef void lists_free(Lists *lists) noexcept nogil:
    free(lists.start)
    free(lists.fill)
    free(lists.row)
    free(lists.sums)
    free(lists.touched)


cdef int lists_make(Lists *lists, const Graph *g, uint32_t most) noexcept nogil:
    """Allocate empty rows of their final length. -1: no memory."""
    cdef uint32_t i
    lists.start = <uint32_t *>calloc(<size_t>most + 2, 4)
    lists.fill = <uint32_t *>calloc(<size_t>most + 2, 4)
    lists.row = <uint32_t *>malloc((<size_t>g.offsets[g.n] + 1) * 4)
    lists.sums = <uint32_t *>calloc(<size_t>g.n + 1, 4)
    lists.touched = <uint32_t *>malloc((<size_t>g.n + 1) * 4)
    if lists.start == NULL or lists.fill == NULL or lists.row == NULL or lists.sums == NULL or lists.touched == NULL:
        lists_free(lists)
        return -1
    for i in range(g.offsets[g.n]):
        lists.start[g.ids[i] + 1] += 1
    for i in range(most + 1):
        lists.start[i + 1] += lists.start[i]
    return 0


cdef uint32_t add(Lists *lists, const Graph *g, uint32_t a) noexcept nogil:
    """Add a ticket to the rows of its interests; return how many earlier tickets share an interest with it."""
    cdef uint32_t i, k, b, weight, id, count = 0
    for i in range(g.offsets[a], g.offsets[a + 1]):
        id = g.ids[i]
        weight = g.worth[i]
        for k in range(lists.start[id], lists.start[id] + lists.fill[id]):
            b = lists.row[k]
            if lists.sums[b] == 0:
                lists.touched[count] = b
                count += 1
            lists.sums[b] += weight
        lists.row[lists.start[id] + lists.fill[id]] = a
        lists.fill[id] += 1
    return count


cdef int neighbours(Graph *g, uint32_t most) noexcept nogil:
    """Fill `rows` through lists of tickets per interest. -1: no memory."""
    cdef Lists lists
    cdef uint32_t a, b, i, k, count, weight, most_worth
    if lists_make(&lists, g, most):
        return -1
    for a in range(g.n):
        for i in range(g.offsets[a], g.offsets[a + 1]):
            g.total[a] += g.worth[i]
    for a in range(g.n):  # the lists hold the tickets before a, so each pair is met once, from the younger
        count = add(&lists, g, a)
        for k in range(count):
            b = lists.touched[k]
            weight = lists.sums[b]
            most_worth = weight * g.at_home
            lists.sums[b] = 0
            if most_worth > g.floor[a] or most_worth > g.floor[b]:
                weight = allowed(g, a, b, weight)
                if weight:
                    offer(g, a, b, weight)
                    offer(g, b, a, weight)
    for a in range(g.n):
        g.in_order[a] = g.keep if g.degree[a] > g.keep else min(g.degree[a], FIRST)
        sort(row(g, a), 0, g.degree[a], g.in_order[a])
        g.degree[a] = min(g.degree[a], g.keep)
    lists_free(&lists)
    return 0
