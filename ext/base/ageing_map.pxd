"""Declare the expiring map for compiled callers (ageing_map.pyx)."""


cdef class AgeingMap:
    cdef object _entries
    cdef readonly Py_ssize_t most

    cpdef put(self, key, value, double until=*, double now=*)
    cpdef get(self, key, double now=*)
    cpdef pop(self, key)
    cpdef expire(self, double now)
    cdef _drop_two(self, double now)
