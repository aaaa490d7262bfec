"""Define the base class of `Matcher`, whose methods the compiled lobby calls without the cost of Python calls.

**Invariant:** the class has no fields, so callers need no C header of `matcher.pyx`.
"""

from libc.stdint cimport uint8_t, uint16_t, uint64_t


cdef class Index:
    """Base class of `Matcher`, its only subclass."""

    cpdef submit(self, uint64_t client, int pool, ids, int level, double since, uint64_t person=0, tuple recent=(), tuple blocked=(),
                 bint quiet=False, tuple also=(), bint exact=False, bint look=True, int floor=0, uint16_t place=0, uint8_t home=0):
        """See `Matcher`."""
        raise NotImplementedError

    cpdef retry(self, uint64_t handle, int level, bint quiet=False, tuple also=(), bint exact=False, int floor=0):
        """See `Matcher`."""
        raise NotImplementedError

    cpdef remove(self, uint64_t handle):
        """See `Matcher`."""
        raise NotImplementedError
