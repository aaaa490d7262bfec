cdef class SearchRate:
    cdef double _ahead, _interval
    cdef object _paid
    cpdef pay(self, person, double now)
    cdef _sweep(self, double now)
