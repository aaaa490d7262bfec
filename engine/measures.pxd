cdef class Histogram:
    cdef public tuple bounds
    cdef public list counts
    cdef public double total
    cpdef add(self, double value)

cdef class Measures:
    cdef public dict waits
    cdef public Histogram common, chats, solved
    cpdef matched(self, bint video, tuple waited, common)
