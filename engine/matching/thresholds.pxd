from libc.stdint cimport int64_t

cimport cython

cdef double _SOONEST, _BUSY_FROM, _BUSY_FULL, _GATHERED_MAX, _NO_SLOT, _SPAN, _LEAST_WINDOW

cdef class Thresholds:
    cdef readonly double any_after, anyone_after, lift_after
    cdef readonly int quiet_below
    cdef readonly double enough, exact_after
    cdef readonly int peak, falls
    cdef readonly double falls_for, window, busy_window, near, hurry
    cpdef double any_at(self, double rate)
    cpdef double anyone_at(self, double rate)
    cpdef double fall_at(self, int fallen, double rate)
    cpdef floor(self, int fallen)
    cpdef double window_at(self, double rate)
    cpdef double any_in_window(self, double rate)
    cdef double _fullness(self, double rate)
    cpdef double busy_at(self, double rate)
    cdef double _pace(self, double rate)

cdef class Arrivals:
    cdef double _until, _begun
    cdef int[::1] _buckets
    cdef int64_t _slot
    cdef public int total

    @cython.locals(place=Py_ssize_t)
    cpdef add(self, double now)

    @cython.locals(slot=int64_t, last=int64_t, gone=int64_t, place=Py_ssize_t)
    cpdef expire(self, double now)

    @cython.locals(span=double, slot=int64_t, place=Py_ssize_t, before=Py_ssize_t, count=int64_t)
    cpdef double rate(self, double now)
