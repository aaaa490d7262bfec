"""Pair many waiting tickets at once, so that the sum of the pairs' weights (shared interests) is near its maximum.

Deterministic: tickets are in order of waiting time, and earlier ones win among equals.
"""

# Edges are taken by weight, the heaviest first (which takes every locally dominant edge), then short augmentations follow: from a pair or a single
# ticket, an alternating path of at most `depth` new edges that gains weight, after Lin and Kernighan. Each ticket considers its `keep` heaviest
# allowed partners only.

from libc.stdint cimport int32_t, int64_t, uint8_t, uint32_t, uint64_t
from libc.string cimport memset

from ext.match.pairing_graph cimport DEEPEST, Graph, factor, graph_free, graph_make, neighbours, nth, partner, shared, weight_of

from ext.match.errors import BadArray

cdef enum:
    FINE = 1000  # steps of the preference for a pair of one home


cdef void push(Graph *g, uint32_t a) noexcept nogil:
    """Let the augmentations that start at a be tried, after those that are queued."""
    cdef uint32_t end
    if g.queued[a]:
        return
    g.queued[a] = 1
    end = g.head + g.waiting
    g.queue[end if end < g.n else end - g.n] = a
    g.waiting += 1


cdef uint32_t pop(Graph *g) noexcept nogil:
    cdef uint32_t a = g.queue[g.head]
    g.queued[a] = 0
    g.head = g.head + 1 if g.head + 1 < g.n else 0
    g.waiting -= 1
    return a


cdef void join(Graph *g, uint32_t a, uint32_t b, uint32_t weight) noexcept nogil:
    g.mate[a] = <int32_t>b
    g.mate[b] = <int32_t>a
    g.mate_weight[a] = g.mate_weight[b] = weight


cdef void refill(Graph *g, uint32_t a) noexcept nogil:
    """Give a ticket that lost its partner the heaviest free one."""
    cdef uint32_t k, b
    cdef uint64_t edge
    if g.mate[a] >= 0:
        return
    for k in range(g.degree[a]):
        edge = nth(g, a, k)
        b = partner(edge)
        if g.mate[b] < 0:
            join(g, a, b, weight_of(edge))
            push(g, b)
            return


cdef void greedy(Graph *g) noexcept nogil:
    """Pair as if all edges were taken by weight, the heaviest first, without sorting them: each ticket proposes to the heaviest partner that
    has no better proposal, and one that is replaced proposes further (Manne and Halappanavar, 2014)."""
    cdef uint32_t a, b, i, k, weight
    cdef uint64_t edge
    cdef int32_t next
    for i in range(g.n):
        g.suitor[i] = -1
    for i in range(g.n):
        next = <int32_t>i
        while next >= 0:
            a = <uint32_t>next
            next = -1
            for k in range(g.asked[a], g.degree[a]):
                edge = nth(g, a, k)
                b = partner(edge)
                weight = weight_of(edge)
                if weight > g.mate_weight[b] or (weight == g.mate_weight[b] and <int32_t>a < g.suitor[b]):
                    g.asked[a] = k + 1
                    next = g.suitor[b]
                    g.suitor[b] = <int32_t>a
                    g.mate_weight[b] = weight
                    break
    for i in range(g.n):
        if g.suitor[i] >= 0 and g.suitor[g.suitor[i]] == <int32_t>i:
            g.mate[i] = g.suitor[i]
        else:
            g.mate_weight[i] = 0
    for i in range(g.n):  # a partner that does not know of it
        refill(g, i)


cdef void note(Graph *g, int length, int64_t gain, bint closed, uint32_t close_weight) noexcept nogil:
    cdef int i
    if gain <= g.best_gain:
        return
    g.best_gain = gain
    g.best_length = length
    g.best_closed = closed
    g.best_close_weight = close_weight
    for i in range(2 * length + 2):
        g.best_path[i] = g.path[i]
    for i in range(length):
        g.best_added[i] = g.added[i]


cdef void extend(Graph *g, int length, int64_t gain) noexcept nogil:
    """Extend the path [b, a, c, d, e, f, ..]: b-a and c-d were pairs, a-c and d-e become pairs, the last is free. b = a: a is single."""
    cdef uint32_t x = g.path[2 * length + 1], end = g.path[0], k, c, d, w
    cdef uint64_t edge
    cdef uint32_t wide = 12 if length == 0 else 8 if length == 1 else 5
    cdef int i
    cdef bint used
    for k in range(min(g.degree[x], wide + 4)):
        edge = nth(g, x, k)
        w = weight_of(edge)
        if gain + w <= 0:
            return
        c = partner(edge)
        used = False
        for i in range(2 * length + 2):
            if g.path[i] == c:
                used = True
        if used:
            continue
        g.added[length] = w
        g.path[2 * length + 2] = c
        if g.mate[c] < 0:
            g.path[2 * length + 3] = c
            note(g, length + 1, gain + w, False, 0)
            continue
        d = <uint32_t>g.mate[c]
        g.path[2 * length + 3] = d
        note(g, length + 1, gain + w - g.mate_weight[c], False, 0)
        if g.path[0] != g.path[1]:
            w = shared(g, d, end)
            if w:
                note(g, length + 1, gain + g.added[length] - g.mate_weight[c] + w, True, w)
        if <uint32_t>(length + 1) < g.depth and k < wide:
            extend(g, length + 1, gain + g.added[length] - g.mate_weight[c])


cdef void improve(Graph *g, uint32_t a) noexcept nogil:
    """Apply the best augmentation that starts at a."""
    cdef int i
    cdef int64_t gain = 0
    g.best_gain = 0
    g.best_length = 0
    g.path[1] = a
    g.path[0] = a
    if g.mate[a] >= 0:
        g.path[0] = <uint32_t>g.mate[a]
        gain = -<int64_t>g.mate_weight[a]
    extend(g, 0, gain)
    if g.best_length == 0:
        return
    for i in range(2 * g.best_length + 2):
        g.mate[g.best_path[i]] = -1
        g.mate_weight[g.best_path[i]] = 0
        push(g, g.best_path[i])
    for i in range(g.best_length):
        join(g, g.best_path[2 * i + 1], g.best_path[2 * i + 2], g.best_added[i])
    if g.best_closed:
        join(g, g.best_path[2 * g.best_length + 1], g.best_path[0], g.best_close_weight)
    else:
        refill(g, g.best_path[2 * g.best_length + 1])
        refill(g, g.best_path[0])


cdef int solve(Graph *g, uint32_t most, uint32_t passes) noexcept nogil:
    """Pair all tickets. -1: no memory."""
    cdef uint32_t i
    cdef uint64_t left = <uint64_t>g.n * passes
    for i in range(g.n):
        g.mate[i] = -1
    if neighbours(g, most):
        return -1
    greedy(g)
    if not g.depth:
        return 0
    for i in range(g.n):
        push(g, i)
    while g.waiting and left:  # a ticket is tried again after its partner, or that of one which it was paired with, has changed
        improve(g, pop(g))
        left -= 1
    return 0


cdef int check_shapes(uint32_t n, const uint32_t[::1] offsets, const uint32_t[::1] ids, const uint64_t[::1] persons,
                      const uint32_t[::1] avoid_offsets, const uint64_t[::1] avoid, const uint8_t[::1] levels) except -1:
    """Check the lengths of the arrays of n tickets, at least one."""
    if offsets[0] != 0 or offsets[n] != ids.shape[0] or (levels is not None and levels.shape[0] != n):
        raise BadArray("arrays of different lengths")
    if (persons is None) != (avoid is None):
        raise BadArray("persons without those whom they avoid, or these without them")
    if avoid is not None and (avoid_offsets is None or avoid_offsets.shape[0] != <Py_ssize_t>n + 1
                              or avoid_offsets[n] != avoid.shape[0] or persons.shape[0] != n):
        raise BadArray("arrays of different lengths")
    return 0


cdef int check_values(uint32_t n, const uint32_t[::1] offsets, const uint32_t[::1] ids, const uint32_t[::1] avoid_offsets) except -1:
    """Check the arrays' values; return the highest interest."""
    cdef uint32_t i, j, most = 0
    for i in range(n):
        if offsets[i + 1] < offsets[i] or (avoid_offsets is not None and avoid_offsets[i + 1] < avoid_offsets[i]):
            raise BadArray("offsets that fall")
    for i in range(ids.shape[0]):
        most = max(most, ids[i])
    if most > 1 << 26:
        raise BadArray("interests must be numbered densely")
    for i in range(n):
        for j in range(offsets[i] + 1, offsets[i + 1]):
            if ids[j - 1] >= ids[j]:
                raise BadArray("interests of a ticket must rise")
    return most


def pair(const uint32_t[::1] offsets not None, const uint32_t[::1] ids not None, const uint32_t[::1] worth not None,
         int32_t[::1] mate not None, *, const uint64_t[::1] persons=None, const uint32_t[::1] avoid_offsets=None,
         const uint64_t[::1] avoid=None, const uint8_t[::1] levels=None, const uint32_t[::1] places=None,
         const uint32_t[::1] homes=None, double near=0.0, uint32_t keep=128, uint32_t depth=4, uint32_t passes=20) -> int:
    """Fill `mate` with each ticket's partner or -1; return the sum of the weights.

    Ticket i, in order of age, has the interests ids[offsets[i]:offsets[i + 1]], ascending, small numbers (dense), each of weight worth[..]
    (the same for the same id). avoid: persons that a ticket must not meet, checked in both directions. levels: 0 good, 1 and up any
    overlap. places: the place that a ticket cannot leave, 0 for all others; tickets of two different places do not meet.
    homes: the process or host of each ticket's user, 0 if unknown: a pair of one home may weigh less by the share `near`, up to 0.5, than
    another one and is preferred all the same. keep, depth (0: no
    augmentation) and passes bound the work: O(n * keep * (log + 12 * 8 * 5 * 5)). Raises BadArray, MemoryError.
    """
    cdef uint32_t n = <uint32_t>mate.shape[0], i, most
    cdef Graph g
    cdef int bad
    cdef uint64_t total = 0
    if (
        not 0.0 <= near <= 0.5 or offsets.shape[0] != <Py_ssize_t>n + 1 or ids.shape[0] != worth.shape[0]
        or depth > DEEPEST or keep < 1 or keep > 4096
    ):
        raise BadArray("arrays of different lengths, or a bound out of range")
    if n == 0:
        return 0
    check_shapes(n, offsets, ids, persons, avoid_offsets, avoid, levels)
    if (places is not None and places.shape[0] != n) or (homes is not None and homes.shape[0] != n):
        raise BadArray("arrays of different lengths")
    most = <uint32_t>check_values(n, offsets, ids, avoid_offsets if avoid is not None else None)
    memset(&g, 0, sizeof(g))
    g.n = n
    g.keep = keep
    g.depth = depth
    g.at_home = FINE if homes is not None else 1
    g.abroad = <uint32_t>(FINE * (1.0 - near)) if homes is not None else 1
    if graph_make(&g):
        raise MemoryError()
    g.offsets = &offsets[0]
    g.ids = &ids[0] if ids.shape[0] else NULL
    g.worth = &worth[0] if worth.shape[0] else NULL
    g.persons = &persons[0] if persons is not None else NULL
    g.avoid = &avoid[0] if avoid is not None and avoid.shape[0] else NULL
    g.avoid_offsets = &avoid_offsets[0] if avoid is not None else g.none
    g.levels = &levels[0] if levels is not None else g.any_level
    g.places = &places[0] if places is not None else g.none
    g.homes = &homes[0] if homes is not None else g.none
    g.mate = &mate[0]
    with nogil:
        bad = solve(&g, most, passes)
        for i in range(n):
            if mate[i] >= 0:
                total += g.mate_weight[i] // factor(&g, i, <uint32_t>mate[i])
        graph_free(&g)
    if bad:
        raise MemoryError()
    return total // 2
