"""Keep a bounded map whose entries expire, used wherever the service remembers something for a limited time.

Times are seconds of any clock, as arguments. Each `put` also drops up to two expired entries, so the map shrinks as it is used and no call is slow.
**Invariant:** at most `most` entries, in order of their last `put`; if full, the oldest is dropped early.
"""

from collections import OrderedDict

from libc.math cimport INFINITY


cdef class AgeingMap:
    """Map of keys to values, each until its own time. Entries that have expired count in `len` until they are dropped."""

    def __init__(self, Py_ssize_t most=1 << 62):
        self.most = most
        # of (value, until); finding the first of a plain dict would step over the places of all that were deleted before it
        self._entries = OrderedDict()

    def __len__(self) -> int:
        return len(self._entries)

    def __contains__(self, key) -> bool:
        return key in self._entries

    def __iter__(self):
        """Yield the keys, oldest first."""
        return iter(self._entries)

    cpdef put(self, key, value, double until=INFINITY, double now=-INFINITY):
        """Add or replace an entry, which is the newest then."""
        entries = self._entries
        if entries:
            entries.pop(key, None)
        entries[key] = (value, until)
        self._drop_two(now)

    cpdef get(self, key, double now=-INFINITY):
        """Return the value of a key; None if it is missing or has expired."""
        cdef tuple entry
        if not self._entries:
            return None
        entry = self._entries.get(key)
        return entry[0] if entry is not None and <double>entry[1] > now else None

    cpdef pop(self, key):
        """Remove a key. Return its value, expired or not; None if it is missing."""
        cdef tuple entry
        if not self._entries:
            return None
        entry = self._entries.pop(key, None)
        return None if entry is None else entry[0]

    cpdef expire(self, double now):
        """Drop the oldest entries while they have expired."""
        cdef tuple entry
        entries = self._entries
        while entries:
            first = next(iter(entries))
            entry = entries[first]
            if <double>entry[1] > now:
                return
            del entries[first]

    def items(self, double now=-INFINITY):
        """Return the (key, value) pairs that have not expired, oldest first."""
        return [(key, entry[0]) for key, entry in self._entries.items() if entry[1] > now]

    @property
    def is_full(self) -> bool:
        """Whether another key would drop the oldest entry."""
        return len(self._entries) >= self.most

    cdef _drop_two(self, double now):
        cdef tuple entry
        entries = self._entries
        for _ in range(2):
            if not entries:
                return
            first = next(iter(entries))
            entry = entries[first]
            if <double>entry[1] > now and len(entries) <= self.most:
                return
            del entries[first]
