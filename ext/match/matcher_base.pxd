"""Declare the methods of `Matcher` for compiled callers (matcher_base.pyx)."""

from libc.stdint cimport uint8_t, uint16_t, uint64_t


cdef class Index:
    cpdef submit(self, uint64_t client, int pool, ids, int level, double since, uint64_t person=*, tuple recent=*, tuple blocked=*,
                 bint quiet=*, tuple also=*, bint exact=*, bint look=*, int floor=*, uint16_t place=*, uint8_t home=*)
    cpdef retry(self, uint64_t handle, int level, bint quiet=*, tuple also=*, bint exact=*, int floor=*)
    cpdef remove(self, uint64_t handle)
