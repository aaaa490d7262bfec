"""Export a chat's ring buffer (its last messages) as numbers and bytes for another process, and import such a snapshot.

**Invariant:** an imported snapshot must be consistent; else ValueError is raised and nothing is created. Unknown keys are ignored.
"""

# Defaults (0, empty) are left out. A ring's fields are read here and written in chat_ring.pyx alone.
#
# The bytes of a ring are its entries, oldest first: size, Unix time and side, each a little-endian u32, and `size` bytes of text.

from sys import byteorder

from cpython.long cimport PyLong_AsLongAndOverflow
from libc.stdint cimport uint8_t, uint32_t
from libc.string cimport memcpy

from ext.base.protocol cimport REFUSED_KEPT, WATCHER

cdef enum:
    TALKING = 2      # number of sides that write
    U32 = 0xffffffff
    LAST_MAX = 0x7fffffff  # no chat reaches it; beyond it numbers would wrap

if byteorder != "little" or sizeof(ring_snapshot_t) < 2 * REFUSED_KEPT * sizeof(uint32_t):
    raise ImportError("entries hold numbers in the machine's byte order and must have the layout of chat_ring_snapshot.pyx, with 200 ordinals a side")


cdef uint32_t whole(dict state, str key, uint32_t most) except? 0xffffffff:
    """Return the number at `key`, 0 if it is missing. Raises ValueError if it is no whole number from 0 to `most`."""
    return checked(state[key], key, most) if key in state else 0


cdef uint32_t checked(object value, str key, uint32_t most) except? 0xffffffff:
    """Check the value at `key`. Raises ValueError as `whole`."""
    cdef int beyond = 0
    cdef long number = PyLong_AsLongAndOverflow(value, &beyond) if isinstance(value, int) else -1
    if beyond or not 0 <= number <= most:
        raise ValueError(f"{key} must be a whole number from 0 to {most}")
    return <uint32_t>number


cdef int numbers(dict state, str key, uint32_t *found) except -1:
    """Read the two numbers at `key`, one per side; zeros if they are missing."""
    cdef int side
    if key not in state:
        found[0] = found[1] = 0
        return 0
    values = state[key]
    if not isinstance(values, (list, tuple)) or len(values) != TALKING:
        raise ValueError(f"{key} must be two numbers")
    for side in range(TALKING):
        found[side] = checked(values[side], key, U32)
    return 0


cdef list ordinals(ring_t *ring, int side):
    """Return the ordinals of the refused among a side's last REFUSED_KEPT `message` frames, ascending."""
    cdef uint32_t i, number, floor = ring.taken[side] - REFUSED_KEPT if ring.taken[side] > REFUSED_KEPT else 0
    found = []
    if ring.refused[side] != NULL:
        for i in range(min(ring.refusals[side], <uint32_t>REFUSED_KEPT)):
            number = ring.refused[side][i]
            if number > floor:
                found.append(number)
    return sorted(found)


cdef int write_numbers(dict state, str key, uint32_t one, uint32_t two) except -1:
    """Write two numbers, one per side, if one of them is not 0."""
    if one or two:
        state[key] = [one, two]
    return 0


cdef dict snapshot_of(ring_t *ring):
    """Return all of a ring but its texts and its connections."""
    cdef dict state = {}
    if ring.last:
        state["last"] = ring.last
    if ring.count:
        state["count"] = ring.count
    if ring.ended:
        state["ended"] = 1
    write_numbers(state, "taken", ring.taken[0], ring.taken[1])
    write_numbers(state, "refusals", ring.refusals[0], ring.refusals[1])
    write_numbers(state, "unsent", ring.unsent[0], ring.unsent[1])
    write_numbers(state, "unsent_bytes", ring.unsent_bytes[0], ring.unsent_bytes[1])
    if ring.refusals[0] or ring.refusals[1]:
        state["refused"] = [ordinals(ring, 0), ordinals(ring, 1)]
    return state


cdef int read_refused(dict state, ring_snapshot_t *found) except -1:
    """Read the refused ordinals of both sides: ascending, no more than were refused, none beyond those taken."""
    cdef int side
    cdef uint32_t i, number, before
    lists = state.get("refused", ((), ()))
    if not isinstance(lists, (list, tuple)) or len(lists) != TALKING:
        raise ValueError("refused must be two lists")
    for side in range(TALKING):
        if not isinstance(lists[side], (list, tuple)) or len(lists[side]) > min(found.refusals[side], <uint32_t>REFUSED_KEPT):
            raise ValueError("more frames are said to be refused than were")
        before = 0
        found.kept[side] = <uint32_t>len(lists[side])
        for i in range(found.kept[side]):
            number = checked(lists[side][i], "refused", found.taken[side])
            if number <= before:
                raise ValueError("refused ordinals must ascend")
            found.refused[side][i] = before = number
    return 0


cdef int read_entries(const uint8_t *data, Py_ssize_t size, ring_snapshot_t *found) except -1:
    """Check that the bytes are exactly `count` entries, and no more per side than were taken."""
    cdef uint32_t _entry
    cdef int side
    cdef uint32_t[3] head
    cdef uint32_t[2] said
    cdef Py_ssize_t at = 0
    said[0] = said[1] = 0
    for _entry in range(found.count):
        if size - at < ENTRY:
            raise ValueError("the entries are cut")
        memcpy(head, data + at, ENTRY)
        at += ENTRY
        if head[0] > size - at or head[2] >= WATCHER:
            raise ValueError("an entry is cut, or has no side")
        at += head[0]
        said[head[2]] += 1
    if at != size:
        raise ValueError("more bytes than entries")
    for side in range(TALKING):
        if <unsigned long>said[side] + found.refusals[side] > found.taken[side]:
            raise ValueError("more was said than taken")
    return 0


cdef int read_snapshot(dict state, const uint8_t *data, Py_ssize_t size, ring_snapshot_t *found) except -1:
    """Read what `snapshot_of` wrote, beside the entries' bytes."""
    found.last = whole(state, "last", LAST_MAX)
    found.count = whole(state, "count", found.last)
    found.ended = whole(state, "ended", 1)
    numbers(state, "taken", found.taken)
    numbers(state, "refusals", found.refusals)
    numbers(state, "unsent", found.unsent)
    numbers(state, "unsent_bytes", found.unsent_bytes)
    if <unsigned long>found.taken[0] + found.taken[1] < <unsigned long>found.last + found.refusals[0] + found.refusals[1]:
        raise ValueError("more was numbered than taken")
    read_refused(state, found)
    return read_entries(data, size, found)
