"""What the compiled lobby calls of a `Matcher` without Python between. Rule: no field, so that who calls it needs none of the C of `matcher.pyx`."""

from libc.stdint cimport uint16_t, uint64_t


cdef class Index:
    """See the module; `Matcher` is all there is of it."""

    cpdef submit(self, uint64_t client, pool, ids, level, double since, person=0, tuple recent=(), tuple blocked=(),
                 bint quiet=False, tuple also=(), bint exact=False, bint look=True, floor=0, uint16_t place=0):
        """See `Matcher`."""
        raise NotImplementedError

    cpdef retry(self, uint64_t handle, level, bint quiet=False, tuple also=(), bint exact=False, floor=0):
        """See `Matcher`."""
        raise NotImplementedError

    cpdef remove(self, uint64_t handle):
        """See `Matcher`."""
        raise NotImplementedError
